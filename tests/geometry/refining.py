"""Walking people seen by cameras that stand elsewhere than their calibration says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup
from tests.truth.cameras import ring
from tests.truth.people import detected, walking

FloatArray = NDArray[np.float64]


def walk(n_frames: int, still: bool = False) -> FloatArray:
    """(T, 1, K, 3) one person on a wavy path through a room, or on the spot."""
    t = np.arange(n_frames)
    path = np.stack([0.9 * np.sin(0.05 * t), 0.7 * np.sin(0.031 * t + 1.0)], axis=-1)
    points = walking(path[:, None])
    return np.repeat(points[:1], n_frames, axis=0) if still else points


def moved(camera: Camera, shift: FloatArray, degrees: float, axis: FloatArray) -> Camera:
    """A camera shifted by metres and turned about its own centre (Rodrigues' formula)."""
    k = axis / np.linalg.norm(axis)
    a = np.deg2rad(degrees)
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    turn = np.eye(3) + np.sin(a) * cross + (1 - np.cos(a)) * cross @ cross
    rotation = turn @ camera.rotation
    return replace(camera, rotation=rotation, translation=-rotation @ (camera.centre + shift))


def disturbed(
    cameras: CameraGroup, seed: int = 3, mm: float = 25.0, degrees: float = 0.7
) -> CameraGroup:
    """A calibration that is off by about so much in every camera."""
    random = np.random.default_rng(seed)
    return CameraGroup(
        tuple(
            moved(c, random.normal(0, mm / 1000 / np.sqrt(3), 3), degrees, random.normal(0, 1, 3))
            for c in cameras
        )
    )


def seen(
    n_frames: int, n_cameras: int = 4, *, still: bool = False, noise: float = 4.0,
    late: tuple[int, ...] = (),
) -> tuple[CameraGroup, FloatArray, FloatArray]:  # fmt: skip
    """True cameras, xy (T, V, K, 2) and score (T, V, K); ``late`` frames per view."""
    cameras = ring(n_cameras)
    extra = max((abs(frames) for frames in late), default=0)
    points = walk(n_frames + 2 * extra, still)
    xy, score, _ = detected(cameras, points, noise=noise, offset=0.0)
    xy, score = xy[:, :, 0], score[:, :, 0]
    frames = np.arange(extra, extra + n_frames)
    shifts = late or (0,) * n_cameras
    return (
        cameras,
        np.stack([xy[frames - shift, v] for v, shift in enumerate(shifts)], axis=1),
        np.stack([score[frames - shift, v] for v, shift in enumerate(shifts)], axis=1),
    )
