"""A person with a spine in full motion, made by OpenSim's own forward kinematics.

Nothing of the solver under test goes in: OpenSim reads the model file, the levels' shares come
from the tables the model was built from, and markers are where OpenSim puts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.resources import resource_path
from pipeline.simulation.model_tables import SpineTables, Variant, read_tables
from pipeline.simulation.opensim_api import osim
from tests.truth.other_spines import AS_SHIPPED, OtherSpine

FloatArray = NDArray[np.float64]

# Slow enough for a low-pass at 6 Hz to leave it alone, different for every coordinate.
_HERTZ = (0.15, 0.45)
# What the rest of the body does meanwhile, degrees: centre and swing.
_BODY = {
    "pelvis_tilt": (-15, 20), "pelvis_list": (0, 8), "pelvis_rotation": (0, 40),
    "hip_flexion": (25, 30), "hip_adduction": (0, 10), "knee_angle": (30, 28),
    "ankle_angle": (0, 12), "arm_flex": (20, 40), "arm_add": (-30, 15), "elbow_flex": (50, 35),
    "clavicle_prot": (0, 8), "clavicle_elev": (8, 8),
}  # fmt: skip
_UP = 0.92  # m


@dataclass(frozen=True, slots=True, eq=False)
class SpineMotion:
    """Markers of T frames (T, K, 3) in metres, and the regional coordinates (T,) in radians."""

    names: tuple[str, ...]
    times: FloatArray
    markers: FloatArray
    regional: dict[str, FloatArray]


def full_range(
    frames: int,
    rate: float,
    seed: int,
    variant: Variant = "core",
    standing: float = 1.0,
    size: float = 1.0,
    used: float = 0.95,
    other: OtherSpine = AS_SHIPPED,
) -> SpineMotion:
    """Standing for some seconds, then everything at once through ``used`` of its range.

    Parameters
    ----------
    frames, rate, seed
        Length, frames per second, and what the phases are drawn with.
    variant
        The shipped model that is moved.
    standing
        Seconds in the neutral posture, eased out of within half a second.
    size
        All lengths are multiplied by it.
    used
        Part of each range that is used.
    other
        What is different in this person's column from the model's.
    """
    times = np.arange(frames) / rate
    ease = np.clip((times - standing) / 0.5, 0.0, 1.0)
    ease = ease * ease * (3.0 - 2.0 * ease)
    rng = np.random.default_rng(seed)

    def swing() -> FloatArray:
        waves = [
            share * np.sin(2 * np.pi * rng.uniform(*_HERTZ) * times + rng.uniform(0, 2 * np.pi))
            for share in (0.65, 0.35)
        ]
        return np.asarray(sum(waves))

    tables = read_tables()
    regional = {}
    for row in tables.regional(variant):
        middle, half = 0.5 * (row.min_deg + row.max_deg), 0.5 * (row.max_deg - row.min_deg)
        regional[row.name] = np.radians(ease * (middle + used * half * swing()))
    model = osim.Model(str(resource_path("models", f"simspine_{variant}.osim")))
    other.change(model)
    values = dict(regional)
    own = [model.getCoordinateSet().get(i) for i in range(model.getCoordinateSet().getSize())]
    for coordinate in own:
        name = coordinate.getName()
        for part, (middle, half) in _BODY.items():
            if name in (part, f"{part}_r", f"{part}_l"):
                values[name] = np.radians(ease * (middle + half * swing()))
    values["pelvis_ty"] = np.full(frames, _UP)
    values["pelvis_tx"] = 0.2 * ease * swing()
    values |= _levels(tables, variant, regional, other)
    names, markers = _placed(model, values, frames)
    return SpineMotion(names, times, size * markers, regional)


def _levels(
    tables: SpineTables, variant: Variant, regional: dict[str, FloatArray], other: OtherSpine
) -> dict[str, FloatArray]:
    """The coordinates of the single levels, which the model couples to the regional ones."""
    anchors = {(row.anchor, row.motion) for row in tables.regional(variant)}
    return {
        f"{level}_{motion}": share * other.shares.get((level, motion), 1.0) * regional[name]
        for (level, motion), (name, share) in tables.shares(variant).items()
        if (level, motion) not in anchors
    }


def _placed(
    model: Any, values: dict[str, FloatArray], frames: int
) -> tuple[tuple[str, ...], FloatArray]:
    state = model.initSystem()
    moved = [(model.getCoordinateSet().get(name), series) for name, series in values.items()]
    markers = [model.getMarkerSet().get(i) for i in range(model.getMarkerSet().getSize())]
    found = np.empty((frames, len(markers), 3))
    for frame in range(frames):
        for coordinate, series in moved:
            coordinate.setValue(state, float(series[frame]), False)
        model.realizePosition(state)
        for place, marker in enumerate(markers):
            found[frame, place] = marker.getLocationInGround(state).to_numpy()
    return tuple(marker.getName() for marker in markers), found
