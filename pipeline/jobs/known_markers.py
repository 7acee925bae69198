"""Markers that are known better than any camera saw them, such as motion capture: step 1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.data.errors import UserError
from pipeline.io.trc import Trc, read_trc
from pipeline.kinematics.measured import Measured
from pipeline.kinematics.published import KNOWN

_SAME_RATE = 1e-3
_SIGMA = 0.001  # m: what motion capture is good for


def with_known(measured: Measured, path: Path, *, published: bool = False) -> Measured:
    """Known markers over measured ones of the same name, by time.

    Parameters
    ----------
    measured : Measured
    path : Path
        TRC in the recording's axes, its times those of the recording.
    published : bool
        Only the sixteen that SIMSPINE replaces, and only as many frames as both have.

    Raises
    ------
    UserError
        A file that cannot be read, of another rate, or without a keypoint or time in common.
    """
    known = read_trc(path)
    if abs(known.rate / measured.rate - 1.0) > _SAME_RATE:
        raise UserError(
            f"{path} has {known.rate:g} frames per second but the recording {measured.rate:g}."
        )
    names = [n for n in known.names if n in measured.names and (n in KNOWN or not published)]
    if not names:
        raise UserError(f"{path} has no marker that is called as one of our keypoints.")
    rows = np.round((known.times - measured.times[0]) * measured.rate).astype(np.intp)
    inside = (rows >= 0) & (rows < len(measured.times))
    if not inside.any():
        raise UserError(f"{path} has no frame at a time of the recording.")
    merged = _merged(measured, known, names, rows, inside)
    return _first(merged, int(rows[inside].max()) + 1) if published else merged


def _merged(
    measured: Measured, known: Trc, names: list[str], rows: np.ndarray, inside: np.ndarray
) -> Measured:
    xyz, sigma = measured.xyz.copy(), measured.sigma.copy()
    for name in names:
        place, own = measured.names.index(name), known.names.index(name)
        there = inside & np.isfinite(known.xyz[:, own]).all(axis=-1)
        xyz[rows[there], place] = known.xyz[there, own]
        sigma[rows[there], place] = _SIGMA
    return replace(measured, xyz=xyz, sigma=sigma)


def _first(measured: Measured, n_frames: int) -> Measured:
    return replace(
        measured,
        times=measured.times[:n_frames],
        xyz=measured.xyz[:n_frames],
        sigma=measured.sigma[:n_frames],
        manual=measured.manual[:n_frames],
    )
