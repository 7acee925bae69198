"""People in a mirror: left becomes right, and so do bends and twists."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import project_skeleton

Floats = NDArray[np.float32]

#: The free coordinates of the spine, in the order of ``resources/spine_model/coordinates.csv``.
SPINE_ANGLES = (
    "lumbar_lower_flex", "lumbar_upper_flex", "thoracic_lower_flex", "thoracic_upper_flex",
    "neck_lower_flex", "neck_upper_flex", "lumbar_bend", "thoracic_bend", "neck_bend",
    "trunk_twist", "neck_twist",
)  # fmt: skip
_X = np.array([-1.0, 1.0, 1.0], np.float32)


@cache
def partners() -> tuple[int, ...]:
    """Index of the point on the other side, for each of the project's skeleton."""
    names = project_skeleton().names
    other = {"left_": "right_", "right_": "left_"}
    found = []
    for name in names:
        side = next((side for side in other if name.startswith(side)), "")
        found.append(names.index(other.get(side, "") + name.removeprefix(side)))
    return tuple(found)


@cache
def _angle_signs() -> Floats:
    return np.array([1.0 if name.endswith("flex") else -1.0 for name in SPINE_ANGLES], np.float32)


def mirrored(
    rays: Floats, score: Floats, up: Floats, xyz: Floats, angles: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Clips as a camera would see them in a mirror.

    ``rays`` (..., K, 2), ``score`` (..., K), ``up`` (..., 3), ``xyz`` (..., K, 3) and ``angles``
    (..., 11) are turned about the camera's vertical plane.
    """
    order = list(partners())
    return (
        rays[..., order, :] * _X[:2],
        score[..., order],
        up * _X,
        xyz[..., order, :] * _X,
        angles * _angle_signs(),
    )
