"""The shape of a person in the resting pose, as a distance to the skin; drawn up in code.

World axes: X forward, Y up, Z right, metres, the floor at 0. Joints are the model's own in that
pose; thicknesses are those of a man of 1.75 m and 75 kg and of a woman of the same joints, by eye
from anatomical drawings. The two sides are alike, so everything takes |Z|.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesis.human_head import head
from pipeline.synthesis.shape_fields import (
    Knots,
    bump,
    capsule,
    curve,
    ellipsoid,
    joined,
    limb,
    ring,
    step,
)

FloatArray = NDArray[np.float64]

# Heights of the trunk's tables are above the hip joints.
HIPS = 0.911
# Midline of the back: x and y in metres, pelvis to neck.
BACK: Knots = (
    (-0.102, -0.020), (-0.085, -0.078), (-0.060, -0.104), (-0.030, -0.117), (0.000, -0.120),
    (0.030, -0.113), (0.055, -0.103), (0.080, -0.094), (0.110, -0.086), (0.140, -0.082),
    (0.175, -0.084), (0.200, -0.088), (0.230, -0.094), (0.260, -0.100), (0.287, -0.106),
    (0.311, -0.112), (0.333, -0.117), (0.360, -0.124), (0.388, -0.129), (0.419, -0.132),
    (0.452, -0.132), (0.485, -0.128), (0.516, -0.120), (0.543, -0.110), (0.569, -0.099),
    (0.586, -0.089), (0.612, -0.076), (0.640, -0.066), (0.670, -0.061), (0.700, -0.060),
)  # fmt: skip
_FRONT: Knots = (
    (-0.102, 0.010), (-0.06, 0.070), (0.0, 0.088), (0.08, 0.093), (0.16, 0.090), (0.23, 0.092),
    (0.30, 0.102), (0.37, 0.110), (0.43, 0.104), (0.47, 0.082), (0.505, 0.040), (0.53, 0.016),
    (0.56, 0.016), (0.60, 0.028), (0.66, 0.040), (0.70, 0.040),
)  # fmt: skip
_HALF: Knots = (
    (-0.102, 0.03), (-0.085, 0.10), (-0.06, 0.142), (0.0, 0.168), (0.05, 0.166), (0.10, 0.156),
    (0.165, 0.144), (0.22, 0.143), (0.29, 0.152), (0.37, 0.168), (0.43, 0.172), (0.475, 0.168),
    (0.500, 0.158), (0.520, 0.135), (0.540, 0.104), (0.560, 0.078), (0.585, 0.063),
    (0.62, 0.057), (0.70, 0.056),
)  # fmt: skip
_HALF_WOMAN: Knots = (
    (-0.102, 0.03), (-0.085, 0.105), (-0.06, 0.150), (-0.02, 0.174), (0.03, 0.172), (0.08, 0.158),
    (0.15, 0.130), (0.20, 0.123), (0.26, 0.130), (0.34, 0.144), (0.41, 0.152), (0.475, 0.150),
    (0.500, 0.142), (0.520, 0.122), (0.540, 0.094), (0.560, 0.068), (0.585, 0.054),
    (0.62, 0.049), (0.70, 0.049),
)  # fmt: skip
_EXPONENT: Knots = ((-0.1, 2.2), (0.1, 2.4), (0.45, 2.5), (0.52, 2.1), (0.6, 2.0))

_THIGH_WIDE: Knots = (
    (-0.04, 0.078), (0.0, 0.086), (0.08, 0.086), (0.16, 0.079), (0.25, 0.067), (0.34, 0.056),
    (0.40, 0.053), (0.44, 0.050),
)  # fmt: skip
_THIGH_DEEP: Knots = (
    (-0.04, 0.080), (0.0, 0.090), (0.08, 0.092), (0.16, 0.085), (0.25, 0.073), (0.34, 0.061),
    (0.40, 0.056), (0.44, 0.053),
)  # fmt: skip
_THIGH_SHIFT: Knots = ((0.0, 0.000), (0.15, 0.008), (0.30, 0.006), (0.40, 0.002))
_SHANK_WIDE: Knots = (
    (-0.03, 0.050), (0.03, 0.049), (0.08, 0.052), (0.13, 0.054), (0.20, 0.048), (0.28, 0.038),
    (0.35, 0.031), (0.40, 0.030), (0.44, 0.032),
)  # fmt: skip
_SHANK_DEEP: Knots = (
    (-0.03, 0.053), (0.03, 0.051), (0.08, 0.056), (0.13, 0.059), (0.20, 0.052), (0.28, 0.042),
    (0.35, 0.036), (0.40, 0.036), (0.44, 0.038),
)  # fmt: skip
_SHANK_SHIFT: Knots = ((0.0, 0.002), (0.06, -0.008), (0.14, -0.016), (0.24, -0.012), (0.36, -0.006))
_ARM_WIDE: Knots = (
    (0.0, 0.048), (0.06, 0.049), (0.12, 0.047), (0.18, 0.045), (0.24, 0.041), (0.29, 0.038),
)  # fmt: skip
_ARM_DEEP: Knots = (
    (0.0, 0.050), (0.06, 0.054), (0.12, 0.054), (0.18, 0.052), (0.24, 0.044), (0.29, 0.038),
)  # fmt: skip
_ARM_SHIFT: Knots = ((0.0, 0.0), (0.14, 0.004), (0.28, 0.0))
_FOREARM_WIDE: Knots = (
    (-0.02, 0.037), (0.02, 0.039), (0.06, 0.041), (0.11, 0.038), (0.17, 0.031), (0.22, 0.026),
    (0.26, 0.024),
)  # fmt: skip
_FOREARM_DEEP: Knots = (
    (-0.02, 0.036), (0.02, 0.040), (0.06, 0.043), (0.11, 0.040), (0.17, 0.032), (0.22, 0.027),
    (0.26, 0.026),
)  # fmt: skip
_STRAIGHT: Knots = ((0.0, 0.0), (0.3, 0.0))

# Heights of the spinous processes under the skin, above the hips, and how far each stands out.
LEVELS: tuple[tuple[str, float, float], ...] = (
    ("L5", 0.139, 0.8), ("L4", 0.160, 1.0), ("L3", 0.186, 1.1), ("L2", 0.214, 1.1),
    ("L1", 0.243, 1.1), ("T12", 0.270, 1.1), ("T11", 0.294, 1.0), ("T10", 0.317, 0.9),
    ("T9", 0.340, 0.8), ("T8", 0.364, 0.8), ("T7", 0.390, 0.8), ("T6", 0.417, 0.8),
    ("T5", 0.446, 0.8), ("T4", 0.474, 0.9), ("T3", 0.501, 1.0), ("T2", 0.527, 1.2),
    ("T1", 0.553, 1.9), ("C7", 0.578, 2.2), ("C6", 0.600, 0.9),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """The model's joints in the resting pose, of the right side.

    ``joints`` (3,) by name of body; ``hand`` (3, 3) columns: towards the palm, towards the elbow,
    towards the thumb. ``woman`` from 0 (a man) to 1.
    """

    joints: Mapping[str, FloatArray]
    hand: FloatArray
    woman: float


def _unit(v: FloatArray) -> FloatArray:
    return np.asarray(v / np.linalg.norm(v))


def _axes(a: FloatArray, b: FloatArray, ahead: FloatArray) -> FloatArray:
    along = _unit(b - a)
    ahead = _unit(ahead - (ahead @ along) * along)
    return np.stack([along, ahead, np.cross(along, ahead)])


def _mixed(man: Knots, woman: Knots, y: FloatArray, part: float) -> FloatArray:
    return np.asarray((1.0 - part) * curve(y, man) + part * curve(y, woman))


def trunk(p: FloatArray, rest: Rest) -> FloatArray:
    """Pelvis to neck without what shows on its surface."""
    y = p[:, 1] - HIPS
    w = rest.woman
    back, front = curve(y, BACK), curve(y, _FRONT)
    half = _mixed(_HALF, _HALF_WOMAN, y, w)
    front = front - w * (0.010 * bump(y, 0.20, 0.08) + 0.006 * step(y, 0.5, 0.6))
    back = back + w * (0.004 * step(y, 0.3, 0.45))
    exponent = curve(y, _EXPONENT)
    mid = 0.5 * (back + front)
    reach = 0.5 * (front - back)
    d = ring(p, mid, reach, half, exponent)
    d = np.maximum(d, -0.102 - y)
    d = np.maximum(d, y - 0.695)
    q = np.column_stack([p[:, 0], y, np.abs(p[:, 2])])
    seat = ellipsoid(
        q,
        np.array([-0.052, -0.030, 0.072]),
        np.array([0.080 + 0.006 * w, 0.088, 0.084 + 0.004 * w]),
    )
    d = joined(d, seat, 0.03)
    # Slope from neck to shoulder.
    d = joined(
        d, capsule(q, np.array([-0.055, 0.585, 0.022]), np.array([-0.036, 0.535, 0.150]),
                   0.030 - 0.004 * w, 0.026 - 0.003 * w), 0.050)  # fmt: skip
    # Pectorals or breasts.
    chest = ellipsoid(q, np.array([0.060, 0.425, 0.075]), np.array([0.058, 0.052, 0.074]))
    d_man = joined(d, chest, 0.03)
    breast = ellipsoid(q, np.array([0.082, 0.400, 0.072]), np.array([0.062, 0.058, 0.060]))
    d_woman = joined(d, breast, 0.025)
    d = (1.0 - w) * d_man + w * d_woman
    # Muscle between arm and trunk, in front and behind the armpit.
    side = np.array([-0.062, 0.250, 0.100]), np.array([-0.058, 0.455, 0.146])
    return joined(d, capsule(q, *side, 0.010, 0.036), 0.06)


def relief(p: FloatArray, rest: Rest) -> FloatArray:
    """(N,) metres by which the trunk's surface stands out: spine, shoulder blades, muscles."""
    y, z = p[:, 1] - HIPS, np.abs(p[:, 2])
    w = rest.woman
    rear = step(-(p[:, 0] - 0.5 * (curve(y, BACK) + curve(y, _FRONT))), 0.0, 0.05)
    fore = step(p[:, 0] - 0.5 * (curve(y, BACK) + curve(y, _FRONT)), 0.0, 0.05)
    ridge = curve(
        y, ((0.02, 0.0), (0.08, 0.003), (0.15, 0.012), (0.22, 0.014), (0.32, 0.012), (0.45, 0.008),
            (0.52, 0.005), (0.58, 0.002), (0.62, 0.0)))  # fmt: skip
    beside = np.exp(-(((z - 0.030) / 0.030) ** 2))
    out = ridge * (1.0 - 0.25 * w) * (beside - 0.75 * np.exp(-((z / 0.017) ** 2)))
    for _, height, size in LEVELS:
        out += 0.0022 * size * bump(y, height, 0.0105) * np.exp(-((z / 0.0105) ** 2))
    # Dimples over the back of the pelvis, and the cleft of the buttocks.
    out -= 0.004 * bump(y, 0.085, 0.013) * bump(z, 0.042, 0.013)
    out -= 0.022 * np.exp(-((z / 0.010) ** 2)) * step(-y, -0.045, 0.02)
    # The shoulder blade: its plate with the inner edge, and its ridge up to the shoulder.
    m = 1.0 - 0.2 * w
    q = np.column_stack([0.0 * y, y, z])
    plate = ellipsoid(q, np.array([0.0, 0.440, 0.106]), np.array([0.05, 0.078, 0.040]))
    spine = capsule(q, np.array([0.0, 0.490, 0.075]), np.array([0.0, 0.524, 0.140]), 0.0, 0.0)
    out += m * 0.0075 * (1.0 - step(plate, -0.022, 0.020))
    out += m * 0.0035 * np.exp(-((spine / 0.017) ** 2))
    out -= m * 0.0022 * bump(plate, 0.022, 0.014) * (1.0 - step(z, 0.085, 0.105))
    out *= rear
    ahead = -0.004 * np.exp(-((z / 0.010) ** 2)) * step(y, 0.10, 0.16) * step(-y, -0.50, -0.46)
    ahead += (
        (1.0 - w) * 0.003 * bump(z, 0.035, 0.022) * step(y, 0.12, 0.16) * step(-y, -0.33, -0.28)
    )
    ahead -= (
        (1.0 - w) * 0.0025 * (bump(y, 0.20, 0.008) + bump(y, 0.255, 0.008)) * bump(z, 0.03, 0.03)
    )
    ahead -= 0.007 * bump(y, 0.135, 0.008) * np.exp(-((z / 0.008) ** 2))
    collar = capsule(q, np.array([0.0, 0.520, 0.022]), np.array([0.0, 0.548, 0.145]), 0.0, 0.0)
    ahead += 0.005 * np.exp(-((collar / 0.010) ** 2))
    ahead -= 0.004 * bump(y, 0.528, 0.016) * np.exp(-((z / 0.014) ** 2))
    return np.asarray(out + ahead * fore)


def arm(p: FloatArray, rest: Rest) -> tuple[FloatArray, FloatArray]:
    """Upper arm with shoulder, and forearm."""
    j = rest.joints
    shoulder, elbow, wrist = j["humerus_r"], j["ulna_r"], j["hand_r"]
    elbow = elbow + 0.45 * (j["radius_r"] - elbow)
    thin = 1.0 - 0.13 * rest.woman
    ahead = np.array([1.0, 0.0, 0.0])

    def slim(knots: Knots) -> Knots:
        return tuple((a, thin * b) for a, b in knots)

    long = float(np.linalg.norm(elbow - shoulder))
    upper = limb(p, shoulder, _axes(shoulder, elbow, ahead), slim(_ARM_WIDE), slim(_ARM_DEEP),
                 _ARM_SHIFT, (-0.005, long))  # fmt: skip
    along = _unit(elbow - shoulder)
    cap = ellipsoid_on(p, shoulder + 0.036 * along + np.array([0.0, 0.004, 0.0]), along,
                       (0.084, 0.052 * thin, 0.056 * thin))  # fmt: skip
    upper = joined(upper, cap, 0.02)
    lower = limb(p, elbow, _axes(elbow, wrist, ahead), slim(_FOREARM_WIDE), slim(_FOREARM_DEEP),
                 _STRAIGHT, (-0.012, float(np.linalg.norm(wrist - elbow)) + 0.004))  # fmt: skip
    return upper, lower


def ellipsoid_on(
    p: FloatArray, centre: FloatArray, along: FloatArray, radii: tuple[float, float, float]
) -> FloatArray:
    """Distance to an ellipsoid whose first axis is ``along``, its third nearly forward."""
    axes = _axes(np.zeros(3), along, np.array([1.0, 0.0, 0.0]))
    local = (p - centre) @ axes[[0, 2, 1]].T
    return ellipsoid(local, np.zeros(3), np.array(radii))


def hand(p: FloatArray, rest: Rest) -> FloatArray:
    """Palm, four fingers a little curled, and thumb."""
    wrist = rest.joints["hand_r"]
    # Local: palm side, down towards the finger tips, thumb side.
    q = (p - wrist) @ (rest.hand * [1.0, -1.0, 1.0])
    s = 1.0 - 0.07 * rest.woman
    q = q / s

    def at(*place: float) -> FloatArray:
        return np.array(place)

    d = ellipsoid(q, at(0.001, 0.052, 0.002), at(0.0165, 0.058, 0.043))
    d = joined(d, capsule(q, at(0, -0.02, 0.0), at(0, 0.03, 0.004), 0.0255, 0.020), 0.02)
    d = joined(d, ellipsoid(q, at(0.010, 0.034, 0.028), at(0.015, 0.032, 0.017)), 0.012)
    fingers = ((0.028, 0.080, 0.0088, 0.068), (0.0095, 0.086, 0.0092, 0.077),
               (-0.009, 0.082, 0.0088, 0.070), (-0.027, 0.074, 0.0078, 0.054))  # fmt: skip
    tips = None
    for z, y, r, long in fingers:
        knuckle, spread = at(0.0, y, z), 0.10 * z
        middle = knuckle + at(0.010, 0.50 * long, spread)
        end = middle + at(0.020, 0.46 * long, 0.5 * spread)
        one = joined(capsule(q, knuckle - at(0, 0.015, 0), middle, r * 1.08, r),
                     capsule(q, middle, end, r, r * 0.82), 0.003)  # fmt: skip
        tips = one if tips is None else joined(tips, one, 0.0015)
    assert tips is not None
    d = joined(d, tips, 0.007)
    thumb = joined(
        capsule(q, at(0.010, 0.022, 0.030), at(0.022, 0.062, 0.048), 0.0125, 0.0105),
        capsule(q, at(0.022, 0.062, 0.048), at(0.028, 0.092, 0.050), 0.0105, 0.0080),
        0.004,
    )
    return np.asarray(s * joined(d, thumb, 0.010))


def leg(p: FloatArray, rest: Rest) -> tuple[FloatArray, FloatArray]:
    """Thigh, and shank."""
    j = rest.joints
    hip, knee, ankle = j["femur_r"], j["tibia_r"], j["talus_r"]
    ahead = np.array([1.0, 0.0, 0.0])
    w = rest.woman

    def size(knots: Knots, by: float) -> Knots:
        return tuple((a, b * (1.0 + by * w)) for a, b in knots)

    thigh = limb(p, hip, _axes(hip, knee, ahead), size(_THIGH_WIDE, 0.03), size(_THIGH_DEEP, 0.0),
                 _THIGH_SHIFT, (-0.03, float(np.linalg.norm(knee - hip))))  # fmt: skip
    shank = limb(p, knee, _axes(knee, ankle, ahead), size(_SHANK_WIDE, -0.06),
                 size(_SHANK_DEEP, -0.05), _SHANK_SHIFT,
                 (0.0, float(np.linalg.norm(ankle - knee)) + 0.01))  # fmt: skip
    cap = ellipsoid(p, knee + np.array([0.030, 0.000, 0.0]), np.array([0.022, 0.034, 0.028]))
    return joined(thigh, cap, 0.02), shank


def foot(p: FloatArray, rest: Rest) -> FloatArray:
    """A shoe, flat on the floor of its own frame."""
    heel, ball, ankle = rest.joints["calcn_r"], rest.joints["toes_r"], rest.joints["talus_r"]
    up = rest.joints["tibia_r"] - ankle
    up = _unit(up)
    ahead = np.array([1.0, 0.0, 0.0])
    side = np.cross(ahead, up)
    frame = np.stack([ahead, up, side])
    # Local: forward, above the sole, outward; the sole is 25 mm below the heel's joint.
    q = (p - (heel - 0.025 * up)) @ frame.T
    ball_x = float((ball - heel) @ ahead)

    def at(*place: float) -> FloatArray:
        return np.array(place)

    s = 1.0 - 0.05 * rest.woman
    d = capsule(q, at(0.008, 0.030, 0.0), at(0.060, 0.030, 0.0), 0.038 * s, 0.036 * s)
    d = joined(
        d, capsule(q, at(0.06, 0.026, -0.002), at(ball_x, 0.020, 0.002), 0.036, 0.046 * s), 0.02
    )
    d = joined(
        d, ellipsoid(q, at(ball_x + 0.018, 0.020, -0.004), at(0.066, 0.030, 0.047 * s)), 0.02
    )
    d = joined(
        d, capsule(q, at(0.052, 0.075, -0.004), at(0.115, 0.040, -0.003), 0.030, 0.026), 0.03
    )
    d = joined(d, capsule(q, at(0.036, 0.05, 0.0), at(0.044, 0.090, -0.004), 0.036, 0.036), 0.02)
    return np.asarray(np.maximum(d, 0.001 - q[:, 1]))


def skin(p: FloatArray, rest: Rest, detail: bool = True) -> FloatArray:
    """(N,) distance of points (N, 3) to the skin, negative inside.

    Without ``detail`` the trunk has no relief.
    """
    p = p.copy()
    p[:, 2] = np.abs(p[:, 2])
    d = trunk(p, rest)
    if detail:
        d = d - relief(p, rest)
    thigh, shank = leg(p, rest)
    d = joined(d, thigh, 0.055)
    d = joined(d, joined(shank, foot(p, rest), 0.012), 0.004)
    upper, lower = arm(p, rest)
    d = joined(d, joined(joined(upper, lower, 0.006), hand(p, rest), 0.014), 0.035)
    return joined(d, head(p, rest.woman), 0.018)
