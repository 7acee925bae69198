"""Joint coordinates from all frames at once: their markers, and how fast and far people move.

A coordinate is taken for a random movement of a known spread, whose spectrum is flat up to a band
limit and falls with the sixth power of the frequency beyond. What the markers tell well follows
them; what they tell badly, such as the bending inside the thorax, is averaged over longer times. A
prior in each frame would count the same knowledge again and again, and pull full movements to its
mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics import ik_layout as layout
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.ik import deviations
from pipeline.kinematics.ik_options import IkOptions, IkResult
from pipeline.kinematics.ik_problem import Problem, unwrapped
from pipeline.kinematics.model import TRANSLATIONAL, FloatArray, KinematicModel
from pipeline.kinematics.steady_noise import Sizes, sizes_of
from pipeline.kinematics.steady_solve import (
    Expected,
    covariances,
    normal_equations,
    spread_weights,
    step_over_time,
)

# Newton steps over all frames, at most; radians (and metres) that are not worth another.
_ROUNDS, _SETTLED = 6, 0.02
_SHORTENINGS, _SHORTER = 4, 0.3
# Coordinates of one joint that jump together by more are another way to say the same pose.
_BREAK = 1.0
# Weight of the mean where there is no prior: keeps what nothing is known of within some turns.
_NO_PRIOR = 1e-6
# Seconds that share one covariance.
_SHARED = 0.2
# Of these, one in so many is asked how much of the residuals the fit has taken up.
_SPARSE = 4


@dataclass(frozen=True, slots=True)
class Movement:
    """What is known of movements beforehand.

    Attributes
    ----------
    band
        Hz, up to which a coordinate uses its whole spread.
    turn, shift
        SD of a coordinate that has no prior, radians and metres.
    """

    band: float = 1.0
    turn: float = 1.0
    shift: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Steady:
    """A movement and what the residuals say of its markers.

    Attributes
    ----------
    fitted
        As from :func:`pipeline.kinematics.ik.solve`; ``sigma`` holds noise and offsets.
    noise, offset
        SD per axis of a marker of weight one, metres: what changes from frame to frame, and what
        stays, in the frame of the body.
    """

    fitted: IkResult
    noise: float
    offset: float


def steady(
    model: KinematicModel,
    markers: FloatArray,
    start: FloatArray,
    rate: float,
    options: IkOptions,
    movement: Movement | None = None,
) -> Steady:
    """Solve all frames at once, from a solution frame by frame.

    Parameters
    ----------
    model : KinematicModel
    markers : (T, M, 3) array
        Metres, NaN where missing, at equal steps of time.
    start : (T, Q) array
        Coordinates of each frame by itself; NaN where there are none.
    rate : float
        Frames per second.
    options : IkOptions
        Weights, tasks and ``marker_sd`` as for a solution frame by frame; the priors say mean
        and spread of a coordinate over time.
    movement : Movement, optional

    Raises
    ------
    KeyError, ValueError
        As :func:`pipeline.kinematics.ik.solve`.
    """
    movement = movement or Movement()
    problem = Problem(model, np.asarray(markers, np.float64), replace(options, priors={}))
    own = problem.tables.coordinates
    if problem.missing.all() or not len(own):
        raise ValueError("no frame has a marker that moves anything")
    x = _bridged(unwrapped(model, start)[:, own], problem.missing)
    expected, spread = _expected(problem, x, options, movement, rate)
    sizes = Sizes(options.marker_sd, options.marker_sd)
    overlap = round(2.0 * rate / movement.band)
    hessians, gradients = normal_equations(problem, x)
    for turn in range(_ROUNDS):
        if turn > 0:  # only a smooth movement has residuals that tell noise from movement
            left = _residuals(problem, x)
            sizes = sizes_of(
                left, _shared(hessians, rate)[::_SPARSE], expected, sizes, options.marker_sd, rate
            )
            expected = replace(expected, held=_held(spread, sizes, len(x)))
        precision = sizes.noise**-2.0
        slope = precision * gradients + expected.slope(x)
        step = step_over_time(precision * hessians, slope, expected, overlap)
        x, moved = _stepped(problem, x, step, expected, precision)
        hessians, gradients = normal_equations(problem, x)
        if moved < _SETTLED and turn > 0:
            break
    variances = _variances(_shared(hessians, rate), expected, spread, sizes)
    per = _per(rate)
    return Steady(
        _result(problem, x, np.repeat(variances, per, axis=0)[: len(x)], options, markers),
        sizes.noise,
        sizes.offset,
    )


def _bridged(unknowns: FloatArray, missing: NDArray[np.bool_]) -> FloatArray:
    lost = missing | ~np.isfinite(unknowns).all(axis=1)
    frames = np.arange(len(unknowns))
    return np.stack(
        [np.interp(frames, frames[~lost], column[~lost]) for column in unknowns.T], axis=1
    )


def _expected(
    problem: Problem, x: FloatArray, options: IkOptions, movement: Movement, rate: float
) -> tuple[Expected, FloatArray]:
    """What is expected of the unknowns, and the SD of their priors, infinite without one."""
    model, own = problem.model, problem.tables.coordinates
    spread, mean = np.full(len(own), np.inf), np.zeros(len(own))
    for u, c in enumerate(own):
        prior = options.priors.get(model.coordinate_names[c])
        if prior is not None:
            spread[u], mean[u] = prior.sd, prior.mean
    told = np.isfinite(spread)
    usual = np.where(model.motion[own] == TRANSLATIONAL, movement.shift, movement.turn)
    stiffness, roughness = spread_weights(np.where(told, spread, usual), movement.band, rate)
    # A sequence shorter than one movement counts a prior once.
    stiffness = np.where(told, np.maximum(stiffness, spread**-2.0 / len(x)), _NO_PRIOR)
    held = np.zeros(len(own))
    return Expected(mean, stiffness, roughness, _joined(problem, x), held), spread


def _held(spread: FloatArray, sizes: Sizes, frames: int) -> FloatArray:
    """Weights of the means over time: against offsets, more frames are no more evidence."""
    return np.asarray(frames * (sizes.offset / sizes.noise) ** 2 * spread**-2.0)


def _joined(problem: Problem, x: FloatArray) -> FloatArray:
    ints, n = problem.tables.ints, x.shape[1]
    joint = np.full(n, -1)
    first = int(ints[layout.BODIES])
    for b in range(int(ints[layout.N_BODIES])):
        row = first + layout.BODY_SIZE * b
        for s in range(int(ints[row + layout.BODY_FIRST]), int(ints[row + layout.BODY_STOP])):
            u = int(ints[int(ints[layout.STEPS]) + layout.STEP_SIZE * s + layout.STEP_UNKNOWN])
            if u >= 0 and joint[u] < 0:
                joint[u] = b
    jumps = np.abs(np.diff(x, axis=0)) > _BREAK
    jumps &= problem.rows[:, layout.TURNS] > 0.0
    cut = np.zeros_like(jumps)
    for b in np.unique(joint):
        together = jumps[:, joint == b].sum(axis=1) > 1
        cut[:, joint == b] = together[:, None]
    if len(x) < 4:
        return np.zeros((max(len(x) - 3, 0), n))
    return np.asarray(~(cut[:-2] | cut[1:-1] | cut[2:]), np.float64)


def _stepped(
    problem: Problem, x: FloatArray, step: FloatArray, expected: Expected, precision: float
) -> tuple[FloatArray, float]:
    """The step within the bounds, shortened until it leads down, and its largest part."""
    low, high = problem.rows[:, layout.LOWER], problem.rows[:, layout.UPPER]
    before = _cost(problem, x, expected, precision)
    for _ in range(_SHORTENINGS):
        tried = np.clip(x + step, low, high)
        if _cost(problem, tried, expected, precision) <= before:
            return np.asarray(tried, np.float64), float(np.abs(tried - x).max())
        step = _SHORTER * step
    return x, 0.0


def _cost(problem: Problem, x: FloatArray, expected: Expected, precision: float) -> float:
    left = _residuals(problem, x)
    return 0.5 * precision * float(np.nansum(left**2)) + expected.cost(x)


def _residuals(problem: Problem, x: FloatArray) -> FloatArray:
    """(T, m, 3) weighted residuals, in the axes of the bodies, metres; NaN where missing."""
    model, used = problem.model, problem.tables.markers
    coordinates = problem.coordinates(x)
    poses = body_transforms(model, coordinates)
    left = marker_positions(model, coordinates, poses)[:, used] - problem.markers
    weight = np.sqrt(problem.weights)[..., None]
    turned = poses[:, model.marker_bodies[used], :, :3]
    return np.asarray(
        np.einsum("tmij,tmi->tmj", turned, np.where(weight > 0.0, left * weight, np.nan))
    )


def _per(rate: float) -> int:
    return max(1, round(_SHARED * rate))


def _shared(hessians: FloatArray, rate: float) -> FloatArray:
    """Means over frames next to each other, which share one covariance."""
    starts = np.arange(0, len(hessians), _per(rate))
    count = np.diff(np.append(starts, len(hessians)))
    return np.asarray(np.add.reduceat(hessians, starts, axis=0) / count[:, None, None])


def _variances(
    hessians: FloatArray, expected: Expected, spread: FloatArray, sizes: Sizes
) -> FloatArray:
    """(W, U) variances: what noise leaves after smoothing, and what constant offsets do."""
    smooth = np.diagonal(covariances(hessians / sizes.noise**2, expected), 0, 1, 2)
    told = np.isfinite(spread)
    held = np.diag(np.where(told, spread, 1.0) ** -2.0 * np.where(told, 1.0, _NO_PRIOR))
    shifted = hessians / sizes.offset**2 + held
    constant = np.diagonal(np.linalg.inv(shifted), 0, 1, 2)
    return np.asarray(np.minimum(smooth + constant, spread**2))


def _result(
    problem: Problem,
    x: FloatArray,
    variances: FloatArray,
    options: IkOptions,
    markers: FloatArray,
) -> IkResult:
    model = problem.model
    x = np.where(problem.missing[:, None], np.nan, x)
    coordinates = unwrapped(model, problem.coordinates(x))
    reached = marker_positions(model, coordinates)
    prior_sd = np.full(model.n_coordinates, np.inf)
    for name, prior in options.priors.items():
        prior_sd[model.coordinate_names.index(name)] = prior.sd
    sigma, seen = deviations(problem, coordinates, variances, prior_sd)
    left = _residuals(problem, x)
    weights = np.where(np.isfinite(problem.markers.sum(axis=2)), problem.weights, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = 0.5 * np.nansum(left**2, axis=(1, 2)) / weights
    return IkResult(
        coordinates=coordinates,
        cost=np.where(problem.missing, np.nan, cost),
        marker_error=np.linalg.norm(reached - markers, axis=-1),
        sigma=sigma,
        seen=seen,
        iterations=np.full(len(x), _ROUNDS),
    )
