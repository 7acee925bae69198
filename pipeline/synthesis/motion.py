"""The scene that the demo's figure plays: bending, leaning, twisting, walking, as joint angles.

Angles follow the body's axes X forward, Y up, Z right; a positive turn about Z leans backward.
Everything is a smooth function of time, so any frame rate and any length can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Knots = Items[tuple[float, float]]

SCENE_SECONDS = 8.0
# Left, right: the order of every axis of length two in this package.
SIDES = (-1.0, 1.0)
STANCE_HALF_WIDTH = 0.105
START_X = -0.42
HIP_HEIGHT = 0.902
# The foot rolls over its ball, this far in front of the ankle.
BALL_FORWARD = 0.15
HEEL_BACK = 0.045
ANKLE_HEIGHT = 0.068
# Sine of the pitch over which the foot's pivot changes from ball to heel.
_ROLL_BLEND = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Joint angles (rad) and positions (m) over T instants.

    Parameters
    ----------
    pelvis : (T, 3) array
        Midpoint of the hip joints in the world.
    pelvis_turn : (T, 3) array
        Turns about Z (tilt), X (list), Y (heading), applied heading first.
    lumbar, thoracic, neck : (T, 3) arrays
        Flexion (forward positive), bend to the right, twist to the left of the whole region.
    arms : (T, 2, 4) array
        Flexion, abduction (0 hangs down), inward turn, elbow flexion; left, right.
    ankles : (T, 2, 3) array
        Ankle joints in the world; left, right.
    feet : (T, 2) array
        Pitch of the feet, toes up positive.
    """

    pelvis: FloatArray
    pelvis_turn: FloatArray
    lumbar: FloatArray
    thoracic: FloatArray
    neck: FloatArray
    arms: FloatArray
    ankles: FloatArray
    feet: FloatArray


def minimum_jerk(time: FloatArray, knots: Knots) -> FloatArray:
    """Values at ``time`` (T,) of a path that rests at each (time, value) knot.

    Between knots it is the minimum-jerk profile of Flash and Hogan (1985).
    """
    value = np.full(len(time), knots[0][1], np.float64)
    for (t0, a), (t1, b) in pairwise(knots):
        u = np.clip((time - t0) / (t1 - t0), 0.0, 1.0)
        value += (b - a) * u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    return value


def _degrees(time: FloatArray, knots: Knots) -> FloatArray:
    return np.deg2rad(minimum_jerk(time, knots))


# (lift-off, landing, from, to) of each step, seconds and metres forward of the start.
_STEPS: tuple[tuple[tuple[float, float, float, float], ...], ...] = (
    ((6.42, 6.86, 0.0, 0.60), (7.30, 7.70, 0.60, 0.88)),
    ((5.98, 6.42, 0.0, 0.30), (6.86, 7.30, 0.30, 0.88)),
)


def _foot(time: FloatArray, side: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Forward place, lift and pitch (toes up) of one foot."""
    steps = _STEPS[side]
    knots = [(0.0, 0.0)]
    pitch_knots = [(0.0, 0.0)]
    lift = np.zeros(len(time))
    for start, end, a, b in steps:
        knots += [(start, a), (end, b)]
        pitch_knots += [(start - 0.16, 0.0), (start + 0.06, -34.0), (end - 0.05, 14.0)]
        pitch_knots += [(end + 0.08, 0.0)]
        u = np.clip((time - start) / (end - start), 0.0, 1.0)
        lift += 0.075 * np.sin(np.pi * u) ** 2
    return minimum_jerk(time, knots), lift, _degrees(time, pitch_knots)


def _ankle(place: FloatArray, lift: FloatArray, pitch: FloatArray, z: float) -> FloatArray:
    """(T, 3) ankle of a foot that rolls over its ball (toes down) or its heel (toes up)."""
    s, c = np.sin(pitch), np.cos(pitch)
    # Which of the two carries changes over a few degrees, else the ankle's speed would jump.
    either = np.sqrt(s**2 + _ROLL_BLEND**2) - _ROLL_BLEND
    rise = 0.5 * (BALL_FORWARD + HEEL_BACK) * either - 0.5 * (BALL_FORWARD - HEEL_BACK) * s
    lever = np.where(pitch < 0.0, -BALL_FORWARD, HEEL_BACK)
    x = place - lever * (1.0 - c) - ANKLE_HEIGHT * s
    y = lift + rise + ANKLE_HEIGHT * c
    return np.stack([START_X + x, y, np.full(len(place), z)], axis=-1)


def _smooth(time: FloatArray, function_of_time: list[FloatArray]) -> FloatArray:
    """Mean of several time-shifted copies, weighted like a Gaussian."""
    weights = np.exp(-0.5 * np.linspace(-2.0, 2.0, len(function_of_time)) ** 2)
    return np.average(np.array(function_of_time), axis=0, weights=weights)


def _walking_pelvis(time: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Forward place, sideways sway and drop of the pelvis, all following the feet."""
    shifts = np.linspace(-0.22, 0.22, 9)
    forward, sway, spread = [], [], []
    for shift in shifts:
        left, lift_l, _ = _foot(time + shift, 0)
        right, lift_r, _ = _foot(time + shift, 1)
        forward.append(0.5 * (left + right))
        sway.append((lift_l - lift_r) / 0.075 * 0.035)
        spread.append((left - right) ** 2)
    drop = _smooth(time, spread) * 0.22
    return _smooth(time, forward), _smooth(time, sway), drop


def scene(time: FloatArray) -> Motion:
    """The demo's scene at the instants ``time`` (T,) in seconds.

    It lasts ``SCENE_SECONDS``; what comes after plays it backward, then forward again.
    """
    t = SCENE_SECONDS - np.abs(np.asarray(time, np.float64) % (2 * SCENE_SECONDS) - SCENE_SECONDS)
    sway = 0.004 * np.sin(2.1 * t) + 0.003 * np.sin(3.7 * t + 1.0)
    breath = 0.008 * np.sin(1.7 * t)

    # Bend forward and up, lean right and left, twist left and right; then walk.
    bow = minimum_jerk(t, [(0.15, 0), (1.25, 1), (1.4, 1), (2.4, 0)])
    bow_late = minimum_jerk(t, [(0.22, 0), (1.32, 1), (1.5, 1), (2.55, 0)])
    lean = minimum_jerk(t, [(2.35, 0), (3.0, 1), (3.1, 1), (3.85, -1), (3.95, -1), (4.5, 0)])
    twist = minimum_jerk(t, [(4.35, 0), (4.9, 1), (5.0, 1), (5.6, -0.9), (5.65, -0.9), (6.1, 0)])
    ready = minimum_jerk(t, [(4.25, 0), (4.7, 1), (5.6, 1), (6.1, 0)])

    places = [_foot(t, side) for side in (0, 1)]
    ankles = np.stack([_ankle(*places[i], SIDES[i] * STANCE_HALF_WIDTH) for i in (0, 1)], axis=1)
    stride = places[0][0] - places[1][0]
    forward, side_sway, drop = _walking_pelvis(t)

    pelvis = np.stack(
        [
            START_X + forward - 0.09 * bow + sway,
            HIP_HEIGHT - drop - 0.012 * bow + 0.4 * sway,
            side_sway - 0.045 * lean + 0.5 * sway,
        ],
        axis=-1,
    )
    pelvis_turn = np.stack(
        [
            -np.deg2rad(36.0) * bow - 0.05 * (drop > 0) * drop,
            np.deg2rad(4.0) * lean + 1.2 * side_sway,
            np.deg2rad(11.0) * twist - 0.22 * stride,
        ],
        axis=-1,
    )
    lumbar = np.stack(
        [
            np.deg2rad(40.0) * bow + breath,
            np.deg2rad(17.0) * lean + 0.9 * side_sway,
            np.deg2rad(5.0) * twist + 0.06 * stride,
        ],
        axis=-1,
    )
    thoracic = np.stack(
        [
            np.deg2rad(20.0) * bow_late - breath,
            np.deg2rad(15.0) * lean,
            np.deg2rad(22.0) * twist + 0.26 * stride,
        ],
        axis=-1,
    )
    neck = np.stack(
        [
            np.deg2rad(14.0) * bow_late - np.deg2rad(3.0) * ready,
            np.deg2rad(9.0) * lean,
            np.deg2rad(24.0) * twist - 0.08 * stride,
        ],
        axis=-1,
    )
    arms = np.stack([_arm(t, i, bow_late, lean, ready, stride) for i in (0, 1)], axis=1)
    return Motion(
        pelvis,
        pelvis_turn,
        lumbar,
        thoracic,
        neck,
        arms,
        ankles,
        np.stack([places[0][2], places[1][2]], axis=-1),
    )


def _arm(
    t: FloatArray,
    side: int,
    bow: FloatArray,
    lean: FloatArray,
    ready: FloatArray,
    stride: FloatArray,
) -> FloatArray:
    """(T, 4) flexion, abduction, inward turn and elbow flexion of one arm."""
    sign = SIDES[side]
    # Arms hang from the bent trunk, swing against the legs, and slide along the thighs in a lean.
    # Halves of the lean, rounded where it changes sides so that the arms do not jerk.
    half = 0.5 * (np.sqrt(lean**2 + 0.04) - 0.2)
    toward, away = half + 0.5 * sign * lean, half - 0.5 * sign * lean
    flexion = np.deg2rad(4.0 + 74.0 * bow + 24.0 * ready) + sign * 0.85 * stride
    abduction = np.deg2rad(11.0 + 19.0 * toward - 7.0 * away - 3.0 * bow + 46.0 * ready)
    inward = np.deg2rad(18.0 + 10.0 * np.sin(0.9 * t) * 0.3 + 40.0 * ready)
    elbow = np.deg2rad(13.0 + 4.0 * np.sin(1.3 * t + sign) - 4.0 * bow + 72.0 * ready)
    return np.stack([flexion, abduction, inward, elbow + 0.25 * np.abs(stride)], axis=-1)
