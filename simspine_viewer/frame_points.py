"""What panes and panels draw of one frame, and what a drag under way would make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.derived import read_current
from pipeline.data.layers import LAYERS
from pipeline.data.observations import (
    Observations,
    detection_sd,
    detections,
    observations,
    track_ids,
)
from pipeline.data.sequence import Sequence
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import solve_points3d

FloatArray = NDArray[np.float64]

# Empty where they are stale; in the order of the fields.
_LATER = ("fused.xyz", "fused.sigma", "fused.source",
          "kinematics.label_xyz", "kinematics.label_sigma", "kinematics.label_source")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class FramePoints:
    """All points of the annotated person in one frame, as panes and panels draw them.

    ``xy`` (V, K, 2) px observed (manual first), ``score``, ``manual``, ``flags`` (V, K);
    ``xyz`` (K, 3) m; ``reprojected`` (V, K, 2) px of ``xyz``; ``residual`` (V, K) px between
    both; ``rms`` (K,) px, the root mean square of the residuals that count; ``sigma`` (K,) mm;
    ``source`` (K,). ``others``: xy (V, K, 2) of the other people by track. ``fused`` (K, 3) m,
    ``fused_sigma`` (K,) mm and ``fused_source`` (K,) are the final points, solved over time; NaN
    and 0 where they have not been computed since something near them changed. ``label``,
    ``label_sigma`` and ``label_source`` are the same put together with the body model.
    ``detector_sd`` (V, K, 2) px is what a model that was run here says of the points it found;
    NaN where the point is another one.
    """

    frame: int
    xy: FloatArray
    score: FloatArray
    manual: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    xyz: FloatArray
    reprojected: FloatArray
    residual: FloatArray
    rms: FloatArray
    sigma: FloatArray
    source: NDArray[np.uint8]
    others: dict[int, FloatArray]
    detector_sd: FloatArray
    fused: FloatArray
    fused_sigma: FloatArray
    fused_source: NDArray[np.uint8]
    label: FloatArray
    label_sigma: FloatArray
    label_source: NDArray[np.uint8]


def nothing_known(frame: int, n_views: int, n_keypoints: int) -> FramePoints:
    """The points of a frame whose part of the file cannot be read."""
    seen, xyz = (n_views, n_keypoints), np.full((n_keypoints, 3), np.nan)
    none, source = np.full(n_keypoints, np.nan), np.zeros(n_keypoints, np.uint8)
    xy = np.full((*seen, 2), np.nan)
    return FramePoints(
        frame, xy, np.zeros(seen), np.zeros(seen, np.bool_), np.zeros(seen, np.uint8), xyz, xy,
        np.full(seen, np.nan), none, none, source, {}, xy, xyz, none, source, xyz,
        none, source,
    )  # fmt: skip


def read_points(sequence: Sequence, person: int, frame: int) -> FramePoints:
    """Points of a person in one frame, solving the 3D now if that is stale."""
    rows = np.array([frame])
    seen = observations(sequence, person, rows)
    derived = _derived_at(sequence, person, rows)
    later = {name: read_current(sequence, name, rows, person)[0] for name in _LATER}
    xyz = derived["points3d.xyz"].astype(float)
    reprojected = project_views(sequence.cameras, xyz).swapaxes(0, 1)
    tracks = track_ids(sequence)
    ignored = sequence.read("tracks.ignored", tracks).astype(bool)
    others = {
        int(track): detections(sequence, int(track), rows)[0][0]
        for track, hidden in zip(tracks, ignored, strict=True)
        if track != person and not hidden
    }
    return FramePoints(
        frame,
        seen.xy[0],
        seen.score[0],
        seen.manual[0],
        seen.flags[0],
        xyz,
        reprojected,
        np.linalg.norm(seen.xy[0] - reprojected, axis=-1),
        derived["points3d.residual"].astype(float),
        derived["points3d.sigma"].astype(float),
        derived["points3d.source"],
        others,
        np.where(_found_here(seen), detection_sd(sequence, person, rows), np.nan)[0],
        *(
            values if name.endswith("source") else values.astype(float)
            for name, values in later.items()
        ),
    )


def _found_here(seen: Observations) -> NDArray[np.bool_]:
    """(n, V, K, 1) what is a detection that counts."""
    return np.asarray((np.isfinite(seen.xy[..., 0]) & ~seen.manual)[..., None])


def _derived_at(sequence: Sequence, person: int, rows: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """The ``points3d`` layers of one frame, solved for the moment where they are stale."""
    if sequence.stamps.stale_at("points3d", person, rows)[0]:
        return {patch.layer: patch.new for patch in solve_points3d(sequence, person, rows)}
    return {name: sequence.read(name, rows, person)[0] for name in _layers_of("points3d")}


def _layers_of(group: str) -> list[str]:
    return [spec.name for spec in LAYERS.values() if spec.group == group]


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """What a drag under way would do; drawn by all views, written nowhere.

    ``view`` is the view being dragged in, -1 for a drag in 3D. ``xy`` (V, 2): the observed point
    in each view with the drag applied. ``xyz`` (3,) the solved point; ``reprojected`` (V, 2) and
    ``residual`` (V,) follow from it; ``sigma`` mm.
    """

    frame: int
    view: int
    keypoint: int
    xy: FloatArray
    xyz: FloatArray
    reprojected: FloatArray
    residual: FloatArray
    sigma: float
