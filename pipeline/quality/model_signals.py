"""How far the body model stays from the points that it follows, per frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.derived import read_current
from pipeline.data.sequence import Sequence

FloatArray = NDArray[np.float64]


def model_signal(sequence: Sequence, track: int, frames: NDArray[np.intp]) -> FloatArray:
    """(n,) largest distance in a frame between the model's points and the final ones, mm.

    NaN where either is not up to date, or nothing was measured.
    """
    model = read_current(sequence, "kinematics.xyz", frames, track)
    points = read_current(sequence, "fused.xyz", frames, track)
    away = 1000.0 * np.linalg.norm(model.astype(np.float64) - points, axis=-1)
    known = np.isfinite(away)
    largest = np.where(known, away, 0.0).max(axis=1, initial=0.0)
    return np.where(known.any(axis=1), largest, np.nan)
