"""OpenSim's own ScaleTool behind a call: set-up in, the subject's model out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.data.errors import UserError
from pipeline.simulation.model_writing import save_model
from pipeline.simulation.opensim_api import osim
from pipeline.simulation.osim_model import attach_markers, load_model, plain_reason
from pipeline.simulation.quiet import quiet_process


def scale_with_opensim(
    setup_file: Path,
    output: Path,
    *,
    model_file: Path | None = None,
    marker_set: Path | None = None,
    marker_file: Path | None = None,
    time_range: tuple[float, float] | None = None,
    mass: float | None = None,
    place_markers: bool | None = None,
) -> None:
    """Run a set-up of OpenSim's ScaleTool in this process; only the final model is written.

    Parameters
    ----------
    setup_file : Path
        The set-up; what it names is looked for beside it.
    output : Path
        The subject's ``.osim``: with its markers placed where the set-up asks for that.
    model_file, marker_set, marker_file, time_range, mass
        Override those of the set-up; markers and times for both measuring and placing.
    place_markers : bool, optional
        Overrides whether markers are placed after scaling.

    Raises
    ------
    UserError
        Where a file is missing or OpenSim refuses.
    """
    if not setup_file.is_file():
        raise UserError(f"{setup_file} cannot be read: there is no such file.")
    with tempfile.TemporaryDirectory() as folder, quiet_process():
        try:
            tool = osim.ScaleTool(str(setup_file.resolve()))
            maker, scaler, placer = (
                tool.getGenericModelMaker(),
                tool.getModelScaler(),
                tool.getMarkerPlacer(),
            )
            # The tool puts this in front of every name, of absolute ones too.
            tool.setPathToSubject("")
            where = _Files(setup_file)
            maker.setModelFileName(where.of(maker.getModelFileName(), model_file, "model"))
            if marker_set is not None or _given(maker.getMarkerSetFileName()):
                name = where.of(maker.getMarkerSetFileName(), marker_set, "marker set")
                maker.setMarkerSetFileName(name)
            scaled, placed = Path(folder) / "scaled.osim", Path(folder) / "placed.osim"
            scaler.setOutputModelFileName(str(scaled))
            scaler.setOutputScaleFileName("Unassigned")
            placer.setOutputModelFileName(str(placed))
            placer.setOutputMotionFileName("Unassigned")
            placer.setOutputMarkerFileName("Unassigned")
            if place_markers is not None:
                placer.setApply(place_markers)
            if _given(placer.getCoordinateFileName()):
                name = where.of(placer.getCoordinateFileName(), None, "coordinate file")
                placer.setCoordinateFileName(name)
            steps = [step for step in (scaler, placer) if step.getApply()]
            for step in steps:
                if marker_file is not None or _given(step.getMarkerFileName()):
                    name = where.of(step.getMarkerFileName(), marker_file, "marker file")
                    step.setMarkerFileName(name)
                if time_range is not None:
                    step.setTimeRange(_range(time_range))
            _check_markers(setup_file, tool)
            if mass is not None:
                tool.setSubjectMass(mass)
            # Its answer is no use: it is False whenever markers are not to be placed.
            tool.run()
            result = placed if placer.getApply() else scaled
            if not result.is_file():
                raise UserError(f"OpenSim's ScaleTool could not carry out {setup_file}.")
            model = load_model(result, strip=False)
        except RuntimeError as error:
            raise UserError(
                f"OpenSim's ScaleTool could not carry out {setup_file}: {plain_reason(error)}"
            ) from error
        save_model(model, output)


def _check_markers(setup_file: Path, tool: Any) -> None:
    """Refuse what crashes the process: markers that are not in the recording or the model."""
    maker, scaler, placer = (
        tool.getGenericModelMaker(),
        tool.getModelScaler(),
        tool.getMarkerPlacer(),
    )
    model_file, set_file = Path(maker.getModelFileName()), maker.getMarkerSetFileName()
    model = load_model(model_file)
    if _given(set_file):
        attach_markers(model, Path(set_file))
    markers = model.getMarkerSet()
    own = {markers.get(i).getName() for i in range(markers.getSize())}
    order = scaler.getScalingOrder()
    measured = [order.get(i) for i in range(order.size())]
    if scaler.getApply() and "measurements" in measured:
        recorded = _recorded(setup_file, scaler)
        for name, marker in _measured_markers(scaler):
            for where, there in ((model_file, own), (scaler.getMarkerFileName(), recorded)):
                if marker not in there:
                    raise UserError(
                        f"{setup_file} cannot be carried out: {where} lacks the marker {marker} "
                        f"of the measurement {name}."
                    )
    if placer.getApply() and not own & _recorded(setup_file, placer):
        raise UserError(
            f"{setup_file} cannot be carried out: {model_file} and {placer.getMarkerFileName()} "
            "have no marker in common."
        )


def _recorded(setup_file: Path, step: Any) -> set[str]:
    if not _given(step.getMarkerFileName()):
        raise UserError(f"{setup_file} cannot be carried out: it names no marker file.")
    return set(osim.TimeSeriesTableVec3(step.getMarkerFileName()).getColumnLabels())


def _measured_markers(scaler: Any) -> Iterator[tuple[str, str]]:
    measurements = scaler.getMeasurementSet()
    for i in range(measurements.getSize()):
        measurement = measurements.get(i)
        if measurement.getApply():
            for k in range(measurement.getNumMarkerPairs()):
                for end in range(2):
                    yield measurement.getName(), measurement.getMarkerPair(k).getMarkerName(end)


class _Files:
    """Names in a set-up as absolute paths of files that are there."""

    def __init__(self, setup_file: Path) -> None:
        self._setup = setup_file

    def of(self, name: str, instead: Path | None, what: str) -> str:
        path = (
            instead.resolve() if instead else self._setup.resolve().parent / name.replace("\\", "/")
        )
        if (not instead and not _given(name)) or not path.is_file():
            raise UserError(
                f"{self._setup} cannot be carried out: its {what} {path} does not exist."
                if instead or _given(name)
                else f"{self._setup} cannot be carried out: it names no {what}."
            )
        return str(path)


def _given(name: str) -> bool:
    return name.strip() not in {"", "Unassigned"}


def _range(times: tuple[float, float]) -> Any:
    values = osim.ArrayDouble()
    for time in times:
        values.append(float(time))
    return values
