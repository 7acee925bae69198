"""OpenSim's solver in place of ours: the same objective, each frame by itself."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.follow import Engine
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.subject import Subject
from pipeline.simulation.opensim_ik import opensim_ik_steps

FloatArray = NDArray[np.float64]


def opensim_engine(subject_file: Path) -> Engine:
    """An engine for the subject whose ``.osim`` this is.

    A frame without any point gives NaN. Which minimum OpenSim comes to hangs on the frame before:
    it looks for no other.
    """

    def solve(
        subject: Subject, xyz: FloatArray, options: IkOptions
    ) -> Generator[float, None, FloatArray]:
        model = subject.model
        if not np.isfinite(xyz).all(axis=-1).any():
            return np.full((len(xyz), model.n_coordinates), np.nan)
        found = yield from opensim_ik_steps(
            subject_file,
            model.marker_names,
            np.arange(len(xyz), dtype=np.float64),
            xyz,
            options.marker_weights,
            marker_weights_at=options.marker_weights_at,
            priors=options.priors,
            marker_sd=options.marker_sd,
        )
        order = [found.coordinate_names.index(name) for name in model.coordinate_names]
        return found.coordinates[:, order]

    return solve
