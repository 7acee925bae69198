"""People whose segments have other proportions than the model's, in full motion.

Every segment has a size of its own, the column another curvature, and every keypoint is seen
somewhere else than where it is defined, always by the same distance. Forward kinematics are those
that agree with OpenSim's; of scaling and solving nothing goes in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.source import Source
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.measured import Measured, definition_sigma
from pipeline.kinematics.model import ROTATIONAL, KinematicModel, body_index, free_coordinates
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.kinematics.scale_refinement import scaled_kinematics

FloatArray = NDArray[np.float64]

# Between people: shares of the stature vary by 3 to 5 % (Drillis and Contini 1966; ANSUR II 2012),
# lordosis and kyphosis by about 10 degrees (Vialle et al. 2005).
_STATURE, _PROPORTIONS, _CURVATURE = 0.05, 0.045, np.radians(10.0)
# How far a keypoint is seen from its definition, of what is allowed for it; noise, metres.
_OFFSET, _NOISE = 0.8, 0.005
_HERTZ = (0.15, 0.45)
_REGIONS = ("L", "T", "C")


@dataclass(frozen=True, slots=True, eq=False)
class OtherPerson:
    """Who they are, what they do, and what is measured of it.

    ``model`` has the keypoints where they are defined, ``coordinates`` (T, Q), ``markers``
    (T, K, 3) metres; ``sizes`` by segment against the model's.
    """

    model: KinematicModel
    coordinates: FloatArray
    markers: FloatArray
    measured: Measured
    sizes: dict[str, float]


def other_person(
    generic: KinematicModel, seed: int, column: bool, frames: int = 250, rate: float = 25.0
) -> OtherPerson:
    """Somebody who stands for a second and then moves everything; ``column``: its levels seen."""
    rng = np.random.default_rng(seed)
    model, sizes = _built(generic, rng)
    q = _moved(model, rng, np.arange(frames) / rate)
    markers = marker_positions(model, q)
    sd = _OFFSET * definition_sigma(model.marker_names)[:, None]
    odd = rng.normal(0.0, 1.0, (model.n_markers, 3)) * sd
    xyz = marker_positions(
        replace(model, marker_locations=model.marker_locations + odd), q
    ) + rng.normal(0.0, _NOISE, markers.shape)
    sigma = np.full(xyz.shape[:2], _NOISE)
    if not column:
        levels = [
            place
            for place, name in enumerate(model.marker_names)
            if name.startswith("Spine_") or name in ("Neck_02", "Neck_03")
        ]
        xyz[:, levels], sigma[:, levels] = np.nan, np.nan
    manual = np.full(sigma.shape, Source.NONE, np.uint8)
    times = np.arange(frames) / rate
    measured = Measured(model.marker_names, times, xyz, sigma, manual, rate)
    return OtherPerson(model, q, markers, measured, sizes)


def _built(
    generic: KinematicModel, rng: np.random.Generator
) -> tuple[KinematicModel, dict[str, float]]:
    stature = np.exp(rng.normal(0.0, _STATURE))
    factors, sizes = np.full((generic.n_bodies, 3), stature), {}
    for one in keypoint_measurements(generic.marker_names, generic.body_names):
        sizes[one.name] = float(stature * np.exp(rng.normal(0.0, _PROPORTIONS)))
        for body, axes in one.bodies:
            for axis in axes:
                factors[body_index(generic, body), "XYZ".index(axis)] = sizes[one.name]
    model = scaled_kinematics(generic, factors)
    frames = model.parent_from_joint.copy()
    for region in _REGIONS:
        joints = [
            place
            for place, name in enumerate(model.joint_names)
            if name.startswith(region) and "_" in name
        ]
        turn = rng.normal(0.0, _CURVATURE) * rng.dirichlet(np.full(len(joints), 5.0))
        for place, angle in zip(joints, turn, strict=True):
            cos, sin = np.cos(angle), np.sin(angle)
            frames[place, :, :3] = frames[place, :, :3] @ np.array(
                [[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]
            )
    return replace(model, parent_from_joint=frames), sizes


def _moved(model: KinematicModel, rng: np.random.Generator, times: FloatArray) -> FloatArray:
    ease = np.clip((times - 1.0) / 0.5, 0.0, 1.0)
    ease = ease * ease * (3.0 - 2.0 * ease)
    q = np.tile(model.default, (len(times), 1))
    for c in np.flatnonzero(free_coordinates(model) & (model.motion == ROTATIONAL)):
        low, high = max(model.lower[c], -1.2), min(model.upper[c], 1.2)
        middle, half = 0.5 * (low + high), 0.35 * (high - low)
        if model.coordinate_names[c].startswith("pelvis"):
            middle, half = 0.0, 0.25
        waves = sum(
            share * np.sin(2.0 * np.pi * rng.uniform(*_HERTZ) * times + rng.uniform(0.0, 6.3))
            for share in (0.65, 0.35)
        )
        q[:, c] += ease * (middle - model.default[c] + half * waves)
        if model.clamped[c]:
            q[:, c] = np.clip(q[:, c], model.lower[c], model.upper[c])
    return consistent(model, q)
