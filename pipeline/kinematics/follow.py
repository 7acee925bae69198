"""A subject follows measured points: joint coordinates, labels, and coordinates that fit these."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.data.source import Source
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import judged, solve_steps
from pipeline.kinematics.ik_options import IkOptions, IkResult
from pipeline.kinematics.labels import Labels, fuse_labels
from pipeline.kinematics.measured import (
    MANUAL_SIGMA,
    Measured,
    definition_sigma,
    trust_of,
)
from pipeline.kinematics.steady import steady
from pipeline.kinematics.subject import Subject, weight_factors
from pipeline.kinematics.unmeasured import column_of

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

#: Another solver: coordinates (T, Q) of a subject's model for points (T, K, 3), in metres, weighed
#: as the options say; it yields the share of the work done.
Engine: TypeAlias = Callable[[Subject, FloatArray, IkOptions], Generator[float, None, FloatArray]]

#: Seconds before and after a frame that are felt in it where coordinates are solved together.
TOGETHER_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What following came to.

    Attributes
    ----------
    solved
        Joint coordinates for the measured points.
    virtual
        (T, K, 3) the model's markers there, metres; NaN where the model has no such marker.
    labels
        Measured and simulated points put together.
    fitted
        Joint coordinates for the labels: angles and labels agree.
    """

    solved: IkResult
    virtual: FloatArray
    labels: Labels
    fitted: IkResult


def follow_steps(
    subject: Subject,
    measured: Measured,
    threads: int = 1,
    start: FloatArray | None = None,
    engine: Engine | None = None,
) -> Generator[Step, None, Followed]:
    """Follow the points of all frames.

    Parameters
    ----------
    subject : Subject
        Its markers are those of ``measured``.
    measured : Measured
    threads : int
        Parts solved side by side.
    start : (Q,) array, optional
        Coordinates near those of the first frame.
    engine : callable, optional
        Solves each frame by itself in place of our own solver.

    Yields
    ------
    (float, str)
        Share of the work done and what is being done.
    """
    if engine is not None:
        subject = replace(subject, steady=False)
    solved = yield from solved_steps(subject, measured, 0.5, threads, start, engine)
    return (yield from finish_steps(subject, measured, solved, threads, 0.5, engine))


def solved_steps(
    subject: Subject,
    measured: Measured,
    share: float,
    threads: int,
    start: FloatArray | None = None,
    engine: Engine | None = None,
) -> Generator[Step, None, IkResult]:
    """Joint coordinates for the measured points; the steps end at ``share``."""
    factors = weight_factors(subject, trust_of(measured))
    options = subject.ik_options(threads=threads, marker_weights_at=factors)
    return (yield from _solved(subject, measured.xyz, options, 0.0, share, start, engine))


def finish_steps(
    subject: Subject,
    measured: Measured,
    solved: IkResult,
    threads: int,
    begin: float,
    engine: Engine | None = None,
) -> Generator[Step, None, Followed]:
    """Labels, and the coordinates that agree with them; the steps begin at ``begin``.

    Of a steady subject, the frames are solved together: what the points tell badly, such as the
    bending inside the thorax, is averaged over time instead of being pulled to what is usual in
    each frame. The labels then rest on these coordinates. Of others, the coordinates are fitted to
    the labels.
    """
    there = np.isfinite(solved.cost)
    if subject.steady and there.any():
        yield begin, "Solving all frames together"
        factors = weight_factors(subject, trust_of(measured))
        options = subject.ik_options(marker_weights_at=factors)
        together = steady(
            subject.model, measured.xyz, solved.coordinates, measured.rate, options
        ).fitted
        yield 0.5 * (begin + 1.0), "Fusing"
        virtual = markers_of(subject, together.coordinates)
        return Followed(together, virtual, _labels(subject, measured, together, virtual), together)
    yield begin, "Fusing"
    virtual = markers_of(subject, solved.coordinates)
    labels = _labels(subject, measured, solved, virtual)
    start = solved.coordinates[there][0] if there.any() else None
    by_hand = (definition_sigma(measured.names) / MANUAL_SIGMA) ** 2
    factors = np.where(measured.manual != Source.NONE, by_hand, 1.0)
    options = subject.ik_options(labels=True, threads=threads, marker_weights_at=factors)
    fitted = yield from _solved(subject, labels.xyz, options, begin, 1.0, start, engine)
    return Followed(solved, virtual, labels, fitted)


def _labels(subject: Subject, measured: Measured, solved: IkResult, virtual: FloatArray) -> Labels:
    # Frames solved apart have poses that differ by what was measured in each: their residuals tell
    # nothing of other frames.
    reach = TOGETHER_S if subject.steady else 0.0
    sigma = np.broadcast_to(subject.model_sigma, measured.sigma.shape).copy()
    column = column_of(
        subject.model, measured, solved.coordinates, virtual, subject.model_sigma, reach
    )
    simulated, places = virtual.copy(), list(column.places)
    simulated[:, places], sigma[:, places] = column.xyz, column.sigma
    # Solved apart, the pose of a frame in which levels were placed stands alone: the low-pass would
    # take the levels between them back to the poses of the frames around.
    firm = np.zeros(sigma.shape, np.bool_)
    firm[:, places] = column.between & (not subject.steady)
    return fuse_labels(
        measured.xyz,
        trust_of(measured),
        simulated,
        sigma,
        measured.manual,
        measured.rate,
        subject.cutoff,
        column.places,
        column.lengths,
        firm,
    )


def markers_of(subject: Subject, coordinates: FloatArray) -> FloatArray:
    """(T, K, 3) metres: the subject's markers; NaN where the model has no such marker."""
    virtual = marker_positions(subject.model, coordinates)
    virtual[:, ~np.isfinite(subject.model_sigma)] = np.nan
    return virtual


def _solved(
    subject: Subject,
    xyz: FloatArray,
    options: IkOptions,
    begin: float,
    end: float,
    start: FloatArray | None,
    engine: Engine | None,
) -> Generator[Step, None, IkResult]:
    if engine is not None:
        found = yield from _by(engine, subject, xyz, options, begin, end)
        return judged(subject.model, xyz, options, found)
    steps = solve_steps(subject.model, xyz, options, start)
    while True:
        try:
            part = next(steps)
        except StopIteration as finished:
            result: IkResult = finished.value
            return result
        yield begin + (end - begin) * part.done / len(xyz), "Solving"


def _by(
    engine: Engine,
    subject: Subject,
    xyz: FloatArray,
    options: IkOptions,
    begin: float,
    end: float,
) -> Generator[Step, None, FloatArray]:
    steps = engine(subject, xyz, options)
    while True:
        try:
            share = next(steps)
        except StopIteration as finished:
            coordinates: FloatArray = finished.value
            return coordinates
        yield begin + (end - begin) * share, "Solving"


def share_simulated(labels: Labels, keypoints: NDArray[np.intp]) -> float:
    """Share of some keypoints' labels that rest on the model alone."""
    source = labels.source[:, keypoints]
    return float(np.mean(np.isin(source, (Source.SIMULATED, Source.INTERPOLATED))))
