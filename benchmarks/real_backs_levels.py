"""Part (b) of the real backs: each level of the column held out, told by the model and by a cubic.

The nine levels lie on the visible line of the back, read by eye in every one of the frames and in
both views. How far each level lies along that line is judged, not seen; README.md beside the labels
says how.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BarycentricInterpolator

from benchmarks.real_backs_labels import FOLDER, VIEWS, pixels_of, read_marks, triangulated
from pipeline.data.camera import CameraGroup
from pipeline.data.resources import resource_path
from pipeline.data.sequence import Sequence
from pipeline.data.source import Source
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.model import body_index
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.osim_model import extract_kinematics
from pipeline.simulation.simulate import Measured, SimulationOptions, simulate_steps

FloatArray = NDArray[np.float64]

COLUMN = ("Hip", "Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05", "Neck", "Neck_02",
          "Neck_03")  # fmt: skip
BODIES = ("sacrum", "L5", "L3", "L1", "T8", "T3", "C7", "C4", "C1")
STEP = 3  # frames
_SIDES = ("LShoulder", "RShoulder", "LHip", "RHip")
_SIGMA = 0.010  # m, of a level placed by hand


def print_levels(sequence: Sequence, measured: Measured, folder: Path) -> int:
    """Hold out each interior level; 0 if the model is the better one at every level."""
    frames, skin, left = levels_in_space(sequence)
    column = moved_in(skin, measured, frames)
    own = with_column(measured, frames, column)
    print(f"\n{len(frames)} frames with nine levels; 3D error of a level held out, mm")
    print("frame " + "".join(f"{name:>16}" for name in COLUMN[1:-1]))
    print("      " + "".join(f"{'model':>10}{'cubic':>6}" for _ in COLUMN[1:-1]))
    model, cubic, label, across, steady = [], [], [], [], []
    at = _neutral_places()
    for level in range(1, len(COLUMN) - 1):
        told, written, turns = _model_prediction(own, level, folder)
        gap = told - column[:, level]
        label.append(1e3 * float(np.median(np.linalg.norm(written - column[:, level], axis=1))))
        curve = cubic_prediction(column, at, level) - column[:, level]
        model.append(np.linalg.norm(gap, axis=1))
        cubic.append(np.linalg.norm(curve, axis=1))
        way = column[:, level + 1] - column[:, level - 1]
        across.append((_across(gap, way), _across(curve, way)))
        steady.append((_unsteady(gap, turns), _unsteady(curve, turns)))
    for row, frame in enumerate(frames.tolist()):
        cells = zip(model, cubic, strict=True)
        numbers = (f"{1e3 * m[row]:10.1f}{1e3 * c[row]:6.1f}" for m, c in cells)
        print(f"{frame:5d} " + "".join(numbers))
    medians = [(1e3 * np.median(m), 1e3 * np.median(c)) for m, c in zip(model, cubic, strict=True)]
    print("median" + "".join(f"{m:10.1f}{c:6.1f}" for m, c in medians))
    for title, pairs in (("across", across), ("steady", steady)):
        print(title + "".join(f"{1e3 * m:10.1f}{1e3 * c:6.1f}" for m, c in pairs))
    print("label " + "".join(f"{mm:10.1f}{'':6}" for mm in label))
    print("across: median of what lies across the column; where along it a level is was judged")
    print("steady: median without the constant part, in the vertebra's own frame")
    print("label: median of the whole chain's label for the level, after fusing and keeping spaces")
    better = [name for name, (m, c) in zip(COLUMN[1:-1], medians, strict=True) if m < c]
    print(f"Levels at which the model is nearer: {', '.join(better) or 'none'}")
    return 0 if len(better) == len(medians) else 1


def levels_in_space(
    sequence: Sequence,
) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Frames (F,), the column's levels on the skin (F, 9, 3) metres, and (F, V, 9) px left over."""
    cameras = sequence.cameras
    two = CameraGroup(tuple(cameras[cameras.index(name)] for name in VIEWS))
    xy = pixels_of(read_marks(FOLDER / "column.csv"), COLUMN, VIEWS, sequence.n_frames)
    frames = np.flatnonzero(np.isfinite(xy).all(axis=(1, 2, 3)))
    skin, left = triangulated(two, xy[frames])
    return frames, skin, left


def moved_in(skin: FloatArray, measured: Measured, frames: NDArray[np.intp]) -> FloatArray:
    """(F, 9, 3) levels on the skin moved to the depth at which their keypoints are defined.

    The depths are the model's (unscaled); forward is square to the column and to the line through
    both shoulders and both hips.
    """
    place = {name: measured.xyz[frames, measured.names.index(name)] for name in _SIDES}
    right = place["RShoulder"] - place["LShoulder"] + place["RHip"] - place["LHip"]
    along = np.gradient(skin, axis=1)
    forward = np.cross(along, right[:, None])
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    return skin + _depths()[:, None] * forward


def _depths() -> FloatArray:
    """(9,) metres from the skin to the keypoint; the lowest one lies on the skin."""
    tables = read_tables()
    skin = {row.body: row.skin_x_mm for row in tables.spine_points}
    model = extract_kinematics(resource_path("models", "simspine_core.osim"))[0]
    depths = [0.0]
    for name, body in zip(COLUMN[1:], BODIES[1:], strict=True):
        marker = model.marker_locations[model.marker_names.index(name), 0]
        depths.append(float(marker) - skin[body] / 1000.0)
    return np.array(depths)


def with_column(measured: Measured, frames: NDArray[np.intp], column: FloatArray) -> Measured:
    """The body's points in some frames, with the column's as a person placed them."""
    xyz, sigma = measured.xyz[frames].copy(), measured.sigma[frames].copy()
    manual = measured.manual[frames].copy()
    places = [measured.names.index(name) for name in COLUMN]
    xyz[:, places], sigma[:, places] = column, _SIGMA
    manual[:, places] = Source.MANUAL_2D
    return replace(
        measured,
        times=measured.times[frames],
        xyz=xyz,
        sigma=sigma,
        manual=manual,
        rate=measured.rate / STEP,
    )


def _model_prediction(
    own: Measured, level: int, folder: Path
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(F, 3) a level nobody placed, of the solved model and of the labels; its vertebra."""
    place = own.names.index(COLUMN[level])
    xyz, sigma, manual = own.xyz.copy(), own.sigma.copy(), own.manual.copy()
    xyz[:, place], sigma[:, place], manual[:, place] = np.nan, np.nan, Source.NONE
    without = replace(own, xyz=xyz, sigma=sigma, manual=manual)
    steps = simulate_steps(without, folder / "held_out.osim", SimulationOptions())
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            found = finished.value
            break
    poses = body_transforms(found.model, found.solved.coordinates)
    turned = poses[:, body_index(found.model, BODIES[level]), :, :3]
    return found.virtual[:, place], found.labels.xyz[:, place], turned


def _neutral_places() -> FloatArray:
    """(9,) metres along the column of the unscaled model's points."""
    model = extract_kinematics(resource_path("models", "simspine_core.osim"))[0]
    points = marker_positions(model, model.default)
    column = points[[model.marker_names.index(name) for name in COLUMN]]
    steps = np.linalg.norm(np.diff(column, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def cubic_prediction(column: FloatArray, at: FloatArray, level: int) -> FloatArray:
    """(F, 3) a level from the cubic through its four nearest neighbours, two on each side.

    Next to an end of the column it is one and three. ``at`` (9,) says how far levels are apart.
    """
    first = min(max(level - 2, 0), len(at) - 5)
    used = [k for k in range(first, first + 5) if k != level]
    cubic = BarycentricInterpolator(at[used], np.moveaxis(column[:, used], 1, 0))
    return np.asarray(cubic(at[level]))


def _across(gap: FloatArray, way: FloatArray) -> float:
    """Median size of what lies square to a direction, metres."""
    unit = way / np.linalg.norm(way, axis=1, keepdims=True)
    return float(
        np.median(np.linalg.norm(gap - unit * np.sum(gap * unit, axis=1, keepdims=True), axis=1))
    )


def _unsteady(gap: FloatArray, turns: FloatArray) -> float:
    """Median size of what changes of an error, seen from its vertebra, metres."""
    seen = np.einsum("fij,fi->fj", turns, gap)
    return float(np.median(np.linalg.norm(seen - np.median(seen, axis=0), axis=1)))
