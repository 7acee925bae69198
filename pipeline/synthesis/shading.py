"""Light on every pixel that shows a person or a thing, compiled.

Colours are linear while light is reckoned: the square of those on a screen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.compiled import entry, inner
from pipeline.synthesis.colours import THING, colour_of, is_even

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# Places in the table of the light.
KEY, KEY_COLOUR, FILL, FILL_COLOUR, SKY, GROUND, EYE_AT, MAP_U, MAP_V, MAP_ORIGIN = range(0, 30, 3)
MAP_SCALE, EXPOSURE = 30, 31
LIGHT_SIZE = 32


@inner
def _lit(light: Floats, shadow: Floats, p: Floats, n: Floats) -> float:
    """How much of the key light reaches a place: sixteen looks at the map of depths along it."""
    u, v, d = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for c in range(3):
        q = p[c] + 0.020 * n[c] - light[MAP_ORIGIN + c]
        u += q * light[MAP_U + c]
        v += q * light[MAP_V + c]
        d -= q * light[KEY + c]
    u *= light[MAP_SCALE]
    v *= light[MAP_SCALE]
    height, width = shadow.shape
    total, d = 0.0, d - 0.026
    x0, y0 = math.floor(u), math.floor(v)
    if x0 < 1 or y0 < 1 or x0 + 2 >= width or y0 + 2 >= height:
        return 1.0
    a, b = u - x0, v - y0
    for j in range(-1, 3):
        # The outer of four rows and columns count as far as the place is near to them.
        by = 1.0 - b if j == -1 else (b if j == 2 else 1.0)
        for i in range(-1, 3):
            bx = 1.0 - a if i == -1 else (a if i == 2 else 1.0)
            if shadow[y0 + j, x0 + i] > d:
                total += bx * by
    return total / 9.0


@entry
def shade(  # noqa: PLR0912, PLR0915
    near: Floats,
    which: Ints,
    fine: int,
    left: int,
    top: int,
    faces: Ints,
    places: Floats,
    packed: Floats,
    part: Ints,
    look: Floats,
    light: Floats,
    shadow: Floats,
    out: Floats,
) -> None:
    """Linear colour times coverage, and coverage, into ``out`` (H, W, 4), which is added to.

    ``packed`` (V, 10) holds each point's place on the shipped skin, normal, place in the world,
    and how open it is: beside each other, since that is how they are fetched.
    """
    height, width = out.shape[0], out.shape[1]
    n, p, t = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    own, colour = np.empty(3, np.float32), np.empty(3, np.float32)
    mean_n, best_p = np.empty(3, np.float32), np.empty(3, np.float32)
    half = 0.5 * fine - 0.5
    for y in range(height):
        for x in range(width):
            covered, nearest = 0, np.float32(0.0)
            opened, shine = 0.0, 0.0
            things = 0
            for j in range(fine):
                for i in range(fine):
                    if which[y * fine + j, x * fine + i] > 0:
                        covered += 1
            if covered == 0:
                continue
            # Inside, the samples of the diagonal speak for the others, or the first alone where
            # colours change slowly.
            sparse = covered == fine * fine
            looked, even = 0, False
            mean_n[:] = 0.0
            colour[:] = 0.0
            for j in range(fine):
                for i in range(fine):
                    sx, sy = x * fine + i, y * fine + j
                    f = which[sy, sx] - 1
                    if f < 0 or (sparse and i != j) or (looked > 0 and even):
                        continue
                    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                    xa, ya = (places[a, 0] - left) * fine + half, (places[a, 1] - top) * fine + half
                    xb, yb = (places[b, 0] - left) * fine + half, (places[b, 1] - top) * fine + half
                    xc, yc = (places[c, 0] - left) * fine + half, (places[c, 1] - top) * fine + half
                    area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
                    ub = ((sx - xa) * (yc - ya) - (sy - ya) * (xc - xa)) / area
                    uc = ((xb - xa) * (sy - ya) - (yb - ya) * (sx - xa)) / area
                    ua = 1.0 - ub - uc
                    for k in range(3):
                        t[k] = ua * packed[a, k] + ub * packed[b, k] + uc * packed[c, k]
                        i3 = k + 3
                        n[k] = ua * packed[a, i3] + ub * packed[b, i3] + uc * packed[c, i3]
                    kind = part[a]
                    if part[b] == part[c]:
                        kind = part[b]
                    shine += colour_of(kind, t, look, own)
                    if kind == THING:
                        things += 1
                    opened += ua * packed[a, 9] + ub * packed[b, 9] + uc * packed[c, 9]
                    for k in range(3):
                        colour[k] += own[k]
                        mean_n[k] += n[k]
                    if near[sy, sx] > nearest:
                        nearest = near[sy, sx]
                        for k in range(3):
                            i6 = k + 6
                            best_p[k] = ua * packed[a, i6] + ub * packed[b, i6] + uc * packed[c, i6]
                    looked += 1
                    even = sparse and is_even(kind, t, look)
            size = math.sqrt(mean_n[0] * mean_n[0] + mean_n[1] * mean_n[1] + mean_n[2] * mean_n[2])
            if size < 1e-6:
                continue
            key, fill_, up, facing, away = 0.0, 0.0, mean_n[1] / size, 0.0, 0.0
            for k in range(3):
                mean_n[k] /= size
                p[k] = light[EYE_AT + k] - best_p[k]
            away = math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
            middle = 0.0
            for k in range(3):
                p[k] /= away
                key += mean_n[k] * light[KEY + k]
                fill_ += mean_n[k] * light[FILL + k]
                facing += mean_n[k] * p[k]
                half_way = p[k] + light[KEY + k]
                middle += half_way * half_way
            middle = math.sqrt(middle)
            mirror = 0.0
            for k in range(3):
                mirror += mean_n[k] * (p[k] + light[KEY + k]) / middle
            opened /= looked
            shine /= looked
            seen = _lit(light, shadow, best_p, mean_n) if key > -0.15 else 0.0
            # Light goes a little round a body; more so its red.
            soft = 0.10 if things == 0 else 0.0
            wrapped = max(0.0, (key + soft) / (1.0 + soft)) * seen
            red = max(0.0, (key + 0.28) / 1.28) * (0.35 + 0.65 * seen) if things == 0 else wrapped
            rim = 1.0 - max(0.0, facing)
            rim = rim * rim * rim
            # The 22nd power, without the general one.
            m2 = max(0.0, mirror) * max(0.0, mirror)
            m4 = m2 * m2
            m16 = m4 * m4 * m4 * m4
            gloss = shine * m16 * m4 * m2 * seen * max(0.0, min(1.0, 4.0 * key))
            part_ = covered / (fine * fine)
            for k in range(3):
                direct = 0.75 * wrapped + 0.25 * (red if k == 0 else wrapped)
                ambient = light[SKY + k] * (0.5 + 0.5 * up) + light[GROUND + k] * (0.5 - 0.5 * up)
                lit = direct * light[KEY_COLOUR + k]
                lit += max(0.0, fill_ + 0.2) / 1.2 * light[FILL_COLOUR + k] * (0.4 + 0.6 * opened)
                lit += ambient * opened * (1.0 + 0.35 * rim)
                value = colour[k] / looked * lit + gloss * light[KEY_COLOUR + k]
                out[y, x, k] += part_ * value * light[EXPOSURE]
            out[y, x, 3] += part_
