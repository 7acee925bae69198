"""Where the levels of a simulated spine lie, from the sacrum to the skull."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import Skeleton
from pipeline.kinematics.model import KinematicModel
from simspine_viewer.pose import Pose

FloatArray = NDArray[np.float64]

# Names of vertebrae in models: ours (L5, T12, C1), Pose2Sim's and Christophy's (lumbar5, thoracic3,
# cerv1), with or without an underscore or leading zero.
_VERTEBRA = re.compile(r"(l|lumbar|t|thoracic|c|cerv|cervical)_?0?(\d{1,2})(_vert)?", re.IGNORECASE)
_COUNT = {"L": 5, "T": 12, "C": 7}
_ENDS = {"sacrum": "S1", "skull": "C0"}


@dataclass(frozen=True, slots=True, eq=False)
class SpineLevels:
    """Levels of one spine, bottom to top.

    ``names`` (N), ``xyz`` (N, 3) m, and ``first`` (N,) true for the lowest level of each region.
    """

    names: tuple[str, ...]
    xyz: FloatArray
    first: NDArray[np.bool_]


def level_name(body: str) -> str:
    """The anatomical name of a body of the column such as ``T7``; empty for any other body."""
    if body in _ENDS:
        return _ENDS[body]
    found = _VERTEBRA.fullmatch(body)
    if found is None:
        return ""
    region, number = found[1][0].upper(), int(found[2])
    return f"{region}{number}" if 1 <= number <= _COUNT[region] else ""


@lru_cache(maxsize=4)
def column_of(model: KinematicModel) -> tuple[tuple[int, str], ...]:
    """Bodies of the column with their level names, bottom to top; empty where there are none."""
    named = [(b, level_name(body)) for b, body in enumerate(model.body_names)]
    return tuple(sorted(((b, name) for b, name in named if name), key=lambda pair: _rank(pair[1])))


def _rank(name: str) -> tuple[int, int]:
    """Order from the sacrum up: S1, L5 to L1, T12 to T1, C7 to C0."""
    return "SLTC".index(name[0]), -int(name[1:])


def keypoint_column(skeleton: Skeleton) -> tuple[tuple[int, str], ...]:
    """The keypoints of the column with their names, bottom to top."""
    return tuple((k, skeleton.keypoints[k].marker) for k in skeleton.column)


def spine_levels(pose: Pose, keypoints: tuple[tuple[int, str], ...]) -> SpineLevels | None:
    """The levels of a pose; None where the model has no spine to speak of.

    A vertebra lies in the middle between its own joint and the one above it, as its body does. A
    model with fewer vertebrae than there are ``keypoints`` (:func:`keypoint_column`) is drawn
    through its markers for these.
    """
    column = column_of(pose.model)
    if len(column) >= len(keypoints):
        origins = pose.ground_from_body[[body for body, _ in column], :, 3]
        names = tuple(name for _, name in column)
        xyz = origins.copy()
        inner = np.array([name not in _ENDS.values() for name in names[:-1]])
        xyz[:-1][inner] = (0.5 * (origins[:-1] + origins[1:]))[inner]
        first = np.array([not i or name[0] != names[i - 1][0] for i, name in enumerate(names)])
        return SpineLevels(names, xyz, first)
    xyz = pose.markers[[keypoint for keypoint, _ in keypoints]]
    there = np.isfinite(xyz[:, 0])
    if there.sum() < 2:
        return None
    names = tuple(name for (_, name), known in zip(keypoints, there, strict=True) if known)
    return SpineLevels(names, xyz[there], np.zeros(len(names), bool))
