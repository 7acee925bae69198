"""The project file: a recording, what people did to it, and the promise that no gesture is lost.

One process edits a project at a time; others may open it ``read_only`` meanwhile and see the
state last committed. A ``Project`` is used by one thread at a time. The promise: when
:meth:`Project.commit`, ``undo`` or ``redo`` returns, the gesture is synced to disk; when it
raises, neither the file, the sequence nor the history has changed.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import ArrayLike

from pipeline.data.errors import Finding, UserError
from pipeline.data.history import Place, Transaction
from pipeline.data.patch import Change, Patch
from pipeline.data.sequence import RecordingInfo
from pipeline.io import project_journal
from pipeline.io.project_authorship import Authorship, read_authorship
from pipeline.io.project_chunks import ChunkReader, staged_chunks, write_chunks
from pipeline.io.project_journal import EntryKind, JournalEntry
from pipeline.io.project_lock import ProjectLock, user_name
from pipeline.io.project_path import project_path_for
from pipeline.io.project_sqlite import error_text, in_words, settle, transaction
from pipeline.io.project_store import (
    attach,
    connect_stored,
    copy_project,
    load_sequence,
    open_for_editing,
    read_state,
    write_new,
    write_state,
)

__all__ = ["Project", "project_path_for"]

#: Patches kept for undo, in memory and when a project is opened again.
HISTORY_BYTES = 256 * 2**20
#: Steps read at most when a project is opened, and whenever undo comes to the first of them.
RESTORED_STEPS = 500


class Project:
    """An open project; made by :meth:`create` or :meth:`open`, let go by :meth:`close`.

    Attributes
    ----------
    path : Path
    read_only : bool
    sequence : Sequence
        To be changed through this class only, as far as authored layers are concerned.
    history : History
    author : str
        Written to the journal with every gesture; may be set at any time.
    recording : dict
        Provenance given to :meth:`create`.
    findings : tuple of Finding
        What was noticed while opening: missing videos, a damaged history.
    """

    @classmethod
    def create(
        cls,
        path: Path,
        info: RecordingInfo,
        *,
        author: str,
        xy: ArrayLike,
        score: ArrayLike,
        assignment: ArrayLike,
        recording: dict[str, Any],
    ) -> Project:
        """Write a new project, atomically, and open it.

        Parameters
        ----------
        path : Path
            Must not exist yet.
        info : RecordingInfo
        author : str
            Who will be editing; empty: the user's login name.
        xy : (T, V, P, K, 2) array
            Detected points in px, NaN where there is none.
        score : (T, V, P, K) array
            Detection scores in 0..1.
        assignment : (T, V, P) array
            Track of each detected instance, -1 for none.
        recording : dict
            JSON-able provenance: source folder, calibration, findings, versions.

        Raises
        ------
        UserError
            Where the file exists or cannot be written.
        """
        path = path.resolve()
        lock = ProjectLock(path)
        try:
            if path.exists():
                raise UserError(f"{path} already exists.")
            layers = {
                "instances2d.xy": xy,
                "instances2d.score": score,
                "assignment.track": assignment,
            }
            with in_words(path, "could not be created"):
                write_new(path, info, layers, recording)
        finally:
            lock.release()
        return cls.open(path, author=author)

    @classmethod
    def open(cls, path: Path, *, author: str = "", read_only: bool = False) -> Project:
        """Open a project with its undo history.

        Raises
        ------
        UserError
            Where the file is missing, damaged, from a newer version, or (unless ``read_only``)
            open elsewhere or in a folder that takes no files.
        """
        return cls(path, author, read_only)

    def __init__(self, path: Path, author: str, read_only: bool) -> None:
        self.path = path.resolve()
        self.read_only = read_only
        self.author = author or user_name()
        self._connection, self._lock, migrated = attach(self.path, read_only)
        self._chunks = ChunkReader(self._connection, self.path)
        try:
            with in_words(self.path, "cannot be opened"), self._reading() as connection:
                loaded = load_sequence(connection, self.path, self._chunks)
                self.sequence, self.recording = loaded.sequence, loaded.recording
                self._state = read_state(connection)
                restored = project_journal.restore_history(
                    connection, self.sequence, HISTORY_BYTES, RESTORED_STEPS
                )
                self._last, self.history = restored.last, restored.history
                self._ids, self._older = restored.ids, restored.older
        except BaseException:
            self._detach()
            raise
        self.findings: tuple[Finding, ...] = (*migrated, *loaded.findings)
        if restored.cause:
            self.findings += (project_journal.damage_finding(self.path, restored.cause),)
        if self._lock is not None and not self._lock.supported:
            message = f"{self.path} is on a file system without locks: open it only once at a time."
            self.findings += (Finding("warning", "lock-unavailable", message, self.path),)

    def commit(self, label: str, patches: tuple[Patch, ...], place: Place) -> tuple[Change, ...]:
        """Make one gesture: on disk, in the sequence and in the history, or nowhere.

        Parameters
        ----------
        label : str
            What the undo menu calls it.
        patches : tuple of Patch
            Of authored layers, made from the present state; none: nothing happens.
        place : Place

        Raises
        ------
        UserError
            Where it could not be written; everything is then as before.
        ValueError
            For patches that do not start from the present state or are not of authored layers.
        """
        if not patches:
            return ()
        gesture = Transaction(label, patches, place, self.author, time.time())
        position = self.history.position
        entry, changes = self._write("edit", gesture, patches, None)
        self.history.push(gesture)
        self._ids[position:] = [entry]
        dropped = len(self._ids) - len(self.history.entries)
        if dropped > 0:
            del self._ids[:dropped]
            self._older.clear()  # undo does not come to them any more
        return changes

    def undo(self) -> tuple[Transaction, tuple[Change, ...]]:
        """Take the last gesture back, durably; IndexError if there is none."""
        if not self.history.can_undo:
            raise IndexError("nothing to undo")
        position = self.history.position - 1
        gesture = self.history.entries[position]
        patches = gesture.inverse()
        entry = self._ids[position]
        _, changes = self._write("undo", self._by_me_now(gesture), patches, entry)
        self.history.undo()
        if self.history.position == 0 and self._older:
            self._restore_older()
        return gesture, changes

    def _restore_older(self) -> None:
        """Read the steps before those that can be undone; damage ends the history there."""
        ids, self._older = self._older[-RESTORED_STEPS:], self._older[:-RESTORED_STEPS]
        try:
            with self._reading() as connection:
                found, cause = project_journal.read_edits(
                    connection, self.sequence, ids[::-1], project_journal.RESTORED_BYTES
                )
        except sqlite3.Error as error:
            found, cause = [], error_text(error)
        self._older = [] if cause else self._older + ids[: len(ids) - len(found)]
        if cause:
            self.findings += (project_journal.damage_finding(self.path, cause),)
        self._ids[:0] = [entry for entry, _ in reversed(found)]
        self.history.prepend(tuple(step for _, step in reversed(found)))

    def redo(self) -> tuple[Transaction, tuple[Change, ...]]:
        """Make the last gesture that was undone again, durably; IndexError if there is none."""
        if not self.history.can_redo:
            raise IndexError("nothing to redo")
        position = self.history.position
        gesture = self.history.entries[position]
        entry = self._ids[position]
        _, changes = self._write("redo", self._by_me_now(gesture), gesture.patches, entry)
        self.history.redo()
        return gesture, changes

    def _write(
        self, kind: EntryKind, gesture: Transaction, patches: tuple[Patch, ...], target: int | None
    ) -> tuple[int, tuple[Change, ...]]:
        """Journal id and changes of patches that are now on disk and in the sequence."""
        connection = self._writable()
        chunks = staged_chunks(self.sequence, patches)
        with in_words(self.path, "did not take the change"), transaction(connection):
            entry = project_journal.append(connection, kind, gesture, target)
            write_chunks(connection, self.sequence, chunks)
        self._last = entry
        changes = tuple(self.sequence.apply(patch) for patch in patches)
        self._chunks.written(self.sequence, chunks)
        return entry, changes

    def _by_me_now(self, gesture: Transaction) -> Transaction:
        return replace(gesture, author=self.author, time=time.time())

    def journal(self) -> Iterator[JournalEntry]:
        """Every gesture, undo and redo so far, oldest first, read as they are asked for."""
        with in_words(self.path, "cannot be read"), self._reading() as connection:
            yield from project_journal.entries(connection, self.sequence, self._last)

    def authorship(self) -> dict[tuple[str, int], Authorship]:
        """Last author and time of each authored value, per (layer group, track).

        Undone gestures do not count, values taken back have no author, and a value moved by a
        merge or split keeps the author who gave it.
        """
        with in_words(self.path, "cannot be read"), self._reading() as connection:
            return read_authorship(connection, self.sequence, self._last)

    def set_state(self, key: str, value: Any) -> None:
        """Remember a small JSON value that is not an edit, such as the last frame.

        It survives a killed program at once, and a power cut from the next gesture on. A read-only
        project remembers it until it is closed.
        """
        if self._connection is not None:
            with in_words(self.path, "cannot be written"):
                write_state(self._connection, key, value)
        self._state[key] = value

    def state(self, key: str, default: Any = None) -> Any:
        """A value given to :meth:`set_state`, in this session or an earlier one."""
        return self._state.get(key, default)

    def save_as(self, path: Path) -> None:
        """Copy the whole project, atomically, and go on in the copy.

        The old file stays as it is at this moment. An existing file is replaced unless it is open
        elsewhere. A read-only project becomes editable in its new place.

        Raises
        ------
        UserError
            Where it could not be written; the target is then untouched and the project goes on
            where it was.
        """
        target = path.resolve()
        if target == self.path:
            return
        lock = ProjectLock(target)
        try:
            with in_words(target, "could not be written"):
                with self._reading() as connection:
                    if project_journal.last_id(connection) != self._last:
                        raise UserError(f"{self.path} was changed since it was opened here.")
                    copy_project(connection, target, self.sequence.info)
                connection = open_for_editing(target)
        except BaseException:
            lock.release()
            raise
        self._detach()
        self._connection, self._lock = connection, lock
        self._chunks.connection, self._chunks.path = connection, target
        self.path, self.read_only = target, False

    def close(self) -> None:
        """Leave one plain file and no lock behind; further calls do nothing."""
        self._detach()

    def _detach(self) -> None:
        if self._connection is not None:
            self._chunks.connection = None
            settle(self._connection)
            self._connection = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _writable(self) -> sqlite3.Connection:
        if self._connection is None:
            state = "open for reading only" if self.read_only else "closed"
            raise UserError(f"{self.path} is {state}; it takes no changes.")
        return self._connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._connection is not None:
            yield self._connection
            return
        with contextlib.closing(connect_stored(self.path)) as connection:
            yield connection

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
