"""Where a point seen in one view can lie in another: the epipolar curve, bent by both lenses."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.projection import NEAREST_DEPTH, project, ray, stacked, undistort

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

    Parameters
    ----------
    from_camera : Camera
        The view in which the pixel was set.
    xy : (2,) array
        The pixel.
    to_camera : Camera
        The view in which the curve is wanted.
    depths : (float, float)
        Part of the line of sight that counts, in metres from the first camera's centre.
    n : int
        Points to sample, evenly spaced in the second (undistorted) picture; at least 2.
    margin : float
        Pixels by which the curve may leave the second picture.

    Returns
    -------
    (M, 2) array
        At most n pixels ordered from near to far; (0, 2) if no part of the line of sight lies in
        front of the second camera and in its picture.
    """
    nothing = np.empty((0, 2))
    origin, direction = ray(from_camera, xy)
    if not np.isfinite(direction).all():
        return nothing
    start = to_camera.rotation @ origin + to_camera.translation
    along = to_camera.rotation @ direction
    span = _visible_span(start, along, _picture_bounds(to_camera, margin), depths)
    if span is None:
        return nothing
    near, far = start[2] + span[0] * along[2], start[2] + span[1] * along[2]

    def sampled(first: float, last: float) -> FloatArray:
        # Even steps in the picture: mix the end points weighted by the inverse of their depth.
        share = np.linspace(first, last, n)
        share = share * near / (share * near + (1.0 - share) * far)
        length = span[0] + share * (span[1] - span[0])
        return project(to_camera, origin + length[:, None] * direction)

    # The bounds are generous; the second pass puts all points where the first one saw the picture.
    rough = _longest_run(_inside(to_camera, sampled(0.0, 1.0), margin))
    if rough.stop == rough.start:
        return nothing
    step = 1.0 / (n - 1)
    first, last = max(rough.start - 1, 0) * step, min(rough.stop, n - 1) * step
    curve = sampled(first, last)
    return curve[_longest_run(_inside(to_camera, curve, margin))]


def _inside(camera: Camera, xy: FloatArray, margin: float) -> NDArray[np.bool_]:
    size = np.asarray(camera.size, dtype=np.float64)
    return np.asarray(((xy >= -margin) & (xy <= size - 1.0 + margin)).all(axis=-1))


@lru_cache(maxsize=64)
def _picture_bounds(camera: Camera, margin: float) -> FloatArray:
    """(2, 2) least and greatest normalised coordinates that can lie in the picture."""
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
        return np.array([[-reach, -reach], [reach, reach]])
    low, high = normalised.min(axis=0), normalised.max(axis=0)
    # Between two samples a border may bulge a little further than both.
    slack = 0.02 * (high - low)
    return np.stack([low - slack, high + slack])


def _visible_span(
    start: FloatArray, along: FloatArray, bounds: FloatArray, depths: tuple[float, float]
) -> tuple[float, float] | None:
    """Part of the line ``start + s * along`` (camera coordinates) that can lie in the picture.

    Every bound is linear in s: depth above 0, ``low * depth <= coordinate <= high * depth``.
    """
    least, most = depths
    constraints = [(along[2], start[2] - NEAREST_DEPTH)]
    for axis in range(2):
        low, high = bounds[:, axis]
        if np.isfinite(low):
            constraints.append((along[axis] - low * along[2], start[axis] - low * start[2]))
            constraints.append((high * along[2] - along[axis], high * start[2] - start[axis]))
    for slope, value in constraints:
        if slope > 0.0:
            least = max(least, -value / slope)
        elif slope < 0.0:
            most = min(most, -value / slope)
        elif value < 0.0:
            return None
    return (float(least), float(most)) if least < most else None


def _longest_run(keep: NDArray[np.bool_]) -> slice:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    if len(edges) == 0:
        return slice(0, 0)
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts))
    return slice(int(starts[longest]), int(stops[longest]))
