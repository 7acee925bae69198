"""Where a point seen in one view can lie in another: the epipolar curve, bent by both lenses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.geometry import lens
from pipeline.geometry.projection import NEAREST_DEPTH, CameraStack, ray, stacked, undistort

FloatArray = NDArray[np.float64]

# Metres along the line of sight: from in front of the lens to the end of any hall.
DEFAULT_DEPTHS = (0.1, 100.0)
# Points per side when the border of a picture is undistorted to find its bounds.
BORDER_SAMPLES = 17


def epipolar_curve(
    from_camera: Camera,
    xy: ArrayLike,
    to_camera: Camera,
    *,
    depths: tuple[float, float] = DEFAULT_DEPTHS,
    n: int = 64,
    margin: float = 20.0,
) -> FloatArray:
    """The line of sight of a pixel as a polyline in another picture.

    See :func:`epipolar_fan`, of which this is the case of one other camera.
    """
    return epipolar_fan(from_camera, xy, (to_camera,), depths=depths, n=n, margin=margin)[0]


def epipolar_fan(
    from_camera: Camera,
    xy: ArrayLike,
    to_cameras: Iterable[Camera],
    *,
    depths: tuple[float, float] = DEFAULT_DEPTHS,
    n: int = 64,
    margin: float = 20.0,
) -> tuple[FloatArray, ...]:
    """The line of sight of a pixel as a polyline in other pictures, all at once.

    Parameters
    ----------
    from_camera : Camera
        The view in which the pixel was set.
    xy : (2,) array
        The pixel.
    to_cameras : iterable of V cameras
        The views in which the curve is wanted.
    depths : (float, float)
        Part of the line of sight that counts, in metres from the first camera's centre.
    n : int
        Points to sample, evenly spaced in the other (undistorted) picture; at least 2.
    margin : float
        Pixels by which the curve may leave the other picture.

    Returns
    -------
    V arrays (M, 2)
        At most n pixels each, ordered from near to far; (0, 2) where no part of the line of sight
        lies in front of the camera and in its picture.
    """
    targets = tuple(to_cameras)
    curves = [np.empty((0, 2)) for _ in targets]
    origin, direction = ray(from_camera, xy)
    if not np.isfinite(direction).all() or not targets:
        return tuple(curves)
    stack = stacked(targets)
    starts = (stack.rotation @ origin + stack.translation).tolist()
    alongs = (stack.rotation @ direction).tolist()
    spans = [
        _visible_span(start, along, _picture_bounds(camera, margin), depths)
        for start, along, camera in zip(starts, alongs, targets, strict=True)
    ]
    seen = [view for view, span in enumerate(spans) if span is not None]
    if not seen:
        return tuple(curves)
    line = _Line(
        stacked(tuple(targets[view] for view in seen)),
        np.array([starts[view] for view in seen]),
        np.array([alongs[view] for view in seen]),
        np.array([spans[view] for view in seen]),
    )
    low, high = -margin, np.array([targets[view].size for view in seen]) - 1.0 + margin
    # The bounds are generous; the second pass puts all points where the first one saw the picture.
    share = np.linspace(0.0, 1.0, n)
    rough = _inside(_sampled(line, share[:, None]), low, high)
    step, ends = 1.0 / (n - 1), np.zeros((2, len(seen)))
    for i in range(len(seen)):
        run = _longest_run(rough[:, i])
        if run.stop > run.start:
            ends[:, i] = max(run.start - 1, 0) * step, min(run.stop, n - 1) * step
    sampled = _sampled(line, ends[0] + share[:, None] * (ends[1] - ends[0]))
    kept = _inside(sampled, low, high)
    for i, view in enumerate(seen):
        if ends[1, i] > ends[0, i]:
            curves[view] = sampled[_longest_run(kept[:, i]), i]
    return tuple(curves)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """One line of sight in V cameras: ``start + s * along`` (V, 3), ``span`` (V, 2) of s."""

    stack: CameraStack
    start: FloatArray
    along: FloatArray
    span: FloatArray


def _sampled(line: _Line, share: FloatArray) -> FloatArray:
    """(n, V, 2) pixels at shares (n, V) or (n, 1) of the visible span, even in the picture."""
    near, far = (line.start[:, 2] + line.span[:, i] * line.along[:, 2] for i in (0, 1))
    # Even steps in the picture: mix the end points weighted by the inverse of their depth.
    share = share * near / (share * near + (1.0 - share) * far)
    length = line.span[:, 0] + share * (line.span[:, 1] - line.span[:, 0])
    depth, x, y = (line.start[:, i] + length * line.along[:, i] for i in (2, 0, 1))
    pixels = np.empty((*share.shape, 2))
    stack = line.stack
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        x, y = x / depth, y / depth
        visible = depth > NEAREST_DEPTH
        if not stack.straight:
            visible &= x * x + y * y < stack.limit
            x, y = lens.distort(stack.coefficients, x, y)
        fx, skew, cx, fy, cy = stack.intrinsics
        pixels[..., 0] = fx * x + skew * y + cx
        pixels[..., 1] = fy * y + cy
    pixels[~visible] = np.nan
    return pixels


def _inside(xy: FloatArray, low: float, high: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(((xy >= low) & (xy <= high)).all(axis=-1))


@lru_cache(maxsize=64)
def _picture_bounds(camera: Camera, margin: float) -> tuple[tuple[float, float], ...]:
    """Least and greatest normalised x, then y, that can lie in the picture."""
    width, height = camera.size
    side = np.linspace(0.0, 1.0, BORDER_SAMPLES)
    x, y = -margin + side * (width - 1 + 2 * margin), -margin + side * (height - 1 + 2 * margin)
    border = np.concatenate(
        [
            np.stack([x, np.full_like(x, y[0])], -1),
            np.stack([x, np.full_like(x, y[-1])], -1),
            np.stack([np.full_like(y, x[0]), y], -1),
            np.stack([np.full_like(y, x[-1]), y], -1),
        ]
    )
    normalised = undistort(camera, border)
    if np.isnan(normalised).any():
        # The lens model ends inside the picture, so its end is the border.
        reach = float(np.sqrt(stacked((camera,)).limit[0]))
        return ((-reach, reach), (-reach, reach))
    low, high = normalised.min(axis=0), normalised.max(axis=0)
    # Between two samples a border may bulge a little further than both.
    slack = 0.02 * (high - low)
    least, most = (low - slack).tolist(), (high + slack).tolist()
    return ((least[0], most[0]), (least[1], most[1]))


def _visible_span(
    start: list[float],
    along: list[float],
    bounds: tuple[tuple[float, float], ...],
    depths: tuple[float, float],
) -> tuple[float, float] | None:
    """Part of the line ``start + s * along`` (camera coordinates) that can lie in the picture.

    Every bound is linear in s: depth above 0, ``low * depth <= coordinate <= high * depth``.
    """
    least, most = depths
    constraints = [(along[2], start[2] - NEAREST_DEPTH)]
    for axis, (low, high) in enumerate(bounds):
        if math.isfinite(low):
            constraints.append((along[axis] - low * along[2], start[axis] - low * start[2]))
            constraints.append((high * along[2] - along[axis], high * start[2] - start[axis]))
    for slope, value in constraints:
        if slope > 0.0:
            least = max(least, -value / slope)
        elif slope < 0.0:
            most = min(most, -value / slope)
        elif value < 0.0:
            return None
    return (least, most) if least < most else None


def _longest_run(keep: NDArray[np.bool_]) -> slice:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    if len(edges) == 0:
        return slice(0, 0)
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts))
    return slice(int(starts[longest]), int(stops[longest]))
