"""Reading a calibration file of any supported format, and comparing two of one recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.data.camera import Camera
from pipeline.data.errors import Finding, UserError
from pipeline.io.calibration_qualisys import SUBPIXELS, read_qualisys
from pipeline.io.calibration_toml import read_toml, write_calibration_toml

__all__ = [
    "Calibration",
    "compare_distortion",
    "is_calibration_name",
    "read_calibration",
    "write_calibration_toml",
]

CalibrationFormat = Literal["toml", "qualisys"]
_QUALISYS_SUFFIXES = (".qca.txt", ".qca.xml", ".qca", ".xml")
# Relative difference up to which two coefficients are the same number, or 64 times it: the
# six decimals that Qualisys prints leave 1e-3 of a tangential coefficient.
_SAME = 5e-3
# A lens with a first coefficient this small moves the corner of a 1920 px wide picture by less
# than a pixel; times 64 it is an ordinary lens.
_SUSPICIOUS_K1 = 0.002
_ORDINARY_K1 = (0.005, 0.2)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The cameras of one file, in that file's world (metres, its own up axis).

    ``findings`` tell what was left out, converted or looks wrong.
    """

    cameras: tuple[Camera, ...]
    path: Path
    format: CalibrationFormat
    findings: tuple[Finding, ...] = ()


def is_calibration_name(path: Path) -> bool:
    """Whether a file name is one that a calibration may have (content is not looked at)."""
    name = path.name.lower()
    if name.startswith("."):
        return False
    return name.endswith((".toml", ".qca.txt", ".qca.xml")) and name != "config.toml"


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Parameters
    ----------
    path : Path
        ``.toml`` (Anipose, Pose2Sim, Caliscope, SIMSPINE) or Qualisys ``.qca.txt``/``.qca.xml``.

    Returns
    -------
    Calibration
        A camera whose values cannot be right is left out with a finding; the others stay.

    Raises
    ------
    UserError
        The file cannot be read, is of another kind, has a fisheye camera or no usable camera.
    """
    name = path.name.lower()
    if name.endswith(".toml"):
        cameras, findings = read_toml(path)
        return Calibration(cameras, path, "toml", (*findings, *_small_distortion(path, cameras)))
    if name.endswith(_QUALISYS_SUFFIXES):
        cameras, findings = read_qualisys(path)
        return Calibration(cameras, path, "qualisys", findings)
    raise UserError(
        f"{path.name} is not a calibration that can be read, which is a .toml or a .qca.txt file."
    )


def compare_distortion(chosen: Calibration, other: Calibration) -> Finding | None:
    """Tell whether the distortions of two calibrations of one recording differ by 64.

    Parameters
    ----------
    chosen, other : Calibration
        Files with cameras of the same names.

    Returns
    -------
    Finding or None
        Code ``"distortion-scale"``, severity warning, when every coefficient of every common
        camera is 64 times larger in one file.
    """
    by_name = {camera.name: camera for camera in other.cameras}
    pairs = [(c, by_name[c.name]) for c in chosen.cameras if c.name in by_name]
    if not pairs:
        return None
    for small, large, factor in ((chosen, other, SUBPIXELS), (other, chosen, 1 / SUBPIXELS)):
        if all(_scaled(a.distortion, b.distortion, factor) for a, b in pairs):
            message = (
                f"The distortion coefficients in {small.path.name} are 1/64 of those in "
                f"{large.path.name}; they have no unit and must not be scaled like pixels, so "
                f"{small.path.name} probably leaves the lens distortion uncorrected."
            )
            return Finding("warning", "distortion-scale", message, small.path)
    return None


def _scaled(a: np.ndarray, b: np.ndarray, factor: float) -> bool:
    count = min(len(a), len(b))
    expected, found = a[:count] * factor, b[:count]
    return bool(np.any(found) and np.allclose(expected, found, rtol=_SAME, atol=1e-9))


def _small_distortion(path: Path, cameras: tuple[Camera, ...]) -> tuple[Finding, ...]:
    coefficients = np.array([camera.distortion[:2] for camera in cameras])
    first, second = np.abs(coefficients).T
    low, high = _ORDINARY_K1
    looks_scaled = (
        (first < _SUSPICIOUS_K1)
        & (second > 0)
        & (second < 5 * _SUSPICIOUS_K1)
        & (first * SUBPIXELS > low)
        & (first * SUBPIXELS < high)
    )
    if not looks_scaled.all():
        return ()
    message = (
        f"The distortion coefficients in {path.name} are very small (k1 at most "
        f"{first.max():.5f}); either the lenses have almost none, or the file was converted from "
        "a Qualisys one with the coefficients divided by 64."
    )
    return (Finding("info", "distortion-scale", message, path),)
