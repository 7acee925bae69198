"""Clips: somebody moves in a room before cameras; pictures of all views, and what is true.

    for pictures, truth in render_clip(person, coordinates, cameras, set_, rate=30.0):
        ...

gives frame after frame. The same arguments give the same pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.projection import project
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.model import KinematicModel, coordinate_index
from pipeline.synthesis.looks import Person
from pipeline.synthesis.motions import keypoint_markers
from pipeline.synthesis.people import PARTS, bone_quaternions, chosen_skin, posed
from pipeline.synthesis.rooms import Room
from pipeline.synthesis.stage import (
    CameraTraits,
    Cast,
    Image,
    View,
    cast,
    photograph,
    stand,
    view,
)
from pipeline.synthesis.things import Thing, joined_things
from pipeline.synthesis.visibility import seen

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Frames that may be under way at once.
_AHEAD = 3


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """Where a clip plays: a room, what stands in it, and what cameras do to light.

    ``shutter`` is the part of the time between frames that an exposure lasts, ``instants`` of how
    many moments its picture is the mean.
    """

    room: Room
    things: Thing = field(default_factory=lambda: joined_things([]))
    traits: CameraTraits = field(default_factory=CameraTraits)
    shutter: float = 0.0
    instants: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class ClipTruth:
    """What happened in T frames before V cameras.

    Attributes
    ----------
    coordinates : (T, Q) array
        Of the person's model, metres and radians: the angles.
    xyz : (T, 37, 3) array
        Keypoints, metres, Y up.
    xy : (T, V, 37, 2) array
        Their pixels, also of those that are hidden or out of the picture.
    visible : (T, V, 37) array
    """

    coordinates: FloatArray
    xyz: FloatArray
    xy: FloatArray
    visible: Bools


@dataclass(frozen=True, slots=True, eq=False)
class FrameTruth:
    """A frame of :class:`ClipTruth`: (Q,), (37, 3), (V, 37, 2) and (V, 37)."""

    frame: int
    coordinates: FloatArray
    xyz: FloatArray
    xy: FloatArray
    visible: Bools


def grounded(person: Person, coordinates: FloatArray) -> FloatArray:
    """(T, Q) coordinates with the person's lowest skin on the floor in every frame."""
    part = person.skin.part
    chosen = (part == PARTS.index("foot")) | (np.arange(len(part)) % 7 == 0)
    skin = chosen_skin(person.skin, np.flatnonzero(chosen))
    bones = bone_quaternions(person.model, coordinates)
    lowest = np.array([posed(skin, one)[0][:, 1].min() for one in bones], np.float64)
    out = coordinates.copy()
    out[:, coordinate_index(person.model, "pelvis_ty")] -= lowest
    return out


def keypoint_places(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """(T, 37, 3) keypoints in poses (T, Q): the model's markers."""
    return marker_positions(model, coordinates)[:, keypoint_markers(model)]


def truth_of(
    person: Person, coordinates: FloatArray, cameras: CameraGroup, things: Thing
) -> ClipTruth:
    """What is true of poses (T, Q) before cameras; nothing is drawn for it."""
    xyz = keypoint_places(person.model, coordinates)
    visible = seen(person, coordinates, cameras, things)
    xy = np.stack([project(camera, xyz) for camera in cameras], axis=1)
    return ClipTruth(coordinates, xyz, xy, visible)


def render_clip(
    person: Person,
    coordinates: FloatArray,
    cameras: CameraGroup,
    where: Set,
    *,
    rate: float,
    seed: int = 0,
    truth: ClipTruth | None = None,
    threads: int = 2,
) -> Iterator[tuple[list[Image], FrameTruth]]:
    """Pictures (H, W, 3) RGB of every camera, and the truth, frame after frame.

    Parameters
    ----------
    coordinates : (T, Q) array
        Of the person's model, see :func:`grounded`.
    cameras
        Of the project's world, metres, Y up, with up to five distortion coefficients.
    rate : float
        Frames per second.
    seed : int
        For the grain of the pictures.
    truth : ClipTruth, optional
        What :func:`truth_of` says, if it is known already.
    threads : int
        How many pictures are made at once.
    """
    known = truth or truth_of(person, coordinates, cameras, where.things)
    with ThreadPoolExecutor(threads) as pool:
        actors = cast(person, where.things, where.room)
        scenes = list(pool.map(lambda camera: view(camera, where.room, where.traits), cameras))
        waiting: deque[tuple[int, Future[list[Image]]]] = deque()

        def first() -> tuple[list[Image], FrameTruth]:
            frame, future = waiting.popleft()
            return future.result(), FrameTruth(
                frame, known.coordinates[frame], known.xyz[frame], known.xy[frame],
                known.visible[frame],
            )  # fmt: skip

        try:
            for frame in range(len(coordinates)):
                moments = _moments(coordinates, frame, rate, where)
                waiting.append(
                    (frame, pool.submit(_pictures, actors, moments, scenes, seed, frame))
                )
                while len(waiting) >= _AHEAD:
                    yield first()
            while waiting:
                yield first()
        finally:
            for _, future in waiting:
                future.cancel()


def _moments(coordinates: FloatArray, frame: int, rate: float, where: Set) -> FloatArray:
    """(M, Q) poses within an exposure whose middle is the frame."""
    if where.instants <= 1 or where.shutter <= 0.0:
        return coordinates[frame : frame + 1]
    offsets = where.shutter * ((np.arange(where.instants) + 0.5) / where.instants - 0.5)
    before = coordinates[max(frame - 1, 0)]
    after = coordinates[min(frame + 1, len(coordinates) - 1)]
    here = coordinates[frame]
    return np.stack([
        here + (o * (after - here) if o > 0.0 else -o * (before - here)) for o in offsets
    ])  # fmt: skip


def _pictures(
    actors: Cast, moments: FloatArray, scenes: list[View], seed: int, frame: int
) -> list[Image]:
    bones = bone_quaternions(actors.person.model, moments)
    meshes = [stand(actors, one) for one in bones]
    return [
        photograph(scene, actors, meshes, np.random.default_rng([seed, frame, v]))
        for v, scene in enumerate(scenes)
    ]
