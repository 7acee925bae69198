"""The journal of a project: every gesture, undo and redo, in the order they were committed.

Ids only grow and rows are never changed, so the first n rows are the project as it stood then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.data.history import History, Place, Transaction
from pipeline.data.layers import LAYERS
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.io.project_codec import DamagedError, PatchRow, decode_patch, encode_patch

EntryKind = Literal["edit", "undo", "redo"]


@dataclass(frozen=True, slots=True, eq=False)
class JournalEntry:
    """One row of the journal.

    ``patches`` are what this row did, in the order applied: applying the patches of all entries
    gives the present state. ``target`` is the id of the edit that an undo or redo acted on, else
    None. ``damaged``: the patches cannot be read; they are then empty.
    """

    id: int
    time: float
    author: str
    label: str
    kind: EntryKind
    place: Place
    patches: tuple[Patch, ...]
    target: int | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """Ids of the edits that are done, oldest first, and of those undone, next to redo first.

    ``consistent`` is False where rows contradict each other; what came before is then left out.
    """

    done: tuple[int, ...]
    undone: tuple[int, ...]
    consistent: bool = True


def append(
    connection: sqlite3.Connection, kind: EntryKind, transaction: Transaction, target: int | None
) -> int:
    """Write a row, and for an edit its patches; returns the id. To be called in a transaction."""
    place = transaction.place
    cursor = connection.execute(
        "INSERT INTO journal (time, author, kind, label, frame, view, keypoint, track, target)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            transaction.time,
            transaction.author,
            kind,
            transaction.label,
            *(int(part) for part in (place.frame, place.view, place.keypoint, place.track)),
            target,
        ),
    )
    entry = int(cursor.lastrowid or 0)
    if kind == "edit":
        rows = (
            (
                entry,
                ordinal,
                p.layer,
                int(p.track),
                p.count,
                p.codec,
                p.crc,
                p.indices,
                p.old,
                p.new,
            )
            for ordinal, p in enumerate(map(encode_patch, transaction.patches))
        )
        connection.executemany("INSERT INTO patch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return entry


def last_id(connection: sqlite3.Connection) -> int:
    """Id of the newest row, 0 in an untouched project."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])


def read_stack(connection: sqlite3.Connection, last: int) -> Stack:
    """What is done and undone after row ``last``."""
    stack: list[int] = []
    position, consistent = 0, True
    rows = connection.execute(
        "SELECT id, kind, target FROM journal WHERE id <= ? ORDER BY id", (last,)
    )
    for entry, kind, target in rows:
        if kind == "edit":
            del stack[position:]
            stack.append(entry)
            position += 1
        elif kind == "undo" and position > 0 and stack[position - 1] == target:
            position -= 1
        elif kind == "redo" and position < len(stack) and stack[position] == target:
            position += 1
        else:
            stack, position, consistent = [], 0, False
    return Stack(tuple(stack[:position]), tuple(stack[position:]), consistent)


def read_patches(
    connection: sqlite3.Connection, sequence: Sequence, entry: int
) -> tuple[Patch, ...]:
    """Patches of an edit; raises DamagedError."""
    rows = connection.execute(
        "SELECT layer, track, count, codec, crc, indices, old, new FROM patch"
        " WHERE journal = ? ORDER BY ordinal",
        (entry,),
    )
    patches = []
    for columns in rows:
        row = PatchRow(*columns)
        if row.layer not in LAYERS:
            raise DamagedError(f"unknown layer {row.layer!r}")
        patches.append(decode_patch(row, sequence.shape(LAYERS[row.layer])))
    if not patches:
        raise DamagedError("its patches are missing")
    return tuple(patches)


def entries(
    connection: sqlite3.Connection, sequence: Sequence, last: int
) -> Iterator[JournalEntry]:
    """All rows up to ``last``, oldest first, decoded one at a time."""
    rows = connection.execute(
        "SELECT id, time, author, label, kind, frame, view, keypoint, track, target FROM journal"
        " WHERE id <= ? ORDER BY id",
        (last,),
    ).fetchall()
    for entry, time, author, label, kind, *place, target in rows:
        damaged = False
        try:
            patches = read_patches(connection, sequence, entry if target is None else target)
        except DamagedError:
            patches, damaged = (), True
        if kind == "undo":
            patches = tuple(patch.inverse() for patch in reversed(patches))
        yield JournalEntry(
            entry, time, author, label, kind, Place(*place), patches, target, damaged
        )


def _transaction(connection: sqlite3.Connection, sequence: Sequence, entry: int) -> Transaction:
    time, author, label, *place = connection.execute(
        "SELECT time, author, label, frame, view, keypoint, track FROM journal WHERE id = ?",
        (entry,),
    ).fetchone()
    return Transaction(
        label, read_patches(connection, sequence, entry), Place(*place), author, time
    )


def restore_history(
    connection: sqlite3.Connection, sequence: Sequence, last: int, byte_budget: int
) -> tuple[History, list[int], str]:
    """The history as it stood after row ``last``: what can be undone and redone.

    An edit that cannot be read ends the history on its side of the present: neither it nor what
    lies beyond it can be reached. Returns the history, the journal ids of its entries, and the
    cause of such a cut (empty: none).
    """
    stack = read_stack(connection, last)
    cause = "" if stack.consistent else "its entries contradict each other"
    room = byte_budget
    sides: list[list[tuple[int, Transaction]]] = []
    for side in (stack.undone, stack.done[::-1]):
        sides.append([])
        for entry in side:
            try:
                transaction = _transaction(connection, sequence, entry)
            except DamagedError as error:
                cause = f"entry {entry}: {error}"
                break
            room -= transaction.nbytes
            if room < 0:
                break
            sides[-1].append((entry, transaction))
    undone, done = sides
    history = History(byte_budget)
    for _, transaction in (*reversed(done), *undone):
        history.push(transaction)
    for _ in undone:
        history.undo()
    return history, [entry for entry, _ in (*reversed(done), *undone)], cause
