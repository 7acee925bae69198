"""Single pictures with their truth, for teaching and judging detectors.

:func:`draw_pictures` gives any number of them, each a function of the generator that it is handed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup
from pipeline.synthesis.clips import grounded, keypoint_places, truth_of
from pipeline.synthesis.looks import HELD_OUT_LOOKS, LookRange, draw_person
from pipeline.synthesis.motion_families import HELD_OUT
from pipeline.synthesis.motions import MotionSetting, draw_movement
from pipeline.synthesis.people import bone_quaternions
from pipeline.synthesis.physique import BodyRange
from pipeline.synthesis.rendered import scattered
from pipeline.synthesis.rooms import HELD_OUT_ROOMS, RoomRange, draw_room, with_walls_behind
from pipeline.synthesis.stage import CameraTraits, Image, cast, photograph, stand, view
from pipeline.synthesis.things import joined_things
from pipeline.synthesis.viewpoints import CameraRange, draw_camera

FloatArray = NDArray[np.float64]

_RATE = 30.0
# Nearest that a point may come to a camera before another one is drawn, metres.
_NEAREST = 0.9


@dataclass(frozen=True, slots=True)
class PictureSetting:
    """What pictures are drawn from.

    Parameters
    ----------
    motions, bodies, looks, rooms, cameras
        Each as described where it is defined; cameras give bearing, height and lens only.
    size : (int, int)
        Width and height of the pictures.
    person : (float, float)
        Least and greatest height of the person's points in the picture, in heights of it.
    per_person : int
        How many pictures are made of one person in one room.
    things : int
        At most so many things stand about.
    noise, blur : float
        Greatest grain (of 255) and greatest softness (px) of a camera.
    shutter : float
        Longest exposure in frames of 1/30 s; half of the pictures are sharp.
    """

    motions: MotionSetting = field(default_factory=MotionSetting)
    bodies: BodyRange = field(default_factory=lambda: BodyRange(marker_sd=0.0))
    looks: LookRange = field(default_factory=LookRange)
    rooms: RoomRange = field(default_factory=RoomRange)
    cameras: CameraRange = field(default_factory=lambda: CameraRange(aim=0.12, distortion=0.04))
    size: tuple[int, int] = (640, 640)
    person: tuple[float, float] = (0.55, 0.95)
    per_person: int = 8
    things: int = 2
    noise: float = 5.0
    blur: float = 1.2
    shutter: float = 0.6


def held_out_pictures(size: tuple[int, int] = (640, 640)) -> PictureSetting:
    """Bodies, movements, looks, rooms and lenses that :class:`PictureSetting` alone never draws."""
    return PictureSetting(
        motions=MotionSetting(families=HELD_OUT, course="waves", seconds=(0.5, 1.6), mixed=0.2,
                              own_posture=0.75),
        bodies=BodyRange((1.45, 2.05), 0.045, 0.008, (17.0, 34.0), 0.0),
        looks=HELD_OUT_LOOKS,
        rooms=HELD_OUT_ROOMS,
        cameras=CameraRange((2.0, 8.0), (0.8, 2.2), 0.1, (0.5, 2.4), 0.06, 0.1, 0.1, 0.05),
        size=size,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and what is true of it.

    Attributes
    ----------
    image : (H, W, 3) array
        RGB.
    camera : Camera
    xy : (37, 2) array
        Pixels of the keypoints, also where hidden or outside.
    visible : (37,) array
        Nothing in front of the point, and it is in the picture.
    xyz : (37, 3) array
        Metres, Y up.
    coordinates : (Q,) array
        Of the model, metres and radians.
    """

    image: Image
    camera: Camera
    xy: FloatArray
    visible: NDArray[np.bool_]
    xyz: FloatArray
    coordinates: FloatArray


def draw_pictures(
    rng: np.random.Generator, count: int, setting: PictureSetting | None = None
) -> Iterator[Picture]:
    """``count`` pictures, one after the other."""
    setting = setting or PictureSetting()
    left = count
    while left > 0:
        part = min(left, setting.per_person)
        yield from _of_one_person(rng, part, setting)
        left -= part


def _of_one_person(
    rng: np.random.Generator, count: int, setting: PictureSetting
) -> Iterator[Picture]:
    person = draw_person(rng, setting.bodies, setting.looks)
    # A second between pictures, so that they differ; a frame more for how fast things move.
    frames = int(_RATE) * count + 1
    movement = draw_movement(person.model, rng, frames, _RATE, setting.motions)
    chosen = np.arange(count) * int(_RATE)
    poses = grounded(person, movement.coordinates[np.sort([*chosen, *(chosen + 1)])])
    room = draw_room(rng, setting.rooms)
    for i in range(count):
        pose, after = poses[2 * i], poses[2 * i + 1]
        points = keypoint_places(person.model, pose[None])[0]
        camera = _aimed(rng, points, setting)
        things = joined_things(scattered(rng, points[None], setting.things))
        around = with_walls_behind(room, camera.centre[None])
        group = CameraGroup((camera,))
        truth = truth_of(person, pose[None], group, things)
        shutter = rng.uniform(-setting.shutter, setting.shutter)
        moments = np.stack([pose]) if shutter <= 0.0 else np.stack(
            [pose + o * shutter * (after - pose) for o in (-1 / 3, 0.0, 1 / 3)]
        )  # fmt: skip
        traits = CameraTraits(
            rng.uniform(0.0, setting.noise),
            rng.uniform(-setting.blur, setting.blur),
            rng.uniform(0.0, 0.2),
        )
        actors = cast(person, things, around)
        meshes = [stand(actors, one) for one in bone_quaternions(person.model, moments)]
        image = photograph(view(camera, around, traits, fine=2), actors, meshes, rng)
        yield Picture(
            image, camera, truth.xy[0, 0], truth.visible[0, 0], truth.xyz[0], truth.coordinates[0]
        )


def _aimed(rng: np.random.Generator, points: FloatArray, setting: PictureSetting) -> Camera:
    """A drawn camera whose lens makes the points (37, 3) as large as the setting wants them."""
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = setting.size
    while True:
        drawn = draw_camera(rng, 0.5 * (low + high), setting.cameras)
        local = points @ drawn.rotation.T + drawn.translation
        if local[:, 2].min() > _NEAREST and drawn.centre[1] > 0.1:
            break
    flat = local[:, :2] / local[:, 2:]
    extent = np.maximum(np.ptp(flat, axis=0), 1e-3)
    part = rng.uniform(*setting.person)
    focal = part * min(height / extent[1], width / extent[0])
    centre = 0.5 * (np.array(setting.size) - 1.0)
    # Long lenses look past somebody sooner than short ones: what is aimed at stays in the middle.
    shift = focal * 0.5 * (flat.min(axis=0) + flat.max(axis=0))
    room = np.maximum(0.5 * np.array(setting.size) - 0.5 * focal * extent, 0.0)
    middle = centre - shift + np.clip(shift, -room, room)
    matrix = np.array([[focal, 0.0, middle[0]], [0.0, focal, middle[1]], [0.0, 0.0, 1.0]])
    return replace(drawn, size=setting.size, matrix=matrix)
