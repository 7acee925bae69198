"""Movements of the articulated model: gestures of a family, at natural speeds, feet on the ground.

Everything comes from a ``numpy.random.Generator``: the same seed gives the same movement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.model import (
    KinematicModel,
    coordinate_index,
    free_coordinates,
    marker_index,
)
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.osim_model import extract_kinematics
from pipeline.synthesis.motion_courses import Course, activation, waves
from pipeline.synthesis.motion_families import FAMILIES, Family, Gesture

FloatArray = NDArray[np.float64]

# Joints without end stops in the model, degrees: as far as most people get.
_NATURAL = {
    "pelvis_tilt": (-85, 60), "pelvis_list": (-35, 35), "pelvis_rotation": (-50, 50),
    "arm_flex": (-50, 170), "arm_add": (-150, 35), "arm_rot": (-75, 75),
}  # fmt: skip
# How people stand when they do nothing: centre and standard deviation, degrees.
_STANDING = {
    "pelvis_tilt": (-2, 5), "pelvis_list": (0, 2), "hip_flexion": (3, 5), "hip_adduction": (-3, 4),
    "hip_rotation": (0, 7), "knee_angle": (5, 5), "ankle_angle": (2, 4), "arm_flex": (4, 9),
    "arm_add": (-11, 7), "arm_rot": (0, 18), "elbow_flex": (20, 14), "clavicle_prot": (0, 4),
    "clavicle_elev": (3, 4),
}  # fmt: skip
_TREMBLE, _TREMBLE_HERTZ = 2.0, (0.2, 1.6)  # degrees, of every joint, slow
_WILD_HERTZ = (0.1, 0.9)
# Above this part of its range a joint is held back more and more.
_FREE_PART = 0.85
# The lowest points carry: weights fall by e within this height.
_CONTACT = 0.015  # m
_STRIDES_PER_SECOND = (0.7, 1.1)


@dataclass(frozen=True, slots=True)
class MotionSetting:
    """Which movements are drawn.

    Parameters
    ----------
    families : mapping
        By name; each is as likely as the others.
    course : "rests" or "waves"
        Whether gestures go from rest to rest, by minimum jerk, or swing.
    seconds : (float, float)
        From one rest to the next, or a quarter of a swing.
    mixed : float
        How often the gestures of a second family are added.
    own_posture : float
        Standard deviation of a person's posture, in those of each spine coordinate's prior.
    """

    families: Mapping[str, Family] = field(default_factory=lambda: FAMILIES)
    course: Course = "rests"
    seconds: tuple[float, float] = (0.35, 2.2)
    mixed: float = 0.35
    own_posture: float = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """What somebody did.

    Attributes
    ----------
    family : str
        The first family that went in.
    coordinates : (T, Q) array
        All coordinates of the model, metres and radians.
    points : (T, 37, 3) array
        Keypoints of the project's skeleton in the world, metres, Y up, the floor at 0.
    """

    family: str
    coordinates: FloatArray
    points: FloatArray


@cache
def generic_model() -> KinematicModel:
    """The shipped model with 11 spine coordinates, read by OpenSim once."""
    return extract_kinematics(resource_path("models", "simspine_core.osim"))[0]


@cache
def _spine_priors() -> dict[str, float]:
    return {row.name: row.prior_sd_deg for row in read_tables().regional("core")}


def spine_coordinates() -> tuple[str, ...]:
    """The 11 free coordinates of the spine, in the order of the tables."""
    return tuple(_spine_priors())


def keypoint_markers(model: KinematicModel) -> NDArray[np.intp]:
    """(37,) index of the model's marker of each keypoint of the project's skeleton."""
    return np.array([marker_index(model, name) for name in project_skeleton().markers])


def draw_movement(
    person: KinematicModel,
    rng: np.random.Generator,
    frames: int,
    rate: float,
    setting: MotionSetting | None = None,
) -> Movement:
    """A movement of ``frames`` frames at ``rate`` frames per second, from a drawn family."""
    setting = setting or MotionSetting()
    names = tuple(setting.families)
    family = names[rng.integers(len(names))]
    times = np.arange(frames) / rate
    degrees = _posture(person, rng, times, setting)
    parts = [setting.families[family]]
    if rng.random() < setting.mixed:
        parts.append(setting.families[names[rng.integers(len(names))]])
    for part in parts:
        for gesture in part.gestures:
            if rng.random() < 0.85:
                _gesture(person, rng, times, gesture, setting, degrees)
        if part.walks:
            _walk(person, rng, times, part.walks, degrees)
        if part.wild:
            _wild(person, rng, times, part.wild, degrees)
    if all(part.flat for part in parts):
        stand_flat(person, degrees)
    coordinates = within_ranges(person, np.radians(degrees))
    turned = _headings(rng, times, max(part.turns for part in parts))
    return Movement(family, *on_the_ground(person, coordinates, turned))


def within_ranges(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """(T, Q) coordinates held back softly where they come near the end of their range."""
    lower, upper = natural_ranges(model)
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    part = (coordinates - middle) / half
    beyond = np.maximum(np.abs(part) - _FREE_PART, 0.0)
    rest = 1.0 - _FREE_PART
    held = np.minimum(np.abs(part), _FREE_PART) + rest * np.tanh(beyond / rest)
    return np.asarray(middle + half * np.sign(part) * held)


def natural_ranges(model: KinematicModel) -> tuple[FloatArray, FloatArray]:
    """(Q,) lower and upper ends: the model's own, and people's where the model has none."""
    lower, upper = model.lower.copy(), model.upper.copy()
    for name, ends in _NATURAL.items():
        for c in _columns(model.coordinate_names, name):
            lower[c], upper[c] = np.radians(ends)
    return lower, upper


@lru_cache(maxsize=256)
def _columns(names: tuple[str, ...], name: str) -> tuple[int, ...]:
    return tuple(c for c, own in enumerate(names) if own in (name, f"{name}_r", f"{name}_l"))


def _posture(
    person: KinematicModel, rng: np.random.Generator, times: FloatArray, setting: MotionSetting
) -> FloatArray:
    free = free_coordinates(person) & (person.motion != 1)
    own = np.degrees(np.where(person.motion == 1, 0.0, person.default))
    for name, (centre, spread) in _STANDING.items():
        for c in _columns(person.coordinate_names, name):
            own[c] = centre + spread * rng.standard_normal()
    for name, prior in _spine_priors().items():
        own[coordinate_index(person, name)] = setting.own_posture * prior * rng.standard_normal()
    tremble = _TREMBLE * free * waves(rng, times, person.n_coordinates, _TREMBLE_HERTZ)
    return np.asarray(own + tremble)


def _gesture(
    person: KinematicModel,
    rng: np.random.Generator,
    times: FloatArray,
    gesture: Gesture,
    setting: MotionSetting,
    degrees: FloatArray,
) -> None:
    active = activation(rng, times, setting.course, setting.seconds, gesture.signed)
    strength, sign = np.abs(active), np.sign(active)
    for name, (mean, spread) in gesture.moves.items():
        size = mean + spread * rng.standard_normal()
        # Which joint comes first and which last differs from person to person.
        course = sign * strength ** np.exp(rng.uniform(-0.4, 0.4))
        if name.endswith("_b"):
            for side in "rl":
                unequal = 1.0 + 0.1 * rng.standard_normal()
                degrees[:, coordinate_index(person, f"{name[:-1]}{side}")] += (
                    size * unequal * course
                )
        else:
            degrees[:, coordinate_index(person, name)] += size * course


def _wild(
    person: KinematicModel,
    rng: np.random.Generator,
    times: FloatArray,
    part: float,
    degrees: FloatArray,
) -> None:
    lower, upper = natural_ranges(person)
    moving = free_coordinates(person) & (person.motion != 1)
    swing = waves(rng, times, person.n_coordinates, _WILD_HERTZ) * rng.uniform(0.2, 1.0)
    middle = rng.uniform(0.0, 0.6) * 0.5 * (lower + upper)
    degrees += np.degrees(np.where(moving, middle + part * 0.5 * (upper - lower) * swing, 0.0))


def _walk(
    person: KinematicModel,
    rng: np.random.Generator,
    times: FloatArray,
    least: float,
    degrees: FloatArray,
) -> None:
    """A gait cycle: peaks of knee and ankle at their usual parts of the stride (Winter 1991)."""
    size = rng.uniform(least, 1.25)
    phase = 2.0 * np.pi * (rng.uniform(*_STRIDES_PER_SECOND) * times + rng.random())

    def bump(angle: FloatArray, at: float, narrow: float) -> FloatArray:
        return np.asarray(np.exp(narrow * (np.cos(angle - 2.0 * np.pi * at) - 1.0)))

    def add(name: str, values: FloatArray) -> None:
        degrees[:, coordinate_index(person, name)] += size * values

    for side, own in (("r", phase), ("l", phase + np.pi)):
        add(f"hip_flexion_{side}", 6.0 + 23.0 * np.cos(own))
        add(f"knee_angle_{side}", 14.0 * bump(own, 0.15, 5.0) + 55.0 * bump(own, 0.72, 3.5))
        add(f"ankle_angle_{side}", 9.0 * bump(own, 0.45, 3.0) - 18.0 * bump(own, 0.63, 9.0))
        add(f"mtp_angle_{side}", 25.0 * bump(own, 0.58, 9.0))
        add(f"arm_flex_{side}", -18.0 * np.cos(own))
        add(f"elbow_flex_{side}", 8.0 - 8.0 * np.cos(own))
    add("pelvis_rotation", 5.0 * np.cos(phase))
    add("pelvis_list", 3.5 * np.sin(phase))
    add("lumbar_bend", -5.0 * np.sin(phase))
    add("thoracic_bend", 2.0 * np.sin(phase))
    add("trunk_twist", -8.0 * np.cos(phase))
    add("neck_twist", 4.0 * np.cos(phase))


def stand_flat(person: KinematicModel, degrees: FloatArray) -> None:
    """Change the hips' flexion in coordinates (T, Q), in degrees, so that both soles are level."""
    tilt = degrees[:, coordinate_index(person, "pelvis_tilt")]
    for side in "rl":
        hip, knee, ankle = (
            coordinate_index(person, f"{joint}_{side}")
            for joint in ("hip_flexion", "knee_angle", "ankle_angle")
        )
        degrees[:, hip] = degrees[:, knee] - degrees[:, ankle] - tilt


def _headings(rng: np.random.Generator, times: FloatArray, turns: float) -> FloatArray:
    steady = np.radians(turns) * rng.standard_normal() * times
    sway = np.radians(0.3 * turns) * waves(rng, times, 1, _WILD_HERTZ)[:, 0]
    return np.asarray(rng.uniform(-np.pi, np.pi) + steady + sway)


def on_the_ground(
    person: KinematicModel, coordinates: FloatArray, heading: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Turned to the heading, and moved so that what carries lies on the floor and stays."""
    turn = [coordinate_index(person, f"pelvis_{n}") for n in ("tilt", "list", "rotation")]
    slide = [coordinate_index(person, f"pelvis_t{axis}") for axis in "xyz"]
    facing = Rotation.from_euler("Y", heading[:, None])
    coordinates[:, turn] = (facing * Rotation.from_euler("ZXY", coordinates[:, turn])).as_euler(
        "ZXY"
    )
    coordinates[:, slide] = 0.0
    points = marker_positions(person, coordinates)[:, keypoint_markers(person)]
    height = points[..., 1]
    lowest = height.min(axis=1, keepdims=True)
    carries = np.exp((lowest - height) / _CONTACT)
    carries /= carries.sum(axis=1, keepdims=True)
    moved = np.empty((len(points), 3))
    moved[:, 1] = -lowest[:, 0]
    between = 0.5 * (carries[1:] + carries[:-1])
    steps = -np.einsum("tk,tki->ti", between, np.diff(points[..., [0, 2]], axis=0))
    moved[0, [0, 2]] = 0.0
    moved[1:, [0, 2]] = np.cumsum(steps, axis=0)
    # The first frame stands over the origin.
    moved[:, [0, 2]] -= points[0][:, [0, 2]].mean(axis=0)
    coordinates[:, slide] = moved
    return consistent(person, coordinates), points + moved[:, None]
