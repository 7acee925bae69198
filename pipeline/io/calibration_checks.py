"""What every calibration format shares: reading the bytes and checking one camera's numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.data.errors import Finding, UserError

# OpenCV's models: k1 k2 p1 p2, then k3, then k4 k5 k6.
COEFFICIENT_COUNTS = (4, 5, 8)
# Largest |R Rᵀ - I| taken for rounding: six printed digits give about 1e-5.
_ORTHONORMAL_TOLERANCE = 1e-3


class CameraFaultError(Exception):
    """Why one camera of a calibration cannot be used, as the end of a sentence."""


def read_bytes(path: Path, what: str) -> bytes:
    """The content of a file; UserError naming file and cause when it cannot be had.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What it is meant to be, such as ``"calibration"``, for the sentence.
    """
    if path.is_dir():
        raise UserError(f"The {what} “{path.name}” is a folder, not a file.")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"The {what} {path.name} does not exist.") from error
    except OSError as error:
        raise UserError(f"The {what} {path.name} cannot be read: {error.strerror}.") from error


def numbers(value: object, shape: tuple[int, ...], what: str) -> NDArray[np.float64]:
    """``value`` as a finite array of ``shape``; CameraFaultError with the reason otherwise."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise CameraFaultError(f"its {what} is not made of numbers") from error
    if array.shape != shape:
        found = "×".join(map(str, array.shape)) or "a single number"
        raise CameraFaultError(
            f"its {what} has shape {found} instead of {'×'.join(map(str, shape))}"
        )
    if not np.isfinite(array).all():
        raise CameraFaultError(f"its {what} contains a value that is not a finite number")
    return array


def rotation_matrix(value: object) -> NDArray[np.float64]:
    """(3, 3) rotation from a Rodrigues vector or a matrix; CameraFaultError if it is none."""
    try:
        shape = np.shape(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError, OverflowError) as error:
        raise CameraFaultError("its rotation is not made of numbers") from error
    if shape != (3, 3):
        vector = numbers(value, (3,), "rotation")
        return np.asarray(cv2.Rodrigues(vector)[0], dtype=np.float64)
    matrix = numbers(value, (3, 3), "rotation")
    is_orthonormal = np.abs(matrix @ matrix.T - np.eye(3)).max() < _ORTHONORMAL_TOLERANCE
    if not is_orthonormal or np.linalg.det(matrix) < 0:
        raise CameraFaultError("its rotation is not a rotation matrix")
    return matrix


def checked_camera(
    name: str,
    size: object,
    matrix: object,
    distortion: object,
    rotation: object,
    translation: object,
) -> Camera:
    """A camera from values as read; CameraFaultError with the reason if one cannot be right.

    Parameters
    ----------
    name : str
        Camera name.
    size, matrix, distortion, rotation, translation : object
        Width and height (px), 3×3 intrinsics (px), 4, 5 or 8 OpenCV coefficients, Rodrigues
        vector or 3×3 matrix, and ``camera_from_world`` translation in the file's unit.
    """
    width, height = numbers(size, (2,), "size")
    if width < 1 or height < 1 or width != round(width) or height != round(height):
        raise CameraFaultError(f"its size {width:g}×{height:g} is not a picture size")
    intrinsics = numbers(matrix, (3, 3), "matrix")
    if intrinsics[0, 0] <= 0 or intrinsics[1, 1] <= 0:
        raise CameraFaultError("its focal length is not positive")
    if not np.array_equal(intrinsics[2], (0.0, 0.0, 1.0)) or intrinsics[1, 0] != 0:
        raise CameraFaultError(
            "its matrix is not an upper-triangular camera matrix ending in 0 0 1"
        )
    count = len(distortion) if isinstance(distortion, Sequence | np.ndarray) else 0
    if count not in COEFFICIENT_COUNTS:
        raise CameraFaultError(f"it has {count} distortion coefficients instead of 4, 5 or 8")
    return Camera(
        name=name,
        size=(round(width), round(height)),
        matrix=intrinsics,
        distortion=numbers(distortion, (count,), "list of distortion coefficients"),
        rotation=rotation_matrix(rotation),
        translation=numbers(translation, (3,), "translation"),
    )


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """One camera of a file, not read yet.

    ``read`` gives the camera and what is odd about it, or raises CameraFaultError;
    ``other_name`` is tried where an earlier camera has ``name`` already.
    """

    name: str
    other_name: str
    read: Callable[[], tuple[Camera, tuple[Finding, ...]]]


def collected(
    path: Path, entries: Iterable[CameraEntry]
) -> tuple[tuple[Camera, ...], tuple[Finding, ...]]:
    """The usable cameras of a calibration, all names different, and what was noticed.

    Raises
    ------
    UserError
        No camera is usable.
    """
    cameras: dict[str, Camera] = {}
    findings: list[Finding] = []
    faults: list[str] = []
    for entry in entries:
        name = entry.name
        try:
            camera, noticed = entry.read()
        except CameraFaultError as fault:
            message = f"The camera {name} in {path.name} was left out: {fault}."
            findings.append(Finding("error", "camera-left-out", message, path))
            faults.append(f"{name}: {fault}")
            continue
        findings.extend(noticed)
        if name in cameras:
            unique = _distinct_name(entry.other_name, list(cameras))
            message = f"{path.name} has two cameras named {name}; the second is called {unique}."
            findings.append(Finding("warning", "duplicate-camera", message, path))
            camera = replace(camera, name=unique)
        cameras[camera.name] = camera
    if not cameras:
        reason = f" ({faults[0]})" if faults else ""
        raise UserError(f"The calibration {path.name} describes no usable camera{reason}.")
    return tuple(cameras.values()), tuple(findings)


def _distinct_name(name: str, taken: Sequence[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name} ({number})"
    return candidate
