"""Forward kinematics: where bodies and markers are for given joint coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pipeline.kinematics.compiled import entry
from pipeline.kinematics.functions import consistent, function_value
from pipeline.kinematics.model import FloatArray, KinematicModel


def body_transforms(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """Poses of all bodies.

    Parameters
    ----------
    coordinates
        (T, Q) or (Q,) metres and radians; driven coordinates are computed from their drivers.

    Returns
    -------
    FloatArray
        (T, B, 3, 4) or (B, 3, 4) ``ground_from_body``; NaN where a coordinate is NaN.
    """
    if np.ndim(coordinates) not in (1, 2) or np.shape(coordinates)[-1] != model.n_coordinates:
        raise ValueError(
            f"coordinates of shape {np.shape(coordinates)} for {model.n_coordinates} coordinates"
        )
    q = consistent(model, coordinates)
    frames = np.atleast_2d(q)
    poses = np.empty((len(frames), model.n_bodies, 3, 4))
    _poses(
        frames,
        model.parents,
        model.parent_from_joint,
        model.joint_from_body,
        model.axes,
        model.axis_function,
        model.axis_coordinate,
        model.function_kind,
        model.function_terms,
        model.function_knots,
        model.knots.reshape(-1),
        poses,
    )
    return poses if q.ndim == 2 else poses[0]


def marker_positions(
    model: KinematicModel, coordinates: FloatArray, poses: FloatArray | None = None
) -> FloatArray:
    """(T, M, 3) or (M, 3) positions of the model's markers in ground, metres.

    ``poses`` are those of :func:`body_transforms` where they are already at hand.
    """
    if poses is None:
        poses = body_transforms(model, coordinates)
    return points_on_bodies(poses, model.marker_bodies, model.marker_locations)


def points_on_bodies(poses: FloatArray, bodies: Any, locations: FloatArray) -> FloatArray:
    """Points fixed to bodies, in ground.

    Parameters
    ----------
    poses
        (..., B, 3, 4) ``ground_from_body``.
    bodies, locations
        (N,) body of each point (-1: fixed in ground) and (N, 3) metres in the body's frame.

    Returns
    -------
    FloatArray
        (..., N, 3) metres.
    """
    carried = poses[..., bodies, :, :]
    points: FloatArray = (
        np.einsum("...nij,nj->...ni", carried[..., :3], locations) + carried[..., 3]
    )
    fixed = np.asarray(bodies) < 0
    points[..., fixed, :] = locations[fixed]
    return points


@entry
def _poses(  # noqa: PLR0912
    coordinates: Any,
    parents: Any,
    before: Any,
    after: Any,
    axes: Any,
    axis_function: Any,
    axis_coordinate: Any,
    kinds: Any,
    terms: Any,
    starts: Any,
    knots: Any,
    poses: Any,
) -> None:
    pose = np.empty((3, 4))
    for t in range(coordinates.shape[0]):
        for b in range(parents.shape[0]):
            p = parents[b]
            for i in range(3):
                for j in range(4):
                    if p < 0:
                        pose[i, j] = before[b, i, j]
                    else:
                        pose[i, j] = (
                            poses[t, p, i, 0] * before[b, 0, j]
                            + poses[t, p, i, 1] * before[b, 1, j]
                            + poses[t, p, i, 2] * before[b, 2, j]
                        )
                if p >= 0:
                    pose[i, 3] += poses[t, p, i, 3]
            for step in range(6):
                k = (step + 3) % 6
                f, q = axis_function[b, k], axis_coordinate[b, k]
                argument = coordinates[t, q] if q >= 0 else 0.0
                value, _, _ = function_value(
                    kinds[f],
                    terms[f, 0],
                    terms[f, 1],
                    knots,
                    3 * starts[f],
                    3 * starts[f + 1],
                    argument,
                )
                if value == 0.0:
                    continue
                x, y, z = axes[b, k, 0], axes[b, k, 1], axes[b, k, 2]
                if k >= 3:
                    for i in range(3):
                        pose[i, 3] += value * (pose[i, 0] * x + pose[i, 1] * y + pose[i, 2] * z)
                    continue
                s, c = math.sin(value), math.cos(value)
                d = 1.0 - c
                for i in range(3):
                    # Rodrigues' formula, applied to a row: r + s (r x n) + d n (n . r) - d r.
                    r0, r1, r2 = pose[i, 0], pose[i, 1], pose[i, 2]
                    along = d * (r0 * x + r1 * y + r2 * z)
                    pose[i, 0] = c * r0 + s * (r1 * z - r2 * y) + along * x
                    pose[i, 1] = c * r1 + s * (r2 * x - r0 * z) + along * y
                    pose[i, 2] = c * r2 + s * (r0 * y - r1 * x) + along * z
            for i in range(3):
                for j in range(4):
                    poses[t, b, i, j] = (
                        pose[i, 0] * after[b, 0, j]
                        + pose[i, 1] * after[b, 1, j]
                        + pose[i, 2] * after[b, 2, j]
                    )
                poses[t, b, i, 3] += pose[i, 3]
