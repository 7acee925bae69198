"""A scaled model's sizes, estimated anew together with poses and what stays of each marker.

Lengths between markers are only as good as the markers: a hip that is seen 15 mm too far out makes
the pelvis too wide. Here sizes, poses and constant marker offsets are one problem, in which whole
movements say which of them it is. The sizes are kept. The offsets are not: what is odd about a
column, such as its curvature, looks like offsets too, and markers moved by them made angles worse
(benchmarks/scale_refinement.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.ik_options import IkResult, Prior
from pipeline.kinematics.measured import Measured, definition_sigma
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.kinematics.scale_refinement import Refinement, ScaleGroup, refine_scale
from pipeline.kinematics.subject import Subject
from pipeline.simulation.scaling import RefinedFactor, ScaleOptions, ScaleReport, scale_model

FloatArray = NDArray[np.float64]

# SD of the logarithm of a segment's size against the stature: shares of the stature vary by 3 to
# 5 % between people (Drillis and Contini 1966; ANSUR II 2012). Where no length tells a segment, a
# trunk that is short and one that stands bent look alike, and what detectors do to hips and
# shoulders goes into it: the SD at which markers on a real back fit best (docs/real-backs.md).
_PROPORTIONS, _UNMEASURED = 0.03, 0.015
# Frames: more tell little that is new of what stays the same.
_FRAMES = 40
# Noise of a point that comes without an SD, and what every point has at least, metres: skin and
# clothes move.
_NOISE, _LEAST = 0.010, 0.004
_THORAX = "thorax"
_AXES = "XYZ"


def refine(
    subject: Subject, measured: Measured, solved: IkResult, scaling: ScaleReport
) -> Refinement | None:
    """Sizes, offsets and poses of some frames as one problem; None where no frame was solved.

    Parameters
    ----------
    subject : Subject
        With our own model.
    measured : Measured
        The lengths of the body must be told by all of its points.
    solved : IkResult
        For these points.
    scaling : ScaleReport
        What the model was scaled by.
    """
    there = np.flatnonzero(np.isfinite(solved.cost))
    if not len(there):
        return None
    frames = there[np.unique(np.linspace(0, len(there) - 1, _FRAMES).astype(int))]
    sigma = measured.sigma[frames]
    sigma = np.hypot(np.where(np.isfinite(sigma), sigma, _NOISE), _LEAST)
    xyz = measured.xyz[frames]
    if subject.factors is not None:  # parts of the body that count more or less
        xyz = np.where(subject.factors[:, None] > 0.0, xyz, np.nan)
        sigma = sigma / np.sqrt(np.where(subject.factors > 0.0, subject.factors, 1.0))
    # A person who stands bent does so in all frames: what is usual counts once, not in each.
    once = np.sqrt(len(frames))
    return refine_scale(
        subject.model,
        xyz,
        sigma,
        solved.coordinates[frames],
        groups_of(subject, scaling),
        np.where(np.isfinite(subject.model_sigma), definition_sigma(measured.names), 0.0),
        {name: Prior(one.mean, once * one.sd) for name, one in subject.priors.items()},
    )


def groups_of(subject: Subject, scaling: ScaleReport) -> tuple[ScaleGroup, ...]:
    """The segments of our model, each expected to be as large as the stature says."""
    model = subject.model
    expected = scaling.stature_factor or scaling.unmeasured
    found = []
    lengths = {one.name for one in scaling.factors if one.n_frames}
    for one in keypoint_measurements(model.marker_names, model.body_names):
        bodies = one.bodies
        if one.name == _THORAX:  # its breadth is a measurement of its own
            bodies = tuple((body, axes.replace("Z", "")) for body, axes in bodies)
        body, axes = bodies[0]
        now = scaling.body_factors[body][_AXES.index(axes[0])]
        sd = _PROPORTIONS if one.name in lengths else _UNMEASURED
        found.append(ScaleGroup(one.name, bodies, float(np.log(expected / now)), sd))
    return tuple(found)


def scale_again(
    generic: Path,
    measured: Measured,
    subject_file: Path,
    options: ScaleOptions,
    scaling: ScaleReport,
    refined: Refinement,
) -> ScaleReport:
    """Write the model with its refined sizes; the report has the measurements of ``scaling``."""
    by_body = {body: list(factors) for body, factors in scaling.body_factors.items()}
    told = []
    for group, factor, sigma, seen in zip(
        refined.groups, refined.factors, refined.factor_sigma, refined.factor_seen, strict=True
    ):
        first, axes = group.bodies[0]
        before = by_body[first][_AXES.index(axes[0])]
        # People differ by _PROPORTIONS also where the estimate was held closer.
        spread = float(sigma) * _PROPORTIONS / group.sd
        told.append(RefinedFactor(group.name, before, float(before * factor), spread, bool(seen)))
        for body, axes in group.bodies:
            for axis in axes:
                by_body[body][_AXES.index(axis)] *= float(factor)
    manual = {body: (x, y, z) for body, (x, y, z) in by_body.items()}
    again = scale_model(generic, [measured], subject_file, replace(options, manual=manual))
    return replace(again, factors=scaling.factors, refined=tuple(told))
