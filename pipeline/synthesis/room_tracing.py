"""What lies behind each pixel of a picture of an empty room: floor, walls, window; compiled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.compiled import entry, inner
from pipeline.synthesis.noise import noise, ramp

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
LENS_STEP = 4


@inner
def _near(value: float, period: float, half: float) -> bool:
    return abs((value + 0.5 * period) % period - 0.5 * period) < half


@inner
def _floor(x: float, z: float, room: Floats, out: Floats) -> None:
    kind, size, seed = int(room[FLOOR_KIND]), float(room[FLOOR_SIZE]), float(room[SEED])
    c, s = math.cos(room[FLOOR_TURN]), math.sin(room[FLOOR_TURN])
    a, b = c * x + s * z, c * z - s * x
    share, tone = 0.0, 1.0
    # Where the coarse and the fine grain are looked up, and how much they count.
    u1, v1, u2, v2, much1, much2 = 0.0, 0.0, a, b, 0.0, 0.0
    if kind == CHECKER:
        share = float((math.floor(a / size) + math.floor(b / size)) % 2)
    elif kind == PLANKS:
        wide = 0.3 * size
        row = math.floor(a / wide)
        shift = 7.31 * row
        u1, v1, much1 = row * 3.7, math.floor((b + shift) / 1.4) * 5.1, 1.0
        u2, v2, much2 = a * 60.0, b * 3.0, 0.35
        if _near(a, wide, 0.0022) or _near(b + shift, 1.4, 0.0022):
            tone = 0.62
    elif kind == TILES:
        u1, v1, much1 = math.floor(a / size) * 3.1, math.floor(b / size) * 4.7, 0.35
        if _near(a, size, 0.004) or _near(b, size, 0.004):
            tone = 0.66
    elif kind == COURT:
        line = _near(a - 0.4, 2.6, 0.025) or _near(b + 0.9, 3.1, 0.025)
        ring = abs(math.sqrt((a - 0.7) ** 2 + (b + 0.6) ** 2) - 1.5) < 0.025
        share = 1.0 if line or ring else 0.0
    elif kind == CONCRETE:
        u1, v1, much1 = a * 1.7, b * 1.7, 0.6
        u2, v2, much2 = a * 9.0, b * 9.0, 0.4
    else:
        share, u2, v2, much2 = 0.5, a * 70.0, b * 70.0, 0.5
    if much1 > 0.0:
        share += much1 * noise(u1, v1, seed)
    if much2 > 0.0:
        share += much2 * (noise(u2, v2, seed) - 0.5)
    for k in range(3):
        out[k] = tone * (room[FLOOR + k] + share * (room[FLOOR_SECOND + k] - room[FLOOR + k]))


@inner
def _wall(  # noqa: PLR0912, PLR0915 (kernels have no tables of functions)
    wall: int, u: float, y: float, half: float, room: Floats, out: Floats
) -> None:
    """Colour of a wall at ``u`` along it and ``y`` up."""
    kind, seed = int(room[WALL_KIND]), float(room[SEED])
    share, tone = 0.0, 1.0
    # Where stones and boards differ from each other, and how much.
    column, line, much = 0.0, 0.0, 0.0
    if kind == TWO_TONE:
        share = 1.0 if y < 1.15 else 0.0
        if abs(y - 1.16) < 0.02:
            tone = 1.25
    elif kind == BRICKS:
        row = math.floor(y / 0.075)
        along = u + (0.105 if row % 2 else 0.0)
        column, line, much = math.floor(along / 0.21) * 2.3, row * 3.9, 1.0
    elif kind == PANELS:
        column, much = math.floor(u / 0.6) * 3.3, 0.5
        if _near(u, 0.6, 0.006):
            tone = 0.7
    elif kind == WALL_TILES:
        column, line, much = math.floor(u / 0.2) * 3.3, math.floor(y / 0.2) * 2.1, 0.4
        if _near(u, 0.2, 0.004) or _near(y, 0.2, 0.004):
            tone = 0.8
    if much > 0.0:
        own = noise(column, line, seed)
        if kind == BRICKS:
            tone = 0.80 + 0.4 * own
            if _near(y, 0.075, 0.005) or _near(
                u + (0.105 if math.floor(y / 0.075) % 2 else 0.0), 0.21, 0.005
            ):
                share, tone = 1.0, 1.0
        else:
            share = much * own
    # One grain for the plaster and for what hangs on it.
    hangs, place = False, 0.0
    if wall == int(room[POSTER_WALL]) and abs(y - 1.65) < 0.55:
        place = -1.1 if u < 0.0 else 0.9
        hangs = abs(u - place) < 0.42
    fine = 4.0 if hangs else 1.1
    grain = noise(fine * u, fine * y, seed + place)
    tone *= (0.97 + 0.06 * grain) * (0.86 + 0.05 * y)
    for k in range(3):
        out[k] = tone * (room[WALL + k] + share * (room[WALL_SECOND + k] - room[WALL + k]))
    if y < 0.10:
        for k in range(3):
            out[k] = 0.55 * (0.9 if y < 0.092 else 0.6)
    if hangs:
        mix = ramp(grain, 0.35, 0.65)
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
def _look(
    px: float, py: float, lens: Floats, rotation: Floats, centre: Floats, room: Floats,
    colour: Floats, at: Floats,
) -> bool:  # fmt: skip
    """Colour of what lies behind a place of the picture, and where it is; whether it is floor."""
    gu, gv = px / LENS_STEP + 1.0, py / LENS_STEP + 1.0
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
def trace_room(
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
    edges = np.ones((height, width), np.uint8)
    # Once through all pixels, then again through those at an edge.
    for again in range(2):
        looks = fine if again else 1
        for row in range(height):
            for column in range(width):
                if edges[row, column] == 0:
                    continue
                for k in range(3):
                    out[row, column, k] = 0.0
                is_floor = False
                for j in range(looks):
                    for i in range(looks):
                        px = column + (i + 0.5) / looks - 0.5
                        py = row + (j + 0.5) / looks - 0.5
                        is_floor = _look(px, py, lens, rotation, centre, room, colour, at)
                        for k in range(3):
                            out[row, column, k] += colour[k] / (looks * looks)
                if not again:
                    floor_at[row, column, 0] = at[0] if is_floor else np.nan
                    floor_at[row, column, 1] = at[2] if is_floor else np.nan
        if not again:
            _find_edges(out, edges)


@inner
def _find_edges(picture: Floats, edges: NDArray[np.uint8]) -> None:
    """Mark pixels that differ from the one above or to the left, and those."""
    edges[:] = 0
    for row in range(edges.shape[0]):
        for column in range(edges.shape[1]):
            for back in range(2):
                y, x = row - back, column - (1 - back)
                if y < 0 or x < 0:
                    continue
                for k in range(3):
                    value = picture[row, column, k]
                    if abs(picture[y, x, k] - value) > 0.09 * (0.1 + value):
                        edges[row, column] = 1
                        edges[y, x] = 1
