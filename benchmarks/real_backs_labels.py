"""The labels of the markers on the real recording's back: read, written, triangulated."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.data.errors import UserError
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import solve_point

FloatArray = NDArray[np.float64]

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "real_backs"
VIEWS = ("cam_03", "cam_04")
# A project always has SpineTrack's 37 keypoints, and none of them is a marker on the skin. In the
# project in which markers are placed these four, which the detector does not know, stand for them.
SLOTS = {
    "C7": "spine_05",
    "MidBackUpper": "spine_04",
    "MidBackLower": "spine_03",
    "LPSIS": "spine_01",
}
_COLUMNS = ("view", "marker", "frame", "x", "y")


@dataclass(frozen=True, slots=True)
class Mark:
    """One point in one picture, px: ``how`` is "placed" by a person or "followed" from there."""

    view: str
    marker: str
    frame: int
    x: float
    y: float
    how: str = "placed"


def read_marks(path: Path) -> list[Mark]:
    """Read a table of points.

    Raises
    ------
    UserError
        The file cannot be read, or a row is no point.
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the labels cannot be read ({error}).") from error
    marks = []
    for number, row in enumerate(rows, 2):
        try:
            place = (int(row["frame"]), float(row["x"]), float(row["y"]))
            marks.append(Mark(row["view"], row["marker"], *place, row.get("how") or "placed"))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: line {number} is no point in a picture.") from error
    return marks


def write_marks(path: Path, marks: list[Mark]) -> None:
    """Write a table of points, ordered by view, marker and frame."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow((*_COLUMNS, "how"))
        for mark in sorted(marks, key=lambda one: (one.view, one.marker, one.frame)):
            place = (f"{mark.x:.2f}", f"{mark.y:.2f}")
            writer.writerow((mark.view, mark.marker, mark.frame, *place, mark.how))


def pixels_of(
    marks: list[Mark], names: tuple[str, ...], views: tuple[str, ...], n_frames: int
) -> FloatArray:
    """(T, V, K, 2) px of some markers in some views; NaN where there is none."""
    xy = np.full((n_frames, len(views), len(names), 2), np.nan)
    for mark in marks:
        if mark.view in views and mark.marker in names and mark.frame < n_frames:
            xy[mark.frame, views.index(mark.view), names.index(mark.marker)] = mark.x, mark.y
    return xy


def triangulated(cameras: CameraGroup, xy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points seen in two views or more: (T, K, 3) metres, and (T, V, K) px left over.

    ``xy`` is (T, V, K, 2) px with one entry per camera, NaN where a point is not seen.
    """
    n_frames, n_views, n_points, _ = xy.shape
    xyz = np.full((n_frames, n_points, 3), np.nan)
    left = np.full((n_frames, n_views, n_points), np.nan)
    seen = np.isfinite(xy[..., 0])
    for frame, point in np.argwhere(seen.sum(axis=1) >= 2):
        here = seen[frame, :, point]
        found, _ = solve_point(cameras, xy[frame, :, point], here.astype(float), here)
        xyz[frame, point] = found
        left[frame, :, point] = np.linalg.norm(
            xy[frame, :, point] - project_views(cameras, found), axis=-1
        )
    return xyz, left
