"""Derivatives of marker positions with respect to the independent coordinates, one frame."""

from __future__ import annotations

import numpy as np

from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.functions import consistent, evaluate
from pipeline.kinematics.model import FloatArray, KinematicModel, subtree


def marker_jacobian(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """(M, 3, Q) derivatives of the markers' positions; ``coordinates`` is (Q,).

    The columns of driven coordinates are zero: their part is in those of their drivers.
    """
    q = consistent(model, coordinates)
    poses = body_transforms(model, q)
    points = marker_positions(model, q, poses)
    result = np.zeros((model.n_markers, 3, model.n_coordinates))
    for body in range(model.n_bodies):
        carried = np.flatnonzero(
            (model.marker_bodies >= 0) & subtree(model, body)[model.marker_bodies]
        )
        for coordinate, rate, axis, centre in _moving_axes(model, body, q, poses):
            moved = (
                np.broadcast_to(axis, (len(carried), 3))
                if centre is None
                else np.cross(axis, points[carried] - centre)
            )
            result[carried, :, coordinate] += rate * moved
    return result


def _moving_axes(
    model: KinematicModel, body: int, q: FloatArray, poses: FloatArray
) -> list[tuple[int, float, FloatArray, FloatArray | None]]:
    """(driver, rate, axis in ground, centre or None for a translation) of one joint."""
    before = model.parent_from_joint[body]
    rotation, centre = before[:, :3], before[:, 3]
    parent = model.parents[body]
    if parent >= 0:
        centre = poses[parent, :, :3] @ centre + poses[parent, :, 3]
        rotation = poses[parent, :, :3] @ rotation
    found: list[tuple[int, float, FloatArray, FloatArray | None]] = []
    for k in (3, 4, 5, 0, 1, 2):
        source = int(model.axis_coordinate[body, k])
        function = int(model.axis_function[body, k])
        value, rate = evaluate(model, function, q[source] if source >= 0 else np.array(0.0))
        axis = model.axes[body, k]
        if source >= 0:
            driver = int(model.coupled_to[source])
            if driver >= 0:
                rate = rate * evaluate(model, int(model.coupler_function[source]), q[driver])[1]
            found.append(
                (source if driver < 0 else driver, float(rate), rotation @ axis, None)
                if k >= 3
                else (source if driver < 0 else driver, float(rate), rotation @ axis, centre)
            )
        if k >= 3:
            centre = centre + float(value) * (rotation @ axis)
        else:
            rotation = rotation @ _rotation(axis, float(value))
    return found


def _rotation(axis: FloatArray, angle: float) -> FloatArray:
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn: FloatArray = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
    return turn
