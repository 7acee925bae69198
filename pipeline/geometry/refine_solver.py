"""Bundle adjustment of camera poses and points: the arithmetic of refining cameras.

Six numbers per camera (its centre and a small turn) and three per point; lenses stay. The points
are eliminated (Schur complement), the loss is soft-l1 by reweighting, the steps are
Levenberg-Marquardt's, and every camera is held near its old pose by a prior.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.data.camera import Camera
from pipeline.geometry import lens
from pipeline.geometry.projection import NEAREST_DEPTH, CameraStack, stacked

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A step that lowers the cost by less than this share ends the iteration.
COST_TOLERANCE = 1e-5
MAX_ITERATIONS = 40
# Damping of Levenberg-Marquardt: where it starts, and where a step counts as hopeless.
FIRST_DAMPING, LAST_DAMPING = 1e-4, 1e8
# What an observation costs whose point lies behind its camera, as a distance in pixels.
BEHIND_PX = 1e4


@dataclass(slots=True, eq=False)
class Bundle:
    """Cameras and points on the way to their solution.

    Parameters
    ----------
    cameras : V cameras
        Where they started; lenses are taken from here.
    turn, shift : (V, 3) arrays
        Rotation vector (radians, in the camera) and shift of the centre (metres, in the world)
        since then.
    xyz : (N, 3) array
        World metres.
    pixels : (N, V, 2) array
    information : (N, V) array
        Inverse variances in px^-2; 0 where there is no observation.
    manual : (N, V) bool array
        Observations without robust loss.
    """

    cameras: tuple[Camera, ...]
    turn: FloatArray
    shift: FloatArray
    xyz: FloatArray
    pixels: FloatArray
    information: FloatArray
    manual: BoolArray

    def pose(self) -> tuple[FloatArray, FloatArray]:
        """(V, 3, 3) camera-from-world rotations and (V, 3) optical centres now."""
        return _pose(self.cameras, self.turn, self.shift)


@dataclass(frozen=True, slots=True)
class Prior:
    """Standard deviations of what a camera may have moved, and the loss's turning point."""

    shift_m: float
    turn_rad: float
    loss_px: float


@dataclass(frozen=True, slots=True, eq=False)
class _Equations:
    """The bundle linearised: cost of each observation, residuals, and their derivatives."""

    cost: FloatArray  # (N, V)
    total: float
    weight: FloatArray  # (N, V)
    residual: FloatArray  # (N, V, 2)
    by_camera: FloatArray  # (N, V, 2, 6)
    by_point: FloatArray  # (N, V, 2, 3)


def posed(
    cameras: tuple[Camera, ...], rotation: FloatArray, centre: FloatArray
) -> tuple[Camera, ...]:
    """Cameras with other rotations (V, 3, 3) and centres (V, 3)."""
    return tuple(
        replace(camera, rotation=turned, translation=-turned @ place)
        for camera, turned, place in zip(cameras, rotation, centre, strict=True)
    )


def posed_by(
    cameras: tuple[Camera, ...], turn: FloatArray, shift: FloatArray
) -> tuple[Camera, ...]:
    """Cameras after a ``turn`` and a ``shift`` as in :class:`Bundle`."""
    return posed(cameras, *_pose(cameras, turn, shift))


def _pose(
    cameras: tuple[Camera, ...], turn: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    rotation = np.asarray(Rotation.from_rotvec(turn).as_matrix() @ stacked(cameras).rotation)
    return rotation, np.array([camera.centre for camera in cameras]) + shift


def adjusted(bundle: Bundle, prior: Prior, max_iterations: int = MAX_ITERATIONS) -> Iterator[float]:
    """Move cameras and points to the minimum, yielding the cost after each accepted step."""
    at = _linearised(bundle, prior)
    damping = FIRST_DAMPING
    for _ in range(max_iterations):
        camera_step, point_step = _step(bundle, at, prior, damping)
        trial = replace(
            bundle,
            turn=bundle.turn + camera_step[:, :3],
            shift=bundle.shift + camera_step[:, 3:],
            xyz=bundle.xyz + point_step,
        )
        after = _linearised(trial, prior)
        if not after.total < at.total:
            damping *= 10.0
            if not damping < LAST_DAMPING:
                return
            continue
        gain = at.total - after.total
        bundle.turn, bundle.shift, bundle.xyz = trial.turn, trial.shift, trial.xyz
        at, damping = after, max(damping * 0.1, 1e-9)
        yield after.total
        if gain < COST_TOLERANCE * after.total:
            return


def observation_costs(bundle: Bundle, prior: Prior) -> FloatArray:
    """(N, V) robust cost of each observation, in units of its variance; 0 without one."""
    return _linearised(bundle, prior).cost


def _linearised(bundle: Bundle, prior: Prior) -> _Equations:
    stack = stacked(bundle.cameras)
    rotation, centre = bundle.pose()
    local = (rotation @ (bundle.xyz[:, None] - centre)[..., None])[..., 0]
    seen = bundle.information > 0.0
    front = seen & (local[..., 2] > NEAREST_DEPTH)
    depth = np.where(front, local[..., 2], 1.0)
    x, y = local[..., 0] / depth, local[..., 1] / depth
    inside = front & (x * x + y * y < stack.limit)
    place, slope = _pictured(stack, np.where(inside, x, 0.0), np.where(inside, y, 0.0))
    residual = np.where(inside[..., None], place - np.where(seen[..., None], bundle.pixels, 0), 0)

    ratio = (residual * residual).sum(axis=-1) / prior.loss_px**2
    root = np.sqrt(1.0 + ratio)
    loss = np.where(bundle.manual, 0.5 * ratio, root - 1.0)
    # The same cost for every point that cannot be seen: no step gains by hiding one.
    loss = np.where(inside, loss, np.sqrt(1.0 + (BEHIND_PX / prior.loss_px) ** 2))
    cost = bundle.information * loss * prior.loss_px**2
    away = (bundle.turn / prior.turn_rad) ** 2 + (bundle.shift / prior.shift_m) ** 2
    weight = np.where(inside, bundle.information, 0.0) * np.where(bundle.manual, 1.0, 1.0 / root)

    # Derivative of the picture by the point in the camera's own axes, (N, V, 2, 3).
    inverse = 1.0 / depth
    by_local = (
        np.concatenate([slope, -(slope @ np.stack([x, y], axis=-1)[..., None])], axis=-1)
        * np.where(inside, inverse, 0.0)[..., None, None]
    )
    by_point = by_local @ rotation
    # A turn w moves the point by w x local.
    by_turn = np.cross(local[..., None, :], by_local)
    return _Equations(
        cost,
        float(cost.sum() + 0.5 * away.sum()),
        weight,
        residual,
        np.concatenate([by_turn, -by_point], axis=-1),
        by_point,
    )


def _pictured(stack: CameraStack, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pixels (N, V, 2) of normalised coordinates and their derivative (N, V, 2, 2)."""
    xd, yd, dxx, dxy, dyy = lens.distort_with_slope(stack.coefficients, x, y)
    fx, skew, cx, fy, cy = stack.intrinsics
    bent = np.stack([np.stack([dxx, dxy], -1), np.stack([dxy, dyy], -1)], -2)
    return np.stack([fx * xd + skew * yd + cx, fy * yd + cy], axis=-1), stack.scale @ bent


def _step(
    bundle: Bundle, at: _Equations, prior: Prior, damping: float
) -> tuple[FloatArray, FloatArray]:
    """Damped Gauss-Newton step: (V, 6) of the cameras and (N, 3) of the points."""
    n, v = at.weight.shape
    # Rows of all residuals of a camera, and of all residuals of a point.
    by_camera = at.by_camera.swapaxes(0, 1).reshape(v, 2 * n, 6)
    by_point = at.by_point.reshape(n, 2 * v, 3)
    weighted = (at.by_camera * at.weight[..., None, None]).swapaxes(-1, -2)  # (N, V, 6, 2)
    to_camera = weighted.transpose(1, 2, 0, 3).reshape(v, 6, 2 * n)
    to_point = (at.by_point * at.weight[..., None, None]).reshape(n, 2 * v, 3).swapaxes(1, 2)

    stiff = np.array([prior.turn_rad**-2.0] * 3 + [prior.shift_m**-2.0] * 3)
    moved = np.concatenate([bundle.turn, bundle.shift], axis=-1)
    cameras = np.zeros((v, 6, v, 6))
    own = to_camera @ by_camera
    own += np.eye(6) * (stiff + damping * np.einsum("vjj->vj", own))[:, None]
    cameras[np.arange(v), :, np.arange(v)] = own
    by_view = at.residual.swapaxes(0, 1).reshape(v, 2 * n, 1)
    camera_pull = (to_camera @ by_view)[..., 0] + stiff * moved

    points = to_point @ by_point
    trace = np.einsum("njj->n", points)
    points += np.eye(3) * ((damping + 1e-12) * trace + 1e-30)[:, None, None]
    point_pull = (to_point @ at.residual.reshape(n, 2 * v, 1))[..., 0]
    both = (weighted @ at.by_point).reshape(n, 6 * v, 3)

    eliminated = both @ np.linalg.inv(points)
    flat = 6 * v
    reduced = cameras.reshape(flat, flat) - np.tensordot(eliminated, both, axes=((0, 2), (0, 2)))
    pull = camera_pull.ravel() - (eliminated @ point_pull[..., None]).sum(axis=0)[:, 0]
    step = -np.linalg.solve(reduced, pull)
    rest = point_pull + step @ both
    inner = np.asarray(-np.linalg.solve(points, rest[..., None])[..., 0], float)
    return step.reshape(v, 6), inner


def aligned(
    cameras: tuple[Camera, ...], to: tuple[Camera, ...], prior: Prior
) -> tuple[Camera, ...]:
    """Cameras in the world, at the scale and at the place of ``to``, all pictures unchanged.

    Pictures fix cameras and points only up to a similarity of the world. Of all similarities the
    one is taken that leaves the cameras nearest to ``to`` (centres and directions weighted as in
    the prior), so that floor, metres and axes stay where they were.
    """
    new, old = stacked(cameras), stacked(to)
    place = np.array([camera.centre for camera in cameras])
    target = np.array([camera.centre for camera in to])
    place_mean, target_mean = place.mean(axis=0), target.mean(axis=0)
    a, b = place - place_mean, target - target_mean
    spread = float((a * a).sum())
    scale = 1.0
    turn = np.eye(3)
    for _ in range(3):  # scale and turn depend on each other only through their weights
        pull = scale * b.T @ a / prior.shift_m**2
        pull = pull + np.einsum("vij,vik->jk", old.rotation, new.rotation) / prior.turn_rad**2
        u, _, vt = np.linalg.svd(pull)
        turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        if spread > 0.0:
            scale = float((b * (a @ turn.T)).sum()) / spread
    centre = scale * a @ turn.T + target_mean
    return posed(to, new.rotation @ turn.T, centre)
