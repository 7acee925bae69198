"""Bodies of many shapes: an articulated model scaled on its arrays, and shapes drawn at random.

Scaling follows OpenSim's rules: what stands in a body's frame is scaled by that body's factors,
what stands in its parent's frame by the parent's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.model import CONSTANT, GROUND, KinematicModel
from pipeline.kinematics.scale_factors import axis_factors
from pipeline.kinematics.scale_measurements import keypoint_measurements

FloatArray = NDArray[np.float64]

# The model's own stature (its markers at head and feet) and mass.
MODEL_STATURE, MODEL_MASS = 1.75, 75.0  # m, kg
_BACK = ("Hip", "Spine_", "Neck", "LLatissimus", "RLatissimus")
# Thicker flesh moves points of the back away from the bones by so much per unit of
# (mass factor - 1): 15 mm between 75 and 100 kg; assumed.
_FLESH = 0.045  # m


@dataclass(frozen=True, slots=True)
class BodyRange:
    """How bodies differ.

    Parameters
    ----------
    stature : (float, float)
        Least and greatest stature in metres, drawn evenly.
    region_sd : float
        Standard deviation of a region's factor around the stature's.
    side_sd : float
        Of what left and right limbs differ by.
    mass_index : (float, float)
        Least and greatest kg/m², drawn evenly.
    marker_sd : float
        Of where points sit on a body, metres along each axis, the same on both sides.
    """

    stature: tuple[float, float] = (1.50, 1.98)
    region_sd: float = 0.035
    side_sd: float = 0.006
    mass_index: tuple[float, float] = (18.0, 31.0)
    marker_sd: float = 0.006


def scaled(
    model: KinematicModel, factors: Mapping[str, FloatArray], mass: float | None = None
) -> KinematicModel:
    """``model`` with bodies scaled along their own axes, without meshes.

    Parameters
    ----------
    factors
        (3,) factors along X, Y, Z by body; bodies that are not named stay as they are.
    mass
        Kilograms, shared out as before; without it masses follow the volumes.

    Raises
    ------
    KeyError
        For a body that the model lacks.
    ValueError
        For a joint between two bodies that slides, which nothing here scales.
    """
    unknown = sorted(set(factors) - set(model.body_names))
    if unknown:
        raise KeyError(f"the model has no body named {unknown[0]}")
    slides = (model.function_kind[model.axis_function[:, 3:]] != CONSTANT).any(axis=1)
    if np.any(slides & (model.parents != GROUND)):
        raise ValueError("a joint between two bodies slides")
    own = np.ones((model.n_bodies, 3))
    for name, along in factors.items():
        own[model.body_names.index(name)] = along
    of_parent = np.where((model.parents >= 0)[:, None], own[model.parents], 1.0)
    before, after = model.parent_from_joint.copy(), model.joint_from_body.copy()
    before[:, :, 3] *= of_parent
    # The joint's place in the body is scaled, and the inverse of that transform is what is kept.
    turn = after[:, :, :3]
    place = -np.einsum("bji,bj->bi", turn, after[:, :, 3]) * own
    after[:, :, 3] = -np.einsum("bij,bj->bi", turn, place)
    of_marker = np.where((model.marker_bodies >= 0)[:, None], own[model.marker_bodies], 1.0)
    masses = model.masses * own.prod(axis=1)
    if mass is not None:
        masses = model.masses * (mass / model.masses.sum())
    return replace(
        model,
        parent_from_joint=before,
        joint_from_body=after,
        marker_locations=model.marker_locations * of_marker,
        masses=masses,
        mass_centres=model.mass_centres * own,
        mesh_files=(),
        mesh_bodies=np.empty(0, np.int64),
        body_from_mesh=np.empty((0, 3, 4)),
        mesh_scale=np.empty((0, 3)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """How somebody is built: (3,) factors along the axes of each body by name, and the whole.

    ``stature`` is in metres, ``mass`` in kilograms; ``stoutness`` is the mass over that of the
    model at the same stature, less 1.
    """

    factors: Mapping[str, FloatArray]
    stature: float
    mass: float

    @property
    def stoutness(self) -> float:
        return self.mass / (MODEL_MASS * (self.stature / MODEL_STATURE) ** 2) - 1.0


def random_person(
    model: KinematicModel, rng: np.random.Generator, bodies: BodyRange
) -> KinematicModel:
    """``model`` with the stature, proportions, mass and points of somebody drawn at random."""
    build = draw_build(model, rng, bodies)
    return with_build(model, rng, bodies, build)


def with_build(
    model: KinematicModel, rng: np.random.Generator, bodies: BodyRange, build: Build
) -> KinematicModel:
    """``model`` for somebody built so; where points sit is still drawn."""
    person = scaled(model, build.factors, build.mass)
    return replace(person, marker_locations=_moved(person, rng, bodies, build.stoutness))


def draw_build(model: KinematicModel, rng: np.random.Generator, bodies: BodyRange) -> Build:
    """Stature, proportions and mass of somebody drawn at random."""
    stature = rng.uniform(*bodies.stature)
    overall = stature / MODEL_STATURE
    measurements = keypoint_measurements(model.marker_names, model.body_names)
    drawn = overall * np.exp(bodies.region_sd * rng.standard_normal(len(measurements)))
    factors = {
        body: np.where(np.isnan(along), overall, along)
        for body, along in axis_factors(measurements, drawn).items()
    }
    for body, along in factors.items():
        if body.endswith(("_r", "_l")):
            factors[body] = along * np.exp(bodies.side_sd * rng.standard_normal())
    mass = rng.uniform(*bodies.mass_index) * stature**2
    return Build(factors, stature, mass)


def _moved(
    person: KinematicModel, rng: np.random.Generator, bodies: BodyRange, stoutness: float
) -> FloatArray:
    """Marker places with what is somebody's own: mirrored on the other side, deeper under flesh."""
    offsets = bodies.marker_sd * rng.standard_normal((person.n_markers, 3))
    names = person.marker_names
    for m, name in enumerate(names):
        if name[0] == "R" and f"L{name[1:]}" in names:
            offsets[m] = offsets[names.index(f"L{name[1:]}")] * [1.0, 1.0, -1.0]
        elif name[0] != "L":
            offsets[m, 2] *= 0.5  # the middle of the body is marked more surely than its depth
    for m, name in enumerate(names):
        if name.startswith(_BACK):
            offsets[m, 0] -= _FLESH * stoutness
    return person.marker_locations + offsets
