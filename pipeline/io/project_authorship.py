"""Who gave each authored value of a project its present form, and when."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layers import LAYERS, LayerSpec
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.io.project_codec import DamagedError, authored_specs
from pipeline.io.project_journal import read_patches, read_stack

IntArray = NDArray[np.intp]
Key = tuple[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Authorship:
    """Authors of the N values of one layer group and track that a person gave.

    ``index`` (N, D) is the position on the group's axes, sorted: frame, view, keypoint for
    ``manual2d``; frame, keypoint for ``manual3d``. ``author`` (N,) indexes ``authors``; ``time``
    (N,) is in Unix seconds.
    """

    index: IntArray
    author: IntArray
    time: NDArray[np.float64]
    authors: tuple[str, ...]


def dense(
    authorship: Authorship | None, shape: tuple[int, ...], start: int = 0
) -> tuple[IntArray, NDArray[np.float64]]:
    """Author numbers (-1: nobody) and times (NaN) of ``shape[0]`` frames from ``start`` on.

    ``shape`` is that of the group's axes, such as (n, V, K) for ``manual2d``.
    """
    author, time = np.full(shape, -1, np.intp), np.full(shape, np.nan)
    if authorship is not None:
        frame = authorship.index[:, 0] - start
        inside = (frame >= 0) & (frame < shape[0])
        where = (frame[inside], *authorship.index[inside, 1:].T)
        author[where], time[where] = authorship.author[inside], authorship.time[inside]
    return author, time


def _dims(sequence: Sequence, spec: LayerSpec) -> tuple[int, ...]:
    return sequence.shape(spec)[: len(spec.axes)]


class _Latest:
    """Per cell of one group and track, the number of the edit that changed it last."""

    def __init__(self) -> None:
        self.cells: IntArray = np.empty(0, np.intp)
        self.edits: IntArray = np.empty(0, np.intp)
        self._new: list[tuple[IntArray, IntArray]] = []

    def add(self, cells: IntArray, edits: IntArray) -> None:
        self._new.append((cells, edits))

    def merge(self) -> None:
        if not self._new:
            return
        cells = np.concatenate([self.cells, *(cells for cells, _ in self._new)])
        edits = np.concatenate([self.edits, *(edits for _, edits in self._new)])
        self._new.clear()
        self.cells, last = np.unique(cells[::-1], return_index=True)
        self.edits = edits[::-1][last]

    def at(self, cells: IntArray, default: int) -> IntArray:
        self.merge()
        if not len(self.cells):
            return np.full(len(cells), default, np.intp)
        place = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
        return np.where(self.cells[place] == cells, self.edits[place], default)


def _differing(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """(N,) True where two arrays differ in any bit, so that NaN equals NaN."""
    bits = [np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint8) for part in (a, b)]
    return np.asarray(np.any(bits[0] != bits[1], axis=1))


def _record(
    latest: dict[Key, _Latest], sequence: Sequence, patches: tuple[Patch, ...], edit: int
) -> None:
    """Note what ``edit`` changed; values moved from another track keep their author."""
    moved: list[tuple[Key, IntArray, IntArray]] = []
    for patch in patches:
        spec = LAYERS[patch.layer]
        index = patch.index[_differing(patch.old, patch.new)]
        cells = np.ravel_multi_index(tuple(index.T), _dims(sequence, spec))
        edits = np.full(len(cells), edit, np.intp)
        for other in patches:
            if other.layer == patch.layer and other.track != patch.track:
                given = latest.setdefault((spec.group, other.track), _Latest())
                taken = _taken(sequence, patch, other)
                edits = np.where(np.isin(cells, taken), given.at(cells, edit), edits)
        moved.append(((spec.group, patch.track), cells, edits))
    for key, cells, edits in moved:
        latest.setdefault(key, _Latest()).add(cells, edits)


def _taken(sequence: Sequence, patch: Patch, other: Patch) -> IntArray:
    """Cells where ``patch`` put the value that ``other`` cleared on its track."""
    spec = LAYERS[patch.layer]
    cells, theirs = (
        np.ravel_multi_index(tuple(part.index.T), _dims(sequence, spec)) for part in (patch, other)
    )
    common, here, there = np.intersect1d(cells, theirs, return_indices=True)
    same = ~_differing(patch.new[here], other.old[there])
    return np.asarray(common[same & _is_fill(other.new[there], spec)])


def _is_fill(values: NDArray[Any], spec: LayerSpec) -> NDArray[np.bool_]:
    flat = values.reshape(len(values), -1)
    filled = np.isnan(flat.astype(float)) if np.isnan(spec.fill) else flat == spec.fill
    return np.asarray(filled.all(axis=1))


def read_authorship(
    connection: sqlite3.Connection, sequence: Sequence, last: int
) -> dict[Key, Authorship]:
    """Authorship per (layer group, track) after journal row ``last``; undone edits do not count.

    Values that a person took back altogether have no author. Edits that cannot be read are left
    out. A value moved by a merge or split keeps the author who gave it.
    """
    numbers: list[tuple[str, float]] = []
    latest: dict[Key, _Latest] = {}
    for entry in read_stack(connection, last).done:
        try:
            patches = read_patches(connection, sequence, entry)
        except DamagedError:
            continue  # reported as a finding when the project was opened
        numbers.append(
            connection.execute("SELECT author, time FROM journal WHERE id = ?", (entry,)).fetchone()
        )
        _record(latest, sequence, patches, len(numbers) - 1)
    authors = tuple(sorted({author for author, _ in numbers}))
    code = np.array([authors.index(author) for author, _ in numbers], np.intp)
    time = np.array([time for _, time in numbers], np.float64)
    stored = set(sequence.stored_layers())  # reading a layer that does not exist would make it
    out: dict[Key, Authorship] = {}
    for (group, track), cells in latest.items():
        cells.merge()
        specs = [spec for spec in authored_specs() if spec.group == group]
        index = np.column_stack(np.unravel_index(cells.cells, _dims(sequence, specs[0])))
        keep = np.ones(len(index), bool)
        if specs[0].per_track:
            given = [
                ~_is_fill(sequence.layer(spec.name, track).get(index), spec)
                for spec in specs
                if (spec.name, track) in stored
            ]
            keep &= np.any(given, axis=0)
        if keep.any():
            edits = cells.edits[keep]
            out[group, track] = Authorship(index[keep], code[edits], time[edits], authors)
    return out
