"""What any simulation comes to, whichever model and formulas made it: what is written to files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.labels import Labels
from pipeline.kinematics.model import KinematicModel, rotational_coordinates
from pipeline.simulation.scaling import ScaleReport
from pipeline.simulation.simulate import Simulation

FloatArray = NDArray[np.float64]

DEFAULT = "SIMSPINE Viewer's own spine model and fusion by variances"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Motion and labels of one person, T frames, K keypoints in the order of what was measured.

    Attributes
    ----------
    made_by : str
        Model and formulas, for people.
    scaling : ScaleReport
    model : KinematicModel or None
        The subject's model; None where arrays cannot express it and OpenSim solved it.
    coordinate_names, rotational, coordinates
        Q names, those that are angles, and (T, Q) radians and metres.
    marker_names, markers
        M markers of the model and (T, M, 3) where they are in that motion, metres.
    marker_error : (T, K) array
        From the measured points to the model's markers before anything is fused, metres; NaN
        where either is missing.
    labels : Labels
    notes : tuple of str
        What the user is to be told, in sentences.
    """

    made_by: str
    scaling: ScaleReport
    model: KinematicModel | None
    coordinate_names: tuple[str, ...]
    rotational: frozenset[str]
    coordinates: FloatArray
    marker_names: tuple[str, ...]
    markers: FloatArray
    marker_error: FloatArray
    labels: Labels
    notes: tuple[str, ...] = ()


def outcome_of(found: Simulation) -> Outcome:
    """A simulation with our own model and formulas."""
    return Outcome(
        made_by=DEFAULT,
        scaling=found.scaling,
        model=found.model,
        coordinate_names=found.model.coordinate_names,
        rotational=rotational_coordinates(found.model),
        coordinates=found.fitted.coordinates,
        marker_names=found.model.marker_names,
        markers=marker_positions(found.model, found.fitted.coordinates),
        marker_error=found.solved.marker_error,
        labels=found.labels,
    )
