"""Columns that differ from the model's: proportions, standing curvature, rhythm, and where the
keypoints of a person really lie.

Nothing here comes from the solver under test: the shipped model is changed through OpenSim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Joints of the column from below, and the region of each.
_REGIONS = {
    "lumbar": ("L5_S1", "L4_L5", "L3_L4", "L2_L3", "L1_L2", "T12_L1"),
    "thoracic": ("T11_T12", "T10_T11", "T9_T10", "T8_T9", "T7_T8", "T6_T7", "T5_T6", "T4_T5",
                 "T3_T4", "T2_T3", "T1_T2"),
    "neck": ("C7_T1", "C6_C7", "C5_C6", "C4_C5", "C3_C4", "C2_C3", "C1_C2", "C0_C1"),
}  # fmt: skip
_LEVELS = ("Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05", "Neck", "Neck_02", "Neck_03")
# Between people. Lordosis and kyphosis vary by about 10 degrees (Vialle 2005); lengths and shares
# of a level are assumptions, as wide as the sources of our own tables disagree.
_REGION_LENGTH, _LEVEL_LENGTH = 0.05, 0.03
_CURVATURE = np.radians(10.0)
_SHARE = 0.3
# m, of a point on the back against what it stands for. Which vertebra is where along the back is
# hard to tell, for each by itself; but all lie on one smooth line, whose depth under the skin, and
# way to a side, change slowly from the sacrum to the head.
_ALONG, _ROUGH, _DEPTH, _SIDE = 0.008, 0.0015, 0.006, 0.003


@dataclass(frozen=True, slots=True)
class OtherSpine:
    """What is different: nothing, as it is made.

    Attributes
    ----------
    lengths
        Factor on the way from a joint of the column to the next one below.
    turns
        Radians added to a joint in the standing posture.
    shares
        Factor on (level, motion)'s share of a movement.
    places
        Metres added to where a marker is, in its bone.
    """

    lengths: dict[str, float] = field(default_factory=dict)
    turns: dict[str, float] = field(default_factory=dict)
    shares: dict[tuple[str, str], float] = field(default_factory=dict)
    places: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def change(self, model: Any) -> None:
        """Change an OpenSim model, before its system is made."""
        joints = model.getJointSet()
        for name in self.lengths.keys() | self.turns.keys():
            frame = joints.get(name).upd_frames(0)
            place, turn = frame.upd_translation(), frame.upd_orientation()
            for axis in range(3):
                place.set(axis, place.get(axis) * self.lengths.get(name, 1.0))
            turn.set(2, turn.get(2) + self.turns.get(name, 0.0))
        for name, moved in self.places.items():
            location = model.getMarkerSet().get(name).upd_location()
            for axis in range(3):
                location.set(axis, location.get(axis) + moved[axis])


AS_SHIPPED = OtherSpine()


def somebody(seed: int) -> OtherSpine:
    """A column drawn at random."""
    rng = np.random.default_rng(seed)
    lengths, turns, shares = {}, {}, {}
    for joints in _REGIONS.values():
        region = 1.0 + rng.normal(0.0, _REGION_LENGTH)
        curved = rng.normal(0.0, _CURVATURE)
        parts = rng.dirichlet(np.full(len(joints), 5.0))
        for joint, part in zip(joints, parts, strict=True):
            lengths[joint] = region * (1.0 + rng.normal(0.0, _LEVEL_LENGTH))
            turns[joint] = float(curved * part)
            for motion in ("flex", "bend", "twist"):
                shares[joint, motion] = float(np.exp(rng.normal(0.0, _SHARE)))
    forward, side = rng.normal(0.0, _DEPTH, 2), rng.normal(0.0, _SIDE, 2)
    places = {}
    for name, way in zip(_LEVELS, np.linspace(0.0, 1.0, len(_LEVELS)), strict=True):
        x, z = (ends @ (1.0 - way, way) + rng.normal(0.0, _ROUGH) for ends in (forward, side))
        places[name] = (float(x), float(rng.normal(0.0, _ALONG)), float(z))
    return OtherSpine(lengths, turns, shares, places)
