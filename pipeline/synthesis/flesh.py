"""Body parts of the figure in the bind pose: rings of points lofted along bones, with weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.synthesis import body
from pipeline.synthesis.body import BONE, BONES, SPINE_BONES, FloatArray
from pipeline.synthesis.motion import ANKLE_HEIGHT, SIDES

SKIN = (222.0, 172.0, 143.0)
SHOES = (232.0, 232.0, 228.0)
SHORTS_LENGTH = 0.24
TORSO_SEGMENTS, LEG_SEGMENTS = 36, 16


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rings of a closed surface: points (R, S, 3), bone weights (R, S, B) and a base colour."""

    points: FloatArray
    weights: FloatArray
    paint: tuple[float, float, float] = SKIN


def _curve(at: FloatArray, *knots: tuple[float, float]) -> FloatArray:
    x, y = np.array(knots).T
    return np.asarray(PchipInterpolator(x, y, extrapolate=True)(np.clip(at, x[0], x[-1])))


def _only(bone: str, shape: tuple[int, int]) -> FloatArray:
    weights = np.zeros((*shape, len(BONES)))
    weights[..., BONE[bone]] = 1.0
    return weights


def step(value: FloatArray, low: FloatArray | float, high: FloatArray | float) -> FloatArray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    u = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(u * u * (3.0 - 2.0 * u))


def _superellipse(angle: FloatArray, exponent: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    c, s = np.cos(angle), np.sin(angle)
    p = 2.0 / np.asarray(exponent)
    return np.sign(c) * np.abs(c) ** p, np.sign(s) * np.abs(s) ** p


def _torso_levels() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Height, midline back and bone weights of the torso's rings, bottom to top."""
    rows: list[tuple[float, float, str]] = [
        (-0.102, -0.020, "pelvis"),
        (-0.100, -0.060, "pelvis"),
        (-0.085, -0.084, "pelvis"),
        (-0.060, -0.104, "pelvis"),
        (-0.030, -0.116, "pelvis"),
        (0.000, -0.119, "pelvis"),
        (0.030, -0.113, "pelvis"),
        (0.055, -0.101, "pelvis"),
        (0.0701, -0.093, "pelvis"),
        (body.SACRUM_SKIN[1], body.SACRUM_SKIN[0], "pelvis"),
    ]
    for level in SPINE_BONES[: SPINE_BONES.index("C2") + 1]:
        x, y, _ = body.midline_skin(level)
        rows.append((y, x, level))
    weights = np.zeros((len(rows), len(BONES)))
    weights[np.arange(len(rows)), [BONE[bone] for _, _, bone in rows]] = 1.0
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), weights


def torso() -> Part:
    """Pelvis to neck: a ring over every vertebra, its back point on the midline skin."""
    y, back, bones = _torso_levels()
    front = _curve(
        y, (-0.102, 0.01), (-0.06, 0.07), (0.0, 0.088), (0.08, 0.092), (0.16, 0.088),
        (0.23, 0.090), (0.30, 0.100), (0.37, 0.112), (0.43, 0.106), (0.47, 0.078),
        (0.515, 0.014), (0.545, -0.004), (0.575, 0.010), (0.60, 0.030), (0.66, 0.042),
    )  # fmt: skip
    half = _curve(
        y, (-0.102, 0.03), (-0.085, 0.10), (-0.06, 0.140), (0.0, 0.172), (0.05, 0.170),
        (0.10, 0.158), (0.165, 0.141), (0.22, 0.139), (0.29, 0.150), (0.37, 0.168),
        (0.44, 0.180), (0.49, 0.184), (0.515, 0.182), (0.535, 0.160), (0.553, 0.116),
        (0.575, 0.074), (0.60, 0.058), (0.66, 0.057),
    )  # fmt: skip
    exponent = _curve(y, (-0.1, 2.2), (0.1, 2.4), (0.45, 2.6), (0.52, 2.2), (0.6, 2.0))
    phi = np.linspace(0.0, 2.0 * np.pi, TORSO_SEGMENTS, endpoint=False)
    # Denser towards the midline of the back, where the furrow is.
    angle = phi - 0.6 * np.sin(phi)
    c, s = _superellipse(angle, exponent[:, None])
    mid = 0.5 * (back + front) + 0.01
    depth = np.where(c > 0.0, (mid - back)[:, None], (front - mid)[:, None])
    x = mid[:, None] - depth * c
    z = half[:, None] * s
    rear = np.clip(c, 0.0, 1.0)
    # Muscle beside the furrow, shoulder blades, buttocks.
    erector = _curve(y, (0.0, 0.0), (0.10, 0.007), (0.19, 0.015), (0.35, 0.012), (0.52, 0.007),
                     (0.60, 0.004))  # fmt: skip
    ridge = (1.0 - np.exp(-((z / 0.020) ** 2))) * np.exp(-((z / 0.085) ** 2))
    x -= rear * erector[:, None] * ridge
    blade = np.exp(-(((y - 0.435) / 0.055) ** 2))[:, None]
    x -= rear * 0.012 * blade * np.exp(-(((np.abs(z) - 0.090) / 0.035) ** 2))
    seat = np.exp(-(((y + 0.020) / 0.065) ** 2))[:, None]
    x -= rear * 0.014 * seat * np.exp(-(((np.abs(z) - 0.075) / 0.050) ** 2))
    chest = np.exp(-(((y - 0.415) / 0.045) ** 2))[:, None]
    x += (c < 0) * 0.012 * chest * np.exp(-(((np.abs(z) - 0.075) / 0.050) ** 2))
    points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], axis=-1)
    weights = np.repeat(bones[:, None, :], points.shape[1], axis=1)
    for i, letter in enumerate("lr"):
        # Skin over the shoulder follows the arm a little.
        near = 0.35 * step(SIDES[i] * z, 0.11, 0.19) * step(points[..., 1], 0.42, 0.50)
        weights *= 1.0 - near[..., None]
        weights[..., BONE[f"humerus_{letter}"]] += near
    return Part(points, weights)


def _tube(
    start: FloatArray,
    along: FloatArray,
    at: FloatArray,
    across: FloatArray,
    ahead: FloatArray,
    shift: FloatArray,
    segments: int,
) -> FloatArray:
    """(rings, segments, 3) tube round a straight axis; half-thickness sideways and ahead."""
    forward = np.array([1.0, 0.0, 0.0])
    side = np.cross(forward, along)
    angle = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)
    centre = start + at[:, None] * along + shift[:, None] * forward
    return np.asarray(
        centre[:, None]
        + (ahead[:, None] * np.cos(angle))[..., None] * forward
        + (across[:, None] * np.sin(angle))[..., None] * side
    )


def _rounded(length_in: float, at: FloatArray, first: float, last: float) -> FloatArray:
    """Factor that rounds a tube's ends off over ``length_in`` metres."""
    inside = np.minimum(at - first, last - at)
    u = np.clip(inside / length_in, 0.0, 1.0)
    return np.sqrt(np.maximum(1.0 - (1.0 - u) ** 2, 0.0))


def arm(side: int) -> Part:
    """Shoulder to wrist."""
    reach = body.UPPER_ARM + body.FOREARM
    at = np.concatenate([[-0.045, -0.041, -0.034, -0.022], np.linspace(-0.006, reach + 0.012, 17)])
    thick = _curve(
        at, (-0.045, 0.052), (0.0, 0.055), (0.06, 0.054), (0.12, 0.047), (0.17, 0.046),
        (0.24, 0.040), (0.29, 0.038), (0.34, 0.041), (0.40, 0.037), (0.48, 0.028), (0.56, 0.025),
    )  # fmt: skip
    thick = thick * _rounded(0.045, at, -0.045, 1.0)
    flat = _curve(at, (0.0, 1.0), (0.40, 1.0), (0.55, 0.82))
    shift = _curve(at, (0.0, -0.006), (0.10, 0.0))
    points = _tube(
        body.shoulder(side), body.arm_direction(side), at, thick * flat, thick, shift, 14
    )
    letter = "lr"[side]
    weights = np.zeros((*points.shape[:2], len(BONES)))
    girdle = 1.0 - step(at, -0.10, 0.055)
    lower = step(at, body.UPPER_ARM - 0.035, body.UPPER_ARM + 0.035)
    weights[..., body.GIRDLE] = girdle[:, None]
    weights[..., BONE[f"forearm_{letter}"]] = lower[:, None]
    weights[..., BONE[f"humerus_{letter}"]] = (1.0 - girdle - lower)[:, None]
    return Part(points, weights)


def hand(side: int) -> tuple[Part, Part]:
    """Palm with fingers, and thumb."""
    along, bone = body.arm_direction(side), f"forearm_{'lr'[side]}"
    wrist = body.shoulder(side) + (body.UPPER_ARM + body.FOREARM) * along
    at = np.array([-0.012, -0.004, 0.02, 0.05, 0.08, 0.11, 0.14, 0.165, 0.174])
    wide = _curve(at, (-0.012, 0.022), (0.03, 0.034), (0.08, 0.041), (0.13, 0.034), (0.174, 0.02))
    slim = _curve(at, (-0.012, 0.018), (0.05, 0.016), (0.10, 0.013), (0.174, 0.008))
    ends = _rounded(0.022, at, -0.012, 0.174)
    palm = _tube(wrist, along, at, slim * ends, wide * ends, 0.0 * at, 10)
    # The fingers curl towards the thigh.
    palm -= (np.clip(at - 0.07, 0.0, None) ** 2 * 2.2)[:, None, None] * [0, 0, SIDES[side]]
    at = np.linspace(0.0, 0.085, 6)
    slim = 0.013 * _rounded(0.012, at, 0.0, 0.085) * (1.0 - at * 3.0)
    thumb = _tube(wrist + [0.012, 0, 0] + 0.02 * along, along, at, slim, slim, 0.02 + at * 0.35, 8)
    return Part(palm, _only(bone, palm.shape[:2])), Part(thumb, _only(bone, thumb.shape[:2]))


def leg(side: int) -> Part:
    """Hip to ankle, with the leg of the shorts."""
    reach = body.THIGH + body.SHANK
    cut = SHORTS_LENGTH
    at = np.sort(
        np.concatenate([np.linspace(-0.055, 0.22, 7), [cut - 0.001, cut + 0.001],
                        np.linspace(0.27, reach + 0.02, 13)])
    )  # fmt: skip
    thick = _curve(
        at, (-0.055, 0.070), (0.0, 0.085), (0.06, 0.087), (0.14, 0.081), (0.24, 0.068),
        (0.34, 0.057), (0.418, 0.053), (0.47, 0.050), (0.55, 0.056), (0.62, 0.051), (0.72, 0.039),
        (0.80, 0.033), (0.87, 0.035),
    )  # fmt: skip
    cloth = 0.007 * (at < cut) * step(at, 0.0, cut)
    thick = (thick + cloth) * _rounded(0.045, at, -0.0555, 2.0)
    shift = _curve(at, (0.0, 0.0), (0.15, 0.010), (0.40, 0.004), (0.55, -0.016), (0.70, -0.012),
                   (0.84, 0.0))  # fmt: skip
    hip = np.array([0.0, 0.0, SIDES[side] * body.HIP_HALF_WIDTH])
    down = np.array([0.0, -1.0, 0.0])
    points = _tube(hip, down, at, 0.94 * thick, thick, shift, LEG_SEGMENTS)
    letter = "lr"[side]
    weights = np.zeros((*points.shape[:2], len(BONES)))
    pelvis = 0.75 * (1.0 - step(at, -0.06, 0.09))
    lower = step(at, body.THIGH - 0.05, body.THIGH + 0.05)
    foot = step(at, reach - 0.01, reach + 0.03)
    weights[..., 0] = pelvis[:, None]
    weights[..., BONE[f"shank_{letter}"]] = (lower - foot)[:, None]
    weights[..., BONE[f"foot_{letter}"]] = foot[:, None]
    weights[..., BONE[f"femur_{letter}"]] = (1.0 - pelvis - lower)[:, None]
    return Part(points, weights)


def foot(side: int) -> Part:
    """A shoe."""
    bone = f"foot_{'lr'[side]}"
    ankle = body.BIND_ORIGIN[BONE[bone]]
    at = np.array([-0.068, -0.065, -0.054, -0.025, 0.01, 0.04, 0.07, 0.10, 0.13, 0.16, 0.185,
                   0.194, 0.196])  # fmt: skip
    half = _curve(at, (-0.068, 0.022), (-0.04, 0.033), (0.04, 0.036), (0.13, 0.048), (0.196, 0.03))
    top = _curve(at, (-0.068, -0.015), (-0.03, 0.018), (0.03, 0.020), (0.08, -0.008),
                 (0.14, -0.030), (0.196, -0.044))  # fmt: skip
    ends = _rounded(0.018, at, -0.068, 0.196)
    inward = _curve(at, (-0.068, 0.0), (0.06, 0.0), (0.196, 0.012)) * -SIDES[side]
    sole = -ANKLE_HEIGHT
    c, s = _superellipse(np.linspace(0.0, 2.0 * np.pi, 14, endpoint=False), 2.8)
    tall = 0.5 * (top - sole) * ends
    points = np.stack(
        np.broadcast_arrays(
            at[:, None], (0.5 * (top + sole))[:, None] + tall[:, None] * c,
            inward[:, None] + (half * ends)[:, None] * s,
        ), axis=-1,
    )  # fmt: skip
    return Part(ankle + points, _only(bone, points.shape[:2]), SHOES)


def head() -> Part:
    """Skull and face."""
    centre = body.BIND_ORIGIN[BONE["skull"]] + np.array([0.012, 0.030, 0.0])
    v = np.linspace(-1.0, 1.0, 19)
    ring = np.sqrt(np.maximum(1.0 - np.abs(v) ** 2.3, 0.0))
    angle = np.linspace(0.0, 2.0 * np.pi, 22, endpoint=False)
    c, s = _superellipse(angle, 2.2)
    jaw = np.clip(-v, 0.0, 1.0)[:, None]
    x = 0.099 * ring[:, None] * c
    x = np.where(c < 0.0, x * (1.0 - 0.42 * jaw), x) + 0.020 * jaw**1.5
    z = 0.077 * ring[:, None] * s * (1.0 - 0.26 * jaw**1.3)
    y = np.broadcast_to(0.113 * v[:, None], x.shape)
    # Nose and brow; the neck joint lies a little below the ears.
    front = np.clip(c, 0.0, 1.0) ** 2
    x = x + 0.022 * front * np.exp(-((s / 0.16) ** 2)) * np.exp(-(((y + 0.030) / 0.016) ** 2))
    x = x + 0.009 * front * np.exp(-((s / 0.15) ** 2)) * np.exp(-(((y + 0.008) / 0.022) ** 2))
    points = centre + np.stack([x, y, z], axis=-1)
    return Part(points, _only("skull", points.shape[:2]))


def ear(side: int) -> Part:
    """One ear."""
    centre = body.BIND_ORIGIN[BONE["skull"]] + np.array([0.000, 0.018, SIDES[side] * 0.074])
    v = np.linspace(-1.0, 1.0, 6)
    angle = np.linspace(0.0, 2.0 * np.pi, 8, endpoint=False)
    ring = np.sqrt(np.maximum(1.0 - v**2, 0.0))[:, None]
    points = np.stack(
        np.broadcast_arrays(
            0.017 * ring * np.cos(angle), 0.031 * v[:, None], 0.010 * ring * np.sin(angle)
        ),
        axis=-1,
    )
    return Part(centre + points, _only("skull", points.shape[:2]))
