"""How badly two detections in different views disagree with being the same person."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.projection import CameraStack, normalised_views, stacked

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Two detections with fewer confident keypoints in common cannot be compared.
SHARED_KEYPOINTS = 4
# Share of the keypoints whose two lines of sight must meet in front of both cameras.
IN_FRONT_SHARE = 0.6


def extent(xy: FloatArray, sure: BoolArray) -> FloatArray:
    """Diagonal of the box around the confident keypoints, in pixels.

    Parameters
    ----------
    xy : (..., K, 2) array
    sure : (..., K) bool array

    Returns
    -------
    (...) array
        0 where there is no confident keypoint.
    """
    low = np.where(sure[..., None], xy, np.inf).min(axis=-2)
    high = np.where(sure[..., None], xy, -np.inf).max(axis=-2)
    some = np.asarray(sure.any(axis=-1))[..., None]
    size = np.where(some, high, 0.0) - np.where(some, low, 0.0)
    return np.asarray(np.hypot(size[..., 0], size[..., 1]))


def median_where(values: FloatArray, valid: BoolArray) -> FloatArray:
    """Lower median over the last axis of the valid values; NaN where there are none."""
    ordered = np.sort(np.where(valid, values, np.inf), axis=-1)
    count = valid.sum(axis=-1)
    middle = np.maximum(count - 1, 0) // 2
    median = np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0]
    return np.where(count > 0, median, np.nan)


def pair_costs(
    cameras: CameraGroup, xy: FloatArray, sure: BoolArray, *, gate_px: float, gate_share: float
) -> FloatArray:
    """Cost of every pair of detections in different views being one person.

    The cost is the median over the shared confident keypoints of the distance to the other's
    epipolar line (mean of both pictures, pixels), divided by a gate that grows with the person's
    size in the picture: ``gate_px + gate_share * size``. 1 is the largest believable value.

    Parameters
    ----------
    cameras : CameraGroup
        V cameras.
    xy : (T, V, P, K, 2) array
        Pixels.
    sure : (T, V, P, K) bool array
        Keypoints to trust.
    gate_px, gate_share : float

    Returns
    -------
    (T, V*P, V*P) array
        Symmetric; NaN for the same view or too few shared keypoints, ``inf`` where most lines of
        sight would meet behind a camera.
    """
    n, n_views, n_people = xy.shape[:3]
    stack = stacked(cameras)
    # The views' axis must stand last but one: (T, P, K, V, 2).
    place, _ = normalised_views(cameras, xy.transpose(0, 2, 3, 1, 4))
    known = np.isfinite(place[..., 0]) & sure.transpose(0, 2, 3, 1)
    place = np.where(known[..., None], place, 0.0)
    gate = gate_px + gate_share * extent(xy, sure)
    costs = np.full((n, n_views, n_people, n_views, n_people), np.nan)
    for a, b in combinations(range(n_views), 2):
        shared = known[:, :, None, :, a] & known[:, None, :, :, b]
        first, second = place[:, :, None, :, a], place[:, None, :, :, b]
        distance, in_front = _epipolar_distance(stack, a, b, first, second)
        count = shared.sum(axis=-1)
        cost = median_where(distance, shared)
        cost /= 0.5 * (gate[:, a, :, None] + gate[:, b, None, :])
        cost[(in_front & shared).sum(axis=-1) < IN_FRONT_SHARE * count] = np.inf
        cost[count < SHARED_KEYPOINTS] = np.nan
        costs[:, a, :, b], costs[:, b, :, a] = cost, cost.swapaxes(1, 2)
    return costs.reshape(n, n_views * n_people, n_views * n_people)


def _epipolar_distance(
    stack: CameraStack, a: int, b: int, first: FloatArray, second: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Mean distance in pixels in both pictures, and whether the lines of sight meet in front."""
    rotation = stack.rotation[b] @ stack.rotation[a].T
    shift = stack.translation[b] - rotation @ stack.translation[a]
    cross = np.array(
        [[0.0, -shift[2], shift[1]], [shift[2], 0.0, -shift[0]], [-shift[1], shift[0], 0.0]]
    )
    essential = cross @ rotation
    # Rays in the frame of camera b; both with unit depth in their own camera.
    from_a = first @ rotation[:, :2].T + rotation[:, 2]
    line_b = first @ essential[:, :2].T + essential[:, 2]
    line_a = second @ essential[:2] + essential[2]
    miss = np.abs(
        second[..., 0] * line_b[..., 0] + second[..., 1] * line_b[..., 1] + line_b[..., 2]
    )
    focal_a = 0.5 * (stack.scale[a, 0, 0] + stack.scale[a, 1, 1])
    focal_b = 0.5 * (stack.scale[b, 0, 0] + stack.scale[b, 1, 1])
    length_a = np.maximum(np.hypot(line_a[..., 0], line_a[..., 1]), 1e-12)
    length_b = np.maximum(np.hypot(line_b[..., 0], line_b[..., 1]), 1e-12)
    distance = 0.5 * miss * (focal_a / length_a + focal_b / length_b)
    # depth_b * ray_b = depth_a * ray_a + shift. Crossing it with ray_b, then with ray_a, leaves
    # each depth alone: depth_a * (ray_a x ray_b) = -(shift x ray_b), and likewise for b.
    ray_b = np.concatenate([second, np.ones((*second.shape[:-1], 1))], axis=-1)
    normal = np.cross(from_a, ray_b)
    depth_a = -(np.cross(shift, ray_b) * normal).sum(axis=-1)
    depth_b = -(np.cross(shift, from_a) * normal).sum(axis=-1)
    return np.asarray(distance), (depth_a > 0.0) & (depth_b > 0.0)
