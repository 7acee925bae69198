"""Several stick figures walking among cameras, as a detector would report them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from tests.truth.cameras import observe

FloatArray = NDArray[np.float64]

# Height and sideways offset of 15 landmarks of a standing person of 1.75 m, in metres.
_HEIGHT = np.array(
    [1.7, 1.5, 1.45, 1.45, 1.1, 1.1, 0.85, 0.85, 0.95, 0.95, 0.5, 0.5, 0.1, 0.1, 1.2]
)
_SIDE = np.array([0, 0, 0.2, -0.2, 0.3, -0.3, 0.35, -0.35, 0.1, -0.1, 0.12, -0.12, 0.12, -0.12, 0])
N_POINTS = len(_HEIGHT)


def walking(paths: FloatArray, seed: int = 0) -> FloatArray:
    """(T, people, K, 3) landmarks of people whose feet follow (T, people, 2) floor positions."""
    random = np.random.default_rng(seed)
    n_frames, n_people, _ = paths.shape
    points = np.empty((n_frames, n_people, N_POINTS, 3))
    for person in range(n_people):
        scale, heading = random.uniform(0.9, 1.1), random.uniform(0, np.pi)
        depth = random.uniform(-0.08, 0.08, N_POINTS)
        phase = random.uniform(0, 2 * np.pi, N_POINTS)
        swing = 0.06 * np.sin(0.17 * np.arange(n_frames)[:, None] + phase)
        side, ahead = _SIDE * scale, depth + swing
        points[:, person, :, 0] = side * np.cos(heading) - ahead * np.sin(heading)
        points[:, person, :, 1] = _HEIGHT * scale
        points[:, person, :, 2] = side * np.sin(heading) + ahead * np.cos(heading)
        points[:, person, :, [0, 2]] += paths[:, person].T[..., None]
    return points


def detected(
    cameras: CameraGroup, points: FloatArray, *, noise: float = 4.0, offset: float = 6.0,
    seed: int = 1,
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:  # fmt: skip
    """Detections in shuffled order: xy (T, V, P, K, 2), score (T, V, P, K), identity (T, V, P).

    ``noise`` px per point and frame, ``offset`` px constant per view (a calibration that is off).
    """
    random = np.random.default_rng(seed)
    n_frames, n_people, n_points, _ = points.shape
    exact = observe(cameras, points.reshape(-1, 3)).reshape(n_frames, n_people, n_points, -1, 2)
    xy = exact.transpose(0, 3, 1, 2, 4)
    xy = xy + random.normal(0, noise, xy.shape)
    xy += random.normal(0, offset, (xy.shape[1], 2))[:, None, None]
    score = random.uniform(0.4, 0.9, xy.shape[:-1])
    xy[random.random(score.shape) < 0.08] = np.nan
    score[np.isnan(xy[..., 0])] = 0.0
    order = random.permuted(np.tile(np.arange(n_people), (*xy.shape[:2], 1)), axis=-1)
    return (
        np.take_along_axis(xy, order[..., None, None], axis=2),
        np.take_along_axis(score, order[..., None], axis=2),
        order,
    )
