"""Part (b) of the real backs: each level of the column held out, told by the model and by a cubic.

The nine levels lie on the visible line of the back, read by eye in every one of the frames and in
both views. How far each level lies along that line is judged, not seen; README.md beside the labels
says how.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.held_out_levels import (
    COLUMN,
    cubic_prediction,
    label_of_the_model_alone,
    neutral_places,
    simulated,
    without_level,
)
from benchmarks.real_backs_labels import FOLDER, VIEWS, pixels_of, read_marks, triangulated
from pipeline.data.camera import CameraGroup
from pipeline.data.resources import resource_path
from pipeline.data.sequence import Sequence
from pipeline.data.source import Source
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.measured import Measured
from pipeline.kinematics.model import body_index
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.osim_model import extract_kinematics

FloatArray = NDArray[np.float64]

BODIES = ("sacrum", "L5", "L3", "L1", "T8", "T3", "C7", "C4", "C1")
STEP = 3  # frames
MODEL, ALONE = "model's marker", "label, model alone"
LABEL, CUBIC = "label", "cubic"
WAYS = (MODEL, ALONE, LABEL, CUBIC)
_SIDES = ("LShoulder", "RShoulder", "LHip", "RHip")
_SIGMA = 0.010  # m, of a level placed by hand


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A level held out in all frames: (F, 3) metres from where it was placed.

    Attributes
    ----------
    gaps
        By who tells it, a title of ``WAYS``.
    way
        Along the column there, of any length.
    turns : (F, 3, 3) array
        Axes of its vertebra in the solved model.
    """

    gaps: dict[str, FloatArray]
    way: FloatArray
    turns: FloatArray


def print_levels(sequence: Sequence, measured: Measured, folder: Path) -> int:
    """Hold out each interior level; 0 if its label is nearer than the cubic at every level."""
    frames, skin, left = levels_in_space(sequence)
    print(f"\nTwo views leave of a level, px: median {np.median(left):.1f}, worst {left.max():.1f}")
    column = moved_in(skin, measured, frames)
    own = with_column(measured, frames, column)
    at = neutral_places()
    inner = range(1, len(COLUMN) - 1)
    held = [held_out(own, column, level, at, folder / "held_out.osim") for level in inner]
    print(f"\n{len(frames)} frames with nine levels; 3D error of a level held out, mm")
    print("frame " + "".join(f"{COLUMN[level]:>21}" for level in inner))
    print("      " + f"{'model':>9}{'label':>6}{'cubic':>6}" * len(held))
    for row, frame in enumerate(frames.tolist()):
        sizes = [
            [1e3 * float(np.linalg.norm(one.gaps[way][row])) for way in (MODEL, LABEL, CUBIC)]
            for one in held
        ]
        print(f"{frame:5d} " + "".join(f"{a:9.1f}{b:6.1f}{c:6.1f}" for a, b, c in sizes))
    print(f"\nmedian, mm{'':26}" + "".join(f"{COLUMN[level]:>10}" for level in inner))
    for title, of in (("", _whole), (", across only", _across), (", unsteady part", _unsteady)):
        for way in WAYS:
            values = "".join(f"{1e3 * of(one, way):10.1f}" for one in held)
            print(f"{way + title:36s}{values}")
    print("across only: what lies across the column; where along it a level is was judged")
    print("unsteady part: without what is constant in the vertebra's own frame")
    for title, of in (("", _whole), (", across the column only", _across)):
        pairs = zip(inner, held, strict=True)
        better = [COLUMN[level] for level, one in pairs if of(one, LABEL) < of(one, CUBIC)]
        print(f"Levels at which the label is nearer than the cubic{title}: "
              f"{len(better)} of {len(held)}: {', '.join(better) or 'none'}")  # fmt: skip
    return 0 if all(_whole(one, LABEL) < _whole(one, CUBIC) for one in held) else 1


def held_out(
    own: Measured, column: FloatArray, level: int, at: FloatArray, subject: Path
) -> HeldOut:
    """Tell a level of the column (F, 9, 3) in all ways without ever having seen it."""
    measured = without_level(own, level)
    found = simulated(measured, subject)
    place = measured.names.index(COLUMN[level])
    poses = body_transforms(found.model, found.solved.coordinates)
    told = {
        MODEL: found.virtual[:, place],
        ALONE: label_of_the_model_alone(measured, found)[:, place],
        LABEL: found.labels.xyz[:, place],
        CUBIC: cubic_prediction(column, at, level),
    }
    return HeldOut(
        {way: points - column[:, level] for way, points in told.items()},
        column[:, level + 1] - column[:, level - 1],
        poses[:, body_index(found.model, BODIES[level]), :, :3],
    )


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


def _whole(one: HeldOut, way: str) -> float:
    """Median size of an error, metres."""
    return float(np.median(np.linalg.norm(one.gaps[way], axis=1)))


def _across(one: HeldOut, way: str) -> float:
    """Median size of what lies square to the column, metres."""
    gap = one.gaps[way]
    unit = one.way / np.linalg.norm(one.way, axis=1, keepdims=True)
    across = gap - unit * np.sum(gap * unit, axis=1, keepdims=True)
    return float(np.median(np.linalg.norm(across, axis=1)))


def _unsteady(one: HeldOut, way: str) -> float:
    """Median size of what changes of an error, seen from its vertebra, metres."""
    seen = np.einsum("fij,fi->fj", one.turns, one.gaps[way])
    return float(np.median(np.linalg.norm(seen - np.median(seen, axis=0), axis=1)))
