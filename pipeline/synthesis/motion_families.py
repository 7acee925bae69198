"""What people do, as joint angles in degrees: which coordinates move together, and how far.

A family is a set of gestures. Each gesture moves its coordinates together by an activation
between 0 and 1; amplitudes are drawn anew for each clip. Signs are the model's: flexion of the
back is positive forward, ``pelvis_tilt`` is negative forward, hips, knees and elbows flex
positively; coordinates without a side are those of the trunk, ``_b`` stands for both sides alike.
Amplitudes are of everyday movement and, for the back, within ``resources/spine_model``'s ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Spread = tuple[float, float]  # mean and standard deviation, degrees


@dataclass(frozen=True, slots=True)
class Gesture:
    """Coordinates that move together; ``signed`` ones go to either side."""

    moves: Mapping[str, Spread]
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of movement.

    Parameters
    ----------
    gestures : tuple of Gesture
        Each with its own course in time.
    walks : float
        Least amplitude of a gait cycle beneath; 0 for none.
    turns : float
        Standard deviation of how far the heading turns in a second, degrees.
    wild : float
        Part of every joint's range that is used at random beside the gestures.
    flat : bool
        Whether both soles stay on the floor: hips follow from trunk, knees and ankles.
    """

    gestures: tuple[Gesture, ...] = ()
    walks: float = 0.0
    turns: float = 4.0
    wild: float = 0.0
    flat: bool = False


_BOW = Gesture({
    "pelvis_tilt": (-35, 20), "hip_flexion_b": (38, 20), "lumbar_lower_flex": (22, 9),
    "lumbar_upper_flex": (16, 7), "thoracic_lower_flex": (7, 5), "thoracic_upper_flex": (4, 4),
    "neck_lower_flex": (10, 18), "neck_upper_flex": (-4, 8), "knee_angle_b": (8, 10),
    "ankle_angle_b": (2, 4), "arm_flex_b": (50, 25),
})  # fmt: skip
_CROUCH = Gesture({
    "hip_flexion_b": (75, 25), "knee_angle_b": (90, 30), "ankle_angle_b": (18, 8),
    "pelvis_tilt": (-15, 14), "lumbar_lower_flex": (12, 9), "lumbar_upper_flex": (8, 7),
    "hip_adduction_b": (-12, 8), "hip_rotation_b": (-5, 8), "arm_flex_b": (40, 30),
})  # fmt: skip
_SIT = Gesture({
    "hip_flexion_b": (82, 12), "knee_angle_b": (88, 12), "ankle_angle_b": (4, 8),
    "pelvis_tilt": (0, 9), "lumbar_lower_flex": (12, 8), "lumbar_upper_flex": (6, 5),
    "elbow_flex_b": (45, 30), "arm_flex_b": (18, 15),
})  # fmt: skip
_RISE_FORWARD = Gesture({
    "pelvis_tilt": (-28, 8), "hip_flexion_b": (28, 8), "neck_lower_flex": (-14, 8),
    "thoracic_lower_flex": (4, 4), "arm_flex_b": (25, 20),
})  # fmt: skip
_SLUMP = Gesture({
    "lumbar_lower_flex": (16, 7), "lumbar_upper_flex": (11, 5), "thoracic_lower_flex": (9, 4),
    "thoracic_upper_flex": (7, 3), "neck_lower_flex": (16, 10), "neck_upper_flex": (-10, 7),
    "clavicle_prot_b": (10, 5), "pelvis_tilt": (9, 7),
})  # fmt: skip
_SIDE = Gesture({
    "lumbar_bend": (15, 6), "thoracic_bend": (13, 6), "neck_bend": (12, 12),
    "pelvis_list": (4, 4), "hip_adduction_r": (4, 4), "hip_adduction_l": (-4, 4),
}, signed=True)  # fmt: skip
_TWIST = Gesture({
    "trunk_twist": (22, 9), "neck_twist": (25, 22), "pelvis_rotation": (14, 9),
    "hip_rotation_r": (-8, 7), "hip_rotation_l": (8, 7), "lumbar_bend": (0, 4),
}, signed=True)  # fmt: skip
_REACH_RIGHT = Gesture({
    "arm_flex_r": (95, 30), "arm_add_r": (-20, 25), "arm_rot_r": (0, 25), "elbow_flex_r": (5, 15),
    "clavicle_elev_r": (14, 7), "clavicle_prot_r": (6, 6), "thoracic_bend": (-5, 4),
    "trunk_twist": (8, 7), "lumbar_lower_flex": (3, 5),
})  # fmt: skip
_REACH_LEFT = Gesture({
    "arm_flex_l": (95, 30), "arm_add_l": (-20, 25), "arm_rot_l": (0, 25), "elbow_flex_l": (5, 15),
    "clavicle_elev_l": (14, 7), "clavicle_prot_l": (6, 6), "thoracic_bend": (5, 4),
    "trunk_twist": (-8, 7), "lumbar_lower_flex": (3, 5),
})  # fmt: skip
_REACH_UP = Gesture({
    "arm_flex_b": (150, 20), "arm_add_b": (-8, 12), "elbow_flex_b": (5, 20),
    "clavicle_elev_b": (22, 7), "lumbar_lower_flex": (-6, 5), "lumbar_upper_flex": (-5, 4),
    "thoracic_lower_flex": (-5, 3), "thoracic_upper_flex": (-4, 3), "neck_lower_flex": (-14, 12),
})  # fmt: skip
_CARRY = Gesture({
    "elbow_flex_b": (75, 20), "arm_flex_b": (22, 14), "arm_rot_b": (25, 15),
    "lumbar_lower_flex": (-3, 4), "thoracic_lower_flex": (-2, 3),
})  # fmt: skip
_ARMS_OUT = Gesture({"arm_add_b": (-60, 22), "elbow_flex_b": (10, 12), "arm_flex_b": (0, 15)})
_SWAY = Gesture({
    "pelvis_list": (5, 3), "lumbar_bend": (-8, 5), "thoracic_bend": (-5, 5), "neck_bend": (-3, 5),
    "hip_adduction_r": (5, 4), "hip_adduction_l": (-5, 4), "arm_add_r": (-15, 15),
    "arm_add_l": (15, 15),
}, signed=True)  # fmt: skip
_LEFT_LEG_UP = Gesture({
    "hip_flexion_l": (45, 25), "knee_angle_l": (60, 30), "hip_adduction_l": (-8, 10),
    "hip_rotation_l": (0, 10), "ankle_angle_l": (-5, 12),
})  # fmt: skip
_RIGHT_LEG_UP = Gesture({
    "hip_flexion_r": (45, 25), "knee_angle_r": (60, 30), "hip_adduction_r": (-8, 10),
    "hip_rotation_r": (0, 10), "ankle_angle_r": (-5, 12),
})  # fmt: skip
_LOOK = Gesture({"neck_twist": (38, 18), "neck_bend": (0, 8), "neck_lower_flex": (0, 10)}, True)
_ARCH = Gesture({
    "lumbar_lower_flex": (-10, 4), "lumbar_upper_flex": (-8, 3), "thoracic_lower_flex": (-7, 3),
    "thoracic_upper_flex": (-5, 3), "neck_lower_flex": (-18, 10), "pelvis_tilt": (6, 5),
})  # fmt: skip

#: The families that a lifter is taught with.
FAMILIES: Mapping[str, Family] = {
    "forward bending": Family((_BOW, _ARCH), flat=True),
    "side bending": Family((_SIDE, _ARMS_OUT), flat=True),
    "twisting": Family((_TWIST, _LOOK, _CARRY), flat=True),
    "walking": Family((_LOOK, _SLUMP), walks=0.7, turns=12.0),
    "sitting down": Family((_SIT, _RISE_FORWARD, _SLUMP), flat=True),
    "lifting": Family((_CROUCH, _BOW, _CARRY, _TWIST), flat=True),
    "reaching": Family((_REACH_RIGHT, _REACH_LEFT, _REACH_UP, _BOW), flat=True),
    "slumping": Family((_SLUMP, _ARCH, _LOOK), flat=True),
    "balancing": Family((_SWAY, _ARMS_OUT, _LEFT_LEG_UP, _RIGHT_LEG_UP)),
    "random": Family(wild=0.55, turns=15.0),
}

_LUNGE = Gesture({
    "hip_flexion_r": (70, 14), "knee_angle_r": (75, 16), "ankle_angle_r": (12, 6),
    "hip_flexion_l": (-14, 8), "knee_angle_l": (38, 14), "mtp_angle_l": (30, 10),
    "pelvis_tilt": (-8, 7), "trunk_twist": (8, 8), "arm_flex_l": (40, 16),
})  # fmt: skip
_KICK = Gesture({
    "hip_flexion_l": (62, 18), "knee_angle_l": (25, 14), "ankle_angle_l": (-18, 8),
    "pelvis_tilt": (10, 6), "lumbar_lower_flex": (10, 5), "lumbar_upper_flex": (8, 4),
    "trunk_twist": (-12, 7), "arm_flex_r": (40, 20), "arm_add_l": (-45, 18),
})  # fmt: skip
_THROW = Gesture({
    "arm_add_r": (-80, 18), "arm_rot_r": (-45, 20), "elbow_flex_r": (80, 20),
    "trunk_twist": (-26, 8), "thoracic_bend": (-9, 5), "lumbar_bend": (-8, 5),
    "pelvis_rotation": (-16, 8), "lumbar_upper_flex": (-5, 3), "neck_twist": (20, 12),
    "arm_flex_l": (55, 20), "hip_flexion_l": (22, 10), "knee_angle_l": (24, 10),
})  # fmt: skip
_HOE = Gesture({
    "pelvis_tilt": (-30, 9), "hip_flexion_b": (40, 10), "knee_angle_b": (22, 10),
    "lumbar_lower_flex": (24, 6), "lumbar_upper_flex": (14, 5), "thoracic_lower_flex": (5, 3),
    "trunk_twist": (16, 7), "arm_flex_r": (70, 18), "arm_flex_l": (45, 18),
    "elbow_flex_b": (35, 14), "neck_lower_flex": (-10, 10),
})  # fmt: skip
_NOD = Gesture({
    "neck_lower_flex": (24, 10), "neck_upper_flex": (8, 5), "neck_bend": (10, 8),
    "thoracic_upper_flex": (5, 3), "clavicle_elev_b": (10, 6),
})  # fmt: skip
_STRETCH = Gesture({
    "thoracic_bend": (18, 5), "lumbar_bend": (17, 5), "neck_bend": (15, 7), "pelvis_list": (-5, 3),
    "arm_add_l": (-95, 20), "arm_flex_l": (40, 20), "clavicle_elev_l": (20, 6),
})  # fmt: skip

#: Families, none of them taught, that a lifter is judged with.
HELD_OUT: Mapping[str, Family] = {
    "lunging": Family((_LUNGE,), turns=8.0),
    "kicking": Family((_KICK,)),
    "throwing": Family((_THROW,), turns=15.0),
    "hoeing": Family((_HOE,), flat=True),
    "nodding": Family((_NOD,), flat=True),
    "stretching": Family((_STRETCH,), flat=True),
}


def named_families() -> dict[str, tuple[str, Family]]:
    """All families by the word that a command takes: its own name, and what it is."""
    return {name.replace(" ", "-"): (name, family) for name, family in
            (*FAMILIES.items(), *HELD_OUT.items())}  # fmt: skip
