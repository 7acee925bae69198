"""Between the world and pictures: projection, rays, and many cameras stacked into arrays.

Pixels are those of :class:`pipeline.data.camera.Camera`: origin top left, centres at integers.
The world is any right-handed one in metres; nothing here knows which way is up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.geometry import lens

FloatArray = NDArray[np.float64]

# Depth in metres below which a point counts as behind the camera.
NEAREST_DEPTH = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class CameraStack:
    """The numbers of V cameras as arrays, the form in which arithmetic wants them.

    ``intrinsics`` (5, V) are fx, skew, cx, fy, cy, and ``scale`` (V, 2, 2) the matrix without the
    principal point; ``coefficients`` (8, V) and ``limit`` (V,) belong to
    :mod:`pipeline.geometry.lens`; ``straight`` says that no camera has any distortion.
    """

    rotation: FloatArray
    translation: FloatArray
    intrinsics: FloatArray
    scale: FloatArray
    coefficients: FloatArray
    limit: FloatArray
    straight: bool

    def __len__(self) -> int:
        return len(self.rotation)


@lru_cache(maxsize=64)
def _stack(cameras: tuple[Camera, ...]) -> CameraStack:
    matrix = np.array([c.matrix for c in cameras], dtype=np.float64)
    coefficients = np.array([lens.coefficients(c.distortion) for c in cameras])
    return CameraStack(
        rotation=np.array([c.rotation for c in cameras], dtype=np.float64),
        translation=np.array([c.translation for c in cameras], dtype=np.float64),
        intrinsics=np.stack(
            [matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 0, 2], matrix[:, 1, 1], matrix[:, 1, 2]]
        ),
        scale=np.ascontiguousarray(matrix[:, :2, :2]),
        coefficients=np.ascontiguousarray(coefficients.T),
        limit=np.array([lens.fold_limit(k) for k in coefficients]),
        straight=not coefficients.any(),
    )


def stacked(cameras: Iterable[Camera]) -> CameraStack:
    """Arrays of several cameras, remembered per ``Camera`` object.

    A ``Camera`` is a value: its arrays must not be changed in place.
    """
    return _stack(tuple(cameras))


def project_views(cameras: Iterable[Camera], xyz: ArrayLike) -> FloatArray:
    """Project world points into every view, with distortion.

    Parameters
    ----------
    cameras : iterable of V cameras
    xyz : (..., 3) array
        World points in metres.

    Returns
    -------
    (..., V, 2) array
        Pixels; NaN for NaN input, points behind a camera, and points so far outside the picture
        that the lens polynomial folds back.
    """
    stack = stacked(cameras)
    points = np.asarray(xyz, dtype=np.float64)
    shape = (*points.shape[:-1], len(stack))
    local = (points.reshape(-1, 3) @ stack.rotation.reshape(-1, 3).T).reshape(*shape, 3)
    if local.size <= 3 * lens.SCALAR_BELOW:
        return _project_floats(stack, local).reshape(*shape, 2)
    pixels = np.empty((*shape, 2))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        depth = local[..., 2] + stack.translation[:, 2]
        visible = depth > NEAREST_DEPTH
        x = (local[..., 0] + stack.translation[:, 0]) / depth
        y = (local[..., 1] + stack.translation[:, 1]) / depth
        if not stack.straight:
            visible &= x * x + y * y < stack.limit
            x, y = lens.distort(stack.coefficients, x, y)
        fx, skew, cx, fy, cy = stack.intrinsics
        pixels[..., 0] = fx * x + skew * y + cx
        pixels[..., 1] = fy * y + cy
    if not visible.all():
        pixels[~visible] = np.nan
    return pixels


def _project_floats(stack: CameraStack, rotated: FloatArray) -> FloatArray:
    """The arithmetic of :func:`project_views` on a few rotated points (..., V, 3), in floats."""
    v = len(stack)
    shifts, limits = stack.translation.tolist(), stack.limit.tolist()
    lenses, intrinsics = stack.coefficients.T.tolist(), stack.intrinsics.T.tolist()
    pixels = np.full((rotated.size // 3, 2), np.nan)
    for i, point in enumerate(rotated.reshape(-1, 3).tolist()):
        view = i % v
        shift = shifts[view]
        depth = point[2] + shift[2]
        if not depth > NEAREST_DEPTH:
            continue
        x, y = (point[0] + shift[0]) / depth, (point[1] + shift[1]) / depth
        if x * x + y * y < limits[view]:
            x, y = lens.distort(lenses[view], x, y)
            fx, skew, cx, fy, cy = intrinsics[view]
            pixels[i] = fx * x + skew * y + cx, fy * y + cy
    return pixels


def normalised_views(
    cameras: Iterable[Camera], xy: ArrayLike
) -> tuple[FloatArray, FloatArray | None]:
    """Undistorted normalised coordinates of pixels in every view.

    Parameters
    ----------
    cameras : iterable of V cameras
    xy : (..., V, 2) array
        Pixels; NaN stays NaN.

    Returns
    -------
    normalised : (..., V, 2) array
        NaN also where the lens model cannot reach the pixel.
    slope : (..., V, 2, 2) array or None
        Derivative of the distortion there; None if no camera has any.
    """
    stack = stacked(cameras)
    pixels = np.asarray(xy, dtype=np.float64)
    fx, skew, cx, fy, cy = stack.intrinsics
    y = (pixels[..., 1] - cy) / fy
    x = (pixels[..., 0] - cx - skew * y) / fx
    normalised = np.empty(pixels.shape)
    slope = None
    if not stack.straight:
        x, y, dxx, dxy, dyy = lens.undistort_with_slope(stack.coefficients, stack.limit, x, y)
        slope = np.empty((*pixels.shape, 2))
        slope[..., 0, 0], slope[..., 1, 1] = dxx, dyy
        slope[..., 0, 1] = slope[..., 1, 0] = dxy
    normalised[..., 0], normalised[..., 1] = x, y
    return normalised, slope


def project(camera: Camera, xyz: ArrayLike) -> FloatArray:
    """Project world points with distortion.

    Parameters
    ----------
    camera : Camera
    xyz : (..., 3) array
        World points in metres.

    Returns
    -------
    (..., 2) array
        Pixels; NaN for NaN input, points behind the camera, and points so far outside the picture
        that the lens polynomial folds back.
    """
    return np.asarray(project_views((camera,), xyz)[..., 0, :])


def undistort(camera: Camera, xy: ArrayLike) -> FloatArray:
    """Undistorted normalised coordinates (x/z, y/z in the camera) of pixels.

    Parameters
    ----------
    camera : Camera
    xy : (..., 2) array
        Pixels.

    Returns
    -------
    (..., 2) array
        NaN for NaN input and for pixels that the lens model cannot reach.
    """
    pixels = np.asarray(xy, dtype=np.float64)
    normalised, _ = normalised_views((camera,), pixels[..., None, :])
    return np.asarray(normalised[..., 0, :])


def ray(camera: Camera, xy: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The line of sight of pixels.

    Parameters
    ----------
    camera : Camera
    xy : (..., 2) array
        Pixels.

    Returns
    -------
    origin : (3,) array
        Optical centre in world metres.
    direction : (..., 3) array
        Unit vectors in the world, pointing away from the camera; NaN where
        :func:`undistort` is NaN.
    """
    normalised = undistort(camera, xy)
    local = np.concatenate([normalised, np.ones((*normalised.shape[:-1], 1))], axis=-1)
    direction = local @ camera.rotation
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return camera.centre, direction
