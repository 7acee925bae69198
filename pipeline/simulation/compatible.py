"""The six published steps one after the other, with their constants, on our model or the user's.

For comparison with SIMSPINE's data only: the faults are reproduced, not mended. What cannot be as
published is told: its generic model is not ours to ship, so our own stands in for it by default,
with our places of the same markers and both of its coordinates of lumbar flexion pulled.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.data.source import Source
from pipeline.kinematics.labels import Labels
from pipeline.kinematics.measured import Measured
from pipeline.kinematics.published import (
    CHAIN,
    FROM_SIMULATION,
    PULL,
    PULLED,
    blend_simulation,
    filter_published,
    published_markers,
)
from pipeline.kinematics.published_scaling import (
    MASS,
    MEASUREMENTS,
    published_factors,
    published_frames,
    trimmed_length,
)
from pipeline.kinematics.scale_factors import ScaleMeasurement, SegmentFactor
from pipeline.kinematics.scale_frames import FrameRule
from pipeline.simulation.attach_markers import model_with_keypoints
from pipeline.simulation.follower import Follower, followed, follower_of
from pipeline.simulation.osim_model import load_model
from pipeline.simulation.outcome import Outcome
from pipeline.simulation.scaling import ScaleOptions, ScaleReport, scale_model

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

_PUBLISHED = "SIMSPINE's published constants and formulas (--simspine-compatible)"
# Bodies of our model that move with one of Pose2Sim's, which has no joints between them.
_OURS: Mapping[str, tuple[str, ...]] = {
    "torso": (
        *(f"L{i}" for i in range(1, 6)),
        *(f"T{i}" for i in range(1, 13)),
        *(f"C{i}" for i in range(1, 8)),
        *(f"{bone}_{side}" for bone in ("clavicle", "scapula") for side in "rl"),
    ),
    "head": ("skull",),
}
_OUR_FLEXION = ("lumbar_lower_flex", "lumbar_upper_flex")


def compatible_steps(
    measured: Measured,
    subject: Path,
    model_file: Path | None = None,
    marker_set: Path | None = None,
    threads: int = 1,
) -> Generator[Step, None, Outcome]:
    """Simulate one person as published: steps 2 to 6, step 1 having been done on ``measured``.

    Parameters
    ----------
    measured : Measured
        With known markers merged in, if there are any.
    subject : Path
        The subject's ``.osim`` to be written.
    model_file, marker_set : Path, optional
        The user's copy of Pose2Sim's or SIMSPINE's model instead of our own, and markers for it.
    threads : int
        Parts of the sequence solved side by side.

    Raises
    ------
    UserError
        A model without markers for what was measured, points that no person can be made of, or
        files that cannot be read or written.
    """
    if not np.isfinite(measured.xyz).any():
        raise UserError(f"{subject} was not written: there are no points to simulate.")
    yield 0.0, "Preparing the model"
    tasks = {marker.name: marker.weight for marker in published_markers()}
    with tempfile.TemporaryDirectory() as folder:
        generic, notes = _generic(model_file, marker_set, tuple(tasks), Path(folder))
        yield 0.1, "Scaling the model as published"
        scaling = _scaled(generic, measured, subject)
    yield 0.3, "Reading the scaled model"
    follower = follower_of(subject, tuple(tasks))
    pulled, told = _pulled(follower)
    places = [measured.names.index(name) for name in follower.names]
    solved = yield from followed(
        follower, measured.times, measured.xyz[:, places], tasks,
        dict.fromkeys(pulled, PULL), threads, 0.35, 0.9,
    )  # fmt: skip
    yield 0.9, "Blending and filtering as published"
    virtual = np.full(measured.xyz.shape, np.nan)
    virtual[:, places] = solved.markers
    labels, lacking = _labels(measured, virtual)
    if lacking:
        told += (
            f"The published fusion lays the column between the measured Hip and Neck, which are "
            f"missing in {lacking} of {len(measured.times)} frames: there it is as measured.",
        )
    which = "our own model" if model_file is None else f"the model {model_file.name}"
    return Outcome(
        made_by=f"{_PUBLISHED} on {which}",
        scaling=scaling,
        model=follower.model,
        coordinate_names=solved.coordinate_names,
        rotational=solved.rotational,
        coordinates=solved.coordinates,
        marker_names=follower.names,
        markers=solved.markers,
        marker_error=np.linalg.norm(virtual - measured.xyz, axis=-1),
        labels=labels,
        notes=(
            "Labels and angles disagree, as published: the motion is not fitted to the labels.",
            *notes, *follower.notes, *told,
        ),
    )  # fmt: skip


def _generic(
    model_file: Path | None, marker_set: Path | None, names: tuple[str, ...], folder: Path
) -> tuple[Path, tuple[str, ...]]:
    if model_file is None:
        return resource_path("models", "simspine_core.osim"), ()
    prepared = folder / model_file.name
    return prepared, model_with_keypoints(model_file, marker_set, names, prepared)


def _scaled(generic: Path, measured: Measured, subject: Path) -> ScaleReport:
    """Step 2: factors from the published frames, given to the model; nothing else is scaled."""
    bodies = load_model(generic).getBodySet()
    measurements = tuple(
        ScaleMeasurement(name, pairs, tuple((body, "XYZ") for body in _existing(names, bodies)))
        for name, pairs, names in MEASUREMENTS
    )
    options = ScaleOptions(
        measurements=measurements, unmeasured=1.0, mass=MASS, rounds=1, rule=FrameRule()
    )
    frames = published_frames(measured.names, measured.xyz)
    # Once for the lengths in the generic model, and once with the factors.
    ours = scale_model(generic, [measured], subject, options)
    lengths = {
        (chain.markers[0], chain.markers[1]): length
        for one in ours.factors
        for chain, length in zip(one.chains, one.model_lengths, strict=True)
    }
    factors = published_factors(measured.names, measured.xyz[frames], lengths)
    manual = {body: (factors[one.name],) * 3 for one in measurements for body, _ in one.bodies}
    report = scale_model(generic, [measured], subject, replace(options, manual=manual))
    told = tuple(_as_published(one, factors[one.name], measured, frames) for one in report.factors)
    return replace(report, factors=told, n_selected=len(frames))


def _as_published(
    one: SegmentFactor, factor: float, measured: Measured, frames: NDArray[np.intp]
) -> SegmentFactor:
    """What the published rule made of a measurement, in place of what ours did."""
    at = {name: measured.xyz[frames, place] for place, name in enumerate(measured.names)}
    chains = tuple(
        replace(chain, length=trimmed_length(*(at[m] for m in chain.markers)), n_frames=len(frames))
        for chain in one.chains
    )
    left = tuple(
        chain.length - factor * length
        for chain, length in zip(chains, one.model_lengths, strict=True)
    )
    return replace(one, factor=factor, measured=factor, chains=chains, residuals=left)


def _existing(names: tuple[str, ...], bodies: object) -> tuple[str, ...]:
    wanted = dict.fromkeys(own for name in names for own in (name, *_OURS.get(name, ())))
    return tuple(name for name in wanted if bodies.contains(name))  # type: ignore[attr-defined]


def _pulled(follower: Follower) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Coordinates that step 3 pulls to their defaults, and what is to be told about it."""
    if follower.model is None:
        own = load_model(follower.file).getCoordinateSet()
        names = tuple(own.get(place).getName() for place in range(own.getSize()))
    else:
        names = follower.model.coordinate_names
    if PULLED in names:
        return (PULLED,), ()
    if set(_OUR_FLEXION) <= set(names):
        told = f"In place of {PULLED}, {' and '.join(_OUR_FLEXION)} are pulled to neutral."
        return _OUR_FLEXION, (told,)
    return (), (f"The model has no coordinate {PULLED}: nothing was pulled to neutral.",)


def _labels(measured: Measured, virtual: FloatArray) -> tuple[Labels, int]:
    """Steps 5 and 6; also the number of frames without a Hip or Neck to lay the column on."""
    names = measured.names
    ends = [names.index("Hip"), names.index("Neck")]
    laid = np.isfinite(measured.xyz[:, ends]).all(axis=(1, 2))
    laid &= np.isfinite(virtual[:, ends]).all(axis=(1, 2))
    xyz = filter_published(blend_simulation(names, measured.xyz, virtual), measured.rate)
    source = np.where(np.isfinite(measured.xyz).all(axis=-1), Source.TRIANGULATED, Source.NONE)
    for place, name in enumerate(names):
        simulated = np.isfinite(virtual[:, place]).all(axis=-1)
        if name in CHAIN or name.endswith("Latissimus"):
            source[laid & simulated, place] = Source.BLENDED
        elif name in FROM_SIMULATION:
            source[simulated, place] = Source.SIMULATED
    source[~np.isfinite(xyz).all(axis=-1)] = Source.NONE
    sigma = np.full(source.shape, np.nan)
    return Labels(xyz, sigma, source.astype(np.uint8)), int((~laid).sum())
