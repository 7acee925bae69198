"""Rooms: floors, walls and light of many kinds, traced once per camera through its exact lens."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.projection import undistort
from pipeline.kinematics.compiled import entry, inner
from pipeline.synthesis import shading
from pipeline.synthesis.looks import Colour, linear
from pipeline.synthesis.noise import noise, ramp

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]

# Places in a room's table: colours of three, then single numbers.
FLOOR, FLOOR_SECOND, WALL, WALL_SECOND, WOOD, SKY, POSTER, POSTER_SECOND = range(0, 24, 3)
(HALF_X, HALF_Z, CEILING, FLOOR_KIND, FLOOR_SIZE, FLOOR_TURN, WALL_KIND, WINDOW, BARS, DOOR,
 POSTER_WALL, BRIGHT, SEED) = range(24, 37)  # fmt: skip
ROOM_SIZE = 37
CHECKER, PLANKS, CONCRETE, CARPET, TILES, COURT = range(6)
PAINT, TWO_TONE, BRICKS, PANELS, WALL_TILES = range(5)
# Walls: +X, -X, +Z, -Z; NO_WALL where a room lacks a thing.
NO_WALL = -1
# Spacing (px) of the grid on which the lens is inverted.
_LENS_STEP = 4
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


def make_room(  # noqa: PLR0913
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


@inner
def _near(value: float, period: float, half: float) -> bool:
    return abs((value + 0.5 * period) % period - 0.5 * period) < half


@inner
def _floor(x: float, z: float, room: Floats, out: Floats) -> None:
    kind, size, seed = int(room[FLOOR_KIND]), room[FLOOR_SIZE], room[SEED]
    c, s = math.cos(room[FLOOR_TURN]), math.sin(room[FLOOR_TURN])
    a, b = c * x + s * z, c * z - s * x
    share, tone = 0.0, 1.0
    if kind == CHECKER:
        share = float((int(math.floor(a / size)) + int(math.floor(b / size))) % 2)
    elif kind == PLANKS:
        wide = 0.3 * size
        row = math.floor(a / wide)
        shift = 7.31 * row
        board = math.floor((b + shift) / 1.4)
        share = noise(row * 3.7 + seed, board * 5.1, 0.5)
        share += 0.35 * (noise(a * 60.0, b * 3.0 + seed, 2.0) - 0.5)
        if _near(a, wide, 0.0022) or _near(b + shift, 1.4, 0.0022):
            tone = 0.62
    elif kind == TILES:
        share = 0.35 * noise(math.floor(a / size) * 3.1, math.floor(b / size) * 4.7, seed)
        if _near(a, size, 0.004) or _near(b, size, 0.004):
            tone = 0.66
    elif kind == COURT:
        line = _near(a - 0.4, 2.6, 0.025) or _near(b + 0.9, 3.1, 0.025)
        ring = abs(math.sqrt((a - 0.7) ** 2 + (b + 0.6) ** 2) - 1.5) < 0.025
        share = 1.0 if line or ring else 0.0
    elif kind == CONCRETE:
        share = noise(a * 1.7 + seed, b * 1.7, 0.3)
        share = 0.6 * share + 0.4 * noise(a * 9.0, b * 9.0 + seed, 0.7)
    else:
        share = 0.5 + 0.5 * (noise(a * 70.0, b * 70.0, seed) - 0.5)
    for k in range(3):
        out[k] = tone * (room[FLOOR + k] + share * (room[FLOOR_SECOND + k] - room[FLOOR + k]))


@inner
def _wall(wall: int, u: float, y: float, half: float, room: Floats, out: Floats) -> None:
    """Colour of a wall at ``u`` along it and ``y`` up."""
    kind = int(room[WALL_KIND])
    share, tone = 0.0, 1.0
    if kind == TWO_TONE:
        share = 1.0 if y < 1.15 else 0.0
        if abs(y - 1.16) < 0.02:
            tone = 1.25
    elif kind == BRICKS:
        row = math.floor(y / 0.075)
        along = u + (0.105 if int(row) % 2 else 0.0)
        stone = math.floor(along / 0.21)
        tone = 0.80 + 0.4 * noise(stone * 2.3, row * 3.9, room[SEED])
        if _near(y, 0.075, 0.005) or _near(along, 0.21, 0.005):
            share, tone = 1.0, 1.0
    elif kind == PANELS:
        share = 0.5 * noise(math.floor(u / 0.6) * 3.3, 0.0, room[SEED])
        if _near(u, 0.6, 0.006):
            tone = 0.7
    elif kind == WALL_TILES:
        share = 0.4 * noise(math.floor(u / 0.2) * 3.3, math.floor(y / 0.2) * 2.1, room[SEED])
        if _near(u, 0.2, 0.004) or _near(y, 0.2, 0.004):
            tone = 0.8
    tone *= 0.97 + 0.06 * noise(u * 1.1, y * 1.1, room[SEED] + 3.0)
    tone *= 0.86 + 0.05 * y
    for k in range(3):
        out[k] = tone * (room[WALL + k] + share * (room[WALL_SECOND + k] - room[WALL + k]))
    if y < 0.10:
        for k in range(3):
            out[k] = 0.55 * (0.9 if y < 0.092 else 0.6)
    if wall == int(room[POSTER_WALL]):
        for place in (-1.1, 0.9):
            if abs(u - place) < 0.42 and abs(y - 1.65) < 0.55:
                mix = ramp(noise(u * 4.0 + room[SEED], y * 4.0, place), 0.35, 0.65)
                edge = abs(u - place) > 0.40 or abs(y - 1.65) > 0.53
                for k in range(3):
                    out[k] = room[POSTER + k] + mix * (room[POSTER_SECOND + k] - room[POSTER + k])
                    if edge:
                        out[k] = 0.05
    if wall == int(room[DOOR]) and abs(u - 0.5 * half) < 0.52 and y < 2.12:
        inside = abs(u - 0.5 * half) < 0.45 and y < 2.05
        panel = abs(u - 0.5 * half) < 0.30 and (abs(y - 0.55) < 0.33 or abs(y - 1.45) < 0.42)
        for k in range(3):
            out[k] = room[WOOD + k] * (0.8 if panel else 1.0) if inside else 0.62
    if wall == int(room[BARS]) and abs(u) < 2.0 and 0.12 < y < 2.45:
        rung, post = _near(y, 0.19, 0.022), _near(u + 0.5, 1.0, 0.05)
        if rung or post:
            for k in range(3):
                out[k] = room[WOOD + k] * (1.0 if post else 0.92)
        elif _near(y + 0.035, 0.19, 0.020):
            for k in range(3):
                out[k] *= 0.78
    if wall == int(room[WINDOW]) and abs(u) < 1.7 and 0.95 < y < 2.5:
        frame = _near(u + 1.7, 1.133, 0.035) or y < 1.02 or y > 2.43
        for k in range(3):
            out[k] = 0.80 if frame else room[SKY + k] * (1.0 + 0.10 * (y - 1.7))


@inner
def _look(  # noqa: PLR0913, PLR0914, PLR0917
    px: float, py: float, lens: Floats, rotation: Floats, centre: Floats, room: Floats,
    colour: Floats, at: Floats,
) -> bool:  # fmt: skip
    """Colour of what lies behind a place of the picture, and where it is; whether it is floor."""
    gu, gv = px / _LENS_STEP + 1.0, py / _LENS_STEP + 1.0
    gi, gj = int(gu), int(gv)
    fa, fb = gu - gi, gv - gj
    fx = (lens[gj, gi, 0] * (1 - fa) + lens[gj, gi + 1, 0] * fa) * (1 - fb)
    fx += (lens[gj + 1, gi, 0] * (1 - fa) + lens[gj + 1, gi + 1, 0] * fa) * fb
    fy = (lens[gj, gi, 1] * (1 - fa) + lens[gj, gi + 1, 1] * fa) * (1 - fb)
    fy += (lens[gj + 1, gi, 1] * (1 - fa) + lens[gj + 1, gi + 1, 1] * fa) * fb
    dx = rotation[0, 0] * fx + rotation[1, 0] * fy + rotation[2, 0]
    dy = rotation[0, 1] * fx + rotation[1, 1] * fy + rotation[2, 1]
    dz = rotation[0, 2] * fx + rotation[1, 2] * fy + rotation[2, 2]
    reach_x, reach_z, roof = room[HALF_X], room[HALF_Z], room[CEILING]
    tx = ((reach_x if dx > 0 else -reach_x) - centre[0]) / dx if dx != 0.0 else 1e9
    tz = ((reach_z if dz > 0 else -reach_z) - centre[2]) / dz if dz != 0.0 else 1e9
    ty = ((roof if dy > 0 else 0.0) - centre[1]) / dy if dy != 0.0 else 1e9
    t = min(tx, ty, tz)
    x, y, z = centre[0] + t * dx, centre[1] + t * dy, centre[2] + t * dz
    on_floor = t == ty and dy < 0.0
    if on_floor:
        _floor(x, z, room, colour)
        away = min(1.0, math.sqrt(x * x + z * z) / 5.0)
        tone = 1.02 - 0.26 * away**1.5
    elif t == ty:
        colour[:] = 0.72
        tone = 1.0
    elif t == tx:
        _wall(0 if dx > 0 else 1, z, y, reach_z, room, colour)
        tone = 0.96 if dx > 0 else 0.90
    else:
        _wall(2 if dz > 0 else 3, x, y, reach_x, room, colour)
        tone = 1.02 if dz > 0 else 0.93
    # Corners get less light.
    gx, gz = reach_x - abs(x), reach_z - abs(z)
    gy = min(y, roof - y)
    edge = min(gx * gx + gz * gz, gx * gx + gy * gy, gz * gz + gy * gy)
    tone *= (1.0 - 0.25 * math.exp(-math.sqrt(max(0.0, edge)) / 0.32)) * room[BRIGHT]
    for k in range(3):
        colour[k] *= tone
    at[0], at[1], at[2] = x, y, z
    return on_floor


@entry
def trace_room(  # noqa: PLR0913, PLR0914, PLR0917
    lens: Floats, rotation: Floats, centre: Floats, fine: int, room: Floats, out: Floats,
    floor_at: Floats,
) -> None:  # fmt: skip
    """Linear colour (H, W, 3) of the empty room, and where its floor is.

    ``lens`` (rows, columns, 2) is the inverse of the lens on every fourth pixel from (-4, -4);
    ``floor_at`` (H, W, 2) receives x and z of the floor, NaN elsewhere. Where neighbours differ,
    ``fine`` by ``fine`` looks make a pixel.
    """
    height, width = out.shape[0], out.shape[1]
    colour, at = np.empty(3, np.float32), np.empty(3, np.float32)
    edges = np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            is_floor = _look(column, row, lens, rotation, centre, room, colour, at)
            floor_at[row, column, 0] = at[0] if is_floor else np.nan
            floor_at[row, column, 1] = at[2] if is_floor else np.nan
            for k in range(3):
                out[row, column, k] = colour[k]
            for back in range(2):
                y, x = row - back, column - (1 - back)
                if y < 0 or x < 0:
                    continue
                for k in range(3):
                    if abs(out[y, x, k] - colour[k]) > 0.09 * (0.1 + colour[k]):
                        edges[row, column] = 1
                        edges[y, x] = 1
    for row in range(height):
        for column in range(width):
            if edges[row, column] == 0:
                continue
            out[row, column] = 0.0
            for j in range(fine):
                for i in range(fine):
                    px, py = column + (i + 0.5) / fine - 0.5, row + (j + 0.5) / fine - 0.5
                    _look(px, py, lens, rotation, centre, room, colour, at)
                    for k in range(3):
                        out[row, column, k] += colour[k] / (fine * fine)


def with_walls_behind(room: Room, centres: FloatArray) -> Room:
    """The room, made wider and higher where cameras at ``centres`` (N, 3) need it."""
    table = room.table.copy()
    reach = np.abs(centres).max(axis=0) + 0.5
    table[HALF_X], table[HALF_Z] = max(table[HALF_X], reach[0]), max(table[HALF_Z], reach[2])
    table[CEILING] = max(table[CEILING], reach[1])
    return replace(room, table=table)


def paint_room(camera: Camera, room: Room, fine: int = 3) -> tuple[Floats, Floats]:
    """Linear picture (H, W, 3) of the empty room, and x, z of its floor (H, W, 2), NaN elsewhere.

    ``fine`` by ``fine`` looks make a pixel where something has an edge.
    """
    width, height = camera.size
    columns = np.arange(-_LENS_STEP, width + 3 * _LENS_STEP, _LENS_STEP, dtype=np.float64)
    rows = np.arange(-_LENS_STEP, height + 3 * _LENS_STEP, _LENS_STEP, dtype=np.float64)
    lens = undistort(camera, np.stack(np.meshgrid(columns, rows), axis=-1)).astype(np.float32)
    picture = np.empty((height, width, 3), np.float32)
    floor_at = np.empty((height, width, 2), np.float32)
    trace_room(
        lens, camera.rotation.astype(np.float32), camera.centre.astype(np.float32), fine,
        room.table, picture, floor_at,
    )  # fmt: skip
    tint = np.array([1.0 + 0.6 * room.warm, 1.0, 1.0 - 0.6 * room.warm], np.float32)
    return picture * tint, floor_at
