"""The TOML calibration family of Anipose, Pose2Sim, Caliscope and SIMSPINE."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tomli_w

from pipeline.data.camera import Camera
from pipeline.data.errors import Finding, UserError
from pipeline.io.atomic import atomic_text
from pipeline.io.calibration_checks import (
    COEFFICIENT_COUNTS,
    CameraEntry,
    CameraFaultError,
    checked_camera,
    collected,
    read_bytes,
)

# No room is 100 m across, and millimetres (Anipose's usual board unit) give values in the
# thousands, so a translation above this cannot be metres.
_MILLIMETRES_ABOVE = 100.0
# Between the two it could be centimetres or a stadium: said, not converted.
_DOUBTFUL_ABOVE = 30.0
_REQUIRED = ("size", "matrix", "distortions", "rotation", "translation")


def read_toml(path: Path) -> tuple[tuple[Camera, ...], tuple[Finding, ...]]:
    """Cameras of a TOML calibration, in the file's order and the file's world.

    Accepted are Anipose (``[cam_0]``), Pose2Sim and SIMSPINE (any section name) and Caliscope
    (``[cameras.N]``); the rotation is a Rodrigues vector or a 3×3 matrix; 4, 5 or 8 OpenCV
    coefficients are kept as read. Translations above 100 are read as millimetres.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    cameras : tuple of Camera
        ``camera_from_world`` poses in metres.
    findings : tuple of Finding
        Cameras that were left out, and unit conversions.

    Raises
    ------
    UserError
        The file cannot be read, a camera is a fisheye, or no camera is usable.
    """
    cameras, findings = collected(path, _entries(path, _parse(path)))
    converted, unit_findings = _in_metres(path, cameras)
    return converted, (*findings, *unit_findings)


def _entries(path: Path, table: dict[str, Any]) -> Iterator[CameraEntry]:
    for section, entry in _camera_tables(table):
        name = str(entry.get("name") or section)
        if entry.get("fisheye", False):
            raise UserError(
                f"The camera {name} in {path.name} is a fisheye, and only the OpenCV pinhole "
                "model with 4, 5 or 8 coefficients can be used."
            )
        yield CameraEntry(name, section, partial(_camera, name, entry))


def _camera(name: str, entry: dict[str, Any]) -> tuple[Camera, tuple[Finding, ...]]:
    missing = [key for key in _REQUIRED if key not in entry]
    if missing:
        raise CameraFaultError(f"it has no “{missing[0]}”")
    return checked_camera(name, *(entry[key] for key in _REQUIRED)), ()


def write_calibration_toml(path: Path, cameras: Iterable[Camera]) -> None:
    """Write cameras as Pose2Sim / Anipose TOML, atomically.

    All distortion coefficients of a camera are written. A failed write leaves an older file as
    it was.

    Parameters
    ----------
    path : Path
        Target file.
    cameras : iterable of Camera
        In the world and unit (metres) that the file is meant to have.

    Raises
    ------
    UserError
        The file cannot be written, or two cameras have the same name.
    """
    table: dict[str, Any] = {}
    for camera in cameras:
        if camera.name in table or camera.name == "metadata":
            raise UserError(f"{path.name} cannot hold two sections named {camera.name}.")
        if len(camera.distortion) not in COEFFICIENT_COUNTS:
            raise UserError(
                f"{path.name} cannot hold {len(camera.distortion)} distortion coefficients."
            )
        table[camera.name] = {
            "name": camera.name,
            "size": [float(v) for v in camera.size],
            "matrix": camera.matrix.tolist(),
            "distortions": camera.distortion.tolist(),
            "rotation": cv2.Rodrigues(np.ascontiguousarray(camera.rotation))[0].ravel().tolist(),
            "translation": camera.translation.tolist(),
            "fisheye": False,
        }
    table["metadata"] = {"adjusted": False, "error": 0.0}
    with atomic_text(path) as handle:
        handle.write(tomli_w.dumps(table))


def _parse(path: Path) -> dict[str, Any]:
    content = read_bytes(path, "calibration")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"The calibration {path.name} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        cause = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"The calibration {path.name} is not valid TOML: {cause}.") from error


def _camera_tables(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    nested = table.get("cameras")
    if isinstance(nested, dict):
        # Caliscope numbers its cameras and names its videos cam_N.
        for number, entry in nested.items():
            if isinstance(entry, dict) and "matrix" in entry:
                yield (f"cam_{number}" if number.isdigit() else number), entry
        return
    for section, entry in table.items():
        if isinstance(entry, dict) and any(key in entry for key in ("matrix", "distortions")):
            yield section, entry


def _in_metres(
    path: Path, cameras: tuple[Camera, ...]
) -> tuple[tuple[Camera, ...], tuple[Finding, ...]]:
    distance = float(np.median([np.linalg.norm(c.translation) for c in cameras]))
    if distance > _MILLIMETRES_ABOVE:
        message = (
            f"The cameras in {path.name} are {distance:.0f} units from the origin, which was read "
            "as millimetres and converted to metres."
        )
        converted = tuple(replace(c, translation=c.translation / 1000.0) for c in cameras)
        return converted, (Finding("warning", "units", message, path),)
    if distance > _DOUBTFUL_ABOVE:
        message = (
            f"The cameras in {path.name} are {distance:.0f} m from the origin if the file is in "
            "metres, so its unit is doubtful."
        )
        return cameras, (Finding("warning", "units", message, path),)
    return cameras, ()
