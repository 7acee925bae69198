"""The journal of a project: every gesture, undo and redo, in the order they were committed.

Ids only grow and rows are never changed, so the first n rows are the project as it stood then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.data.errors import Finding
from pipeline.data.history import History, Place, Transaction
from pipeline.data.layers import LAYERS
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.io.project_codec import DamagedError, PatchRow, decode_patch, encode_patch
from pipeline.io.project_sqlite import error_text

EntryKind = Literal["edit", "undo", "redo"]

#: Patches read when a project is opened, and whenever undo comes to the first of them: 0.1 s.
RESTORED_BYTES = 8 * 2**20


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


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """The history as it stood after row ``last``.

    ``ids`` are the journal ids of its entries, ``older`` those of edits before them that were not
    read yet, oldest first. ``cause`` says why what lies beyond cannot be reached (empty: nothing).
    """

    last: int
    history: History
    ids: list[int]
    older: list[int]
    cause: str = ""


def restore_history(
    connection: sqlite3.Connection, sequence: Sequence, byte_budget: int, most: int
) -> Restored:
    """What can be undone, of that at most the newest ``most`` edits, and what can be redone.

    An edit that cannot be read ends the history on its side of the present: neither it nor what
    lies beyond it can be reached.
    """
    last = 0
    try:
        last = last_id(connection)
        stack = read_stack(connection, last)
        newest = stack.done[-most:]
        undone, cut = read_edits(connection, sequence, stack.undone, byte_budget)
        room = byte_budget - sum(transaction.nbytes for _, transaction in undone)
        read_now = min(room, RESTORED_BYTES)
        done, cut_done = read_edits(connection, sequence, newest[::-1], read_now)
    except sqlite3.DatabaseError as error:
        return Restored(last, History(byte_budget), [], [], error_text(error))
    history = History(byte_budget)
    entries = [*reversed(done), *undone]
    for _, transaction in entries:
        history.push(transaction)
    for _ in undone:
        history.undo()
    reachable = not cut_done and (len(done) == len(newest) or read_now < room)
    older = list(stack.done[: len(stack.done) - len(done)]) if reachable else []
    contradiction = "" if stack.consistent else "its entries contradict each other"
    cause = cut_done or cut or contradiction
    return Restored(last, history, [entry for entry, _ in entries], older, cause)


def read_edits(
    connection: sqlite3.Connection, sequence: Sequence, ids: Iterable[int], room: int
) -> tuple[list[tuple[int, Transaction]], str]:
    """Edits with their ids, up to the first that cannot be read, and the cause of that.

    Without a cause, they are all, or as many as have ``room`` bytes, but at least one.
    """
    found: list[tuple[int, Transaction]] = []
    for entry in ids:
        try:
            transaction = _transaction(connection, sequence, entry)
        except DamagedError as error:
            return found, f"entry {entry}: {error}"
        room -= transaction.nbytes
        if room < 0 and found:
            break
        found.append((entry, transaction))
    return found, ""


def damage_finding(path: Path, cause: str) -> Finding:
    """What is said of a journal that could not be read whole."""
    message = f"Earlier steps of {path} cannot be undone: its journal is damaged ({cause})."
    return Finding("warning", "journal-damaged", message, path)
