"""The files that a simulation leaves: model, markers, motion, labels, angles, and a report."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.source import Source
from pipeline.io.atomic import atomic_text
from pipeline.io.motion_files import MotionTable, complete_rows, in_degrees, write_motion
from pipeline.io.trc import Trc, write_trc
from pipeline.jobs.simulation_report import Angles, report_html
from pipeline.kinematics.angles import beyond_limits, intervertebral_angles, posture
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.labels import Labels
from pipeline.kinematics.measured import Measured, was_measured
from pipeline.simulation.outcome import Outcome, outcome_of
from pipeline.simulation.simulate import Simulation

FloatArray = NDArray[np.float64]

SUBJECT = "subject.osim"
_AXES = ("_tx", "_ty", "_tz")  # OpenSim's own endings of marker locations
_LENGTHS = frozenset({"sagittal_axis", "cervical_axis", "coronal_balance"})
_MOTIONS = ("flexion", "bending", "twist")


def write_simulation(folder: Path, measured: Measured, found: Simulation, title: str) -> list[Path]:
    """As :func:`write_outcome`, of a simulation with our own model."""
    return write_outcome(folder, measured, outcome_of(found), title)


def write_outcome(folder: Path, measured: Measured, found: Outcome, title: str) -> list[Path]:
    """Write everything but the model, which is there already; returns the files, it included.

    ``measured.trc`` and ``labels.trc`` hold markers in metres; ``angles.mot`` the coordinates;
    ``marker_errors.sto`` and ``model_markers.sto`` what the model leaves over of the measured
    points and where its markers are; ``labels.csv`` every label with its SD and source;
    ``angles.csv`` angles of regions and levels, of a model that has vertebrae; ``report.html``
    all of it to look at.

    Raises
    ------
    UserError
        A file cannot be written.
    """
    seen = was_measured(measured)
    times, rate = measured.times, measured.rate
    names = tuple(name for name, here in zip(measured.names, seen, strict=True) if here)
    made_by = f"labels by {found.made_by}"
    write_trc(
        folder / "measured.trc",
        Trc(names, times, measured.xyz[:, seen], rate),
        "triangulated points",
    )
    write_trc(folder / "labels.trc", Trc(measured.names, times, found.labels.xyz, rate), made_by)
    motion = MotionTable("Coordinates", times, found.coordinate_names, found.coordinates, False)
    # OpenSim takes no gaps: frames in which nobody was seen are left out.
    write_motion(folder / "angles.mot", complete_rows(in_degrees(motion, found.rotational)))
    left = MotionTable("MarkerErrors", times, names, found.marker_error[:, seen], False)
    write_motion(folder / "marker_errors.sto", left)
    columns = tuple(name + axis for name in found.marker_names for axis in _AXES)
    placed = MotionTable(
        "ModelMarkerLocations", times, columns, found.markers.reshape(len(times), -1), False
    )
    write_motion(folder / "model_markers.sto", placed)
    angles = angles_of(found)
    _write_rows(folder / "labels.csv", _label_rows(measured, found.labels))
    made = ["measured.trc", "labels.trc", "angles.mot", "marker_errors.sto", "model_markers.sto",
            "labels.csv"]  # fmt: skip
    if angles is not None:
        _write_rows(folder / "angles.csv", _angle_rows(times, angles))
        made.append("angles.csv")
    with atomic_text(folder / "report.html") as handle:
        handle.write(report_html(title, measured, found, angles))
    return [found.scaling.model_file, *(folder / name for name in (*made, "report.html"))]


def angles_of(found: Outcome) -> Angles | None:
    """Angles of regions and levels over time, in degrees and millimetres.

    Only those that the model has; None for one without our vertebrae, whose pelvis and sacrum
    are not as our definitions take them either.
    """
    if found.model is None:
        return None
    poses = body_transforms(found.model, found.coordinates)
    between = intervertebral_angles(found.model, poses)
    if not between.levels:
        return None
    regions = posture(found.model, poses)
    shown = {
        f"{one.name}_{'mm' if one.name in _LENGTHS else 'deg'}": getattr(regions, one.name)
        * (1000.0 if one.name in _LENGTHS else 180.0 / np.pi)
        for one in fields(regions)
    }
    shown = {name: values for name, values in shown.items() if np.isfinite(values).any()}
    return Angles(
        shown,
        {
            f"{level.name}_{motion}_deg": np.degrees(between.angles[:, place, axis])
            for place, level in enumerate(between.levels)
            for axis, motion in enumerate(_MOTIONS)
        },
        (beyond_limits(between) > 0.0).sum(axis=(1, 2)),
    )


def _label_rows(measured: Measured, labels: Labels) -> Iterator[list[str]]:
    yield ["frame", "time_s", "keypoint", "x_m", "y_m", "z_m", "sigma_mm", "source"]
    for frame, time in enumerate(measured.times.tolist()):
        for place, name in enumerate(measured.names):
            source = Source(int(labels.source[frame, place]))
            if source == Source.NONE:
                continue
            place_of = (f"{value:.6f}" for value in labels.xyz[frame, place])
            sigma = labels.sigma[frame, place]
            known = f"{1000 * sigma:.2f}" if np.isfinite(sigma) else ""
            yield [str(frame), f"{time:.6f}", name, *place_of, known, source.label]


def _angle_rows(times: FloatArray, angles: Angles) -> Iterator[list[str]]:
    columns = {**angles.regions, **angles.levels}
    yield ["frame", "time_s", *columns, "angles_beyond_limits"]
    values = np.stack(list(columns.values()), axis=-1)
    for frame, (time, row) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
        numbers = ("" if np.isnan(value) else f"{value:.3f}" for value in row)
        yield [str(frame), f"{time:.6f}", *numbers, str(int(angles.beyond[frame]))]


def _write_rows(path: Path, rows: Iterator[list[str]]) -> None:
    with atomic_text(path) as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)
