"""The figure's bones: a spine of 24 joints on a pelvis, limbs, and where the keypoints sit.

The bind pose stands upright with the midpoint of the hip joints at the origin, X forward, Y up,
Z right; every bone's axes are the world's there. Spinal keypoints lie on the skin of the back, in
the midline, over the level that the skeleton's definition names: where a viewer sees them. Joint
places are those of a 1.75 m man (radiographic chain of the project's spine table), with segment
lengths and rhythms changed on purpose, so that no solver of this project matches them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import project_skeleton
from pipeline.synthesis.motion import ANKLE_HEIGHT, SIDES, Motion

FloatArray = NDArray[np.float64]

SPINE_SCALE = 0.985
THIGH, SHANK = 0.418, 0.426
UPPER_ARM, FOREARM = 0.288, 0.259
HIP_HALF_WIDTH = 0.087
SHOULDER = np.array([-0.023, 0.512, 0.176])
# Arms stand off this far in the bind pose, halfway between hanging and working.
BIND_ABDUCTION = np.deg2rad(32.0)

# Joint below each bone (x, y mm), forward pitch of the bone (degrees), midline skin over its
# spinous process (x, y mm), and its share of its region's flexion, bend and twist.
# fmt: off
_SPINE: tuple[tuple[str, float, float, float, float, float, float, float, float], ...] = (
    ("L5",  -19.8, 108.8,  18.5,  -80, 139, 0.20, 0.09, 0.17),
    ("L4",   -8.3, 142.8,   1.5,  -83, 155, 0.22, 0.15, 0.20),
    ("L3",   -7.3, 179.3,  -9.8,  -86, 176, 0.20, 0.20, 0.19),
    ("L2",  -13.2, 214.7, -16.8,  -89, 201, 0.16, 0.21, 0.16),
    ("L1",  -23.2, 248.3, -19.8,  -95, 230, 0.13, 0.19, 0.16),
    ("T12", -34.2, 279.2, -17.8,  -99, 260, 0.09, 0.16, 0.12),
    ("T11", -43.4, 308.0, -15.8, -106, 287, 0.12, 0.13, 0.06),
    ("T10", -51.5, 336.7, -14.5, -112, 311, 0.11, 0.11, 0.11),
    ("T9",  -58.4, 363.6, -13.0, -117, 333, 0.10, 0.10, 0.12),
    ("T8",  -64.4, 389.6,  -9.2, -125, 360, 0.09, 0.09, 0.12),
    ("T7",  -68.5, 414.8,  -4.0, -130, 388, 0.08, 0.09, 0.12),
    ("T6",  -70.2, 438.1,   2.2, -134, 419, 0.08, 0.08, 0.10),
    ("T5",  -69.3, 461.1,   8.8, -135, 452, 0.07, 0.08, 0.09),
    ("T4",  -66.0, 482.7,  15.2, -132, 485, 0.08, 0.08, 0.08),
    ("T3",  -60.2, 504.0,  20.2, -125, 516, 0.08, 0.08, 0.07),
    ("T2",  -52.6, 524.6,  23.0, -116, 543, 0.09, 0.08, 0.07),
    ("T1",  -44.2, 544.3,  24.5, -106, 569, 0.10, 0.08, 0.06),
    ("C7",  -35.4, 563.8,  21.5,  -94, 586, 0.08, 0.14, 0.04),
    ("C6",  -28.3, 581.7,  18.2,  -78, 598, 0.14, 0.18, 0.05),
    ("C5",  -22.9, 598.2,  16.0,  -67, 612, 0.17, 0.16, 0.07),
    ("C4",  -18.0, 615.2,  14.0,  -61, 628, 0.17, 0.13, 0.08),
    ("C3",  -13.7, 632.6,  12.0,  -56, 645, 0.13, 0.13, 0.08),
    ("C2",   -9.9, 650.3,  10.0,  -55, 664, 0.09, 0.12, 0.06),
    ("C1",   -5.0, 677.8,   2.0,  -60, 684, 0.10, 0.07, 0.58),
    ("skull", -4.5, 695.8,  0.0,    0,   0, 0.12, 0.07, 0.04),
)
# fmt: on
_REGIONS = (("lumbar", 0, 6), ("thoracic", 6, 17), ("neck", 17, 25))

SPINE_BONES = tuple(row[0] for row in _SPINE)
_LIMB_BONES = ("humerus", "forearm", "femur", "shank", "foot")
BONES = (
    "pelvis",
    *SPINE_BONES,
    *(f"{bone}_{side}" for bone in _LIMB_BONES for side in ("l", "r")),
)
BONE = {name: i for i, name in enumerate(BONES)}
# The shoulder girdle rides on this vertebra.
GIRDLE = BONE["T3"]
SACRUM_SKIN = np.array([-0.084, 0.100, 0.0]) * SPINE_SCALE


def arm_direction(side: int) -> FloatArray:
    """(3,) unit vector from shoulder to elbow in the bind pose; side 0 left, 1 right."""
    return np.array([0.0, -np.cos(BIND_ABDUCTION), SIDES[side] * np.sin(BIND_ABDUCTION)])


def shoulder(side: int) -> FloatArray:
    """(3,) shoulder joint in the bind pose."""
    return SHOULDER * [1.0, 1.0, SIDES[side]]


def midline_skin(level: str) -> FloatArray:
    """(3,) skin over the spinous process of a vertebra in the bind pose, metres."""
    row = _SPINE[SPINE_BONES.index(level)]
    return np.array([row[4], row[5], 0.0]) * 1e-3 * SPINE_SCALE


def _bind_origins() -> FloatArray:
    origin = np.zeros((len(BONES), 3))
    for name, x, y, *_ in _SPINE:
        origin[BONE[name], :2] = np.array([x, y]) * 1e-3 * SPINE_SCALE
    for i, letter in enumerate("lr"):
        origin[BONE[f"humerus_{letter}"]] = shoulder(i)
        origin[BONE[f"forearm_{letter}"]] = shoulder(i) + UPPER_ARM * arm_direction(i)
        hip = np.array([0.0, 0.0, SIDES[i] * HIP_HALF_WIDTH])
        origin[BONE[f"femur_{letter}"]] = hip
        origin[BONE[f"shank_{letter}"]] = hip - [0.0, THIGH, 0.0]
        origin[BONE[f"foot_{letter}"]] = hip - [0.0, THIGH + SHANK, 0.0]
    return origin


BIND_ORIGIN = _bind_origins()


def keypoint_table() -> dict[str, tuple[int, FloatArray]]:
    """Bone and bind position of every keypoint by name."""
    skull = BIND_ORIGIN[BONE["skull"]]
    between = 0.5 * (midline_skin("T12") + midline_skin("L1"))
    table: dict[str, tuple[int, FloatArray]] = {
        "nose": (BONE["skull"], skull + np.array([0.117, -0.004, 0.0])),
        "head": (BONE["skull"], skull + np.array([0.010, 0.143, 0.0])),
        "hip": (BONE["pelvis"], SACRUM_SKIN),
        "spine_01": (BONE["L5"], midline_skin("L5")),
        "spine_02": (BONE["L3"], midline_skin("L3")),
        "spine_03": (BONE["L1"], between),
        "spine_04": (BONE["T8"], midline_skin("T8")),
        "spine_05": (BONE["T3"], midline_skin("T3")),
        "neck": (BONE["C7"], midline_skin("C7")),
        "neck_02": (BONE["C4"], 0.5 * (midline_skin("C3") + midline_skin("C4"))),
        "neck_03": (BONE["C1"], midline_skin("C1")),
    }
    for i, (letter, side) in enumerate((("l", "left"), ("r", "right"))):
        s = SIDES[i]
        arm, forearm = BONE[f"humerus_{letter}"], BONE[f"forearm_{letter}"]
        femur, shank, foot = (BONE[f"{b}_{letter}"] for b in ("femur", "shank", "foot"))
        ankle = BIND_ORIGIN[foot]
        sole = [0.0, -ANKLE_HEIGHT, 0.0]
        table |= {
            f"{side}_eye": (BONE["skull"], skull + np.array([0.092, 0.032, s * 0.032])),
            f"{side}_ear": (BONE["skull"], skull + np.array([0.002, 0.018, s * 0.078])),
            f"{side}_shoulder": (arm, BIND_ORIGIN[arm]),
            f"{side}_elbow": (forearm, BIND_ORIGIN[forearm]),
            f"{side}_wrist": (forearm, BIND_ORIGIN[forearm] + FOREARM * arm_direction(i)),
            f"{side}_hip": (femur, BIND_ORIGIN[femur]),
            f"{side}_knee": (shank, BIND_ORIGIN[shank]),
            f"{side}_ankle": (foot, ankle),
            f"{side}_big_toe": (foot, ankle + sole + [0.178, 0.020, -s * 0.016]),
            f"{side}_small_toe": (foot, ankle + sole + [0.138, 0.016, s * 0.038]),
            f"{side}_heel": (foot, ankle + sole + [-0.058, 0.022, 0.0]),
            f"{side}_clavicle": (BONE["T3"], np.array([0.012, 0.517, s * 0.025])),
            f"{side}_latissimus": (BONE["T7"], np.array([-0.132, 0.432, s * 0.097])),
        }
    return table


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """Bones over T instants: ``rotation`` (T, B, 3, 3) and ``origin`` (T, B, 3), from bind pose."""

    rotation: FloatArray
    origin: FloatArray

    def carried(self, bone: int, point: FloatArray) -> FloatArray:
        """(T, 3) world place of a bind-pose point fixed to one bone."""
        offset = self.rotation[:, bone] @ (point - BIND_ORIGIN[bone])
        return np.asarray(self.origin[:, bone] + offset)


def turn(axis: FloatArray | tuple[float, float, float], angle: FloatArray) -> FloatArray:
    """(T, 3, 3) rotations by ``angle`` (T,) about a fixed axis (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, np.float64) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    s, c = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.asarray(np.eye(3) + s * cross + (1.0 - c) * (cross @ cross))


_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def _pose_spine(motion: Motion, rotation: FloatArray, origin: FloatArray) -> None:
    for region, first, last in _REGIONS:
        flexion, bend, twist = getattr(motion, region).T
        for i in range(first, last):
            pitch = np.deg2rad(_SPINE[i][3])
            up = (np.sin(pitch), np.cos(pitch), 0.0)
            ahead = (np.cos(pitch), -np.sin(pitch), 0.0)
            share = _SPINE[i][6:]
            own = turn(_Z, -share[0] * flexion) @ turn(ahead, share[1] * bend)
            own = own @ turn(up, share[2] * twist)
            bone, parent = i + 1, i
            rotation[:, bone] = rotation[:, parent] @ own
            step = BIND_ORIGIN[bone] - BIND_ORIGIN[parent]
            origin[:, bone] = origin[:, parent] + rotation[:, parent] @ step


def _pose_arm(motion: Motion, side: int, rotation: FloatArray, origin: FloatArray) -> None:
    flexion, abduction, inward, elbow = motion.arms[:, side].T
    sign, along = SIDES[side], arm_direction(side)
    arm, forearm = BONE[f"humerus_{'lr'[side]}"], BONE[f"forearm_{'lr'[side]}"]
    girdle = rotation[:, GIRDLE]
    lift = turn(_X, -sign * (abduction - BIND_ABDUCTION))
    rotation[:, arm] = girdle @ turn(_Z, flexion) @ lift @ turn(along, -sign * inward)
    origin[:, arm] = origin[:, GIRDLE] + girdle @ (BIND_ORIGIN[arm] - BIND_ORIGIN[GIRDLE])
    hinge = np.cross(along, _X)
    rotation[:, forearm] = rotation[:, arm] @ turn(hinge, elbow)
    origin[:, forearm] = origin[:, arm] + rotation[:, arm] @ (UPPER_ARM * along)


def _pose_leg(motion: Motion, side: int, rotation: FloatArray, origin: FloatArray) -> None:
    femur, shank, foot = (BONE[f"{b}_{'lr'[side]}"] for b in ("femur", "shank", "foot"))
    hip = origin[:, 0] + rotation[:, 0] @ BIND_ORIGIN[femur]
    reach = motion.ankles[:, side] - hip
    distance = np.linalg.norm(reach, axis=-1)
    down = reach / distance[:, None]
    # Cosine rule in the triangle hip, knee, ankle.
    along = (THIGH**2 - SHANK**2 + distance**2) / (2.0 * distance)
    out = np.sqrt(np.maximum(THIGH**2 - along**2, 0.0))
    ahead = rotation[:, 0, :, 0] * [1.0, 0.0, 1.0]
    ahead = ahead - down * np.sum(ahead * down, axis=-1, keepdims=True)
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    knee = hip + along[:, None] * down + out[:, None] * ahead
    hinge = np.cross(ahead, -down)
    for bone, start, end in ((femur, hip, knee), (shank, knee, motion.ankles[:, side])):
        up = (start - end) / np.linalg.norm(start - end, axis=-1, keepdims=True)
        rotation[:, bone] = np.stack([np.cross(up, hinge), up, hinge], axis=-1)
        origin[:, bone] = start
    outward = np.full(len(hip), -SIDES[side] * np.deg2rad(6.0))
    rotation[:, foot] = turn(_Y, outward) @ turn(_Z, motion.feet[:, side])
    origin[:, foot] = motion.ankles[:, side]


def pose(motion: Motion) -> Posed:
    """Forward kinematics of a motion, the legs from hip and ankle by the cosine rule."""
    n = len(motion.pelvis)
    rotation, origin = np.zeros((n, len(BONES), 3, 3)), np.zeros((n, len(BONES), 3))
    tilt, side, heading = motion.pelvis_turn.T
    rotation[:, 0] = turn(_Y, heading) @ turn(_X, side) @ turn(_Z, tilt)
    origin[:, 0] = motion.pelvis
    _pose_spine(motion, rotation, origin)
    for i in (0, 1):
        _pose_arm(motion, i, rotation, origin)
        _pose_leg(motion, i, rotation, origin)
    return Posed(rotation, origin)


def keypoints(posed: Posed) -> FloatArray:
    """(T, 37, 3) world places of SpineTrack's keypoints, metres."""
    table = keypoint_table()
    places = [posed.carried(*table[name]) for name in project_skeleton().names]
    return np.stack(places, axis=1)
