"""A body with a skin in the place of somebody who was measured: what of them hides what.

The shipped model is scaled to the person's lengths and follows their points; a shipped skin is
fitted to it. It serves to tell what is in front of what, not to measure anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.follow import solved_steps
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik_options import Prior
from pipeline.kinematics.measured import Measured, was_measured
from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.scale_factors import (
    SegmentFactor,
    axis_factors,
    measure_chain,
    solve_factors,
)
from pipeline.kinematics.scale_frames import select_frames
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.kinematics.subject import Subject, subject_of
from pipeline.simulation.model_tables import read_tables
from pipeline.synthesis.people import Sex, Skin, fitted, plain_model
from pipeline.synthesis.physique import MODEL_MASS, MODEL_STATURE, Build, scaled

FloatArray = NDArray[np.float64]

# Sizes of a segment are within these of the stature's (spine_model.md §4.5).
_LEAST, _MOST = 0.85, 1.15
_ROUNDS = 12
# Whose skin it is makes no difference to what is hidden: 95.3 % right with either, of eight people
# drawn at random, clothed or not, of both sexes.
_SKIN: Sex = "man"


@dataclass(frozen=True, slots=True, eq=False)
class StandIn:
    """A body for somebody: ``subject`` follows the points with ``model``, dressed in ``skin``."""

    subject: Subject
    skin: Skin

    @property
    def model(self) -> KinematicModel:
        """Scaled; its markers are the keypoints."""
        return self.subject.model


def stand_in(stretches: Sequence[Measured]) -> StandIn:
    """A body of somebody's size.

    Parameters
    ----------
    stretches : sequence of Measured
        Points in some stretches of consecutive frames.

    Raises
    ------
    ValueError
        Where the points have no two of which a length can be taken.
    """
    generic = plain_model()
    known = was_measured(stretches[0])
    for stretch in stretches[1:]:
        known = known | was_measured(stretch)
    there = {name for name, here in zip(stretches[0].names, known, strict=True) if here}
    measurements = keypoint_measurements(there & set(generic.marker_names), generic.body_names)
    chains = {chain for one in measurements for chain in one.chains}
    frames = select_frames(stretches, neutral=_neutral(generic))
    lengths = {chain: measure_chain(chain, stretches, frames) for chain in chains}
    if not any(length.n_frames for length in lengths.values()):
        raise ValueError("the points tell no length of a body")

    def model_lengths(by_body: Mapping[str, FloatArray]) -> dict[tuple[str, ...], float]:
        at = _neutral(scaled(generic, _whole(by_body, 1.0)))
        return {
            chain: float(np.linalg.norm(np.diff([at[m] for m in chain], axis=0), axis=1).sum())
            for chain in chains
        }

    def factors(bounds: tuple[float, float] | None) -> tuple[SegmentFactor, ...]:
        return solve_factors(measurements, lengths, model_lengths, bounds, _ROUNDS)

    size = float(np.nanmedian([one.factor for one in factors(None)]))
    found = factors((_LEAST * size, _MOST * size))
    by_body = _whole(axis_factors(found, [one.factor for one in found]), size)
    build = Build(by_body, size * MODEL_STATURE, MODEL_MASS * size**2)
    model = scaled(generic, by_body)
    subject = subject_of(model, stretches[0], _priors())
    return StandIn(subject, fitted(_SKIN, subject.model, build))


def follow(body: StandIn, measured: Measured, start: FloatArray | None = None) -> FloatArray:
    """(T, Q) coordinates of the body for measured points; NaN in frames without any.

    ``start`` (Q,) are coordinates near those of the first frame.
    """
    steps = solved_steps(body.subject, measured, 1.0, 1, start)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            coordinates: FloatArray = end.value.coordinates
            return coordinates


def _whole(by_body: Mapping[str, FloatArray], size: float) -> dict[str, FloatArray]:
    """(3,) factors of every body; those that nothing measures have the person's size."""
    unknown = np.full(3, np.nan)
    return {
        name: np.where(np.isnan(by_body.get(name, unknown)), size, by_body.get(name, unknown))
        for name in plain_model().body_names
    }


def _neutral(model: KinematicModel) -> dict[str, FloatArray]:
    """Markers (3,) in the default pose, metres."""
    places = marker_positions(model, model.default[None])[0]
    return dict(zip(model.marker_names, places, strict=True))


@cache
def _priors() -> dict[str, Prior]:
    return {
        row.name: Prior(0.0, float(np.radians(row.prior_sd_deg)))
        for row in read_tables().regional("core")
    }
