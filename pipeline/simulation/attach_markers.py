"""Any OpenSim model made fit to follow our keypoints: freed of forces, with markers of their names.

Markers come from the user's marker set and from the model's own; on models with the bodies of
Pose2Sim's from the set that SIMSPINE publishes; and else from markers and joint centres that are
usual in well-known models, as ``resources/keypoint_markers`` has them.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.kinematics.published import published_markers
from pipeline.simulation.model_writing import save_model
from pipeline.simulation.opensim_api import osim
from pipeline.simulation.osim_model import attach_markers, load_model
from pipeline.simulation.quiet import quiet_process

_FEWEST = 4  # markers that can tell where a body with joints is, and how large


def model_with_keypoints(
    model_file: Path, marker_set: Path | None, keypoints: Collection[str], output: Path
) -> tuple[str, ...]:
    """Write a model that has markers called as our keypoints, and no forces.

    Parameters
    ----------
    model_file : Path
        The user's ``.osim``.
    marker_set : Path, optional
        Markers to be added to the model's own; those of the same name move.
    keypoints : collection of str
        What may be followed.
    output : Path
        ``.osim`` to be written.

    Returns
    -------
    tuple of str
        Where markers come from if not from the model or the marker set, in sentences.

    Raises
    ------
    UserError
        Files that cannot be used, or a model that no keypoint has a marker on.
    """
    notes: list[str] = []
    with quiet_process():
        model = load_model(model_file)
        if marker_set is not None:
            attach_markers(model, marker_set)
        model.initSystem()
        if not marker_names_of(model) & set(keypoints):
            _add_published(model, keypoints, notes)
        _add_known_places(model, keypoints, notes)
    usable = marker_names_of(model) & set(keypoints)
    if len(usable) < _FEWEST:
        has = f"only {len(usable)}" if usable else "no"
        raise UserError(
            f"{model_file} has {has} markers for our keypoints; give it a marker set "
            "(--marker-set) with markers called as the keypoints are, such as RHip and LKnee."
        )
    with quiet_process():
        save_model(model, output)
    return tuple(notes)


def marker_names_of(model: Any) -> set[str]:
    """Names of an OpenSim model's markers."""
    markers = model.getMarkerSet()
    return {str(markers.get(place).getName()) for place in range(markers.getSize())}


@cache
def _known_places() -> tuple[tuple[str, str], ...]:
    """Keypoint and where it lies, the better known place first.

    A place is a marker, several whose middle is meant (``A+B``), or the origin of a body
    (``@femur_r``).
    """
    with resource_path("keypoint_markers", "names.csv").open(encoding="utf-8", newline="") as file:
        return tuple((row["keypoint"], row["place"]) for row in csv.DictReader(file))


def _add_known_places(model: Any, keypoints: Collection[str], notes: list[str]) -> None:
    made = []
    for keypoint, place in _known_places():
        if keypoint not in keypoints or model.getMarkerSet().contains(keypoint):
            continue
        found = _place(model, place)
        if found is not None:
            _add(model, keypoint, *found)
            made.append(f"{keypoint} at {place.replace('+', ' and ').replace('@', 'origin of ')}")
    if made:
        notes.append(f"Keypoints were put on the model: {', '.join(made)}.")


def _place(model: Any, place: str) -> tuple[str, np.ndarray] | None:
    """Frame and location of a known place; None where the model does not have it."""
    if place.startswith("@"):
        body = place.removeprefix("@")
        return (f"/bodyset/{body}", np.zeros(3)) if model.getBodySet().contains(body) else None
    markers = model.getMarkerSet()
    names = place.split("+")
    if not all(markers.contains(name) for name in names):
        return None
    chosen = [markers.get(name) for name in names]
    frames = {str(marker.getParentFrameName()) for marker in chosen}
    if len(frames) > 1:
        return None
    return frames.pop(), np.mean([one.get_location().to_numpy() for one in chosen], axis=0)


def _add_published(model: Any, keypoints: Collection[str], notes: list[str]) -> None:
    bodies = model.getBodySet()
    published = published_markers()
    if not all(bodies.contains(marker.body) for marker in published):
        return
    own = marker_names_of(model)
    wanted = [one for one in published if one.name in keypoints and one.name not in own]
    for marker in wanted:
        _add(model, marker.name, f"/bodyset/{marker.body}", np.array(marker.location))
    notes.append(
        f"The model has the bodies of Pose2Sim's: {len(wanted)} markers were put on it where "
        "SIMSPINE publishes them."
    )


def _add(model: Any, name: str, frame: str, location: np.ndarray) -> None:
    marker = osim.Marker()
    marker.setName(name)
    marker.setParentFrameName(frame)
    marker.set_location(osim.Vec3(*(float(x) for x in location)))
    model.updMarkerSet().cloneAndAppend(marker)
    model.finalizeConnections()
