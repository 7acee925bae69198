"""``simspine scale``: a generic model scaled to a subject from marker files."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.cli.output import CommandError, Exit, Step, counted
from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.io.scale_setups import ScaleSetup, read_scale_setup
from pipeline.io.trc import Trc, read_trc
from pipeline.simulation.scale_tool import scale_with_opensim
from pipeline.simulation.scaling import ScaleOptions, ScaleReport, scale_model

ENGINES = ("robust", "opensim")


def default_model() -> Path:
    """The model that is scaled where none is named: our own."""
    return resource_path("models", "simspine_core.osim")


def scale_steps(
    markers: Sequence[Path],
    out: Path,
    model: Path | None = None,
    setup: Path | None = None,
    engine: str = "robust",
    height: float | None = None,
    mass: float | None = None,
) -> Generator[Step, None, str]:
    """Scale and write; returns what is to be told.

    Parameters
    ----------
    markers : sequence of Path
        TRC files of the subject; for the engine ``opensim`` exactly one.
    out : Path
        The subject's ``.osim``.
    model : Path, optional
        Generic model; that of the set-up or else our own by default.
    setup : Path, optional
        Set-up of OpenSim's ScaleTool: its measurements, factors, markers, times and mass.
    engine : str
        ``robust``: our choice of frames and medians; ``opensim``: ScaleTool as it is.
    height, mass : float, optional
        Of the subject, metres and kilograms.

    Raises
    ------
    CommandError
        ``USAGE`` for arguments that do not go together, ``UNUSABLE`` for files that cannot be
        used.
    """
    if engine == "opensim" and (setup is None or len(markers) != 1):
        raise CommandError(
            Exit.USAGE, "--engine opensim needs --setup and exactly one file of markers."
        )
    yield 0.0, "Reading"
    try:
        plan = ScaleSetup() if setup is None else read_scale_setup(setup)
        trials = [read_trc(path) for path in markers]
    except UserError as error:
        raise CommandError(Exit.UNUSABLE, str(error)) from error
    yield 0.1, "Scaling"
    if engine == "opensim" and setup is not None:
        scale_with_opensim(
            setup,
            out,
            model_file=model,
            marker_file=markers[0],
            mass=mass,
        )
        return f"{out}: scaled by OpenSim's ScaleTool as {setup} says"
    used = [_within(trial, plan.time_range) for trial in trials]
    generic = model or plan.model_file or default_model()
    options = _options(plan, setup is not None, height, mass)
    report = scale_model(generic, used, out, options, plan.marker_set_file)
    return as_text(report)


def _options(
    plan: ScaleSetup, has_setup: bool, height: float | None, mass: float | None
) -> ScaleOptions:
    options = ScaleOptions(height=height, mass=mass)
    if not has_setup:
        return options
    measurements = plan.measurements if "measurements" in plan.scaling_order else ()
    manual = {}
    if "manualScale" in plan.scaling_order:
        manual = {scale.body: scale.factors for scale in plan.manual_scales if scale.apply}
    if plan.scaling_order[-1] == "measurements":  # the later step has the last word
        measured = {body for one in measurements if one.apply for body, _ in one.bodies}
        manual = {body: factors for body, factors in manual.items() if body not in measured}
    return replace(
        options,
        measurements=measurements,
        manual=manual,
        mass=mass or (plan.mass if plan.mass > 0 else None),
        # As OpenSim has it: what the set-up does not mention keeps its size.
        unmeasured=1.0,
        name=plan.name,
    )


def _within(trial: Trc, times: tuple[float, float] | None) -> Trc:
    """The frames of a time range, with half a frame's leave for rounding; all where it is empty."""
    if times is None or times[1] < times[0] or times[1] < 0:
        return trial
    leave = 0.5 / trial.rate if trial.rate > 0 else 0.0
    here = (trial.times >= times[0] - leave) & (trial.times <= times[1] + leave)
    return replace(trial, times=trial.times[here], xyz=trial.xyz[here])


def as_text(report: ScaleReport) -> str:
    """Every factor with its data, as lines to read."""
    width = max(len(one.name) for one in report.factors)
    lines = [
        f"{report.model_file}: {report.mass:.1f} kg, measured in "
        f"{counted(report.n_selected, 'frame')} of {report.n_frames}",
        f"  {'':{width}}  factor  spread  frames  residual mm",
    ]
    for one in report.factors:
        if not one.chains:
            lines.append(f"  {one.name:{width}}       –  not measured")
            continue
        residual = 1000 * float(np.abs(one.residuals).max())
        held = f"  held, measured {one.measured:.3f}" if one.bounded else ""
        lines.append(
            f"  {one.name:{width}}  {one.factor:6.3f}  {one.spread:6.3f}  {one.n_frames:6d}"
            f"  {residual:11.1f}{held}"
        )
    if report.unmeasured_bodies:
        lines.append(
            f"{counted(len(report.unmeasured_bodies), 'body').replace('bodys', 'bodies')} that "
            f"nothing measures: {report.unmeasured:.3f}"
        )
    if ignored := (*report.ignored_markers, *report.ignored_bodies):
        lines.append(f"Not in the model: {', '.join(ignored)}")
    return "\n".join(lines)
