"""Pictures of somebody in a room: skin, shadows, lens, motion blur and what a camera does to light.

Everything is a function of its arguments: the same ones give the same pictures on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.kinematics.compiled import entry
from pipeline.synthesis import shading
from pipeline.synthesis.colours import THING
from pipeline.synthesis.looks import Person
from pipeline.synthesis.people import posed
from pipeline.synthesis.raster import fill, light_depth, project_points
from pipeline.synthesis.rooms import MAP_SCALE, MAP_SIDE, Room, light_table, paint_room
from pipeline.synthesis.things import Thing

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Image = NDArray[np.uint8]

# Samples per edge of a pixel.
FINE = 2
_MARGIN = 3
_FAR = np.float32(1e9)
_GRAIN_ROOM = 128


@dataclass(frozen=True, slots=True)
class CameraTraits:
    """What a camera does to light.

    ``noise`` is the standard deviation of a pixel's value (of 255) in the middle greys, ``blur``
    that of a Gaussian in pixels, ``vignette`` the loss of light in the corners.
    """

    noise: float = 1.5
    blur: float = 0.0
    vignette: float = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Who and what is to be drawn: one mesh of somebody's skin and the things around.

    What changes from instant to instant is a :class:`Mesh`; ``template``, ``opens``, ``part`` and
    ``faces`` are as :func:`shading.shade` takes them.
    """

    person: Person
    things: Thing
    room: Room
    template: Floats
    opens: Floats
    part: Ints
    faces: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A cast at one instant.

    ``packed`` is what :func:`shading.shade` takes; ``depths`` is the map of depths along the
    light, ``dark`` what the floor misses of it, seen along the light; ``middle`` (3,) is where the
    maps lie.
    """

    points: Floats
    packed: Floats
    depths: Floats
    dark: Floats
    middle: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What one camera sees of the room without anybody: linear (H, W, 3), and its floor."""

    camera: Camera
    picture: Floats
    plain: Image
    floor_at: Floats
    traits: CameraTraits


def cast(person: Person, things: Thing, room: Room) -> Cast:
    """Somebody and the things around, in a room."""
    n = len(things.points)
    return Cast(
        person,
        things,
        room,
        template=np.concatenate([person.template, things.colours]),
        opens=np.concatenate([person.skin.open, np.full(n, 0.85, np.float32)]),
        part=np.concatenate([person.skin.part, np.full(n, THING, np.int32)]),
        faces=np.concatenate([person.skin.faces, things.faces + np.int32(len(person.skin.points))]),
    )


def stand(actors: Cast, bones: Floats) -> Mesh:
    """The cast for the person's dual quaternions (B, 8), and the shadows' maps."""
    points, normals = posed(actors.person.skin, bones)
    middle = points.mean(axis=0).astype(np.float64)
    middle[1] = 0.75
    light = light_table(actors.room, middle, middle)
    all_points = np.concatenate([points, actors.things.points])
    depths = np.full((MAP_SIDE, MAP_SIDE), _FAR, np.float32)
    light_depth(_along_light(all_points, light), actors.faces, depths)
    packed = np.empty((len(all_points), 10), np.float32)
    packed[:, :3], packed[:, 6:9], packed[:, 9] = actors.template, all_points, actors.opens
    packed[: len(points), 3:6], packed[len(points) :, 3:6] = normals, actors.things.normals
    return Mesh(
        points=all_points,
        packed=packed,
        depths=depths,
        dark=_darkness(depths, all_points, light),
        middle=middle,
    )


def _along_light(points: Floats, light: Floats) -> Floats:
    offset = points - light[shading.MAP_ORIGIN : shading.MAP_ORIGIN + 3]
    axes = light[[
        *range(shading.MAP_U, shading.MAP_U + 3), *range(shading.MAP_V, shading.MAP_V + 3),
        *range(shading.KEY, shading.KEY + 3),
    ]].reshape(3, 3)  # fmt: skip
    return np.asarray(offset @ axes.T * np.array([MAP_SCALE, MAP_SCALE, -1.0]), np.float32)


def _darkness(depths: Floats, points: Floats, light: Floats) -> Floats:
    """(H, W) how much of the light the floor misses, seen along the light: sharp near, soft far."""
    shut = (depths < _FAR).astype(np.float32)
    near = cv2.GaussianBlur(shut, (0, 0), 1.6)
    wide = cv2.blur(cv2.blur(shut, (19, 19)), (19, 19))
    # Where feet stand the floor sees little of the room either.
    low = points[points[:, 1] < 0.16]
    touch = np.zeros_like(shut)
    if len(low):
        floor = low * np.array([1.0, 0.0, 1.0], np.float32)
        cells = np.round(_along_light(floor, light)[:, :2]).astype(int)
        inside = ((cells >= 0) & (cells < MAP_SIDE)).all(axis=1)
        cells, height = cells[inside], low[inside, 1]
        touch[cells[:, 1], cells[:, 0]] = 1.0 - height / 0.16
        touch = np.minimum(1.0, 2.2 * cv2.GaussianBlur(touch, (0, 0), 2.2))
    return np.asarray(0.36 * near + 0.26 * wide + 0.60 * touch * (1.0 - 0.5 * near), np.float32)


@entry
def composite(
    colour: Floats, floor_at: Floats, front: Floats, left: int, top: int, light: Floats,
    dark: Floats, strength: float, box: tuple[int, int, int, int], table: Image, picture: Image,
) -> None:  # fmt: skip
    """Lay ``front`` (h, w, 4), from ``left``, ``top``, over the room with its shadow.

    ``box`` is left, top, right, bottom of the part of the picture that may change; ``table`` turns
    light, in 2048ths, into bytes.
    """
    side, last = dark.shape[0], len(table) - 1
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            row, column = y - top, x - left
            inside = 0 <= row < front.shape[0] and 0 <= column < front.shape[1]
            clear = max(0.0, 1.0 - front[row, column, 3]) if inside else 1.0
            tone = 1.0
            fx, fz = floor_at[y, x, 0], floor_at[y, x, 1]
            if clear > 0.0 and not np.isnan(fx):
                qx, qy, qz = fx - light[27], -light[28], fz - light[29]
                u = (qx * light[21] + qy * light[22] + qz * light[23]) * light[30]
                v = (qx * light[24] + qy * light[25] + qz * light[26]) * light[30]
                if 0.0 <= u < side - 1.0 and 0.0 <= v < side - 1.0:
                    i, j = int(u), int(v)
                    a, b = u - i, v - j
                    shade = (dark[j, i] * (1 - a) + dark[j, i + 1] * a) * (1 - b)
                    shade += (dark[j + 1, i] * (1 - a) + dark[j + 1, i + 1] * a) * b
                    tone = 1.0 - strength * shade
            if clear == 1.0 and tone == 1.0:
                continue
            for k in range(3):
                value = clear * tone * colour[y, x, k]
                if inside:
                    value += front[row, column, k]
                picture[y, x, k] = table[min(last, max(0, int(2048.0 * value + 0.5)))]


@cache
def _tones() -> Image:
    """Bytes for light in 2048ths: a square root whose highlights roll off."""
    light = np.arange(4096) / 2048.0
    over = np.maximum(light - 0.72, 0.0)
    rolled = np.minimum(light, 0.72) + 0.28 * (1.0 - np.exp(-over / 0.28))
    return (255.0 * np.sqrt(rolled) + 0.5).astype(np.uint8)


def view(camera: Camera, room: Room, traits: CameraTraits, fine: int = 3) -> View:
    """What a camera sees of the empty room; made once per recording."""
    picture, floor_at = paint_room(camera, room, fine)
    if traits.vignette > 0.0:
        width, height = camera.size
        x = (np.arange(width) - 0.5 * width) / (0.5 * max(width, height))
        y = (np.arange(height) - 0.5 * height) / (0.5 * max(width, height))
        loss = 1.0 - traits.vignette * (x[None] ** 2 + y[:, None] ** 2)
        picture *= loss.astype(np.float32)[..., None]
    plain = _tones()[np.clip(2048.0 * picture + 0.5, 0.0, 4095.0).astype(np.int16)]
    return View(camera, picture, plain, floor_at, traits)


def camera_places(camera: Camera, points: Floats) -> Floats:
    """(N, 3) pixels and inverse depth of world points, 0 behind the camera."""
    lens = np.zeros(5, np.float32)
    lens[: len(camera.distortion[:5])] = camera.distortion[:5]
    out = np.empty((len(points), 3), np.float32)
    project_points(
        points, camera.rotation.astype(np.float32), camera.translation.astype(np.float32),
        camera.matrix.astype(np.float32), lens, out,
    )  # fmt: skip
    return out


def _window(camera: Camera, places: Floats) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels that places (N, 3) cover; empty where they miss."""
    seen = places[places[:, 2] > 0.0, :2]
    if not len(seen):
        return 0, 0, 0, 0
    x, y = np.ascontiguousarray(seen.T)
    low = np.clip(np.floor([x.min(), y.min()]) - _MARGIN, 0, camera.size).astype(int)
    high = np.clip(np.ceil([x.max(), y.max()]) + _MARGIN + 1, low, camera.size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _around(boxes: Sequence[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    full = np.array([box for box in boxes if box[2] > box[0] and box[3] > box[1]] or [(0, 0, 0, 0)])
    low, high = full[:, :2].min(axis=0), full[:, 2:].max(axis=0)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def photograph(
    scene: View, actors: Cast, meshes: Sequence[Mesh], rng: np.random.Generator
) -> Image:
    """(H, W, 3) RGB picture whose exposure lasts over the instants of ``meshes``."""
    camera = scene.camera
    middle = meshes[len(meshes) // 2]
    light = light_table(actors.room, camera.centre, middle.middle)
    picture = scene.plain.copy()
    places = [camera_places(camera, mesh.points) for mesh in meshes]
    left, top, right, bottom = body = _around([_window(camera, one) for one in places])
    front = np.zeros((bottom - top, right - left, 4), np.float32)
    shape = (FINE * (bottom - top), FINE * (right - left))
    for mesh, own in zip(meshes, places, strict=True):
        near, which = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
        fill(own, actors.faces, left, top, FINE, False, near, which)
        shading.shade(
            near, which, FINE, left, top, actors.faces, own, mesh.packed, actors.part,
            actors.person.look.table, light, mesh.depths, front,
        )  # fmt: skip
    if len(meshes) > 1:
        front /= len(meshes)
    box = _around([body, _window(camera, camera_places(camera, _shadow_corners(middle, light)))])
    composite(
        scene.picture, scene.floor_at, front, left, top, light, middle.dark,
        0.55 + 0.45 * actors.room.contrast, box, _tones(), picture,
    )  # fmt: skip
    return _sensed(picture, scene.traits, rng)


def _shadow_corners(mesh: Mesh, light: Floats) -> Floats:
    """(N, 3) places on the floor about everything that is in shadow."""
    rows = np.flatnonzero(mesh.dark.max(axis=1) > 0.004)
    columns = np.flatnonzero(mesh.dark.max(axis=0) > 0.004)
    if not len(rows):
        return np.zeros((0, 3), np.float32)
    i, j = np.meshgrid(np.linspace(columns[0], columns[-1], 5), np.linspace(rows[0], rows[-1], 5))
    origin = light[shading.MAP_ORIGIN : shading.MAP_ORIGIN + 3]
    u, v = (light[place : place + 3] for place in (shading.MAP_U, shading.MAP_V))
    key = light[shading.KEY : shading.KEY + 3]
    p = origin + (i.reshape(-1, 1) * u + j.reshape(-1, 1) * v) / MAP_SCALE
    return np.asarray(p - key * (p[:, 1:2] / key[1]), np.float32)


def _sensed(picture: Image, traits: CameraTraits, rng: np.random.Generator) -> Image:
    if traits.blur > 0.0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), traits.blur), np.uint8)
    if traits.noise >= 0.25:
        # A piece of a fixed sheet of grain, at a place drawn anew for every picture.
        height, width = picture.shape[:2]
        y, x = rng.integers(0, _GRAIN_ROOM, 2)
        sheet = _grain(0.5 * round(2.0 * traits.noise), height, width)
        grain = sheet[y : y + height, x : x + width]
        picture = np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U), np.uint8)
    return picture


@lru_cache(maxsize=16)
def _grain(size: float, height: int, width: int) -> NDArray[np.int8]:
    """(height + room, width + room, 3) grain; neighbours share some of it after demosaicing."""
    shape = (height + _GRAIN_ROOM, width + _GRAIN_ROOM, 3)
    fine = np.random.default_rng(17).standard_normal(shape, np.float32)
    soft = cv2.blur(fine, (2, 2)) * np.float32(1.4) + np.float32(0.5) * fine
    return np.asarray(np.clip(np.round(size * soft / soft.std()), -127, 127), np.int8)
