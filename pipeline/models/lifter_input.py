"""What a lifter sees of somebody's points: lines of sight around the person, of the person's size.

The camera is turned so that it looks at the middle of the person, and directions are divided by
the size of the person in the picture: so where in the picture somebody stands, and with which lens
the picture was taken, makes no difference. Both are fixed for a window of frames, so that steps to
the side and towards the camera are still to be seen. See docs/decisions/010-the-lifter.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Values per frame beside those of the points: size, vertical (3) and whether it is known.
EXTRA = 5
#: Values per point: place (2), score.
PER_POINT = 3
# Share of points within the distance from the middle that is taken for the person's size.
_SIZE_QUANTILE = 0.8
_LEAST_SIZE = 1e-3
# A person of 0.6 m (that quantile) 4 m away.
_USUAL_SIZE = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class LifterInput:
    """Windows as the network takes them.

    Attributes
    ----------
    features : (N, T, 3 K + 5) float32 array
    size : (N, 1, 1) float32 array
        By which directions were divided.
    camera_from_view : (N, 3, 3) float32 array
        From the axes of the turned camera.
    """

    features: Floats
    size: Floats
    camera_from_view: Floats


def lifter_input(rays: Floats, score: Floats, up: Floats | None) -> LifterInput:
    """Bring windows of points into the form that a lifter takes.

    Parameters
    ----------
    rays : (N, T, K, 2) array
        x/z and y/z in the camera, without distortion; NaN where missing.
    score : (N, T, K) array
        Confidence; not above 0 where missing.
    up : (N, 3) array or None
        The vertical in the camera's axes; NaN or None where it is not known.
    """
    n, frames, points, _ = rays.shape
    there = np.asarray(np.isfinite(rays).all(axis=-1) & (score > 0.0))
    turn = _towards(_middle(rays, there))
    seen = np.where(there[..., None], rays, 0.0)
    along = np.einsum("nij,ntkj->ntki", turn[:, :, :2], seen) + turn[:, None, None, :, 2]
    # What is beside or behind the turned camera is no point of this person.
    ahead = along[..., 2] > 0.1
    there &= ahead
    flat = along[..., :2] / np.where(ahead, along[..., 2], 1.0)[..., None]
    size = _size(np.linalg.norm(flat, axis=-1), there)
    place = np.where(there[..., None], flat / size[:, None, None, None], 0.0)
    sure = np.where(there, np.clip(score, 0.0, 1.0), 0.0)
    features = np.empty((n, frames, PER_POINT * points + EXTRA), np.float32)
    features[..., : 2 * points] = place.reshape(n, frames, -1)
    features[..., 2 * points : 3 * points] = sure
    features[..., 3 * points] = np.log(size / _USUAL_SIZE)[:, None]
    vertical = np.full((n, 3), np.nan) if up is None else up
    known = np.asarray(np.isfinite(vertical).all(axis=1))
    upright = np.where(known[:, None], vertical, 0.0).astype(np.float64)
    turned = np.einsum("nij,nj->ni", turn, upright)
    features[..., 3 * points + 1 : 3 * points + 4] = turned[:, None]
    features[..., 3 * points + 4] = known[:, None]
    return LifterInput(
        features,
        size.astype(np.float32)[:, None, None],
        np.ascontiguousarray(turn.transpose(0, 2, 1)).astype(np.float32),
    )


def _middle(rays: Floats, there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N, 2) median of what is there; straight ahead where nothing is."""
    middle = np.stack([_quantile(rays[..., axis], there, 0.5) for axis in (0, 1)], axis=1)
    return np.nan_to_num(middle.astype(np.float64))


def _size(distance: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) distance within which most of what is there lies; the usual one where nothing is."""
    size = np.maximum(_quantile(distance, there, _SIZE_QUANTILE), _LEAST_SIZE)
    return np.where(np.isnan(size), _USUAL_SIZE, size)


def _quantile(
    values: NDArray[np.floating], there: NDArray[np.bool_], part: float
) -> NDArray[np.floating]:
    """(N,) quantile of the (N, T, K) values that are there; NaN where nothing is."""
    kept = np.where(there, values, np.inf).reshape(len(values), -1)
    kept.sort(axis=1)
    count = there.sum(axis=(1, 2))
    place = part * np.maximum(count - 1, 0)
    below = place.astype(np.intp)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    rows = np.arange(len(kept))
    low, high = kept[rows, below], kept[rows, above]
    share = (place - below).astype(values.dtype)
    with np.errstate(invalid="ignore"):
        # From the nearer end, as numpy's own quantile does.
        found = np.where(
            share < 0.5, low + (high - low) * share, high - (high - low) * (1.0 - share)
        )
    return np.where(count > 0, found, np.nan)


def _towards(middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3, 3) shortest turns of the camera that bring the direction (x, y, 1) straight ahead."""
    ahead = np.concatenate([middle, np.ones((len(middle), 1))], axis=1)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    x, y, z = ahead.T
    part = 1.0 / (1.0 + z)
    rows = [
        np.stack([1.0 - part * x * x, -part * x * y, -x], axis=1),
        np.stack([-part * x * y, 1.0 - part * y * y, -y], axis=1),
        np.stack([x, y, z], axis=1),
    ]
    return np.stack(rows, axis=1)
