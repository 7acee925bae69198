"""Set-up files of OpenSim's inverse kinematics, and marker sets: XML, without OpenSim."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from pipeline.data.errors import UserError
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

VALUE_TYPES = ("default_value", "manual_value", "from_file")


@dataclass(frozen=True, slots=True)
class MarkerTask:
    """How much a marker counts; ``apply`` switches it off without forgetting its weight."""

    name: str
    weight: float
    apply: bool = True


@dataclass(frozen=True, slots=True)
class CoordinateTask:
    """Pull of a coordinate to a value.

    Parameters
    ----------
    name : str
        The coordinate.
    weight : float
        In OpenSim's normalisation, in which the markers' weights are divided by their sum and
        this one is not: 1 is as much as all markers together (ik_solver.md §2.3).
    value_type : str
        One of :data:`VALUE_TYPES`.
    value : float
        Target of a ``manual_value``, radians or metres.
    apply : bool
        Whether the task is on.
    """

    name: str
    weight: float
    value_type: str = "default_value"
    value: float = 0.0
    apply: bool = True


@dataclass(frozen=True, slots=True)
class TaskSet:
    """Markers and coordinates with their weights."""

    markers: tuple[MarkerTask, ...] = ()
    coordinates: tuple[CoordinateTask, ...] = ()

    def marker_weights(self) -> dict[str, float]:
        """Weight of every marker that is on and counts."""
        return {task.name: task.weight for task in self.markers if task.apply and task.weight > 0}

    def coordinate_targets(self) -> dict[str, tuple[float, float | None]]:
        """Weight and target of every coordinate that is on and counts; None: its default.

        Raises
        ------
        UserError
            A target is to be taken from a file.
        """
        tasks = [task for task in self.coordinates if task.apply and task.weight > 0]
        for task in tasks:
            if task.value_type == "from_file":
                raise UserError(
                    f"The task of the coordinate {task.name} takes its target from a file, which "
                    "is not supported."
                )
        return {
            task.name: (task.weight, task.value if task.value_type == "manual_value" else None)
            for task in tasks
        }


@dataclass(frozen=True, slots=True)
class IkSetup:
    """A set-up of OpenSim's InverseKinematicsTool.

    Files are absolute as read; None is "not given". ``time_range`` is in seconds.
    """

    tasks: TaskSet
    model_file: Path | None = None
    marker_file: Path | None = None
    coordinate_file: Path | None = None
    output_motion_file: Path | None = None
    results_directory: Path | None = None
    time_range: tuple[float, float] | None = None
    accuracy: float = 1e-5
    constraint_weight: float = math.inf
    report_errors: bool = True
    report_marker_locations: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class ModelMarker:
    """A marker of a model: its body, and its location in the body's frame in metres.

    A marker that is not ``fixed`` may be moved by the placer of a scale set-up.
    """

    name: str
    body: str
    location: tuple[float, float, float]
    fixed: bool = False


def read_ik_setup(path: Path) -> IkSetup:
    """Read a set-up of OpenSim's inverse kinematics.

    Raises
    ------
    UserError
        The file cannot be read, is none, or has something that cannot be understood.
    """
    tool = read_document(path, "InverseKinematicsTool")
    return IkSetup(
        tasks=read_tasks(path, tool),
        model_file=file_of(path, tool, "model_file"),
        marker_file=file_of(path, tool, "marker_file"),
        coordinate_file=file_of(path, tool, "coordinate_file"),
        output_motion_file=file_of(path, tool, "output_motion_file"),
        results_directory=file_of(path, tool, "results_directory"),
        time_range=range_of(path, tool),
        accuracy=number_of(path, tool, "accuracy", 1e-5),
        constraint_weight=number_of(path, tool, "constraint_weight", math.inf),
        report_errors=flag_of(path, tool, "report_errors", True),
        report_marker_locations=flag_of(path, tool, "report_marker_locations", False),
        name=tool.get("name", ""),
    )


def write_ik_setup(path: Path, setup: IkSetup) -> None:
    """Write a set-up that OpenSim's InverseKinematicsTool runs.

    Files should be absolute: OpenSim looks for others beside the set-up.

    Raises
    ------
    UserError
        Where the file cannot be written.
    """
    tool = Element("InverseKinematicsTool", name=setup.name)
    add(tool, "results_directory", setup.results_directory)
    add(tool, "model_file", setup.model_file)
    add(tool, "constraint_weight", setup.constraint_weight)
    add(tool, "accuracy", setup.accuracy)
    add_tasks(tool, setup.tasks)
    add(tool, "marker_file", setup.marker_file)
    add(tool, "coordinate_file", setup.coordinate_file)
    add(tool, "time_range", setup.time_range)
    add(tool, "report_errors", setup.report_errors)
    add(tool, "output_motion_file", setup.output_motion_file)
    add(tool, "report_marker_locations", setup.report_marker_locations)
    write_document(path, tool)


def read_tasks(path: Path, parent: Element) -> TaskSet:
    """The ``IKTaskSet`` of a tool or a marker placer."""
    markers = tuple(
        MarkerTask(
            name_of(path, task),
            number_of(path, task, "weight", 0.0),
            flag_of(path, task, "apply", True),
        )
        for task in objects_of(parent, "IKTaskSet", "IKMarkerTask")
    )
    coordinates = tuple(
        _coordinate_task(path, task) for task in objects_of(parent, "IKTaskSet", "IKCoordinateTask")
    )
    _check_once(path, [task.name for task in markers], "marker task")
    _check_once(path, [task.name for task in coordinates], "coordinate task")
    return TaskSet(markers, coordinates)


def _coordinate_task(path: Path, task: Element) -> CoordinateTask:
    value_type = text_of(task, "value_type", "default_value")
    if value_type not in VALUE_TYPES:
        raise UserError(
            f"{path} has {value_type!r} as value type of the task of {name_of(path, task)}."
        )
    return CoordinateTask(
        name_of(path, task),
        number_of(path, task, "weight", 0.0),
        value_type,
        number_of(path, task, "value", 0.0),
        flag_of(path, task, "apply", True),
    )


def add_tasks(parent: Element, tasks: TaskSet) -> None:
    """Append an ``IKTaskSet``."""
    objects = add_set(parent, "IKTaskSet")
    for marker in tasks.markers:
        element = SubElement(objects, "IKMarkerTask", name=marker.name)
        add(element, "apply", marker.apply)
        add(element, "weight", marker.weight)
    for coordinate in tasks.coordinates:
        element = SubElement(objects, "IKCoordinateTask", name=coordinate.name)
        add(element, "apply", coordinate.apply)
        add(element, "weight", coordinate.weight)
        add(element, "value_type", coordinate.value_type)
        add(element, "value", coordinate.value)


def read_marker_set(path: Path) -> tuple[ModelMarker, ...]:
    """Read the markers of a ``MarkerSet`` file of OpenSim 2 to 4.

    Raises
    ------
    UserError
        The file cannot be read, is none, or a marker is named twice or lacks body or location.
    """
    the_set = read_document(path, "MarkerSet")
    markers = tuple(_model_marker(path, element) for element in the_set.findall("objects/Marker"))
    if not markers:
        raise UserError(f"{path} has no markers.")
    _check_once(path, [marker.name for marker in markers], "marker")
    return markers


def _model_marker(path: Path, element: Element) -> ModelMarker:
    name = name_of(path, element)
    # In the order of OpenSim 4, its first releases, and OpenSim 2 and 3.
    tags = ("socket_parent_frame", "socket_parent_frame_connectee_name", "body")
    body = next((text for tag in tags if (text := text_of(element, tag))), "").split("/")[-1]
    location = numbers_of(path, element, "location", 3)
    if not body or location is None:
        raise UserError(f"{path} has no {'location' if body else 'body'} for the marker {name}.")
    x, y, z = location
    return ModelMarker(name, body, (x, y, z), flag_of(path, element, "fixed", False))


def write_marker_set(path: Path, markers: Sequence[ModelMarker]) -> None:
    """Write markers as a ``MarkerSet`` of OpenSim 4; UserError where that fails."""
    _check_once(path, [marker.name for marker in markers], "marker")
    the_set = Element("MarkerSet", name="markerset")
    objects = SubElement(the_set, "objects")
    for marker in markers:
        element = SubElement(objects, "Marker", name=marker.name)
        frame = "/ground" if marker.body == "ground" else f"/bodyset/{marker.body}"
        add(element, "socket_parent_frame", frame)
        add(element, "location", marker.location)
        add(element, "fixed", marker.fixed)
    SubElement(the_set, "groups")
    write_document(path, the_set)


def _check_once(path: Path, names: Sequence[str], noun: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{path} has more than one {noun} named {twice[0]}.")
