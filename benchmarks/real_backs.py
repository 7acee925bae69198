"""The solved spine beside real markers on a real back, and column levels held out in turn.

Run from the repository: ``python -m benchmarks.real_backs [RECORDING] [--part markers|levels]``,
by default on the recording beside the repository. Prints every frame and then medians; nothing here
passes or fails but the last line of the second part. docs/real-backs.md says what it means.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from benchmarks.held_out_levels import simulated
from benchmarks.machine import name_machine
from benchmarks.real_backs_labels import FOLDER, VIEWS, pixels_of, read_marks, triangulated
from pipeline.cli.recording import chosen_person, open_recording
from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.sequence import Sequence
from pipeline.geometry.projection import project
from pipeline.geometry.refine_sequence import camera_report_steps
from pipeline.io.export_request import ExportRequest, solve_steps
from pipeline.kinematics.forward import body_transforms, marker_positions, points_on_bodies
from pipeline.kinematics.measured import Measured, read_measured
from pipeline.kinematics.model import body_index
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.simulate import Simulation

FloatArray = NDArray[np.float64]

REPOSITORY = Path(__file__).resolve().parents[1]
MARKERS = ("C7", "MidBackUpper", "MidBackLower")
EVERY = 3  # frames printed; all are counted
_FINE = 40  # points of the curve between two levels


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """One simulation of the recording's person with one set of cameras."""

    sequence: Sequence
    measured: Measured
    found: Simulation


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "recording",
        type=Path,
        nargs="?",
        default=REPOSITORY.parent / "shared" / "data" / "balancing",
    )
    parser.add_argument("--part", choices=("markers", "levels"))
    told = parser.parse_args()
    name_machine()
    status = 0
    with tempfile.TemporaryDirectory() as scratch:
        for refined in (False, True):
            sequence, track = opened(told.recording, refined=refined)
            measured = points_of_person(sequence, track, Path(scratch))
            print(f"\n# Cameras {'refined from the person' if refined else 'as delivered'}")
            if told.part != "levels":
                found = simulated(measured, Path(scratch) / "subject.osim")
                print_markers(Solved(sequence, measured, found), in_full=refined)
            if told.part != "markers" and refined:
                from benchmarks.real_backs_levels import print_levels

                status = print_levels(sequence, measured, Path(scratch))
    return status


def opened(recording: Path, *, refined: bool) -> tuple[Sequence, int]:
    """The recording in memory and its first person, seen by refined cameras or by its own."""
    read = open_recording(recording)
    sequence, track = read.sequence, chosen_person(read, None).track
    if refined:
        steps = camera_report_steps(sequence, track)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                report = finished.value
                break
        for patch in edits.set_cameras(sequence, report.refinement.cameras):
            sequence.apply(patch)
    return sequence, track


def points_of_person(sequence: Sequence, track: int, folder: Path) -> Measured:
    """What ``simspine simulate`` starts from: the final points of the body's detections."""
    request = ExportRequest(sequence, track, "trc", folder / "points.trc")
    for _ in solve_steps(request):
        pass
    return read_measured(sequence, track, np.arange(*request.span, dtype=np.intp))


def skin_levels(found: Simulation) -> tuple[tuple[str, ...], FloatArray]:
    """Skin of the midline of the back: names of L levels from below, and (T, L, 3) metres."""
    rows = read_tables().spine_points
    names = tuple(row.body for row in rows)
    factors = np.array([found.scaling.body_factors[name] for name in names])
    places = np.array([(row.skin_x_mm, row.skin_y_mm, 0.0) for row in rows]) / 1000.0 * factors
    bodies = np.array([body_index(found.model, name) for name in names])
    poses = body_transforms(found.model, found.fitted.coordinates)
    column = points_on_bodies(poses, bodies, places)
    sacrum = marker_positions(found.model, found.fitted.coordinates, poses)[
        :, [found.model.marker_names.index("Hip")]
    ]
    return ("sacrum", *names), np.concatenate([sacrum, column], axis=1)


def nearest_on_curve(levels: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(T, K) distance in metres from each point to the curve, and where on it, in levels.

    The curve is a cubic spline through the levels (T, L, 3); points are (T, K, 3).
    """
    n_levels = levels.shape[1]
    at = np.linspace(0, n_levels - 1, (n_levels - 1) * _FINE + 1)
    distance = np.full(points.shape[:2], np.nan)
    where = np.full(points.shape[:2], np.nan)
    for frame in range(len(levels)):
        curve = CubicSpline(np.arange(n_levels), levels[frame])(at)
        gaps = np.linalg.norm(curve[None] - points[frame][:, None], axis=-1)
        known = np.isfinite(gaps).all(axis=1)
        best = gaps[known].argmin(axis=1)
        distance[frame, known] = gaps[known][np.arange(len(best)), best]
        where[frame, known] = at[best]
    return distance, where


def bend(upper: FloatArray, middle: FloatArray, lower: FloatArray) -> FloatArray:
    """(T,) angle in degrees by which the line from ``lower`` to ``upper`` bends in the middle."""
    a, b = middle - lower, upper - middle
    cosine = np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def lean(upper: FloatArray, lower: FloatArray) -> FloatArray:
    """(T,) angle in degrees of the line from ``lower`` to ``upper`` to the vertical."""
    line = upper - lower
    return np.degrees(np.arccos(line[..., 1] / np.linalg.norm(line, axis=-1)))


def on_curve(levels: FloatArray, at: FloatArray) -> FloatArray:
    """(T, K, 3) the points of the curve at K places, in levels."""
    return np.stack(
        [CubicSpline(np.arange(levels.shape[1]), one)(at) for one in levels],
    )


def gap_on_back(
    found: Simulation, levels: FloatArray, points: FloatArray, at: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(T, K) metres by which points lie behind the curve, and to the right, at fixed places.

    Behind and right are those of the vertebra whose level is nearest.
    """
    poses = body_transforms(found.model, found.fitted.coordinates)
    names = [row.body for row in read_tables().spine_points]
    gap = points - on_curve(levels, at)
    behind, right = np.empty(gap.shape[:2]), np.empty(gap.shape[:2])
    for k, place in enumerate(at):
        turned = poses[:, body_index(found.model, names[max(round(float(place)) - 1, 0)]), :, :3]
        behind[:, k] = -np.sum(gap[:, k] * turned[:, :, 0], axis=-1)
        right[:, k] = np.sum(gap[:, k] * turned[:, :, 2], axis=-1)
    return behind, right


def line_of_sight(solved: Solved) -> FloatArray:
    """(T,) metres from the model's left posterior iliac spine to where view 3 sees the marker."""
    view = VIEWS[0]
    cameras = solved.sequence.cameras
    camera = cameras[cameras.index(view)]
    marks = read_marks(FOLDER / "markers.csv")
    xy = pixels_of(marks, ("LPSIS",), (view,), solved.sequence.n_frames)[:, 0]  # (T, 1, 2)
    row = next(row for row in read_tables().body_points if row.point == "psis")
    factor = np.array(solved.found.scaling.body_factors["pelvis"])
    place = np.array([[row.x_mm, row.y_mm, -row.z_mm]]) / 1000.0 * factor
    poses = body_transforms(solved.found.model, solved.found.fitted.coordinates)
    spine = points_on_bodies(poses, np.array([body_index(solved.found.model, "pelvis")]), place)
    # Small angles: what the picture lies beside the point, at the depth of the point.
    beside = np.linalg.norm(project(camera, spine[:, 0]) - xy[:, 0], axis=-1)
    depth = spine[:, 0] @ camera.rotation[2] + camera.translation[2]
    return np.asarray(beside * depth / camera.matrix[0, 0])


def marker_points(sequence: Sequence, names: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
    """The labelled markers from views 3 and 4: (T, K, 3) metres and (T, V, K) px left over."""
    marks = read_marks(FOLDER / "markers.csv")
    cameras = sequence.cameras
    two = CameraGroup(tuple(cameras[cameras.index(name)] for name in VIEWS))
    return triangulated(two, pixels_of(marks, names, VIEWS, sequence.n_frames))


def print_markers(solved: Solved, *, in_full: bool) -> None:
    """Part (a): the markers beside the skin of the spine solved from body detections alone."""
    xyz, left = marker_points(solved.sequence, MARKERS)
    names, levels = skin_levels(solved.found)
    distance, where = nearest_on_curve(levels, xyz)
    typical = np.nanmedian(where, axis=0)
    on_model = on_curve(levels, typical)
    own_bend, model_bend = bend(*np.moveaxis(xyz, 1, 0)), bend(*np.moveaxis(on_model, 1, 0))
    own_lean = lean(xyz[:, 0], xyz[:, 2])
    model_lean = lean(on_model[:, 0], on_model[:, 2])
    if in_full:
        print("\nframe   distance to the solved skin, mm      bend at the upper marker, deg   "
              "lean C7 over lower, deg   left over")  # fmt: skip
        print("        " + "".join(f"{name:>13}" for name in MARKERS)
              + "     markers   model          markers   model         px")  # fmt: skip
        for frame in range(0, len(xyz), EVERY):
            cells = "".join(f"{value * 1000:13.1f}" for value in distance[frame])
            print(f"{frame:5d}   {cells}   {own_bend[frame]:9.1f}{model_bend[frame]:8.1f}"
                  f"        {own_lean[frame]:9.1f}{model_lean[frame]:8.1f}"
                  f"   {np.nanmax(left[frame], initial=0.0):8.1f}")  # fmt: skip
    n = np.isfinite(xyz[..., 0]).sum(axis=0)
    print(f"\nFrames with the marker in both views: {_named(MARKERS, n, '{:d}')}")
    print(f"Reprojection error of two views, median px: {np.nanmedian(left):.2f}")
    print(f"Distance to the skin, median mm: "
          f"{_named(MARKERS, 1000 * np.nanmedian(distance, axis=0), '{:.1f}')}; "
          f"all {1000 * np.nanmedian(distance):.1f}, "
          f"90 % below {1000 * np.nanpercentile(distance, 90):.1f}")  # fmt: skip
    behind, right = gap_on_back(solved.found, levels, xyz, typical)
    print(f"Marker behind the solved skin, median mm: "
          f"{_named(MARKERS, 1000 * np.nanmedian(behind, axis=0), '{:+.1f}')}; to its right: "
          f"{_named(MARKERS, 1000 * np.nanmedian(right, axis=0), '{:+.1f}')}")  # fmt: skip
    side = line_of_sight(solved)
    print(f"Left posterior iliac spine, distance of the model's to the line of sight of view 3, "
          f"{np.isfinite(side).sum()} frames, "
          f"median mm: {1000 * np.nanmedian(side):.1f}")  # fmt: skip
    nearest = [names[round(float(place))] for place in typical]
    pairs = zip(MARKERS, nearest, strict=True)
    print("Nearest level, median: " + ", ".join(f"{marker} {level}" for marker, level in pairs))
    for what, own, model in (("Bend", own_bend, model_bend), ("Lean", own_lean, model_lean)):
        _print_angles(what, own, model)


def _print_angles(what: str, own: FloatArray, model: FloatArray) -> None:
    known = np.isfinite(own) & np.isfinite(model)
    gap = model[known] - own[known]
    slope = np.polyfit(own[known], model[known], 1)[0]
    print(f"{what}, model less markers, deg: median {np.median(gap):+.1f}, median of the size "
          f"{np.median(np.abs(gap)):.1f}, RMS {np.sqrt(np.mean(gap**2)):.1f}, RMS after taking the "
          f"mean off {gap.std():.1f}; range of the markers {np.ptp(own[known]):.1f}, of the model "
          f"{np.ptp(model[known]):.1f}; slope {slope:.2f}, "
          f"r {np.corrcoef(own[known], model[known])[0, 1]:.2f}")  # fmt: skip


def _named(names: tuple[str, ...], values: NDArray[np.generic], form: str) -> str:
    pairs = zip(names, values.tolist(), strict=True)
    return ", ".join(f"{name} {form.format(value)}" for name, value in pairs)


if __name__ == "__main__":
    sys.exit(main())
