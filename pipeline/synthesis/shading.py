"""Light and colour of every pixel that shows a person or a thing, compiled.

Colours are linear while light is reckoned (the square of those on a screen). What a person wears
and looks like is looked up by the place on the shipped skin, so that it is sharp at any size.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.compiled import entry, inner
from pipeline.synthesis.noise import noise, ramp, speck

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# Places in the table of a look: colours of three, then single numbers.
SKIN, HAIR, TOP, TOP_SECOND, BOTTOM, BOTTOM_SECOND, SHOE, SOLE, EYES, LIPS = range(0, 30, 3)
(SLEEVE, HEM, NECK, TOP_KIND, TOP_PATTERN, TOP_SIZE, WAIST, LEG_END, BOTTOM_PATTERN, HAIRLINE,
 BEARD, BROWS, SEED, SOCKS) = range(30, 44)  # fmt: skip
LOOK_SIZE = 44
BARE, SHIRT, VEST, BAND = range(4)
ON_TOP, ON_BOTTOM = 1, 2
PLAIN, RINGS, UPRIGHT, CHECKS, MOTTLED, BLOCK = range(6)
# Parts as in people.PARTS; what is no part of a person carries its colour as its place.
TRUNK, HEAD, THIGH, SHANK, FOOT, ARM, FOREARM, HAND, THING = range(9)
# Places in the table of the light.
KEY, KEY_COLOUR, FILL, FILL_COLOUR, SKY, GROUND, EYE_AT, MAP_U, MAP_V, MAP_ORIGIN = range(0, 30, 3)
MAP_SCALE, EXPOSURE = 30, 31
LIGHT_SIZE = 32

_SHOULDER_Y, _SHOULDER_Z = 1.431, 0.175
_ARM_Y, _ARM_Z = -0.743, 0.669


@inner
def _pattern(kind: int, size: float, x: float, y: float, z: float, seed: float) -> float:
    """How much of the second colour there is."""
    if kind == RINGS:
        return 1.0 if (y / size) % 1.0 < 0.42 else 0.0
    if kind == UPRIGHT:
        around = math.atan2(z, x + 0.02) * 0.15
        return 1.0 if (around / (0.6 * size)) % 1.0 < 0.30 else 0.0
    if kind == CHECKS:
        around = math.atan2(z, x + 0.02) * 0.15
        a = 1.0 if (y / size) % 1.0 < 0.5 else 0.0
        b = 1.0 if (around / size) % 1.0 < 0.5 else 0.0
        return 0.5 * (a + b)
    if kind == MOTTLED:
        n = noise(x / (0.5 * size) + seed, y / (0.5 * size), z / (0.5 * size))
        n = 0.65 * n + 0.35 * noise(x / (0.2 * size), y / (0.2 * size) + seed, z / (0.2 * size))
        return ramp(n, 0.42, 0.58)
    if kind == BLOCK:
        return 1.0 if y > 1.30 or abs(z) > 0.22 else 0.0
    return 0.0


@inner
def _hair(x: float, y: float, z: float, line: float, seed: float) -> float:
    """How far above the hairline a place of the head is, metres."""
    # From the forehead over the temples and round the ear to the nape.
    edge = 1.704 - 0.9 * max(0.0, z - 0.030)
    if x < 0.050:
        edge += (1.612 - edge) * ramp(0.050 - x, 0.0, 0.045)
    if x < -0.012:
        edge += (1.560 - edge) * ramp(-0.012 - x, 0.0, 0.050)
    ear = ((x + 0.004) / 0.022) ** 2 + ((y - 1.627) / 0.036) ** 2
    if z > 0.066 and ear < 1.0:
        return -0.05
    wobble = 0.008 * (noise(90.0 * x + seed, 90.0 * y, 90.0 * z) - 0.5)
    return y - edge - line + wobble


@inner
def _face(t: Floats, look: Floats, z: float, out: Floats) -> None:
    """Eyes, brows, lips and shade of the face, painted over the skin in ``out``."""
    x, y = t[0], t[1]
    if x < 0.055:
        return
    red = 0.10 * math.exp(-(((y - 1.612) / 0.018) ** 2) - ((z - 0.038) / 0.018) ** 2)
    red += 0.07 * math.exp(-(((y - 1.608) / 0.010) ** 2) - (z / 0.010) ** 2)
    out[1] *= 1.0 - red
    out[2] *= 1.0 - red
    # Lips.
    width = 0.0215
    if z < width and x > 0.068:
        arch = 1.0 - (z / width) ** 2
        bow = 0.0018 * math.exp(-((z / 0.004) ** 2))
        top, bottom = 1.5705 + 0.0068 * arch**0.7 - bow, 1.5695 - 0.0088 * arch**0.8
        share = ramp(y, bottom - 0.001, bottom + 0.001) * (1.0 - ramp(y, top - 0.001, top + 0.001))
        line = math.exp(-(((y - 1.5700) / 0.0011) ** 2)) * ramp(width - z, 0.0, 0.004)
        for c in range(3):
            out[c] += 0.75 * share * (look[LIPS + c] - out[c])
            out[c] *= 1.0 - 0.65 * line
    # Nostrils.
    hole = math.exp(-(((y - 1.6005) / 0.0026) ** 2) - ((z - 0.0065) / 0.0032) ** 2)
    if x > 0.086:
        for c in range(3):
            out[c] *= 1.0 - 0.75 * hole
    # Brows.
    arc = 1.6605 + 0.004 * math.sin(min(1.0, max(0.0, (z - 0.012) / 0.034)) * 2.4) - 0.002
    thick = 0.0036 * (1.0 - 0.45 * ramp(z, 0.028, 0.047))
    brow = (1.0 - ramp(abs(y - arc), 0.55 * thick, 1.25 * thick)) * ramp(z, 0.010, 0.014)
    brow *= 1.0 - ramp(z, 0.042, 0.048)
    for c in range(3):
        out[c] += 0.85 * look[BROWS] * brow * (0.8 * look[HAIR + c] - out[c])
    # Eyes: lids, white, iris, pupil, a glint.
    dz, dy = z - 0.0315, y - 1.6432
    open_ = 1.0 - (dz / 0.0135) ** 2
    if open_ > 0.0:
        upper, lower = 0.0052 * open_**0.75, -0.0042 * open_**0.8
        inside = ramp(dy, lower - 0.0007, lower + 0.0007) * (1.0 - ramp(dy, upper - 0.0007, upper + 0.0007))
        far = math.sqrt(dz * dz + dy * dy)
        iris = 1.0 - ramp(far, 0.0052, 0.0062)
        pupil = 1.0 - ramp(far, 0.0020, 0.0028)
        glint = 1.0 - ramp(math.sqrt((dz + 0.002) ** 2 + (dy - 0.0022) ** 2), 0.0008, 0.0016)
        lash = math.exp(-(((dy - upper - 0.0004) / 0.0013) ** 2)) * ramp(open_, 0.0, 0.15)
        fold = math.exp(-(((dy - upper - 0.0042) / 0.0012) ** 2)) * ramp(open_, 0.05, 0.4)
        for c in range(3):
            white = 0.78 - 0.10 * ramp(dy, 0.0, upper) - 0.06 * abs(dz) / 0.0135
            eye = white + iris * (look[EYES + c] - white)
            eye = eye * (1.0 - 0.95 * pupil) + 0.85 * glint * iris
            out[c] += inside * (eye - out[c])
            out[c] *= (1.0 - 0.80 * lash) * (1.0 - 0.25 * fold)
        return


@inner
def _cloth(look: Floats, first: int, kind: int, size: float, t: Floats, out: Floats) -> None:
    share = _pattern(kind, size, t[0], t[1], t[2], look[SEED])
    for c in range(3):
        out[c] = (look[first + c] + share * (look[first + 3 + c] - look[first + c]))


@inner
def _on_top(part: int, t: Floats, z: float, look: Floats) -> bool:
    """Whether the upper garment covers a place."""
    kind = int(look[TOP_KIND])
    if kind == BARE:
        return False
    along = (t[1] - _SHOULDER_Y) * _ARM_Y + (z - _SHOULDER_Z) * _ARM_Z
    if part == ARM or part == FOREARM:  # noqa: PLR1714
        return kind == SHIRT and along < look[SLEEVE]
    if part == HAND or t[1] < look[HEM]:
        return False
    collar = look[NECK] - 0.40 * (t[0] + 0.05)
    if kind == SHIRT:
        return t[1] < collar
    if kind == VEST:
        return t[1] < collar - 0.02 and (t[1] < 1.33 or z < 0.135 - 0.25 * (t[1] - 1.33)) and (
            t[1] < 1.40 or z > 0.050
        )
    # A band about the chest with two straps.
    if t[1] < 1.265:
        return False
    if t[0] > -0.02:
        return t[1] < 1.375 or (abs(z - 0.095) < 0.014 and t[1] < 1.475)
    return t[1] < 1.312 or (abs(z - 0.090 + 0.30 * (t[1] - 1.40)) < 0.009 and t[1] < 1.49)


@inner
def _on_bottom(part: int, t: Floats, z: float, look: Floats) -> bool:
    if part == TRUNK or part == THIGH or part == SHANK:  # noqa: PLR1714
        return look[LEG_END] < t[1] < look[WAIST] - 0.06 * t[0]
    return False


@inner
def _colour(part: int, t: Floats, look: Floats, out: Floats) -> float:
    """Linear colour of a place; returns how much it shines (skin 0.1, cloth 0, hair 0.2)."""
    if part == THING:
        for c in range(3):
            out[c] = t[c]
        return 0.03
    z = abs(t[2])
    if part == FOOT:
        height = t[1] + 0.155 * (z - 0.216)
        sole = ramp(height, 0.030, 0.034)
        for c in range(3):
            out[c] = look[SOLE + c] + sole * (look[SHOE + c] - look[SOLE + c])
        lace = t[0] > 0.02 and t[0] < 0.11 and (t[0] / 0.018) % 1.0 < 0.35 and abs(z - 0.222) < 0.02
        if lace and sole > 0.5 and height > 0.055:
            for c in range(3):
                out[c] = 0.6 * look[SOLE + c] + 0.2
        return 0.06
    if _on_top(part, t, z, look):
        _cloth(look, TOP, int(look[TOP_PATTERN]), look[TOP_SIZE], t, out)
        edge = 0.0
        if part == ARM or part == FOREARM:  # noqa: PLR1714
            along = (t[1] - _SHOULDER_Y) * _ARM_Y + (z - _SHOULDER_Z) * _ARM_Z
            edge = ramp(along, look[SLEEVE] - 0.014, look[SLEEVE] - 0.012)
        for c in range(3):
            out[c] *= 1.0 - 0.18 * edge
        return 0.0
    if _on_bottom(part, t, z, look):
        _cloth(look, BOTTOM, int(look[BOTTOM_PATTERN]), 0.05, t, out)
        band = ramp(t[1], look[WAIST] - 0.06 * t[0] - 0.028, look[WAIST] - 0.06 * t[0] - 0.026)
        hem = 1.0 - ramp(t[1], look[LEG_END] + 0.014, look[LEG_END] + 0.016)
        for c in range(3):
            out[c] *= 1.0 - 0.22 * band - 0.15 * hem
        return 0.0
    if part == SHANK and t[1] < look[SOCKS]:
        for c in range(3):
            out[c] = look[SOLE + c] * (0.92 + 0.08 * math.sin(900.0 * t[1]))
        return 0.0
    # Skin: a little uneven, redder at elbows, knees, hands and ears.
    blotch = noise(38.0 * t[0] + look[SEED], 38.0 * t[1], 38.0 * t[2])
    tone = 0.95 + 0.10 * blotch
    for c in range(3):
        out[c] = look[SKIN + c] * tone
    if part == TRUNK:
        dark = 0.35 * speck(70.0 * t[0], 70.0 * t[1] + 7.0 * look[SEED], 70.0 * t[2])
        for c in range(3):
            out[c] *= 1.0 - dark
    if part == HAND:
        out[1] *= 0.93
        out[2] *= 0.92
    if part == HEAD:
        _face(t, look, z, out)
        above = _hair(t[0], t[1], z, look[HAIRLINE], look[SEED])
        share = ramp(above, -0.002, 0.006)
        stubble = 0.0
        if look[BEARD] > 0.0 and t[0] > 0.0 and t[1] < 1.60:
            edge = 1.597 - 0.30 * max(0.0, t[0] - 0.035) - 0.0 * z
            stubble = look[BEARD] * ramp(edge - t[1], 0.0, 0.010) * ramp(t[1], 1.515, 0.0 + 1.535)
            lips = math.exp(-(((t[1] - 1.569) / 0.0095) ** 2) - (z / 0.021) ** 4)
            stubble *= 1.0 - lips * ramp(t[0], 0.06, 0.07)
            if t[0] > 0.075 and t[1] > 1.5745 and t[1] < 1.595 and z < 0.026:
                stubble = max(stubble, 0.9 * look[BEARD])
        cover = max(share, 0.8 * stubble)
        strand = 0.72 + 0.56 * noise(150.0 * t[0], 40.0 * t[1], 260.0 * t[2])
        for c in range(3):
            out[c] += cover * (look[HAIR + c] * strand - out[c])
        return 0.10 + 0.15 * share
    return 0.10


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
    x0, y0 = int(math.floor(u)), int(math.floor(v))
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
def shade(  # noqa: PLR0912, PLR0913, PLR0914, PLR0915, PLR0917
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
                    shine += _colour(kind, t, look, own)
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
                    even = sparse and kind > FOOT
            size = math.sqrt(
                mean_n[0] * mean_n[0] + mean_n[1] * mean_n[1] + mean_n[2] * mean_n[2]
            )
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


@entry
def coverage(template: Floats, part: Ints, look: Floats, covers: Ints, hair: Floats) -> None:
    """What covers each point of a skin (0, ``ON_TOP``, ``ON_BOTTOM``), and its way to the hairline."""
    for i in range(template.shape[0]):
        t = template[i]
        z = abs(t[2])
        if _on_top(part[i], t, z, look):
            covers[i] = ON_TOP
        elif _on_bottom(part[i], t, z, look):
            covers[i] = ON_BOTTOM
        if part[i] == HEAD:
            hair[i] = _hair(t[0], t[1], z, look[HAIRLINE], look[SEED])


@entry
def folds(template: Floats, look: Floats, out: Floats) -> None:
    """How much cloth tilts at each point: the slope of smooth noise, longer across than along."""
    step = 0.004
    for i in range(template.shape[0]):
        x, y, z = template[i, 0] * 16.0 + look[SEED], template[i, 1] * 24.0, template[i, 2] * 16.0
        here = noise(x, y, z)
        out[i, 0] = 0.45 * (noise(x + 16.0 * step, y, z) - here) / (16.0 * step)
        out[i, 1] = 0.45 * (noise(x, y + 24.0 * step, z) - here) / (24.0 * step)
        out[i, 2] = 0.45 * (noise(x, y, z + 16.0 * step) - here) / (16.0 * step)
