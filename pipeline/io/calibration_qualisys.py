"""Qualisys camera calibrations (``.qca.txt``, ``.qca.xml``).

Lengths in the picture are in 1/64 pixel, positions in millimetres, and the rotation takes the
world to a camera frame with y up that looks along -z. The distortion coefficients are
dimensionless (``docs/decisions/001-qualisys-distortion.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from pipeline.data.camera import Camera
from pipeline.data.errors import Finding, UserError
from pipeline.io.calibration_checks import (
    CameraEntry,
    CameraFaultError,
    checked_camera,
    collected,
    numbers,
    read_bytes,
)

# Qualisys' subpixel ("camera unit"): sensorMaxU 122879 = 64 * 1920 - 1 on a 1920 px sensor.
SUBPIXELS = 64.0
# OpenCV's camera frame (y down, z forward) from Qualisys' (y up, z backward).
_OPENCV_FROM_QUALISYS = np.diag([1.0, -1.0, -1.0])


def read_qualisys(path: Path) -> tuple[tuple[Camera, ...], tuple[Finding, ...]]:
    """Cameras of a Qualisys calibration, in the file's order and QTM's world.

    Parameters
    ----------
    path : Path
        The exported file; inactive cameras are skipped.

    Returns
    -------
    cameras : tuple of Camera
        Five distortion coefficients k1 k2 p1 p2 k3 as written; poses in metres.
    findings : tuple of Finding
        Cameras that were left out.

    Raises
    ------
    UserError
        The file cannot be read or has no usable camera.
    """
    content = read_bytes(path, "calibration")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UserError(f"The calibration {path.name} is not valid XML: {error}.") from error
    except (ValueError, LookupError) as error:
        raise UserError(
            f"The calibration {path.name} is not text in the encoding it names."
        ) from error
    return collected(path, _entries(path, root))


def _entries(path: Path, root: ElementTree.Element) -> Iterator[CameraEntry]:
    number = 0
    for element in root.iter():
        if element.tag.lower() != "camera" or element.get("active") == "0":
            continue
        number += 1
        name = element.get("serial") or element.get("id") or f"camera {number}"
        yield CameraEntry(name, name, partial(_camera, path, name, element))


def _camera(
    path: Path, name: str, element: ElementTree.Element
) -> tuple[Camera, tuple[Finding, ...]]:
    if element.get("calibrated", "true").lower() == "false":
        raise CameraFaultError("Qualisys marked it as not calibrated")
    intrinsic = _attributes(element, "intrinsic")
    transform = _attributes(element, "transform")
    video = _attributes(element, "fov_video")
    left, top, right, bottom = _values(video, ("left", "top", "right", "bottom"), "fov_video")
    width, height = right - left + 1, bottom - top + 1
    minimum = np.array(_values(intrinsic, ("sensorminu", "sensorminv"), "sensor"))
    maximum = np.array(_values(intrinsic, ("sensormaxu", "sensormaxv"), "sensor"))
    if ((maximum - minimum) < 8.0 * np.array([width, height])).all():
        # Theia3D writes the same XML in whole pixels and with another translation.
        raise CameraFaultError("its sensor is not given in Qualisys' 1/64 pixel")
    focal = np.array(_values(intrinsic, ("focallengthu", "focallengthv"), "focal length"))
    centre = np.array(_values(intrinsic, ("centerpointu", "centerpointv"), "centre"))
    (fx, fy), (cx, cy) = focal / SUBPIXELS, (centre - minimum) / SUBPIXELS - (left, top)
    radial = _values(intrinsic, tuple(f"radialdistortion{i}" for i in (1, 2, 3)), "distortion")
    tangential = _values(intrinsic, tuple(f"tangentaldistortion{i}" for i in (1, 2)), "distortion")
    names = tuple(f"r{i}{j}" for i in (1, 2, 3) for j in (1, 2, 3))
    rotation = _OPENCV_FROM_QUALISYS @ np.reshape(_values(transform, names, "rotation"), (3, 3))
    position = np.array(_values(transform, ("x", "y", "z"), "position")) / 1000.0
    camera = checked_camera(
        name,
        (width, height),
        [[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]],
        [radial[0], radial[1], tangential[0], tangential[1], radial[2]],
        rotation,
        -rotation @ position,
    )
    if float(intrinsic.get("skew", "0") or 0) == 0:
        return camera, ()
    message = f"The skew of camera {name} in {path.name} was ignored, as OpenCV has none."
    return camera, (Finding("warning", "skew-ignored", message, path),)


def _attributes(element: ElementTree.Element, tag: str) -> dict[str, str]:
    for child in element:
        if child.tag.lower() == tag:
            return {key.lower(): value for key, value in child.attrib.items()}
    raise CameraFaultError(f"it has no “{tag}”")


def _values(attributes: Mapping[str, str], names: tuple[str, ...], what: str) -> list[float]:
    missing = [name for name in names if name not in attributes]
    if missing:
        raise CameraFaultError(f"it has no “{missing[0]}”")
    values = [attributes[name] for name in names]
    return [float(v) for v in numbers(values, (len(names),), what)]
