"""A person simulated with any OpenSim model: scaled, solved, fused and solved again.

As with our own model, but without its priors: a model that has no vertebrae of ours gives joint
coordinates and labels, and no angles of the spine. Coordinates that no marker moves stay where the
model has them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.mesh_files import find_mesh
from pipeline.kinematics.follow import finish_steps, markers_of, solved_steps
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.labels import fuse_labels
from pipeline.kinematics.measured import Measured, trust_of, usual_trust
from pipeline.kinematics.model import rotational_coordinates
from pipeline.kinematics.part_weights import with_part_weights
from pipeline.kinematics.published import CHAIN
from pipeline.kinematics.subject import subject_of, with_model_sigma
from pipeline.simulation.attach_markers import model_with_keypoints
from pipeline.simulation.follower import Follower, followed, follower_of, loose_priors
from pipeline.simulation.outcome import Outcome
from pipeline.simulation.scaling import ScaleReport, scale_model
from pipeline.simulation.simulate import READYING, Learnt, SimulationOptions, between

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

_USUAL_SIGMA = 0.010  # m, of a point: its weight is 1
_MODEL_SIGMA = 0.015  # m, of a marker that somebody else put on a model


@dataclass(frozen=True, slots=True, eq=False)
class LearntOther(Learnt):
    """A person's model that is not ours, and what the user is to be told of it."""

    notes: tuple[str, ...]


def other_model_steps(
    measured: Measured,
    subject: Path,
    model_file: Path,
    marker_set: Path | None = None,
    options: SimulationOptions | None = None,
) -> Generator[Step, None, Outcome]:
    """Simulate one person with a model of the user's.

    Parameters
    ----------
    measured : Measured
    subject : Path
        The subject's ``.osim`` to be written.
    model_file, marker_set : Path
        The generic model, and markers to be added to its own.
    options : SimulationOptions, optional
        ``variant`` means nothing here.

    Raises
    ------
    UserError
        A model without markers for what was measured, points that no person can be made of, or
        files that cannot be read or written.
    """
    options = options or SimulationOptions()
    scaled = _scaled_steps(measured, subject, model_file, marker_set, options)
    scaling, follower = yield from between(scaled, 0.0, 0.3)
    made_by = f"the model {model_file.name} and fusion by variances"
    if follower.model is None:
        by_opensim = _opensim_steps(measured, made_by, scaling, follower, options)
        return (yield from between(by_opensim, 0.3, 1.0))
    learnt = yield from between(_learn_steps(measured, scaling, follower, options), 0.3, 0.6)
    rest = finish_steps(learnt.subject, measured, learnt.solved, options.threads, 0.0)
    found = yield from between(rest, 0.6, 1.0)
    model = follower.model
    return Outcome(
        made_by=made_by,
        scaling=scaling,
        model=model,
        coordinate_names=model.coordinate_names,
        rotational=rotational_coordinates(model),
        coordinates=found.fitted.coordinates,
        marker_names=follower.names,
        markers=marker_positions(model, found.fitted.coordinates),
        marker_error=np.linalg.norm(found.virtual - measured.xyz, axis=-1),
        labels=found.labels,
        notes=learnt.notes,
    )


def learn_other_steps(
    measured: Measured,
    subject_file: Path,
    model_file: Path,
    marker_set: Path | None,
    options: SimulationOptions,
) -> Generator[Step, None, LearntOther]:
    """Scale a model of the user's to a person, to be followed on arrays.

    Parameters, steps and errors are those of :func:`other_model_steps`; a model that arrays cannot
    express is an error here.
    """
    scaled = _scaled_steps(measured, subject_file, model_file, marker_set, options)
    scaling, follower = yield from between(scaled, 0.0, 0.5)
    if follower.model is None:
        raise UserError(
            f"{model_file} cannot be followed live: {follower.reason.rstrip('.')}. The command "
            "“simspine simulate --model” solves it with OpenSim."
        )
    return (yield from between(_learn_steps(measured, scaling, follower, options), 0.5, 1.0))


def _scaled_steps(
    measured: Measured,
    subject: Path,
    model_file: Path,
    marker_set: Path | None,
    options: SimulationOptions,
) -> Generator[Step, None, tuple[ScaleReport, Follower]]:
    if not np.isfinite(measured.xyz).any():
        raise UserError(f"{subject} was not written: there are no points to simulate.")
    yield 0.0, "Preparing the model"
    seen = [n for k, n in enumerate(measured.names) if np.isfinite(measured.xyz[:, k]).any()]
    with tempfile.TemporaryDirectory() as folder:
        generic = Path(folder) / model_file.name
        notes = model_with_keypoints(model_file, marker_set, measured.names, generic)
        yield 0.3, "Scaling the model"
        scaling = scale_model(generic, [measured], subject, options.scale)
    yield 0.8, "Reading the scaled model"
    follower = follower_of(subject, measured.names)
    if not set(follower.names) & set(seen):
        raise UserError(f"{model_file} has none of the keypoints that were measured.")
    lacking = [name for name in seen if name not in follower.names]
    if lacking:
        notes += (f"Not on this model, and left as measured: {', '.join(lacking)}.",)
    files = () if follower.model is None else follower.model.mesh_files
    unfound = [file for file in files if find_mesh(file, (model_file.parent,)) is None]
    if unfound:
        notes += (
            f"{len(unfound)} of its {len(files)} bones are not drawn: their files, such as "
            f"{unfound[0]}, lie neither beside the model nor in a folder Geometry there.",
        )
    return scaling, replace(follower, notes=(*notes, *follower.notes))


def _learn_steps(
    measured: Measured, scaling: ScaleReport, follower: Follower, options: SimulationOptions
) -> Generator[Step, None, LearntOther]:
    assert follower.model is not None
    subject = subject_of(follower.model, measured, loose_priors(follower.model), options.cutoff)
    # Frames are solved together by what is known of our own spine's joints.
    subject = with_part_weights(replace(subject, steady=False), options.weights)
    yield 0.0, READYING
    solved = yield from solved_steps(subject, measured, 1.0, options.threads)
    virtual = markers_of(subject, solved.coordinates)
    return LearntOther(
        scaling, with_model_sigma(subject, measured, virtual), solved, virtual, follower.notes
    )


def _opensim_steps(
    measured: Measured,
    made_by: str,
    scaling: ScaleReport,
    follower: Follower,
    options: SimulationOptions,
) -> Generator[Step, None, Outcome]:
    """As on arrays, but that nothing holds what no marker moves, and weights stay as they are."""
    places = [measured.names.index(name) for name in follower.names]
    trust, weights = trust_of(measured), _weights(measured)
    first = yield from followed(
        follower, measured.times, measured.xyz[:, places], weights, {}, options.threads, 0.0, 0.45
    )
    yield 0.45, "Fusing"
    virtual = np.full(measured.xyz.shape, np.nan)
    virtual[:, places] = first.markers
    whole = np.isfinite(virtual).all(axis=-1)
    labels = fuse_labels(
        measured.xyz, trust, virtual, np.where(whole, _MODEL_SIGMA, np.nan), measured.manual,
        measured.rate, options.cutoff,
        tuple(measured.names.index(n) for n in CHAIN) if set(CHAIN) <= set(follower.names) else (),
    )  # fmt: skip
    last = yield from followed(
        follower, measured.times, labels.xyz[:, places], {}, {}, options.threads, 0.5, 1.0
    )
    return Outcome(
        made_by=made_by,
        scaling=scaling,
        model=None,
        coordinate_names=last.coordinate_names,
        rotational=last.rotational,
        coordinates=last.coordinates,
        marker_names=follower.names,
        markers=last.markers,
        marker_error=np.linalg.norm(virtual - measured.xyz, axis=-1),
        labels=labels,
        notes=follower.notes,
    )


def _weights(measured: Measured) -> dict[str, float]:
    """Weights of points as sure as usual are 1, of those that were never seen 0."""
    seen = np.isfinite(measured.xyz).all(axis=-1).any(axis=0)
    weights = np.where(seen, (_USUAL_SIGMA / usual_trust(measured)) ** 2, 0.0)
    return dict(zip(measured.names, weights.tolist(), strict=True))
