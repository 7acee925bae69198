"""Pictures of somebody in a room: skin, shadows, lens, motion blur and what a camera does to light.

Everything is a function of its arguments: the same ones give the same pictures on one machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.kinematics.compiled import entry
from pipeline.synthesis import shading
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
_GRAIN_SIDE = 731


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
class Mesh:
    """Somebody and the things around at one instant: one mesh, the person's faces first.

    ``person_faces`` is their number; ``depths`` are two maps of depths along the light, of all and
    of the things alone; ``middle`` (3,) is where the maps lie.
    """

    points: Floats
    normals: Floats
    template: Floats
    opens: Floats
    part: Ints
    faces: Ints
    person_faces: int
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


@dataclass(frozen=True, slots=True, eq=False)
class Depths:
    """What is in front: inverse depth and face + 1 of samples, ``FINE`` to a pixel's edge.

    The first sample belongs to the pixel ``left``, ``top``.
    """

    near: Floats
    which: Ints
    left: int
    top: int


def stand(person: Person, bones: Floats, things: Thing, room: Room) -> Mesh:
    """Somebody's skin for dual quaternions (B, 8), with things, and their shadows' maps."""
    points, normals = posed(person.skin, bones)
    middle = points.mean(axis=0).astype(np.float64)
    middle[1] = 0.75
    light = light_table(room, middle, middle)
    n = len(points)
    all_points = np.concatenate([points, things.points])
    faces = np.concatenate([person.skin.faces, things.faces + np.int32(n)])
    along = _along_light(all_points, light)
    own = np.full((MAP_SIDE, MAP_SIDE), _FAR, np.float32)
    light_depth(along, faces[len(person.skin.faces) :], own)
    everything = own.copy()
    light_depth(along, person.skin.faces, everything)
    return Mesh(
        points=all_points,
        normals=np.concatenate([normals, things.normals]),
        template=np.concatenate([person.template, things.colours]),
        opens=np.concatenate([person.skin.open, np.full(len(things.points), 0.85, np.float32)]),
        part=np.concatenate(
            [person.skin.part, np.full(len(things.points), shading.THING, np.int32)]
        ),
        faces=faces,
        person_faces=len(person.skin.faces),
        depths=everything,
        dark=_darkness(everything, points, light),
        middle=middle,
    )


def _along_light(points: Floats, light: Floats) -> Floats:
    offset = points - light[shading.MAP_ORIGIN : shading.MAP_ORIGIN + 3]
    axes = light[[
        *range(shading.MAP_U, shading.MAP_U + 3), *range(shading.MAP_V, shading.MAP_V + 3),
        *range(shading.KEY, shading.KEY + 3),
    ]].reshape(3, 3)  # fmt: skip
    return (offset @ axes.T * np.array([MAP_SCALE, MAP_SCALE, -1.0])).astype(np.float32)


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
        touch = np.minimum(1.0, 1.8 * cv2.GaussianBlur(touch, (0, 0), 2.6))
    return np.asarray(0.36 * near + 0.26 * wide + 0.34 * touch * (1.0 - 0.5 * near), np.float32)


@entry
def composite(  # noqa: PLR0913, PLR0914, PLR0917
    colour: Floats, floor_at: Floats, front: Floats, left: int, top: int, light: Floats,
    dark: Floats, strength: float, picture: Image,
) -> None:  # fmt: skip
    """Lay ``front`` (h, w, 4) over the room with its shadow, and turn light into bytes.

    Only the part of the picture from ``left``, ``top`` of the size of ``front`` is written.
    """
    side = dark.shape[0]
    for row in range(front.shape[0]):
        for column in range(front.shape[1]):
            y, x = row + top, column + left
            clear = max(0.0, 1.0 - front[row, column, 3])
            tone = 1.0
            fx, fz = floor_at[y, x, 0], floor_at[y, x, 1]
            if clear > 0.0 and fx == fx:
                qx, qy, qz = fx - light[27], -light[28], fz - light[29]
                u = (qx * light[21] + qy * light[22] + qz * light[23]) * light[30]
                v = (qx * light[24] + qy * light[25] + qz * light[26]) * light[30]
                i, j = int(np.floor(u)), int(np.floor(v))
                if 0 <= i < side - 1 and 0 <= j < side - 1:
                    a, b = u - i, v - j
                    shade = (dark[j, i] * (1 - a) + dark[j, i + 1] * a) * (1 - b)
                    shade += (dark[j + 1, i] * (1 - a) + dark[j + 1, i + 1] * a) * b
                    tone = 1.0 - strength * shade
            for k in range(3):
                value = front[row, column, k] + clear * tone * colour[y, x, k]
                # Highlights roll off instead of being cut.
                if value > 0.72:
                    value = 0.72 + 0.28 * (1.0 - np.exp(-(value - 0.72) / 0.28))
                picture[y, x, k] = int(255.0 * np.sqrt(max(0.0, value)) + 0.5)


def view(camera: Camera, room: Room, traits: CameraTraits, fine: int = 3) -> View:
    """What a camera sees of the empty room; made once per recording."""
    picture, floor_at = paint_room(camera, room, fine)
    if traits.vignette > 0.0:
        width, height = camera.size
        x = (np.arange(width) - 0.5 * width) / (0.5 * max(width, height))
        y = (np.arange(height) - 0.5 * height) / (0.5 * max(width, height))
        loss = 1.0 - traits.vignette * (x[None] ** 2 + y[:, None] ** 2)
        picture *= loss.astype(np.float32)[..., None]
    rolled = np.where(picture > 0.72, 0.72 + 0.28 * (1.0 - np.exp(-(picture - 0.72) / 0.28)), picture)
    plain = (255.0 * np.sqrt(np.clip(rolled, 0.0, 1.0)) + 0.5).astype(np.uint8)
    return View(camera, picture, plain, floor_at, traits)


def _places(camera: Camera, points: Floats) -> Floats:
    lens = np.zeros(5, np.float32)
    lens[: len(camera.distortion[:5])] = camera.distortion[:5]
    out = np.empty((len(points), 3), np.float32)
    project_points(
        points, camera.rotation.astype(np.float32), camera.translation.astype(np.float32),
        camera.matrix.astype(np.float32), lens, out,
    )  # fmt: skip
    return out


def _window(camera: Camera, places: Floats) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the pixels that points cover; None where they miss them all."""
    seen = places[places[:, 2] > 0.0, :2]
    if not len(seen):
        return None
    low = np.maximum(np.floor(seen.min(axis=0)).astype(int) - _MARGIN, 0)
    high = np.minimum(np.ceil(seen.max(axis=0)).astype(int) + _MARGIN + 1, camera.size)
    if (low >= high).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def drawn(camera: Camera, mesh: Mesh, box: tuple[int, int, int, int]) -> tuple[Depths, Floats]:
    """What is in front within a box of pixels, and the points' places in the picture."""
    left, top, right, bottom = box
    places = _places(camera, mesh.points)
    shape = (FINE * (bottom - top), FINE * (right - left))
    near, which = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    fill(places, mesh.faces, left, top, FINE, False, near, which)
    return Depths(near, which, left, top), places


def photograph(
    scene: View, meshes: list[Mesh], person: Person, room: Room, rng: np.random.Generator
) -> tuple[Image, Depths | None]:
    """A picture whose exposure lasts over ``meshes``, and what is in front in the middle one."""
    camera = scene.camera
    middle = meshes[len(meshes) // 2]
    light = light_table(room, camera.centre, middle.middle)
    picture = scene.plain.copy()
    boxes = [box for mesh in meshes if (box := _reach(camera, mesh, light)) is not None]
    depths: Depths | None = None
    if boxes:
        ends = np.array(boxes)
        box = (int(ends[:, 0].min()), int(ends[:, 1].min()), int(ends[:, 2].max()), int(ends[:, 3].max()))
        left, top, right, bottom = box
        front = np.zeros((bottom - top, right - left, 4), np.float32)
        for mesh in meshes:
            found, places = drawn(camera, mesh, box)
            shading.shade(
                found.near, found.which, FINE, left, top, mesh.faces, places, mesh.points,
                mesh.normals, mesh.template, mesh.opens, mesh.part, person.look.table, light,
                mesh.depths, front,
            )  # fmt: skip
            if mesh is middle:
                depths = found
        if len(meshes) > 1:
            front /= len(meshes)
        strength = 0.55 + 0.45 * room.contrast
        composite(scene.picture, scene.floor_at, front, left, top, light, middle.dark, strength, picture)
    return _sensed(picture, scene.traits, rng), depths


def _reach(camera: Camera, mesh: Mesh, light: Floats) -> tuple[int, int, int, int] | None:
    """The pixels of somebody, of things, and of the floor that their shadows reach."""
    rows = np.flatnonzero(mesh.dark.max(axis=1) > 0.004)
    columns = np.flatnonzero(mesh.dark.max(axis=0) > 0.004)
    corners = []
    if len(rows) and len(columns):
        origin = light[shading.MAP_ORIGIN : shading.MAP_ORIGIN + 3]
        u, v = (light[p : p + 3] for p in (shading.MAP_U, shading.MAP_V))
        key = light[shading.KEY : shading.KEY + 3]
        for i in np.linspace(columns[0], columns[-1], 5):
            for j in np.linspace(rows[0], rows[-1], 5):
                p = origin + (i * u + j * v) / MAP_SCALE
                corners.append(p - key * (p[1] / key[1]))
    points = np.concatenate([mesh.points, np.array(corners, np.float32).reshape(-1, 3)])
    return _window(camera, _places(camera, points))


def _sensed(picture: Image, traits: CameraTraits, rng: np.random.Generator) -> Image:
    if traits.blur > 0.0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), traits.blur), np.uint8)
    if traits.noise > 0.0:
        # A piece of a fixed sheet of grain, at a place drawn anew for every picture.
        sheet = _grain(round(traits.noise, 1))
        side = len(sheet)
        y, x = rng.integers(0, side, 2)
        rows = (np.arange(picture.shape[0]) + y) % side
        columns = (np.arange(picture.shape[1]) + x) % side
        picture = np.asarray(cv2.add(picture, sheet[rows][:, columns], dtype=cv2.CV_8U), np.uint8)
    return picture


@lru_cache(maxsize=8)
def _grain(size: float) -> NDArray[np.int8]:
    """(S, S, 3) grain; what sensors have is finer than what is left of it after demosaicing."""
    fine = np.random.default_rng(17).standard_normal((_GRAIN_SIDE, _GRAIN_SIDE, 3))
    soft = cv2.blur(fine, (2, 2)) * 1.4 + 0.5 * fine
    return np.clip(np.round(size * soft / soft.std()), -127, 127).astype(np.int8)
