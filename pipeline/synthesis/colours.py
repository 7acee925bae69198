"""What people are made of and wear, by the place on the shipped skin; compiled.

Colours are linear. They are looked up in the table of a look, so that edges of clothes, eyes and
hair are sharp at any size. :mod:`pipeline.kinematics.compiled` counts this file among the sources
of compiled code, since kernels of other files call it.
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
        n = noise(x / (0.4 * size) + seed, y / (0.4 * size), z / (0.4 * size))
        return ramp(n, 0.44, 0.56)
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
        inside = ramp(dy, lower - 0.0007, lower + 0.0007) * (
            1.0 - ramp(dy, upper - 0.0007, upper + 0.0007)
        )
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
def _on_top(  # noqa: PLR0911 (kernels have no tables of functions)
    part: int, t: Floats, z: float, look: Floats
) -> bool:
    """Whether the upper garment covers a place."""
    kind = int(look[TOP_KIND])
    if kind == BARE:
        return False
    along = (t[1] - _SHOULDER_Y) * _ARM_Y + (z - _SHOULDER_Z) * _ARM_Z
    if ARM <= part <= FOREARM:
        return bool(kind == SHIRT and along < look[SLEEVE])
    if part == HAND or t[1] < look[HEM]:
        return False
    collar = look[NECK] - 0.40 * (t[0] + 0.05)
    if kind == SHIRT:
        return bool(t[1] < collar)
    if kind == VEST:
        return bool(
            t[1] < collar - 0.02
            and (t[1] < 1.33 or z < 0.135 - 0.25 * (t[1] - 1.33))
            and (t[1] < 1.40 or z > 0.050)
        )
    # A band about the chest with two straps.
    if t[1] < 1.265:
        return False
    if t[0] > -0.02:
        return bool(t[1] < 1.375 or (abs(z - 0.095) < 0.014 and t[1] < 1.475))
    strap = abs(z - 0.090 + 0.30 * (t[1] - 1.40)) < 0.009
    return bool(t[1] < 1.312 or (strap and t[1] < 1.49))


@inner
def _on_bottom(part: int, t: Floats, z: float, look: Floats) -> bool:
    if part <= SHANK and part != HEAD:
        return bool(look[LEG_END] < t[1] < look[WAIST] - 0.06 * t[0])
    return False


@inner
def _shoe(t: Floats, z: float, look: Floats, out: Floats) -> None:
    height = t[1] + 0.155 * (z - 0.216)
    upper = ramp(height, 0.030, 0.034)
    lace = 0.02 < t[0] < 0.11 and (t[0] / 0.018) % 1.0 < 0.35 and abs(z - 0.222) < 0.02
    for c in range(3):
        out[c] = look[SOLE + c] + upper * (look[SHOE + c] - look[SOLE + c])
        if lace and height > 0.055:
            out[c] = 0.6 * look[SOLE + c] + 0.2


@inner
def _garment(above: bool, part: int, t: Floats, z: float, look: Floats, out: Floats) -> None:
    """Cloth of the upper or the lower garment, darker along its seams."""
    if above:
        first, kind, size = TOP, int(look[TOP_PATTERN]), float(look[TOP_SIZE])
    else:
        first, kind, size = BOTTOM, int(look[BOTTOM_PATTERN]), 0.05
    share = _pattern(kind, size, float(t[0]), float(t[1]), float(t[2]), float(look[SEED]))
    seam = 0.0
    if not above:
        waist = look[WAIST] - 0.06 * t[0]
        seam = 0.22 * ramp(t[1], waist - 0.028, waist - 0.026)
        seam += 0.15 * (1.0 - ramp(t[1], look[LEG_END] + 0.014, look[LEG_END] + 0.016))
    elif ARM <= part <= FOREARM:
        along = (t[1] - _SHOULDER_Y) * _ARM_Y + (z - _SHOULDER_Z) * _ARM_Z
        seam = 0.18 * ramp(along, look[SLEEVE] - 0.014, look[SLEEVE] - 0.012)
    for c in range(3):
        cloth = look[first + c] + share * (look[first + 3 + c] - look[first + c])
        out[c] = cloth * (1.0 - seam)


@inner
def _head(t: Floats, z: float, look: Floats, out: Floats) -> float:
    """Face, beard and hair over the skin in ``out``; returns how much it shines."""
    _face(t, look, z, out)
    share = ramp(_hair(t[0], t[1], z, look[HAIRLINE], look[SEED]), -0.002, 0.006)
    stubble = 0.0
    if look[BEARD] > 0.0 and t[0] > 0.0 and t[1] < 1.60:
        edge = 1.597 - 0.30 * max(0.0, t[0] - 0.035)
        stubble = look[BEARD] * ramp(edge - t[1], 0.0, 0.010) * ramp(t[1], 1.515, 1.535)
        up, aside = (t[1] - 1.569) / 0.0095, z / 0.021
        lips = math.exp(-up * up - aside * aside * aside * aside)
        stubble *= 1.0 - lips * ramp(t[0], 0.06, 0.07)
        if t[0] > 0.075 and 1.5745 < t[1] < 1.595 and z < 0.026:
            stubble = max(stubble, 0.9 * look[BEARD])
    cover = max(share, 0.8 * stubble)
    if cover > 0.0:
        strand = 0.72 + 0.56 * noise(150.0 * t[0], 40.0 * t[1], 260.0 * t[2])
        for c in range(3):
            out[c] += cover * (look[HAIR + c] * strand - out[c])
    return 0.10 + 0.15 * share


@inner
def colour_of(part: int, t: Floats, look: Floats, out: Floats) -> float:
    """Linear colour of a place; returns how much it shines (skin 0.1, cloth 0, hair 0.25)."""
    z = abs(t[2])
    if part == THING:
        for c in range(3):
            out[c] = t[c]
        return 0.03
    if part == FOOT:
        _shoe(t, z, look, out)
        return 0.06
    above = _on_top(part, t, z, look)
    if above or _on_bottom(part, t, z, look):
        _garment(above, part, t, z, look, out)
        return 0.0
    if part == SHANK and t[1] < look[SOCKS]:
        for c in range(3):
            out[c] = look[SOLE + c] * (0.92 + 0.08 * math.sin(900.0 * t[1]))
        return 0.0
    # Skin: a little uneven, with moles on the trunk, redder at the hands.
    tone = 0.95 + 0.10 * noise(38.0 * t[0] + look[SEED], 38.0 * t[1], 38.0 * t[2])
    if part == TRUNK:
        tone *= 1.0 - 0.35 * speck(70.0 * t[0], 70.0 * t[1] + 7.0 * look[SEED], 70.0 * t[2])
    for c in range(3):
        out[c] = look[SKIN + c] * tone
    if part == HAND:
        out[1] *= 0.93
        out[2] *= 0.92
    return _head(t, z, look, out) if part == HEAD else 0.10


@inner
def is_even(part: int, t: Floats, look: Floats) -> bool:
    """Whether colours about a place change so slowly that one look at a pixel is enough."""
    if part >= FOOT:
        return FOOT < part < THING
    plain = int(look[BOTTOM_PATTERN]) == PLAIN
    if part == HEAD or not plain:
        return False
    waist = abs(t[1] - look[WAIST] + 0.06 * t[0]) > 0.02
    if part == TRUNK:
        return bool(waist and int(look[TOP_KIND]) == BARE)
    return bool(waist and abs(t[1] - look[LEG_END]) > 0.02 and t[1] > look[SOCKS] + 0.02)


@entry
def coverage(template: Floats, part: Ints, look: Floats, covers: Ints, hair: Floats) -> None:
    """What covers a skin's points (0, ``ON_TOP``, ``ON_BOTTOM``), and their way to the hairline."""
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
        here = 0.0
        for c in range(-1, 3):
            x, y, z = 16.0 * template[i, 0], 24.0 * template[i, 1], 16.0 * template[i, 2]
            scale = 24.0 if c == 1 else 16.0
            x += look[SEED] + (scale * step if c == 0 else 0.0)
            y += scale * step if c == 1 else 0.0
            z += scale * step if c == 2 else 0.0
            value = noise(x, y, z)
            if c < 0:
                here = value
            else:
                out[i, c] = 0.45 * (value - here) / (scale * step)
