"""The ``kinematics`` layers of a sequence: a subject follows its final points, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.layers import COORDINATES
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused, track_lengths
from pipeline.kinematics.follow import TOGETHER_S, Engine, Step, follow_steps, markers_of
from pipeline.kinematics.measured import read_measured
from pipeline.kinematics.model import ROTATIONAL, KinematicModel
from pipeline.kinematics.subject import Subject

FloatArray = NDArray[np.float64]

# Seconds read on either side of what is solved: as far as the labels of frames solved apart are
# felt. Of coordinates solved together it is longer.
_APART_S = 0.25


def check_subject(subject: Subject, sequence: Sequence) -> None:
    """UserError where the subject's model cannot follow the points of this sequence."""
    model = subject.model
    if model.n_coordinates > COORDINATES:
        raise UserError(
            f"The model “{model.name}” has {model.n_coordinates} coordinates; "
            f"at most {COORDINATES} can be kept for each frame."
        )
    if model.marker_names != sequence.info.skeleton.markers:
        raise UserError(
            f"The model “{model.name}” was made for other keypoints than those of "
            f"“{sequence.info.name}”; simulate anew."
        )


def solve_kinematics(
    sequence: Sequence, track: int, frames: NDArray[np.intp], subject: Subject
) -> tuple[Patch, ...]:
    """As :func:`kinematics_steps`, all at once."""
    steps = kinematics_steps(sequence, track, frames, subject)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            patches: tuple[Patch, ...] = end.value
            return patches


def kinematics_steps(
    sequence: Sequence,
    track: int,
    frames: NDArray[np.intp],
    subject: Subject,
    start: FloatArray | None = None,
    threads: int = 1,
    engine: Engine | None = None,
) -> Generator[Step, None, tuple[Patch, ...]]:
    """Patches that bring the ``kinematics`` layers up to date.

    Parameters
    ----------
    sequence : Sequence
        Its ``fused`` values are solved where they are stale.
    track : int
    frames : (n,) int array
        Ascending, without gaps.
    subject : Subject
    start : (Q,) array, optional
        Coordinates near those of the first frame.
    threads : int
        Parts solved side by side.
    engine : callable, optional
        Solves each frame by itself in place of our own solver.
    """
    together = subject.steady and engine is None
    reach = math.ceil((TOGETHER_S if together else _APART_S) * sequence.info.fps)
    low = max(int(frames[0]) - reach, 0)
    around = np.arange(low, min(int(frames[-1]) + reach + 1, sequence.n_frames), dtype=np.intp)
    stale = around[sequence.stamps.stale_at("fused", track, around)]
    if len(stale):
        lengths = track_lengths(sequence, track)
        for patch in solve_fused(sequence, track, stale, lengths):
            sequence.apply(patch)
        sequence.stamps.computed("fused", track, stale, sequence.revision)
    measured = read_measured(sequence, track, around)
    found = yield from follow_steps(subject, measured, threads, start, engine)
    here = frames - low
    fitted = _turned_back(subject.model, found.fitted.coordinates[here])
    markers = markers_of(subject, found.fitted.coordinates[here])
    labels = found.labels
    points = np.stack(np.meshgrid(frames, np.arange(markers.shape[1]), indexing="ij"), -1)
    by_point, by_frame = points.reshape(-1, 2), frames[:, None]
    values: dict[str, tuple[NDArray[np.intp], NDArray[np.generic]]] = {
        "kinematics.coordinates": (by_frame, _in_row(fitted, np.nan)),
        "kinematics.sigma": (by_frame, _in_row(found.solved.sigma[here], np.nan)),
        "kinematics.seen": (by_frame, _in_row(found.solved.seen[here], 0)),
        "kinematics.xyz": (by_point, markers.reshape(-1, 3)),
        "kinematics.label_xyz": (by_point, labels.xyz[here].reshape(-1, 3)),
        "kinematics.label_sigma": (by_point, 1000.0 * labels.sigma[here].reshape(-1)),
        "kinematics.label_source": (by_point, labels.source[here].reshape(-1)),
    }
    return tuple(
        sequence.patch(name, index, value, track) for name, (index, value) in values.items()
    )


def _in_row(values: NDArray[np.generic], fill: float) -> NDArray[np.generic]:
    """(n, Q) padded to (n, COORDINATES)."""
    row = np.full((len(values), COORDINATES), fill, values.dtype if values.dtype != bool else "u1")
    row[:, : values.shape[1]] = values
    return row


def _turned_back(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """Coordinates without whole turns at the first frame, so that blocks solved apart agree."""
    free = (model.motion == ROTATIONAL) & ~model.clamped & ~model.locked & (model.coupled_to < 0)
    known = np.isfinite(coordinates).all(axis=1)
    if not known.any():
        return coordinates
    turned = coordinates.copy()
    turns = np.round(coordinates[known][0] / (2.0 * math.pi))
    turned[:, free] -= 2.0 * math.pi * turns[free]
    return turned
