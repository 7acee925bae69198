"""Clips for a lifter: somebody moves before a camera; what is detected, and what is true.

A batch is a function of the seed and its number alone, so that training can stop and go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project, undistort
from pipeline.kinematics.model import coordinate_index
from pipeline.synthesis.lifting_noise import DetectorNoise, disturbed, hidden_by_trunk
from pipeline.synthesis.motion_families import HELD_OUT
from pipeline.synthesis.motions import (
    MotionSetting,
    draw_movement,
    generic_model,
    spine_coordinates,
)
from pipeline.synthesis.physique import BodyRange, random_person
from pipeline.synthesis.viewpoints import CameraRange, draw_camera

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]

ROOT = "hip"
# Nearest that a point may come to a camera before another one is drawn, metres.
_NEAREST = 0.7


@dataclass(frozen=True, slots=True)
class LiftingSetting:
    """What clips are drawn from.

    Parameters
    ----------
    motions, bodies, cameras, noise
        Each as described where it is defined.
    rate : (float, float)
        Frames per second, drawn evenly in the logarithm.
    cameras_per_movement : int
        How many clips are made of one movement.
    windows_per_clip : int
        Into how many windows a clip of a batch is cut.
    """

    motions: MotionSetting = field(default_factory=MotionSetting)
    bodies: BodyRange = field(default_factory=BodyRange)
    cameras: CameraRange = field(default_factory=CameraRange)
    noise: DetectorNoise = field(default_factory=DetectorNoise)
    rate: tuple[float, float] = (25.0, 75.0)
    cameras_per_movement: int = 3
    windows_per_clip: int = 2


def held_out_setting(noise: DetectorNoise) -> LiftingSetting:
    """Another generator: other movements and courses in time, other bodies, other cameras.

    Gestures swing instead of going from rest to rest; bodies are taller, shorter and of other
    proportions; cameras have other distances, heights and focal lengths, and lenses that bend.
    """
    return LiftingSetting(
        motions=MotionSetting(
            families=HELD_OUT, course="waves", seconds=(0.5, 1.6), mixed=0.2, own_posture=0.75
        ),
        bodies=BodyRange((1.45, 2.05), 0.045, 0.008, (17.0, 34.0), 0.006),
        cameras=CameraRange((2.0, 8.0), (0.8, 2.2), 0.1, (0.5, 2.4), 0.06, 0.1, 0.4, 0.05),
        noise=noise,
        rate=(50.0, 60.0),
        cameras_per_movement=1,
        windows_per_clip=1,
    )


@dataclass(frozen=True, slots=True, eq=False)
class LiftingClip:
    """A movement of T frames before one camera.

    Attributes
    ----------
    camera : Camera
        In the project's world, metres, Y up.
    rate : float
        Frames per second.
    family : str
    true_xy : (T, 37, 2) array
        Pixels.
    xy, score : (T, 37, 2) and (T, 37) arrays
        What was detected: pixels, NaN and 0 where missing.
    hidden : (T, 37) array
        Points behind the trunk, roughly.
    xyz : (T, 37, 3) array
        In the camera's axes, relative to the hip (the sacrum), metres.
    root : (T, 3) array
        The hip in the camera's axes, metres.
    spine : (T, 11) array
        The free coordinates of the spine, radians.
    """

    camera: Camera
    rate: float
    family: str
    true_xy: FloatArray
    xy: FloatArray
    score: FloatArray
    hidden: NDArray[np.bool_]
    xyz: FloatArray
    root: FloatArray
    spine: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LiftingBatch:
    """N clips of T frames as a lifter is taught with.

    Attributes
    ----------
    rays : (N, T, 37, 2) float32 array
        x/z and y/z in the camera, without distortion; NaN where missing.
    score : (N, T, 37) float32 array
    up : (N, 3) float32 array
        The world's vertical in the camera's axes.
    xyz : (N, T, 37, 3) float32 array
        In the camera's axes, relative to the hip, metres.
    spine : (N, T, 11) float32 array
        Radians.
    """

    rays: Floats
    score: Floats
    up: Floats
    xyz: Floats
    spine: Floats


def draw_clips(
    rng: np.random.Generator, frames: int, setting: LiftingSetting | None = None
) -> list[LiftingClip]:
    """Somebody, a movement of ``frames`` frames, and some cameras: a clip for each camera."""
    setting = setting or LiftingSetting()
    person = random_person(generic_model(), rng, setting.bodies)
    rate = float(np.exp(rng.uniform(*np.log(setting.rate))))
    movement = draw_movement(person, rng, frames, rate, setting.motions)
    spine = movement.coordinates[:, [coordinate_index(person, n) for n in spine_coordinates()]]
    hip = project_skeleton().index(ROOT)
    clips = []
    for _ in range(setting.cameras_per_movement):
        camera, local, true_xy = _seen_whole(rng, movement.points, setting.cameras)
        hidden = hidden_by_trunk(local)
        xy, score = disturbed(rng, true_xy, hidden, rate, setting.noise)
        root = local[:, hip]
        clips.append(
            LiftingClip(
                camera,
                rate,
                movement.family,
                true_xy,
                xy,
                score,
                hidden,
                local - root[:, None],
                root,
                spine,
            )
        )
    return clips


def _seen_whole(
    rng: np.random.Generator, points: FloatArray, cameras: CameraRange
) -> tuple[Camera, FloatArray, FloatArray]:
    middle = points.mean(axis=(0, 1))
    while True:
        camera = draw_camera(rng, middle, cameras)
        local = points @ camera.rotation.T + camera.translation
        if local[..., 2].min() < _NEAREST:
            continue
        xy = project(camera, points)
        if np.isfinite(xy).all():  # steep rays fold back in a lens that bends
            return camera, local, xy


def draw_batch(
    seed: int, number: int, size: int, frames: int, setting: LiftingSetting | None = None
) -> LiftingBatch:
    """Batch ``number`` of a training of this ``seed``: ``size`` windows of ``frames`` frames."""
    setting = setting or LiftingSetting()
    rng = np.random.default_rng([seed, number])
    windows = setting.windows_per_clip
    clips: list[LiftingClip] = []
    while windows * len(clips) < size:
        clips += draw_clips(rng, windows * frames, setting)

    def cut(values: Sequence[FloatArray]) -> Floats:
        whole = np.stack(values).astype(np.float32)
        return whole.reshape(-1, frames, *whole.shape[2:])[:size]

    return LiftingBatch(
        rays=cut([undistort(clip.camera, clip.xy) for clip in clips]),
        score=cut([clip.score for clip in clips]),
        up=cut([np.tile(clip.camera.rotation[:, 1], (windows * frames, 1)) for clip in clips])[
            :, 0
        ],
        xyz=cut([clip.xyz for clip in clips]),
        spine=cut([clip.spine for clip in clips]),
    )
