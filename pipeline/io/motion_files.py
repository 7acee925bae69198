"""Motion and storage files (``.mot``, ``.sto``) of OpenSim: named columns over time.

Numbers are written and read with a decimal point, whatever the locale.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.io.atomic import atomic_text
from pipeline.io.motion_text import fault_of_names, fault_of_times, read_lines

FloatArray = NDArray[np.float64]

_END = "endheader"
# Enough for any angle or length to come back to within 1e-12 of itself, relative.
_DIGITS = 13


@dataclass(frozen=True, slots=True, eq=False)
class MotionTable:
    """Named columns over time.

    Parameters
    ----------
    name : str
        First line of the file, such as ``Coordinates``.
    times : (T,) array
        Seconds, increasing.
    columns : tuple of str
        C names, all different.
    values : (T, C) array
        NaN where a value is missing.
    in_degrees : bool
        Whether angles are degrees. In OpenSim's own files this holds for coordinates of
        rotational motion only: those it calls *coupled* stay in radians, translations in metres.
    """

    name: str
    times: FloatArray
    columns: tuple[str, ...]
    values: FloatArray
    in_degrees: bool

    def column(self, name: str) -> FloatArray:
        """The values of one column, (T,); ``KeyError`` where there is none of this name."""
        if name not in self.columns:
            raise KeyError(name)
        return self.values[:, self.columns.index(name)]


def in_radians(table: MotionTable, rotational: Collection[str]) -> MotionTable:
    """The table with its angles in radians.

    Parameters
    ----------
    table : MotionTable
        Returned as it is where its angles are radians already.
    rotational : collection of str
        Columns that are angles: coordinates whose motion type is rotational. Coupled ones are
        radians in the file too and must not be among them.
    """
    return _turned(table, rotational, np.pi / 180) if table.in_degrees else table


def in_degrees(table: MotionTable, rotational: Collection[str]) -> MotionTable:
    """The table with its angles in degrees; the other way round of :func:`in_radians`."""
    return table if table.in_degrees else _turned(table, rotational, 180 / np.pi)


def _turned(table: MotionTable, rotational: Collection[str], factor: float) -> MotionTable:
    angles = np.isin(table.columns, list(rotational))
    values = np.where(angles, table.values * factor, table.values)
    return replace(table, values=values, in_degrees=not table.in_degrees)


def complete_rows(table: MotionTable) -> MotionTable:
    """The rows in which no value is missing.

    For files that are to be opened in OpenSim's own window: what reads them there (``Storage``,
    OpenSim 4.6) stops at the first missing value without a word. ``TimeSeriesTable`` does not.
    """
    whole = np.isfinite(table.values).all(axis=1)
    return replace(table, times=table.times[whole], values=table.values[whole])


def write_motion(path: Path, table: MotionTable) -> None:
    """Write a table as a file that OpenSim loads, whole or not at all.

    Raises
    ------
    UserError
        Columns that have no name, one name twice or white space in it; times that do not
        increase; no rows; or a file that cannot be written.
    """
    if fault := _fault(table.columns, table.times):
        raise UserError(f"{path} was not written: what it should hold {fault}.")
    header = (
        " ".join(table.name.split()) or "Motion",
        "version=1",
        f"nRows={len(table.times)}",
        f"nColumns={1 + len(table.columns)}",
        f"inDegrees={'yes' if table.in_degrees else 'no'}",
        _END,
        "\t".join(("time", *table.columns)),
    )
    with atomic_text(path) as handle:
        handle.writelines(line + "\n" for line in header)
        rows = np.column_stack([table.times, table.values]).tolist()
        handle.writelines("\t".join(f"{x:.{_DIGITS}g}" for x in row) + "\n" for row in rows)


def read_motion(path: Path) -> MotionTable:
    """Read a ``.mot`` or ``.sto`` file of plain numbers.

    Cells are set apart by any white space; ``nan`` is a missing value; a header without
    ``inDegrees`` means radians, as it does to OpenSim.

    Raises
    ------
    UserError
        The file cannot be read, is no such file, has no rows or fewer than it promises, has a
        column twice or times that do not increase.
    """
    lines = read_lines(path, "motion")
    ends = [i for i, line in enumerate(lines) if line.strip().lower() == _END]
    if not ends:
        raise UserError(f"{path} is not a motion file: it lacks the line {_END!r}.")
    head, body = lines[: ends[0]], [line for line in lines[ends[0] + 1 :] if line.strip()]
    header = _header(head)
    kind = header.get("datatype", "double").lower()
    if kind != "double":
        raise UserError(f"{path} holds values of the kind {kind}, not plain numbers.")
    labels = body[0].split() if body else []
    if not labels or labels[0].lower() != "time":
        raise UserError(f"{path} is not a motion file: its first column is not time.")
    columns = tuple(labels[1:])
    values = np.array([_row(path, line, len(labels)) for line in body[1:]])
    values = values.reshape(-1, len(labels))
    _check_counts(path, header, values.shape)
    if fault := _fault(columns, values[:, 0]):
        raise UserError(f"{path} cannot be used: it {fault}.")
    degrees = header.get("indegrees", "no").lower() in {"yes", "true", "1"}
    name = head[0].strip() if head and "=" not in head[0] else path.stem
    return MotionTable(name, values[:, 0], columns, values[:, 1:], degrees)


def _header(lines: Sequence[str]) -> dict[str, str]:
    """``key=value`` lines, and ``datarows 12`` of the older kind, by lower-case key."""
    header = {}
    for line in lines:
        if "=" in line:
            key, _, value = line.partition("=")
            header[key.strip().lower()] = value.strip()
        elif len(line.split()) == 2 and line.split()[0].lower() in {"datarows", "datacolumns"}:
            key, value = line.split()
            header[key.lower().replace("data", "n")] = value
    return header


def _check_counts(path: Path, header: dict[str, str], shape: tuple[int, ...]) -> None:
    for key, count, what in (("nrows", shape[0], "rows"), ("ncolumns", shape[1], "columns")):
        text = header.get(key, str(count))
        if not text.isdigit():
            raise UserError(f"{path} is not a motion file: its number of {what} is {text!r}.")
        if int(text) != count:
            raise UserError(f"{path} promises {text} {what} but has {count}.")


def _row(path: Path, line: str, n_cells: int) -> list[float]:
    cells = line.split()
    if len(cells) != n_cells:
        raise UserError(
            f"{path} has {len(cells)} cells instead of {n_cells} in the line of time {cells[0]}."
        )
    try:
        return [float(cell) for cell in cells]
    except ValueError as error:
        raise UserError(
            f"{path} has something that is no number in the line of time {cells[0]}."
        ) from error


def _fault(columns: Sequence[str], times: FloatArray) -> str:
    odd = [name for name in columns if name.split() != [name]]
    return (
        fault_of_names(columns, "column")
        or (f"has a column named {odd[0]!r}" if odd else "")
        or ("" if len(times) else "has no rows")
        or fault_of_times(times)
    )
