"""TRC files of 3D markers, in the layout of Pose2Sim and OpenSim: metres, Y up.

Axes are kept as the file has them: ours are those of an OpenSim model, X forward in its neutral
pose, Y up, Z right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.io.atomic import atomic_text
from pipeline.io.export_request import BLOCK, ExportRequest, Step, blocks, points_of, solve_steps
from pipeline.io.motion_text import fault_of_names, fault_of_times, read_lines

FloatArray = NDArray[np.float64]

_HEADER_LINES = 5
# Largest difference between the rate in the header and that of the times: 59.94 is called 60.
_RATE_TOLERANCE = 0.005
_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}


@dataclass(frozen=True, slots=True, eq=False)
class Trc:
    """Markers over time.

    Parameters
    ----------
    names : tuple of str
        M markers.
    times : (T,) array
        Seconds.
    xyz : (T, M, 3) array
        Metres; NaN where a marker is missing.
    rate : float
        Frames per second.
    """

    names: tuple[str, ...]
    times: FloatArray
    xyz: FloatArray
    rate: float


def trc_steps(request: ExportRequest) -> Iterator[Step]:
    """Write the 3D points of a request; see :func:`pipeline.io.export.export_steps`.

    Frame numbers and times are those of the recording: frame 0 is number 1 at 0 s.
    """
    sequence, track = request.sequence, request.track
    start, _ = request.span
    with atomic_text(request.path) as handle:
        for fraction, what in solve_steps(request):
            yield 0.7 * fraction, what
        xyz = np.concatenate([points_of(request, block).xyz for block in blocks(request)])
        here = np.isfinite(xyz).all(axis=-1).any(axis=0)
        if not here.any():
            raise UserError(
                f"{request.path} was not written: person {track + 1} of “{request.name}” has no 3D "
                "points in these frames."
            )
        markers = sequence.info.skeleton.markers
        names = tuple(markers[k] for k in np.flatnonzero(here))
        times = (start + np.arange(len(xyz))) / sequence.info.fps
        whole = Trc(names, times, xyz[:, here], sequence.info.fps)
        stage = f"{request.stage} points"
        # "Orig" is the whole recording, of which a range of frames may be written.
        _write_header(handle, request.path.name, stage, whole, sequence.n_frames)
        for first in range(0, len(xyz), BLOCK):
            rows = slice(first, first + BLOCK)
            part = Trc(names, whole.times[rows], whole.xyz[rows], whole.rate)
            _write_rows(handle, part, start + first)
            yield 0.7 + 0.3 * min((first + BLOCK) / len(xyz), 1.0), "Writing markers"


def write_trc(path: Path, trc: Trc, what: str = "markers", first_number: int = 1) -> None:
    """Write markers as a TRC file that OpenSim loads, whole or not at all.

    Parameters
    ----------
    path : Path
        Replaced where it exists.
    trc : Trc
        Its names must differ, be no empty text and hold no tabs; its times must increase.
    what : str
        Told to people in the first line.
    first_number : int
        Frame number of the first line.

    Raises
    ------
    UserError
        Names or times are not such, there are no frames, or the file cannot be written.
    """
    refusal = (
        fault_of_names(trc.names, "marker")
        or _fault_of_times(trc.times, trc.rate)
        or ("" if len(trc.times) else "has no frames")
    )
    if refusal:
        raise UserError(f"{path} was not written: what it should hold {refusal}.")
    with atomic_text(path) as handle:
        _write_header(handle, path.name, what, trc, len(trc.times))
        _write_rows(handle, trc, first_number - 1)


def _write_header(handle: TextIO, file_name: str, what: str, trc: Trc, n_all: int) -> None:
    rate, count = f"{trc.rate:.10g}", str(len(trc.names))
    labels = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame"
    values = (rate, rate, str(len(trc.times)), count, "m", rate, "1", str(n_all))
    axes = [f"{axis}{i}" for i in range(1, len(trc.names) + 1) for axis in "XYZ"]
    lines = (
        # What follows the name is read by nobody but people.
        ("PathFileType", "4", "(X/Y/Z)", " ".join(file_name.split()), " ".join(what.split())),
        (*labels.split(), "OrigNumFrames"),
        values,
        ("Frame#", "Time", *(cell for marker in trc.names for cell in (marker, "", ""))),
        ("", "", *axes),
    )
    handle.writelines("\t".join(line) + "\n" for line in lines)


def _write_rows(handle: TextIO, trc: Trc, first: int) -> None:
    flat = trc.xyz.reshape(len(trc.times), -1).tolist()
    for number, time, row in zip(
        range(first + 1, first + 1 + len(flat)), trc.times, flat, strict=True
    ):
        # NaN as a word: OpenSim 4.6 refuses lines that end with an empty cell.
        cells = "\t".join(f"{value:.6f}" for value in row)
        handle.write(f"{number}\t{time:.9f}\t{cells}\n")


def read_trc(path: Path, zeros_are_missing: bool = False) -> Trc:
    """Read a TRC file.

    Empty cells and ``nan`` are missing, and a marker that lacks one of its three numbers is
    missing whole; blank lines are skipped; cells missing at the end of a line count as empty,
    because some editors strip them. Lengths become metres by the file's own ``Units`` (m, cm,
    mm), wherever in the third line it stands.

    Parameters
    ----------
    path : Path
        The file.
    zeros_are_missing : bool
        Whether ``0 0 0`` is a gap, as programs of OpenSim 3's time wrote them.

    Raises
    ------
    UserError
        The file cannot be read, is no TRC, promises other markers or more frames than it has,
        names a marker twice, or has times that do not increase or are of another rate.
    """
    lines = read_lines(path, "TRC")
    if len(lines) < _HEADER_LINES or not lines[0].startswith("PathFileType"):
        raise UserError(f"{path} is not a TRC file: it lacks the five header lines.")
    header = _header(lines[1], lines[2])
    unit = header.get("Units", "")
    if unit.lower() not in _METRES:
        raise UserError(f"{path} has lengths in {unit or 'no unit'}, not in m, cm or mm.")
    rate = _header_number(path, header, "DataRate")
    names = tuple(cell.strip() for cell in lines[3].split("\t")[2:] if cell.strip())
    if len(names) != _header_number(path, header, "NumMarkers"):
        raise UserError(
            f"{path} promises {header['NumMarkers']} markers but names {len(names)} of them."
        )
    if fault := fault_of_names(names, "marker"):
        raise UserError(f"{path} cannot be used: it {fault}.")
    rows = [line for line in lines[_HEADER_LINES:] if line.strip()]
    if len(rows) < _header_number(path, header, "NumFrames"):
        raise UserError(f"{path} promises {header['NumFrames']} frames but has {len(rows)}.")
    n_cells = 2 + 3 * len(names)
    values = np.array([_row(path, line, n_cells) for line in rows]).reshape(-1, n_cells)
    if fault := _fault_of_times(values[:, 1], rate):
        raise UserError(f"{path} cannot be used: it {fault}.")
    xyz = values[:, 2:].reshape(len(rows), -1, 3) * _METRES[unit.lower()]
    gap = ~np.isfinite(xyz).all(axis=-1)
    if zeros_are_missing:
        gap |= (xyz == 0).all(axis=-1)
    xyz[gap] = np.nan
    return Trc(names, values[:, 1], xyz, rate)


def _header(labels: str, values: str) -> dict[str, str]:
    """The second and the third line as pairs; extra tabs may shift one against the other."""
    pairs = zip(labels.split(), values.split(), strict=False)
    if len(labels.split()) != len(values.split()):
        pairs = zip(labels.split("\t"), values.split("\t"), strict=False)
    header = {key.strip(): value.strip() for key, value in pairs}
    if header.get("Units", "").lower() not in _METRES:
        units = (token for token in values.split() if token.lower() in _METRES)
        header["Units"] = next(units, header.get("Units", ""))
    return header


def _fault_of_times(times: FloatArray, rate: float) -> str:
    if fault := fault_of_times(times):
        return fault
    if len(times) < 2:
        return ""
    # Over the whole, as times may be rounded to milliseconds; frames may have been left out.
    steps = np.diff(times)
    real = float(np.rint(steps / np.median(steps)).sum() / steps.sum())
    if abs(real - rate) > _RATE_TOLERANCE * real:
        return f"says {rate:g} frames per second while its times say {real:g}"
    return ""


def _header_number(path: Path, header: dict[str, str], label: str) -> float:
    try:
        value = float(header[label])
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{path} is not a TRC file: its {label} is missing or no number."
        ) from error
    if not value >= 0:
        raise UserError(f"{path} is not a TRC file: its {label} is {header[label]}.")
    return value


def _row(path: Path, line: str, n_cells: int) -> list[float]:
    cells = line.rstrip().split("\t")
    number = cells[0].strip()
    # A line that ends within a marker is a file cut short, not stripped empty cells.
    if len(cells) > n_cells or len(cells) < 2 or (len(cells) - 2) % 3:
        raise UserError(
            f"{path} has {len(cells)} cells instead of {n_cells} in the line of frame {number}."
        )
    try:
        values = [float(cell) if cell.strip() else np.nan for cell in cells]
    except ValueError as error:
        raise UserError(
            f"{path} has something that is no number in the line of frame {number}."
        ) from error
    return values + [np.nan] * (n_cells - len(cells))
