"""OpenSim models are loaded, freed of what moves no bone, given markers and put into arrays."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.data.errors import UserError
from pipeline.kinematics.model import KinematicModel
from pipeline.simulation.opensim_api import osim
from pipeline.simulation.osim_extract import NotInArraysError, kinematics_of

__all__ = ["NotInArraysError", "attach_markers", "extract_kinematics", "load_model", "strip_forces"]


def load_model(path: Path, geometry_dirs: Sequence[Path] = (), *, strip: bool = True) -> Any:
    """An OpenSim ``Model``, without its forces and controllers unless ``strip`` is off.

    Parameters
    ----------
    path
        The ``.osim`` file.
    geometry_dirs
        Folders to look for bone meshes in, beside the model's own ``Geometry``. A missing mesh
        is no error.

    Raises
    ------
    UserError
        Where the file is missing, no XML, no OpenSim model, or OpenSim cannot load it.
    """
    _check_document(path, "Model", "an OpenSim model")
    for folder in geometry_dirs:
        osim.ModelVisualizer.addDirToGeometrySearchPaths(str(folder.resolve()))
    try:
        model = osim.Model(str(path.resolve()))
        if strip:
            strip_forces(model)
        model.finalizeConnections()
    except RuntimeError as error:
        raise UserError(f"{path} could not be loaded by OpenSim: {plain_reason(error)}") from error
    return model


def strip_forces(model: Any) -> None:
    """Take forces, controllers, probes and contact shapes out of ``model``: none moves a bone."""
    for owner in (
        model.updControllerSet(),
        model.updProbeSet(),
        model.updForceSet(),
        model.updContactGeometrySet(),
    ):
        owner.clearAndDestroy()


def attach_markers(model: Any, path: Path) -> None:
    """Add the markers of an OpenSim marker set to ``model``; those of the same name move.

    Raises
    ------
    UserError
        Where the file is missing or no marker set, names a marker twice, or puts one on a body
        that the model lacks.
    """
    _check_document(path, "MarkerSet", "an OpenSim marker set")
    try:
        markers = osim.MarkerSet(str(path.resolve()))
    except RuntimeError as error:
        raise UserError(f"{path} could not be loaded by OpenSim: {plain_reason(error)}") from error
    own = model.updMarkerSet()
    seen: set[str] = set()
    for index in range(markers.getSize()):
        marker = markers.get(index)
        name = str(marker.getName())
        if name in seen:
            raise UserError(f"{path} names the marker {name} twice.")
        seen.add(name)
        frame = str(marker.getParentFrameName())
        if not model.hasComponent(frame):
            raise UserError(
                f"{path} puts the marker {name} on {frame.rpartition('/')[2]}, "
                f"which the model {model.getName()} does not have."
            )
        if own.contains(name):
            own.remove(own.getIndex(name))
        own.cloneAndAppend(marker)
    model.finalizeConnections()


def extract_kinematics(
    path: Path, markers: Path | None = None, geometry_dirs: Sequence[Path] = ()
) -> tuple[KinematicModel, list[str]]:
    """The model file as arrays, and what was left out of them, in sentences.

    Parameters
    ----------
    path
        The ``.osim`` file.
    markers
        A marker set file whose markers are added to the model's own.

    Raises
    ------
    NotInArraysError
        For a joint, function or constraint that arrays cannot express.
    UserError
        For anything wrong with the files.
    """
    model = load_model(path, geometry_dirs)
    if markers is not None:
        attach_markers(model, markers)
    return kinematics_of(model, path)


def plain_reason(error: RuntimeError) -> str:
    """The first line of an OpenSim exception without its C++ whereabouts, as a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not re.match(r"(std::exception|Thrown at|In Object)", line)]
    reason = (kept or lines or ["no reason given"])[0]
    reason = re.sub(r"^std::exception in '.*?': ", "", reason)
    if unknown := re.search(r"object type '\{?(\w+)\}?' is not a registered", reason):
        return f"it holds a {unknown[1]}, which OpenSim does not know."
    return reason.removeprefix("'").rstrip(" .'") + "."


def _check_document(path: Path, element: str, what: str) -> None:
    try:
        root = ET.parse(path).getroot()
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
    except ET.ParseError as error:
        raise UserError(f"{path} is no valid XML: {error}.") from error
    if root.tag != "OpenSimDocument" or root.find(element) is None:
        raise UserError(f"{path} is not {what}.")
    # OpenSim itself gives the second one another name, without a word.
    names = Counter(marker.get("name") for marker in root.findall(".//MarkerSet/objects/Marker"))
    if twice := [name for name, count in names.items() if count > 1]:
        raise UserError(f"{path} names the marker {twice[0]} twice.")
