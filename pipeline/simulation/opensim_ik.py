"""Inverse kinematics by OpenSim's own solver: the second engine, and the measure of the first."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.kinematics.ik_options import Prior
from pipeline.simulation.opensim_api import osim
from pipeline.simulation.osim_model import attach_markers, load_model, plain_reason
from pipeline.simulation.quiet import quiet_process

FloatArray = NDArray[np.float64]

NO_PRIORS: Mapping[str, Prior] = MappingProxyType({})

#: Weight and target (radians or metres; None: the default value) of a coordinate.
CoordinateTarget = tuple[float, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class OpensimIkResult:
    """What OpenSim found, frame by frame; a frame without any marker is NaN throughout.

    Attributes
    ----------
    times
        (T,) seconds.
    coordinate_names, coordinates
        Q names, in the model's order; (T, Q) radians and metres, coupled ones included.
    rotational
        Names of the coordinates that are angles and stand in degrees in OpenSim's files.
    marker_names, marker_locations
        M markers that were followed; (T, M, 3) where the model has them, metres, in ground.
    marker_errors
        (T, M) metres from the model's marker to the recorded one; NaN where that is missing.
    ignored
        Markers that were asked for but are not in the model or not in the recording.
    """

    times: FloatArray
    coordinate_names: tuple[str, ...]
    coordinates: FloatArray
    rotational: frozenset[str]
    marker_names: tuple[str, ...]
    marker_locations: FloatArray
    marker_errors: FloatArray
    ignored: tuple[str, ...]


def opensim_ik(
    model_file: Path,
    names: Sequence[str],
    times: FloatArray,
    xyz: FloatArray,
    marker_weights: Mapping[str, float] | None = None,
    coordinate_targets: Mapping[str, CoordinateTarget] | None = None,
    **options: Any,
) -> OpensimIkResult:
    """As :func:`opensim_ik_steps`, all at once."""
    steps = opensim_ik_steps(
        model_file, names, times, xyz, marker_weights, coordinate_targets, **options
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: OpensimIkResult = end.value
            return result


def opensim_ik_steps(
    model_file: Path,
    names: Sequence[str],
    times: FloatArray,
    xyz: FloatArray,
    marker_weights: Mapping[str, float] | None = None,
    coordinate_targets: Mapping[str, CoordinateTarget] | None = None,
    *,
    marker_set: Path | None = None,
    accuracy: float = 1e-5,
    constraint_weight: float = math.inf,
    marker_weights_at: FloatArray | None = None,
    priors: Mapping[str, Prior] = NO_PRIORS,
    marker_sd: float = 0.01,
) -> Generator[float, None, OpensimIkResult]:
    """Follow markers frame by frame with OpenSim's InverseKinematicsSolver, in this process.

    It does what OpenSim's tool does, first frame assembled, the others tracked, but holds no
    files and can be stopped between two frames. For worker processes: OpenSim's calls hold the
    interpreter for 10 to 1000 ms each.

    Parameters
    ----------
    model_file : Path
        The ``.osim`` file.
    names, times, xyz
        M markers, (T,) seconds, (T, M, 3) metres, NaN where missing.
    marker_weights : mapping, optional
        Weight by marker; markers that are not in it are not followed. All with weight 1 by
        default.
    coordinate_targets : mapping, optional
        Pulls on coordinates, in OpenSim's normalisation.
    marker_set : Path, optional
        Markers to be added to the model's own.
    accuracy, constraint_weight : float
        As in OpenSim's tool.
    marker_weights_at : (T, M) array, optional
        Factors on the weights, frame by frame; 0 leaves a marker out of that frame.
    priors, marker_sd
        As in :class:`pipeline.kinematics.ik_options.IkOptions`: pulls on coordinates whose weight
        follows from the sum of the marker weights in each frame.

    Yields
    ------
    float
        Part of the frames that are done.

    Returns
    -------
    OpensimIkResult

    Raises
    ------
    UserError
        For files that cannot be used, markers or coordinates that match nothing, and frames
        that OpenSim cannot solve; each names the model.
    """
    with quiet_process():
        model = load_model(model_file)
        if marker_set is not None:
            attach_markers(model, marker_set)
    markers = model.getMarkerSet()
    own = [markers.get(i).getName() for i in range(markers.getSize())]
    wanted = dict.fromkeys(names, 1.0) if marker_weights is None else dict(marker_weights)
    used = [name for name in names if name in own and wanted.get(name, 0.0) > 0]
    if not used:
        raise UserError(f"{model_file} has none of the markers that are to be followed.")
    places = [list(names).index(name) for name in used]
    factors = None if marker_weights_at is None else marker_weights_at[:, places]
    observed, weights = _weighed(xyz[:, places], [wanted[name] for name in used], factors)
    there = np.isfinite(observed[..., 0])
    if not there.any():
        raise UserError(f"The markers of {model_file} are missing in every frame.")
    frames = np.flatnonzero(there.any(axis=1))
    total = np.where(there, weights, 0.0).sum(axis=1)
    holds = {
        name: (marker_sd / prior.sd) ** 2 / np.maximum(total, 1e-12)
        for name, prior in priors.items()
    }
    first = {name: (float(w[frames[0]]), priors[name].mean) for name, w in holds.items()}
    reference = _markers_reference(used, np.asarray(times, float), observed, weights[frames[0]])
    targets = _targets(model, model_file, {**(coordinate_targets or {}), **first})
    coordinates = model.getCoordinateSet()
    joints = [coordinates.get(i) for i in range(coordinates.getSize())]
    values = np.full((len(times), len(joints)), np.nan)
    locations = np.full((len(times), len(used), 3), np.nan)
    state: Any = None
    solver: Any = None
    for frame in frames:
        try:
            with quiet_process():
                if solver is None:
                    state = model.initSystem()
                    solver = osim.InverseKinematicsSolver(
                        model, reference, targets, constraint_weight
                    )
                    solver.setAccuracy(accuracy)
                    state.setTime(float(times[frame]))
                    solver.assemble(state)
                else:
                    state.setTime(float(times[frame]))
                    if marker_weights_at is not None:
                        solver.updateMarkerWeights(_doubles(weights[frame]))
                    for name, weight in holds.items():
                        pull = float(weight[frame])
                        solver.updateCoordinateReference(name, priors[name].mean, pull)
                    solver.track(state)
        except RuntimeError as error:
            raise UserError(
                f"OpenSim could not solve {model_file} at {times[frame]:g} s: {plain_reason(error)}"
            ) from error
        values[frame] = [joint.getValue(state) for joint in joints]
        locations[frame] = _locations(solver, used)
        yield (int(frame) + 1) / len(times)
    return OpensimIkResult(
        times=np.asarray(times, dtype=float),
        coordinate_names=tuple(joint.getName() for joint in joints),
        coordinates=values,
        rotational=frozenset(
            joint.getName()
            for joint in joints
            if joint.getMotionType() == osim.Coordinate.Rotational
        ),
        marker_names=tuple(used),
        marker_locations=locations,
        marker_errors=np.linalg.norm(locations - observed, axis=-1),
        ignored=tuple(name for name in wanted if name not in used),
    )


def _weighed(
    xyz: FloatArray, weights: Sequence[float], factors: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """(T, M, 3) points that count, the others NaN, and (T, M) what each weighs."""
    weights_at = np.tile(np.asarray(weights, dtype=float), (len(xyz), 1))
    if factors is not None:
        weights_at = weights_at * factors
    # A marker that lacks one number lacks all, or OpenSim would follow the other two.
    there = np.isfinite(xyz).all(axis=-1) & (weights_at > 0.0)
    return np.where(there[..., None], xyz, np.nan), weights_at


def _markers_reference(
    names: Sequence[str], times: FloatArray, xyz: FloatArray, weights: FloatArray
) -> Any:
    table = osim.TimeSeriesTableVec3()
    table.setColumnLabels(list(names))
    for time, points in zip(times.tolist(), xyz.tolist(), strict=True):
        row = osim.RowVectorVec3(len(names))
        for k, point in enumerate(points):
            row[k] = osim.Vec3(*point)
        table.appendRow(time, row)
    marker_weights = osim.SetMarkerWeights()
    for name, weight in zip(names, weights.tolist(), strict=True):
        marker_weights.cloneAndAppend(osim.MarkerWeight(name, weight))
    return osim.MarkersReference(table, marker_weights)


def _doubles(values: FloatArray) -> Any:
    array = osim.SimTKArrayDouble()
    for value in values.tolist():
        array.push_back(value)
    return array


def _targets(model: Any, model_file: Path, targets: Mapping[str, CoordinateTarget]) -> Any:
    coordinates = model.getCoordinateSet()
    references = osim.SimTKArrayCoordinateReference()
    for name, (weight, target) in targets.items():
        if not coordinates.contains(name):
            raise UserError(f"{model_file} has no coordinate {name}, which has a task.")
        value = coordinates.get(name).getDefaultValue() if target is None else target
        reference = osim.CoordinateReference(name, osim.Constant(value))
        reference.setWeight(weight)
        references.push_back(reference)
    return references


def _locations(solver: Any, names: Sequence[str]) -> FloatArray:
    array = osim.SimTKArrayVec3()
    solver.computeCurrentMarkerLocations(array)
    found = {
        solver.getMarkerNameForIndex(i): array.getElt(i).to_numpy() for i in range(array.size())
    }
    return np.array([found[name] for name in names])
