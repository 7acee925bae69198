"""SIMSPINE's published step 2: which frames are measured, and the factors, with their faults.

As published, the speed is taken over the wrong columns (only the first third of the markers, axes
mixed), only fast frames are kept, and the limit of half a degree leaves the fifty straightest ones
whatever they are (simspine_facts.md §2, B6 and B7). Why it is not our default.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

#: Markers in the order of SIMSPINE's files, which decides what its speed is taken over.
ORDER = ("Hip", "Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05", "Neck", "Neck_02",
         "Neck_03", "Head", "Nose", "REye", "LEye", "REar", "LEar", "RLatissimus", "LLatissimus",
         "RClavicle", "RShoulder", "RElbow", "RWrist", "LClavicle", "LShoulder", "LElbow",
         "LWrist", "RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee",
         "LAnkle", "LBigToe", "LSmallToe", "LHeel")  # fmt: skip
#: Values that reach the function from its command line.
FASTEST, CLOSE_TO_ZERO, MAX_ANGLE_DEG, TRIMMED = 0.2, 0.5, 0.5, 0.2
MASS = 70.0  # kg, of everybody
_FEWEST = 50


def _sides(a: str, b: str) -> tuple[tuple[str, str], ...]:
    return ((f"L{a}", f"L{b}"), (f"R{a}", f"R{b}"))


def _both(*bodies: str) -> tuple[str, ...]:
    return tuple(f"{body}_{side}" for body in bodies for side in "rl")


#: What is measured, by which pairs, and the bodies of Pose2Sim's model that it scales.
MEASUREMENTS: tuple[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]], ...] = (
    ("torso", _sides("Shoulder", "Hip"),
     ("lumbar5", "lumbar4", "lumbar3", "lumbar2", "lumbar1", "torso")),
    ("arm", _sides("Shoulder", "Elbow"), _both("humerus")),
    ("forearm", _sides("Elbow", "Wrist"), _both("ulna", "radius", "hand")),
    ("thigh", _sides("Hip", "Knee"), _both("femur", "patella")),
    ("shank", _sides("Knee", "Ankle"), _both("tibia")),
    ("foot", _sides("Heel", "BigToe"), _both("talus", "calcn", "toes")),
    ("head", (("Head", "Nose"), ("Head", "Neck")), ("head",)),
    ("pelvis", (("RHip", "LHip"),), ("pelvis", "sacrum")),
)  # fmt: skip


def published_frames(names: tuple[str, ...], xyz: FloatArray) -> IntArray:
    """Frames that the published rule measures.

    Parameters
    ----------
    names : tuple of str
        M markers, of which those in :data:`ORDER` count.
    xyz : (T, M, 3) array
        Metres; NaN where missing.
    """
    there = [name for name in ORDER if name in names]
    there = [n for n in there if np.isfinite(xyz[:, names.index(n)]).any()]
    columns = xyz[:, [names.index(name) for name in there]].reshape(len(xyz), -1)
    steps = np.diff(columns, axis=0)
    # Three columns from each marker's number, not from three times its number: fault B7.
    parts = [np.linalg.norm(steps[:, k : k + 3], axis=1) for k in range(len(there))]
    speed = np.concatenate([[0.0], np.nansum(parts, axis=0)]) if parts else np.zeros(len(xyz))
    kept = np.flatnonzero(speed > CLOSE_TO_ZERO)  # only what moves fast: fault B6
    if not len(kept):
        kept = np.arange(len(xyz))
    slowest = np.argsort(speed[kept], kind="stable")[: int(len(kept) * (1.0 - FASTEST))]
    kept = np.sort(kept[slowest]) if len(slowest) else kept
    angles = _mean_angles(names, xyz[kept])
    straight = kept[angles < MAX_ANGLE_DEG]
    if len(straight) >= _FEWEST:
        return np.asarray(straight, np.intp)
    order = np.argsort(np.where(np.isnan(angles), np.inf, angles), kind="stable")
    return np.asarray(np.sort(kept[order[:_FEWEST]]), np.intp)


def _mean_angles(names: tuple[str, ...], xyz: FloatArray) -> FloatArray:
    """(T,) mean size of the angles of knees and hips, degrees; NaN where none can be told."""
    at = {name: xyz[:, place] for place, name in enumerate(names)}
    found = []
    for side in "RL":
        if {f"{side}Hip", f"{side}Knee", f"{side}Ankle"} <= at.keys():
            hip, knee, ankle = (at[f"{side}{joint}"] for joint in ("Hip", "Knee", "Ankle"))
            found.append(180.0 - _between(ankle - knee, hip - knee))
            if {"Neck", "Hip"} <= at.keys():
                found.append(_between(hip - knee, at["Neck"] - at["Hip"]))
    if not found:
        return np.full(len(xyz), np.nan)
    angles = np.abs(found)
    known = np.isfinite(angles)
    total = np.where(known, angles, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _between(a: FloatArray, b: FloatArray) -> FloatArray:
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.asarray(np.degrees(np.arctan2(across, (a * b).sum(axis=-1))))


def trimmed_length(a: FloatArray, b: FloatArray) -> float:
    """Mean distance of two (T, 3) markers without a tenth at either end; NaN where unknown."""
    lengths = np.sort(np.linalg.norm(a - b, axis=-1))
    lengths = lengths[np.isfinite(lengths)]
    low, high = int(len(lengths) * TRIMMED / 2), int(len(lengths) * (1 - TRIMMED / 2))
    return float(lengths[low:high].mean()) if high > low else float("nan")


def published_factors(
    names: tuple[str, ...],
    xyz: FloatArray,
    model_lengths: Mapping[tuple[str, str], float],
) -> dict[str, float]:
    """Factor of each measurement: the mean over its pairs of measured / model; 1 without any.

    Parameters
    ----------
    names : tuple of str
    xyz : (T, M, 3) array
        The frames that are measured, metres.
    model_lengths : mapping
        Of the pairs in the generic model, in its default pose, metres.
    """
    factors = {}
    for name, pairs, _ in MEASUREMENTS:
        ratios = [
            trimmed_length(xyz[:, names.index(a)], xyz[:, names.index(b)]) / model_lengths[a, b]
            for a, b in pairs
            if a in names and b in names and (a, b) in model_lengths
        ]
        known = [ratio for ratio in ratios if np.isfinite(ratio)]
        factors[name] = float(np.mean(known)) if known else 1.0
    return factors
