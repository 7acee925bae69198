"""Rooms: floors, walls and light of many kinds, traced once per camera through its exact lens."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.projection import undistort
from pipeline.synthesis import shading
from pipeline.synthesis.looks import Colour, linear
from pipeline.synthesis.room_tracing import (
    BARS,
    BRICKS,
    BRIGHT,
    CARPET,
    CEILING,
    CHECKER,
    CONCRETE,
    COURT,
    DOOR,
    FLOOR,
    FLOOR_KIND,
    FLOOR_SECOND,
    FLOOR_SIZE,
    FLOOR_TURN,
    HALF_X,
    HALF_Z,
    LENS_STEP,
    NO_WALL,
    PAINT,
    PANELS,
    PLANKS,
    POSTER,
    POSTER_SECOND,
    POSTER_WALL,
    ROOM_SIZE,
    SEED,
    SKY,
    TILES,
    TWO_TONE,
    WALL,
    WALL_KIND,
    WALL_SECOND,
    WALL_TILES,
    WINDOW,
    WOOD,
    trace_room,
)  # fmt: skip

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]

# Cells per metre of the map of depths along the light, and its side in cells.
MAP_SCALE, MAP_SIDE = 90.0, 300

_FLOORS: tuple[tuple[Colour, Colour], ...] = (
    ((196, 182, 162), (166, 150, 130)), ((178, 140, 98), (150, 112, 76)),
    ((150, 150, 148), (132, 132, 130)), ((96, 104, 116), (84, 90, 102)),
    ((206, 204, 198), (176, 174, 168)), ((92, 116, 104), (220, 220, 214)),
    ((120, 84, 60), (98, 66, 46)), ((60, 78, 110), (214, 206, 190)),
)  # fmt: skip
_WALLS: tuple[tuple[Colour, Colour], ...] = (
    ((176, 190, 200), (150, 166, 178)), ((214, 208, 196), (190, 180, 164)),
    ((190, 196, 186), (120, 140, 130)), ((204, 202, 206), (168, 170, 182)),
    ((168, 112, 92), (196, 190, 182)), ((222, 222, 220), (196, 200, 204)),
    ((150, 158, 170), (104, 112, 128)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A room's table, and the direction towards its main light (3,)."""

    table: Floats
    light: FloatArray
    warm: float
    contrast: float


@dataclass(frozen=True, slots=True)
class RoomRange:
    """Which rooms are drawn: kinds of floors and walls, and indices of their colours."""

    floors: tuple[int, ...] = (CHECKER, PLANKS, CONCRETE, CARPET)
    walls: tuple[int, ...] = (PAINT, TWO_TONE, PANELS)
    floor_colours: tuple[int, ...] = (0, 1, 2, 3, 4)
    wall_colours: tuple[int, ...] = (0, 1, 2, 3, 5)


#: Floors, walls and colours that are not taught with.
HELD_OUT_ROOMS = RoomRange((TILES, COURT), (BRICKS, WALL_TILES), (5, 6, 7), (4, 6))


def make_room(
    *,
    half: tuple[float, float] = (4.0, 4.0),
    ceiling: float = 3.1,
    floor: tuple[int, Colour, Colour, float] = (CHECKER, *_FLOORS[0], 0.5),
    wall: tuple[int, Colour, Colour] = (PAINT, *_WALLS[0]),
    window: int = 3,
    bars: int = 0,
    door: int = NO_WALL,
    poster: tuple[int, Colour, Colour] = (NO_WALL, (0, 0, 0), (0, 0, 0)),
    light: tuple[float, float, float] = (-0.36, 0.86, -0.34),
    warm: float = 0.0,
    contrast: float = 0.8,
    bright: float = 1.0,
    turn: float = 0.0,
    seed: float = 0.0,
) -> Room:
    """A room of half widths ``half`` and height ``ceiling``, metres."""
    table = np.zeros(ROOM_SIZE, np.float32)
    for place, colour in (
        (FLOOR, floor[1]), (FLOOR_SECOND, floor[2]), (WALL, wall[1]), (WALL_SECOND, wall[2]),
        (WOOD, (178, 134, 92)), (SKY, (214, 230, 244)), (POSTER, poster[1]),
        (POSTER_SECOND, poster[2]),
    ):  # fmt: skip
        table[place : place + 3] = linear(colour)
    table[HALF_X], table[HALF_Z], table[CEILING] = *half, ceiling
    table[FLOOR_KIND], table[FLOOR_SIZE], table[FLOOR_TURN] = floor[0], floor[3], turn
    table[WALL_KIND], table[WINDOW], table[BARS], table[DOOR] = wall[0], window, bars, door
    table[POSTER_WALL], table[BRIGHT], table[SEED] = poster[0], bright, seed
    towards = np.array(light)
    return Room(table, towards / np.linalg.norm(towards), warm, contrast)


def draw_room(rng: np.random.Generator, rooms: RoomRange | None = None) -> Room:
    """A room drawn at random."""
    rooms = rooms or RoomRange()
    bearing, height = rng.uniform(-math.pi, math.pi), rng.uniform(0.9, 1.35)
    walls = rng.permutation(4)
    floor = _FLOORS[rng.choice(rooms.floor_colours)]
    wall = _WALLS[rng.choice(rooms.wall_colours)]
    picture = rng.integers(40, 220, (2, 3))
    return make_room(
        half=(rng.uniform(3.0, 6.0), rng.uniform(3.0, 6.0)),
        ceiling=rng.uniform(2.6, 3.8),
        floor=(int(rng.choice(rooms.floors)), *floor, rng.uniform(0.25, 0.7)),
        wall=(int(rng.choice(rooms.walls)), *wall),
        window=int(walls[0]) if rng.random() < 0.7 else NO_WALL,
        bars=int(walls[1]) if rng.random() < 0.35 else NO_WALL,
        door=int(walls[2]) if rng.random() < 0.6 else NO_WALL,
        poster=(int(walls[3]) if rng.random() < 0.6 else NO_WALL,
                tuple(map(int, picture[0])), tuple(map(int, picture[1]))),  # type: ignore[arg-type]
        light=(math.cos(bearing) * math.cos(height), math.sin(height),
               math.sin(bearing) * math.cos(height)),
        warm=rng.uniform(-0.10, 0.14),
        contrast=rng.uniform(0.45, 1.0),
        bright=rng.uniform(0.85, 1.25),
        turn=rng.uniform(0.0, 1.6),
        seed=rng.uniform(0.0, 90.0),
    )  # fmt: skip


def light_table(room: Room, eye: FloatArray, middle: FloatArray) -> Floats:
    """What :func:`shading.shade` is told of the light; ``middle`` (3,) is where somebody is."""
    table = np.zeros(shading.LIGHT_SIZE, np.float32)

    def put(place: int, value: FloatArray) -> None:
        table[place : place + 3] = value

    tint = np.array([1.0 + room.warm, 1.0, 1.0 - room.warm])
    put(shading.KEY, room.light)
    put(shading.KEY_COLOUR, 0.95 * room.contrast * tint * [1.03, 1.0, 0.95])
    across = np.array([-room.light[0], 0.25, -room.light[2]])
    put(shading.FILL, across / np.linalg.norm(across))
    put(shading.FILL_COLOUR, (0.30 + 0.12 * (1.0 - room.contrast)) * tint * [0.95, 0.99, 1.06])
    put(shading.SKY, (0.52 + 0.25 * (1.0 - room.contrast)) * tint * [0.97, 1.0, 1.04])
    put(shading.GROUND, 0.30 * tint * (0.4 + room.table[FLOOR : FLOOR + 3]))
    put(shading.EYE_AT, eye)
    u = np.cross([0.0, 1.0, 0.0], room.light)
    u /= np.linalg.norm(u)
    v = np.cross(room.light, u)
    put(shading.MAP_U, u)
    put(shading.MAP_V, v)
    half = 0.5 * MAP_SIDE / MAP_SCALE
    put(shading.MAP_ORIGIN, middle - half * u - half * v)
    table[shading.MAP_SCALE], table[shading.EXPOSURE] = MAP_SCALE, room.table[BRIGHT]
    return table


def with_walls_behind(room: Room, centres: FloatArray) -> Room:
    """The room, made wider and higher where cameras at ``centres`` (N, 3) need it."""
    table = room.table.copy()
    reach = np.abs(centres).max(axis=0) + 0.5
    table[HALF_X], table[HALF_Z] = max(table[HALF_X], reach[0]), max(table[HALF_Z], reach[2])
    table[CEILING] = max(table[CEILING], reach[1])
    return replace(room, table=table)


def paint_room(camera: Camera, room: Room, fine: int = 3) -> tuple[Floats, Floats]:
    """Linear picture (H, W, 3) of the empty room, and x, z of its floor (H, W, 2), NaN elsewhere.

    ``fine`` by ``fine`` looks make a pixel where something has an edge. What the lens cannot show
    is black.
    """
    width, height = camera.size
    columns = np.arange(-LENS_STEP, width + 3 * LENS_STEP, LENS_STEP, dtype=np.float64)
    rows = np.arange(-LENS_STEP, height + 3 * LENS_STEP, LENS_STEP, dtype=np.float64)
    lens = undistort(camera, np.stack(np.meshgrid(columns, rows), axis=-1)).astype(np.float32)
    picture = np.empty((height, width, 3), np.float32)
    floor_at = np.empty((height, width, 2), np.float32)
    trace_room(
        lens, camera.rotation.astype(np.float32), camera.centre.astype(np.float32), fine,
        room.table, picture, floor_at,
    )  # fmt: skip
    tint = np.array([1.0 + 0.6 * room.warm, 1.0, 1.0 - 0.6 * room.warm], np.float32)
    # Far out a lens of this kind may show nothing at all: its equation has no solution there.
    return np.nan_to_num(picture * tint, nan=0.0), floor_at
