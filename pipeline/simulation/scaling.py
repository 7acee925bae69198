"""A generic OpenSim model becomes the model of one subject, from distances of markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.kinematics.scale_factors import (
    ScaleMeasurement,
    SegmentFactor,
    axis_factors,
    measure_chain,
    solve_factors,
)
from pipeline.kinematics.scale_frames import BoolArray, FrameRule, Trial, select_frames
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.simulation.model_writing import save_model
from pipeline.simulation.opensim_api import osim
from pipeline.simulation.osim_model import attach_markers, load_model
from pipeline.simulation.quiet import quiet_process

FloatArray = NDArray[np.float64]

# Bounds of a segment's factor around the stature's (spine_model.md §4.5).
_LEAST, _MOST = 0.85, 1.15
# Factors beyond these are a mistake in units or names, not a person.
_ABSURD = (0.2, 5.0)
# Chains may run over bodies of several factors; a round leaves less than half of the error.
_ROUNDS = 12
# The neutral bend of the column changes with the proportions; a third pass changes no frame.
_PASSES = 3
_HEAD, _FEET = "Head", ("RHeel", "LHeel", "RBigToe", "LBigToe")


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """How a model is scaled.

    Parameters
    ----------
    measurements : tuple of ScaleMeasurement, optional
        What is measured; those of our markers by default.
    manual : mapping, optional
        Factors (X, Y, Z) by body that are given; they override what is measured.
    height : float, optional
        Stature of the subject in metres; bounds every factor to 0.85 to 1.15 of the stature's.
    model_height : float, optional
        Stature of the generic model; by default from its markers at head and feet.
    mass : float, optional
        Kilograms, shared out as in the generic model; by default masses follow the volumes.
    unmeasured : float, optional
        Factor of bodies that nothing measures; by default the stature's or, without a height,
        the median of the measured ones.
    rule : FrameRule
        Which frames are measured.
    rounds : int
        1 compares chains with the generic model only, as OpenSim's ScaleTool does.
    name : str
        Of the scaled model; the file's by default.
    """

    measurements: tuple[ScaleMeasurement, ...] | None = None
    manual: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    height: float | None = None
    model_height: float | None = None
    mass: float | None = None
    unmeasured: float | None = None
    rule: FrameRule = field(default_factory=FrameRule)
    rounds: int = _ROUNDS
    name: str = ""


@dataclass(frozen=True, slots=True)
class RefinedFactor:
    """A segment's size as movements tell it (``pipeline.simulation.refining``).

    Attributes
    ----------
    name
        Of the segment.
    before, factor
        From lengths between markers, and as applied.
    sigma
        SD of the factor's logarithm.
    seen
        Whether the markers decide, rather than what is usual for the stature.
    """

    name: str
    before: float
    factor: float
    sigma: float
    seen: bool


@dataclass(frozen=True, slots=True)
class ScaleReport:
    """What a subject's model was made of.

    Attributes
    ----------
    model_file, mass
        The scaled model; kilograms.
    factors, body_factors
        Every measurement with its data, and X, Y and Z of every body, as applied.
    unmeasured, unmeasured_bodies
        The factor of what nothing measures, and the bodies that take it along some axis.
    stature_factor
        Height of the subject / height of the model; None without a height.
    n_frames, n_selected
        Frames of all trials, and those that were measured.
    ignored_markers, ignored_bodies
        Of the recording and of the measurements, what the model lacks.
    refined
        Sizes that replaced those measured; empty where nothing was refined.
    """

    model_file: Path
    factors: tuple[SegmentFactor, ...]
    body_factors: dict[str, tuple[float, float, float]]
    unmeasured: float
    unmeasured_bodies: tuple[str, ...]
    stature_factor: float | None
    mass: float
    n_frames: int
    n_selected: int
    ignored_markers: tuple[str, ...]
    ignored_bodies: tuple[str, ...]
    refined: tuple[RefinedFactor, ...] = ()


def scale_model(
    model_file: Path,
    trials: Sequence[Trial],
    output: Path,
    options: ScaleOptions | None = None,
    marker_set: Path | None = None,
) -> ScaleReport:
    """Scale a generic model to a subject and write it.

    Parameters
    ----------
    model_file : Path
        The generic ``.osim``.
    trials : sequence of Trial
        Recordings of the subject, each by itself: nothing is taken across two of them.
    output : Path
        The subject's ``.osim``; it takes its place whole or not at all.
    options : ScaleOptions, optional
        All defaults are fit for our markers.
    marker_set : Path, optional
        Markers to be added to the model's own before it is scaled.

    Raises
    ------
    UserError
        No marker or measurement in common, no frames, factors that are no person's, a factor
        given for a body that the model lacks, or files that cannot be read or written.
    """
    options = options or ScaleOptions()
    with quiet_process():
        model = load_model(model_file, strip=False)
        if marker_set is not None:
            attach_markers(model, marker_set)
        measured_on = _BareModel(model, model_file)
    measurements = _measurements(measured_on, trials, options)
    missing = [body for body in options.manual if body not in measured_on.bodies]
    if missing:
        raise UserError(f"{model_file} was not scaled: it has no body {missing[0]}.")
    stature = _stature_factor(measured_on, options)
    with quiet_process():
        bounds = None if stature is None else (_LEAST * stature, _MOST * stature)
        frames, factors = _measured(measured_on, trials, measurements, bounds, options)
    unmeasured = options.unmeasured or stature or float(np.nanmedian([f.factor for f in factors]))
    by_body = axis_factors(factors, [f.factor for f in factors])
    by_body |= {body: np.array(given) for body, given in options.manual.items()}
    complete = {body: by_body.get(body, np.full(3, np.nan)) for body in measured_on.bodies}
    applied = {b: np.where(np.isnan(f), unmeasured, f) for b, f in complete.items()}
    with quiet_process():
        mass = _scale(model, applied, options.mass)
        model.setName(options.name or output.stem)
        save_model(model, output)
    known = {name for trial in trials for name in trial.names}
    return ScaleReport(
        model_file=output,
        factors=factors,
        body_factors={b: (float(f[0]), float(f[1]), float(f[2])) for b, f in applied.items()},
        unmeasured=unmeasured,
        unmeasured_bodies=tuple(b for b, f in complete.items() if np.isnan(f).any()),
        stature_factor=stature,
        mass=mass,
        n_frames=sum(len(trial.times) for trial in trials),
        n_selected=int(sum(here.sum() for here in frames)),
        ignored_markers=tuple(sorted(known - set(measured_on.markers))),
        ignored_bodies=tuple(sorted(set(by_body) - set(measured_on.bodies))),
    )


def _measured(
    model: _BareModel,
    trials: Sequence[Trial],
    measurements: Sequence[ScaleMeasurement],
    bounds: tuple[float, float] | None,
    options: ScaleOptions,
) -> tuple[list[BoolArray], tuple[SegmentFactor, ...]]:
    """The frames and the factors: which frames are upright depends on the scaled model too."""
    chains = {chain for one in measurements for chain in one.chains}
    by_body: dict[str, FloatArray] = {}
    frames: list[BoolArray] = []
    factors: tuple[SegmentFactor, ...] = ()
    for _ in range(_PASSES if options.rounds > 1 else 1):
        before, frames = frames, select_frames(trials, options.rule, model.positions(by_body))
        if before and all(map(np.array_equal, before, frames)):
            break
        lengths = {chain: measure_chain(chain, trials, frames, options.rule) for chain in chains}
        if not any(length.n_frames for length in lengths.values()):
            raise UserError(f"{model.file} was not scaled: no frame has the measured markers.")
        factors = solve_factors(
            measurements,
            lengths,
            lambda by_body: model.lengths(by_body, chains),
            bounds,
            options.rounds,
        )
        _check_factors(model.file, factors)
        by_body = axis_factors(factors, [factor.factor for factor in factors])
    return frames, factors


class _BareModel:
    """A model without muscles, asked again and again where its markers are when scaled."""

    def __init__(self, model: Any, model_file: Path) -> None:
        self._model = osim.Model(model)
        for owner in (self._model.updControllerSet(), self._model.updForceSet()):
            owner.clearAndDestroy()
        self._model.finalizeConnections()
        bodies, markers = self._model.getBodySet(), self._model.getMarkerSet()
        self.file = model_file
        self.bodies = [bodies.get(i).getName() for i in range(bodies.getSize())]
        self.markers = [markers.get(i).getName() for i in range(markers.getSize())]

    def positions(self, by_body: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Markers (3,) in metres, in ground, in the default pose."""
        model = osim.Model(self._model)
        factors = {b: np.where(np.isnan(f), 1.0, f) for b, f in by_body.items()}
        _scale(model, {b: f for b, f in factors.items() if b in self.bodies}, None)
        state = model.initSystem()
        markers = model.getMarkerSet()
        return {
            name: markers.get(name).getLocationInGround(state).to_numpy() for name in self.markers
        }

    def lengths(
        self, by_body: Mapping[str, FloatArray], chains: set[tuple[str, ...]]
    ) -> dict[tuple[str, ...], float]:
        """Length of every chain in the default pose, metres."""
        at = self.positions(by_body)
        return {
            chain: float(np.linalg.norm(np.diff([at[m] for m in chain], axis=0), axis=1).sum())
            for chain in chains
        }


def _measurements(
    model: _BareModel, trials: Sequence[Trial], options: ScaleOptions
) -> tuple[ScaleMeasurement, ...]:
    if not sum(len(trial.times) for trial in trials):
        raise UserError(f"{model.file} was not scaled: there are no frames of markers.")
    common = set(model.markers) & {name for trial in trials for name in trial.names}
    if options.measurements is None:
        found = keypoint_measurements(common, model.bodies)
    else:
        found = tuple(
            replace(one, chains=tuple(chain for chain in one.chains if set(chain) <= common))
            for one in options.measurements
        )
    if not any(one.chains for one in found if one.apply):
        raise UserError(
            f"{model.file} was not scaled: no segment has two markers that model and recording "
            "both have."
        )
    return found


def _stature_factor(model: _BareModel, options: ScaleOptions) -> float | None:
    if options.height is None:
        return None
    height = options.model_height
    if height is None:
        if _HEAD not in model.markers or not set(_FEET) & set(model.markers):
            raise UserError(f"{model.file} has no markers at head and feet to tell its height by.")
        at = model.positions({})
        height = at[_HEAD][1] - min(at[name][1] for name in _FEET if name in at)
    return float(options.height / height)


def _check_factors(model_file: Path, factors: Sequence[SegmentFactor]) -> None:
    for one in factors:
        if np.isfinite(one.measured) and not _ABSURD[0] <= one.measured <= _ABSURD[1]:
            raise UserError(
                f"{model_file} was not scaled: the markers make its {one.name} {one.measured:.3g} "
                "times as large, so their units or names must be wrong."
            )


def _scale(model: Any, by_body: Mapping[str, FloatArray], mass: float | None) -> float:
    """Scale in place; the mass is shared out as before, or follows the volumes without one."""
    scales = osim.ScaleSet()
    for body, factors in by_body.items():
        scale = osim.Scale()
        scale.setSegmentName(body)
        scale.setScaleFactors(osim.Vec3(*(float(x) for x in factors)))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    state = model.initSystem()
    model.scale(state, scales, mass is not None, -1.0 if mass is None else mass)
    state = model.initSystem()
    return float(model.getTotalMass(state))
