"""The scene that the demo's person plays: bending, leaning, twisting, walking, as joint angles.

Everything is a smooth function of time, so any frame rate and any length can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.model import KinematicModel, coordinate_index
from pipeline.synthesis.motion_courses import minimum_jerk
from pipeline.synthesis.motions import on_the_ground, stand_flat, within_ranges

FloatArray = NDArray[np.float64]
Add = Callable[[str, FloatArray], None]

SCENE_SECONDS = 8.0
START_X = -0.44
# The scene is reckoned at this rate and read off at the instants that are asked for.
_RATE = 240.0
_STRIDES_PER_SECOND, _WALK_FROM, _WALK_FULL = 0.80, 6.05, 6.8


def scene(model: KinematicModel, time: FloatArray) -> FloatArray:
    """(T, Q) coordinates of ``model`` at the instants ``time`` (T,) in seconds.

    The scene lasts ``SCENE_SECONDS``; what comes after plays it backward, then forward again.
    Points at the feet are on the floor, at height 0.
    """
    t = np.arange(0.0, SCENE_SECONDS + 0.5 / _RATE, 1.0 / _RATE)
    degrees = np.degrees(np.tile(model.default, (len(t), 1)))

    def add(name: str, values: FloatArray) -> None:
        for own in (name,) if not name.endswith("_b") else (f"{name[:-1]}r", f"{name[:-1]}l"):
            degrees[:, coordinate_index(model, own)] += values

    for slide in "xyz":
        degrees[:, coordinate_index(model, f"pelvis_t{slide}")] = 0.0
    _gestures(t, add)
    stand_flat(model, degrees)
    _steps(t, add)
    coordinates = within_ranges(model, np.radians(degrees))
    whole, _ = on_the_ground(model, coordinates, np.zeros(len(t)))
    whole[:, coordinate_index(model, "pelvis_tx")] += START_X
    asked = np.asarray(time, np.float64) % (2.0 * SCENE_SECONDS)
    place = (SCENE_SECONDS - np.abs(asked - SCENE_SECONDS)) * _RATE
    low = np.minimum(place.astype(np.intp), len(t) - 2)
    share = (place - low)[:, None]
    return np.asarray((1.0 - share) * whole[low] + share * whole[low + 1])


def _gestures(t: FloatArray, add: Add) -> None:
    """Bend forward and up, lean right and left, twist left and right, standing."""
    bow = minimum_jerk(t, [(0.15, 0), (1.25, 1), (1.4, 1), (2.4, 0)])
    late = minimum_jerk(t, [(0.22, 0), (1.32, 1), (1.5, 1), (2.55, 0)])
    lean = minimum_jerk(t, [(2.35, 0), (3.0, 1), (3.1, 1), (3.85, -1), (3.95, -1), (4.5, 0)])
    twist = minimum_jerk(t, [(4.35, 0), (4.9, 1), (5.0, 1), (5.6, -0.9), (5.65, -0.9), (6.1, 0)])
    ready = minimum_jerk(t, [(4.25, 0), (4.7, 1), (5.6, 1), (6.2, 0)])
    breath = 0.5 * np.sin(1.7 * t)
    add("pelvis_tilt", -38.0 * bow)
    add("lumbar_lower_flex", 24.0 * bow + breath)
    add("lumbar_upper_flex", 17.0 * bow)
    add("thoracic_lower_flex", 10.0 * late - breath)
    add("thoracic_upper_flex", 7.0 * late)
    add("neck_lower_flex", 16.0 * late - 3.0 * ready)
    add("lumbar_bend", 17.0 * lean)
    add("thoracic_bend", 15.0 * lean)
    add("neck_bend", 10.0 * lean)
    add("trunk_twist", 24.0 * twist)
    add("neck_twist", 24.0 * twist)
    add("pelvis_rotation", 8.0 * twist)
    add("hip_rotation_r", -8.0 * twist)
    add("hip_rotation_l", 8.0 * twist)
    add("hip_adduction_b", -2.0 + 0.3 * np.sin(0.8 * t))
    add("knee_angle_b", 4.0 + 7.0 * bow)
    add("ankle_angle_b", 1.5 + 2.0 * bow + 0.4 * np.sin(2.1 * t))
    # Arms hang from the bent trunk and slide along the thighs in a lean.
    half = 0.5 * (np.sqrt(lean**2 + 0.04) - 0.2)
    add("arm_flex_b", 3.0 + 62.0 * bow + 26.0 * ready)
    add("arm_add_b", -3.0 - 8.0 * half - 16.0 * ready + 4.0 * bow)
    add("arm_rot_b", 8.0 + 22.0 * ready)
    add("elbow_flex_b", 8.0 + 4.0 * np.sin(1.3 * t) - 6.0 * bow + 66.0 * ready)


def _steps(t: FloatArray, add: Add) -> None:
    """A gait cycle that begins: peaks at their usual parts of the stride (Winter 1991)."""
    size = minimum_jerk(t, [(_WALK_FROM, 0.0), (_WALK_FULL, 0.85)])
    # Begins where the right foot lifts off.
    phase = 2.0 * np.pi * (_STRIDES_PER_SECOND * np.maximum(t - _WALK_FROM, 0.0) + 0.60)

    def bump(angle: FloatArray, at: float, narrow: float) -> FloatArray:
        return np.asarray(np.exp(narrow * (np.cos(angle - 2.0 * np.pi * at) - 1.0)))

    for side, own in (("r", phase), ("l", phase + np.pi)):
        add(f"hip_flexion_{side}", size * (4.0 + 22.0 * np.cos(own)))
        add(
            f"knee_angle_{side}", size * (12.0 * bump(own, 0.15, 5.0) + 52.0 * bump(own, 0.72, 3.5))
        )
        add(
            f"ankle_angle_{side}", size * (9.0 * bump(own, 0.45, 3.0) - 16.0 * bump(own, 0.63, 9.0))
        )
        add(f"mtp_angle_{side}", size * 22.0 * bump(own, 0.58, 9.0))
        add(f"arm_flex_{side}", -size * 20.0 * np.cos(own))
        add(f"elbow_flex_{side}", size * (8.0 - 8.0 * np.cos(own)))
    add("pelvis_rotation", size * 4.0 * np.cos(phase))
    add("pelvis_list", size * 3.0 * np.sin(phase))
    add("lumbar_bend", -size * 4.5 * np.sin(phase))
    add("trunk_twist", -size * 7.0 * np.cos(phase))
    add("neck_twist", size * 3.0 * np.cos(phase))
