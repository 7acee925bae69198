"""Set-up files of OpenSim's ScaleTool: XML, without OpenSim."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from pipeline.data.errors import UserError
from pipeline.io.opensim_setups import TaskSet, add_tasks, read_tasks
from pipeline.io.opensim_xml import (
    add,
    add_set,
    file_of,
    flag_of,
    name_of,
    number_of,
    numbers_of,
    objects_of,
    range_of,
    read_document,
    text_of,
    write_document,
)
from pipeline.kinematics.scale_factors import ScaleMeasurement

SCALING_STEPS = ("measurements", "manualScale")


@dataclass(frozen=True, slots=True)
class ManualScale:
    """Factors of a body along its X, Y and Z axes, given rather than measured."""

    body: str
    factors: tuple[float, float, float]
    apply: bool = True


@dataclass(frozen=True, slots=True)
class MarkerPlacer:
    """How a scaled model's markers are moved onto those of a static trial.

    Files are absolute as read; None is "not given". ``time_range`` is in seconds; a negative
    ``max_marker_movement`` is no limit.
    """

    tasks: TaskSet
    apply: bool = True
    marker_file: Path | None = None
    coordinate_file: Path | None = None
    time_range: tuple[float, float] | None = None
    output_motion_file: Path | None = None
    output_model_file: Path | None = None
    output_marker_file: Path | None = None
    max_marker_movement: float = -1.0


@dataclass(frozen=True, slots=True)
class ScaleSetup:
    """A set-up of OpenSim's ScaleTool.

    Parameters
    ----------
    name : str
        Name of the scaled model.
    mass : float
        Kilograms; negative: the model's own is kept.
    height, age : float
        As in the file (millimetres by OpenSim's documentation, often metres in practice);
        negative: unknown. Scaling does not use them.
    model_file, marker_set_file : Path, optional
        Generic model, and a marker set for it. Files are absolute as read.
    apply : bool
        Whether the model is scaled at all.
    scaling_order : tuple of str
        Which of :data:`SCALING_STEPS` are done; a later one overrides an earlier one.
    measurements : tuple of ScaleMeasurement
        Factors from distances of markers; their chains are pairs.
    manual_scales : tuple of ManualScale
        Factors that are given.
    marker_file : Path, optional
        TRC file whose distances are measured.
    time_range : (float, float), optional
        Seconds over which they are averaged.
    preserve_mass_distribution : bool
        Whether every body keeps its share of the mass.
    output_model_file, output_scale_file : Path, optional
        What is written.
    placer : MarkerPlacer, optional
        Placing of markers after scaling.
    """

    name: str = "scaled"
    mass: float = -1.0
    height: float = -1.0
    age: float = -1.0
    model_file: Path | None = None
    marker_set_file: Path | None = None
    apply: bool = True
    scaling_order: tuple[str, ...] = SCALING_STEPS
    measurements: tuple[ScaleMeasurement, ...] = ()
    manual_scales: tuple[ManualScale, ...] = ()
    marker_file: Path | None = None
    time_range: tuple[float, float] | None = None
    preserve_mass_distribution: bool = True
    output_model_file: Path | None = None
    output_scale_file: Path | None = None
    placer: MarkerPlacer | None = None


def read_scale_setup(path: Path) -> ScaleSetup:
    """Read a set-up of OpenSim's ScaleTool, of OpenSim 2 to 4.

    Raises
    ------
    UserError
        The file cannot be read, is none, or has something that cannot be understood.
    """
    tool = read_document(path, "ScaleTool")
    maker = _child(path, tool, "GenericModelMaker")
    scaler = _child(path, tool, "ModelScaler")
    order = tuple(text_of(scaler, "scaling_order", " ".join(SCALING_STEPS)).split())
    if set(order) - set(SCALING_STEPS):
        raise UserError(f"{path} has an unknown scaling order: {' '.join(order)}.")
    # OpenSim knows both spellings.
    distribution = [
        tag
        for tag in ("preserve_mass_distribution", "preserve_mass_dist")
        if scaler.find(tag) is not None
    ] or ["preserve_mass_distribution"]
    return ScaleSetup(
        name=tool.get("name") or "scaled",
        mass=number_of(path, tool, "mass", -1.0),
        height=number_of(path, tool, "height", -1.0),
        age=number_of(path, tool, "age", -1.0),
        model_file=file_of(path, maker, "model_file"),
        marker_set_file=file_of(path, maker, "marker_set_file"),
        apply=flag_of(path, scaler, "apply", True),
        scaling_order=order,
        measurements=tuple(
            _measurement(path, element)
            for element in objects_of(scaler, "MeasurementSet", "Measurement")
        ),
        manual_scales=tuple(
            _manual_scale(path, element) for element in objects_of(scaler, "ScaleSet", "Scale")
        ),
        marker_file=file_of(path, scaler, "marker_file"),
        time_range=range_of(path, scaler),
        preserve_mass_distribution=flag_of(path, scaler, distribution[0], True),
        output_model_file=file_of(path, scaler, "output_model_file"),
        output_scale_file=file_of(path, scaler, "output_scale_file"),
        placer=_placer(path, tool.find("MarkerPlacer")),
    )


def _child(path: Path, tool: Element, tag: str) -> Element:
    child = tool.find(tag)
    if child is None:
        raise UserError(f"{path} has no {tag} in its ScaleTool.")
    return child


def _measurement(path: Path, element: Element) -> ScaleMeasurement:
    name = name_of(path, element)
    pairs = [
        tuple(text_of(pair, "markers").split())
        for pair in objects_of(element, "MarkerPairSet", "MarkerPair")
    ]
    if any(len(pair) != 2 or pair[0] == pair[1] for pair in pairs):
        raise UserError(f"{path} has a pair in the measurement {name} that is not two markers.")
    bodies = [
        (name_of(path, scale), "".join(text_of(scale, "axes").upper().split()))
        for scale in objects_of(element, "BodyScaleSet", "BodyScale")
    ]
    for body, axes in bodies:
        if not axes or set(axes) - set("XYZ"):
            raise UserError(
                f"{path} has {axes or 'nothing'} as axes of {body} in the measurement {name}."
            )
    return ScaleMeasurement(
        name, tuple(pairs), tuple(bodies), flag_of(path, element, "apply", True)
    )


def _manual_scale(path: Path, element: Element) -> ManualScale:
    body = text_of(element, "segment")
    factors = numbers_of(path, element, "scales", 3)
    if not body or factors is None or min(factors) <= 0:
        raise UserError(f"{path} has a manual scale without a segment or three positive factors.")
    x, y, z = factors
    return ManualScale(body, (x, y, z), flag_of(path, element, "apply", True))


def _placer(path: Path, element: Element | None) -> MarkerPlacer | None:
    if element is None:
        return None
    return MarkerPlacer(
        tasks=read_tasks(path, element),
        apply=flag_of(path, element, "apply", True),
        marker_file=file_of(path, element, "marker_file"),
        coordinate_file=file_of(path, element, "coordinate_file"),
        time_range=range_of(path, element),
        output_motion_file=file_of(path, element, "output_motion_file"),
        output_model_file=file_of(path, element, "output_model_file"),
        output_marker_file=file_of(path, element, "output_marker_file"),
        max_marker_movement=number_of(path, element, "max_marker_movement", -1.0),
    )


def write_scale_setup(path: Path, setup: ScaleSetup) -> None:
    """Write a set-up that OpenSim's ScaleTool runs.

    Files should be absolute: OpenSim looks for others beside the set-up.

    Raises
    ------
    UserError
        A measurement follows a chain of more than two markers, which OpenSim cannot; or the
        file cannot be written.
    """
    for measurement in setup.measurements:
        if any(len(chain) != 2 for chain in measurement.chains):
            raise UserError(
                f"{path} was not written: OpenSim measures pairs of markers, and "
                f"{measurement.name} is a chain of them."
            )
    tool = Element("ScaleTool", name=setup.name)
    add(tool, "mass", setup.mass)
    add(tool, "height", setup.height)
    add(tool, "age", setup.age)
    maker = SubElement(tool, "GenericModelMaker")
    add(maker, "model_file", setup.model_file)
    add(maker, "marker_set_file", setup.marker_set_file or "Unassigned")
    _add_scaler(tool, setup)
    if setup.placer is not None:
        _add_placer(tool, setup.placer)
    write_document(path, tool)


def _add_scaler(tool: Element, setup: ScaleSetup) -> None:
    scaler = SubElement(tool, "ModelScaler")
    add(scaler, "apply", setup.apply)
    add(scaler, "scaling_order", setup.scaling_order)
    measurements = add_set(scaler, "MeasurementSet")
    for measurement in setup.measurements:
        element = SubElement(measurements, "Measurement", name=measurement.name)
        add(element, "apply", measurement.apply)
        pairs = add_set(element, "MarkerPairSet")
        for chain in measurement.chains:
            add(SubElement(pairs, "MarkerPair"), "markers", chain)
        bodies = add_set(element, "BodyScaleSet")
        for body, axes in measurement.bodies:
            add(SubElement(bodies, "BodyScale", name=body), "axes", tuple(axes))
    scales = add_set(scaler, "ScaleSet")
    for scale in setup.manual_scales:
        element = SubElement(scales, "Scale")
        add(element, "scales", scale.factors)
        add(element, "segment", scale.body)
        add(element, "apply", scale.apply)
    add(scaler, "marker_file", setup.marker_file)
    add(scaler, "time_range", setup.time_range)
    add(scaler, "preserve_mass_distribution", setup.preserve_mass_distribution)
    add(scaler, "output_model_file", setup.output_model_file)
    add(scaler, "output_scale_file", setup.output_scale_file)


def _add_placer(tool: Element, placer: MarkerPlacer) -> None:
    element = SubElement(tool, "MarkerPlacer")
    add(element, "apply", placer.apply)
    add_tasks(element, placer.tasks)
    add(element, "marker_file", placer.marker_file)
    add(element, "coordinate_file", placer.coordinate_file)
    add(element, "time_range", placer.time_range)
    add(element, "output_motion_file", placer.output_motion_file)
    add(element, "output_model_file", placer.output_model_file)
    add(element, "output_marker_file", placer.output_marker_file)
    add(element, "max_marker_movement", placer.max_marker_movement)
