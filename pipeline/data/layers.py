"""The layers of a sequence: what each holds and what derived ones are made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["base", "authored", "derived"]
Axis = Literal["frame", "view", "person", "keypoint", "track"]


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One stored array: its kind, its index axes, and the value at each index.

    ``per_track`` layers exist once for every person track.
    """

    name: str
    kind: Kind
    axes: tuple[Axis, ...]
    item: tuple[int, ...]
    dtype: str
    fill: float
    per_track: bool

    @property
    def group(self) -> str:
        """The layer of the design this array belongs to: ``manual2d`` of ``manual2d.xy``."""
        return self.name.partition(".")[0]

    @property
    def rows(self) -> int:
        """Rows stored together: few where each edit writes them, many where they are only read."""
        return 16 if self.kind == "authored" and self.per_track else 256


#: Longest text of a note on a frame, in bytes of UTF-8.
NOTE_BYTES = 240

#: Joint coordinates that a body model may have (ours has 113); a frame's row has one for each.
COORDINATES = 192


def _specs() -> dict[str, LayerSpec]:
    instance: tuple[Axis, ...] = ("frame", "view", "person", "keypoint")
    view_point: tuple[Axis, ...] = ("frame", "view", "keypoint")
    point: tuple[Axis, ...] = ("frame", "keypoint")
    nan = float("nan")
    rows = [
        LayerSpec("instances2d.xy", "base", instance, (2,), "f4", nan, False),
        LayerSpec("instances2d.score", "base", instance, (), "f4", 0.0, False),
        LayerSpec("assignment.track", "authored", ("frame", "view", "person"), (), "i2", -1, False),
        LayerSpec("detected2d.points", "authored", view_point, (5,), "f4", nan, True),
        LayerSpec("tracks.ignored", "authored", ("track",), (), "u1", 0, False),
        LayerSpec("manual2d.xy", "authored", view_point, (2,), "f4", nan, True),
        LayerSpec("manual2d.flags", "authored", view_point, (), "u1", 0, True),
        LayerSpec("manual3d.xyz", "authored", point, (3,), "f4", nan, True),
        LayerSpec("points3d.xyz", "derived", point, (3,), "f4", nan, True),
        LayerSpec("points3d.residual", "derived", point, (), "f4", nan, True),
        LayerSpec("points3d.sigma", "derived", point, (), "f4", nan, True),
        LayerSpec("points3d.n_views", "derived", point, (), "u1", 0, True),
        LayerSpec("points3d.source", "derived", point, (), "u1", 0, True),
        LayerSpec("fused.xyz", "derived", point, (3,), "f4", nan, True),
        LayerSpec("fused.sigma", "derived", point, (), "f4", nan, True),
        LayerSpec("fused.source", "derived", point, (), "u1", 0, True),
        LayerSpec("kinematics.coordinates", "derived", ("frame",), (COORDINATES,), "f4", nan, True),
        LayerSpec("kinematics.sigma", "derived", ("frame",), (COORDINATES,), "f4", nan, True),
        LayerSpec("kinematics.seen", "derived", ("frame",), (COORDINATES,), "u1", 0, True),
        LayerSpec("kinematics.xyz", "derived", point, (3,), "f4", nan, True),
        LayerSpec("kinematics.label_xyz", "derived", point, (3,), "f4", nan, True),
        LayerSpec("kinematics.label_sigma", "derived", point, (), "f4", nan, True),
        LayerSpec("kinematics.label_source", "derived", point, (), "u1", 0, True),
        LayerSpec("cameras.pose", "authored", ("view",), (6,), "f8", nan, False),
        LayerSpec("cameras.sync", "authored", ("view",), (2,), "f8", nan, False),
        LayerSpec("notes.marker", "authored", ("frame",), (), "u1", 0, False),
        LayerSpec("notes.text", "authored", ("frame",), (NOTE_BYTES,), "u1", 0, False),
    ]
    return {spec.name: spec for spec in rows}


LAYERS: dict[str, LayerSpec] = _specs()

_SEEN = ("instances2d", "assignment", "detected2d", "manual2d", "manual3d", "cameras")

#: Inputs of each derived layer group, for staleness.
INPUTS: dict[str, tuple[str, ...]] = {"points3d": _SEEN, "fused": _SEEN, "kinematics": _SEEN}

#: Frames to either side of a changed one whose derived values change with it, at least.
REACH: dict[str, int] = {"points3d": 0, "fused": 15, "kinematics": 50}

# The same in seconds: how far an edit is felt does not depend on the frame rate. Measured at 60 to
# 240 Hz: beyond it, no point moves by more than 3 mm, or 15 mm where a gap of views is closed.
# Coordinates of the body are solved together with those of the second before and after.
_REACH_S: dict[str, float] = {"points3d": 0.0, "fused": 0.25, "kinematics": 1.0}


def reach_of(group: str, fps: float) -> int:
    """Frames to either side of a changed one whose values of a derived group change with it."""
    return max(REACH[group], math.ceil(_REACH_S[group] * fps))


#: ``track`` of a patch on a layer that is not per track.
NO_TRACK = -1

#: Length of the ``track`` axis: ids fit the i2 of ``assignment.track``.
MAX_TRACKS = 32767
