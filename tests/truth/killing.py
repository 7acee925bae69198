"""Killing a program at random moments of its work on a project, and checking what is left.

A child process makes random gestures on a ``Project`` and says each number once it is committed.
After SIGKILL the file must hold exactly the gestures that were said, or one more. What they should
have led to is computed here in memory, from ``Sequence``, ``History`` and ``edits`` alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.errors import UserError
from pipeline.data.history import History, Place, Transaction
from pipeline.data.layers import LAYERS, NO_TRACK
from pipeline.data.observations import track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from pipeline.io.project import Project
from tests.data.recordings import small_arrays, small_info, small_sequence

REPOSITORY = Path(__file__).resolve().parents[2]
REOPEN_EVERY = 17  # gestures between closing and opening again in the child
MOST_GESTURES = 400


def is_filled(sequence: Sequence, name: str, track: int) -> bool:
    """True where a layer holds anything but its fill value."""
    values = sequence.read(name, track=track)
    return values.tobytes() != np.full_like(values, LAYERS[name].fill).tobytes()


def digest(sequence: Sequence) -> str:
    """Hash of every authored value."""
    total = hashlib.sha256()
    for name, track in sorted(sequence.stored_layers()):
        if LAYERS[name].kind == "authored" and is_filled(sequence, name, track):
            total.update(f"{name} {track}".encode() + sequence.read(name, track=track).tobytes())
    return total.hexdigest()


def random_edit(rng: np.random.Generator, sequence: Sequence) -> tuple[Patch, ...]:
    """Patches of one random gesture that changes something."""
    while True:
        ids = track_ids(sequence)
        track = int(rng.choice(ids))
        frame, view = int(rng.integers(sequence.n_frames)), int(rng.integers(sequence.n_views))
        point = int(rng.integers(sequence.n_keypoints))
        views = list(range(sequence.n_views)) if rng.random() < 0.3 else [view]
        kind = rng.choice(11, p=[0.32, 0.12, 0.08, 0.1, 0.13, 0.05, 0.05, 0.05, 0.03, 0.03, 0.04])
        patches: tuple[Patch, ...] = ()
        if kind == 0:
            xy = rng.uniform(0, 1000, 2)
            with contextlib.suppress(UserError):  # a picture that a shift brought in
                patches = edits.place_point(sequence, track, frame, view, point, xy)
        elif kind == 1:
            patches = edits.delete_point(sequence, track, frame, views, point)
        elif kind == 2:
            patches = edits.revert_point(sequence, track, frame, views, point)
        elif kind == 3:
            flag = Flag.OCCLUDED if rng.random() < 0.5 else Flag.ABSENT
            patches = edits.toggle_flag(sequence, track, frame, views, point, flag)
        elif kind == 4:
            xyz = rng.normal(size=3)
            patches = edits.place_point_3d(sequence, track, frame, point, xyz)
        elif kind == 5:
            patches = edits.ignore_track(sequence, track, bool(rng.random() < 0.5))
        elif kind == 6 and len(ids) > 1:
            other = int(rng.choice(ids[ids != track]))
            patches = edits.merge_tracks(sequence, track, other)
        elif kind == 7:
            patches = edits.split_track(sequence, track, frame)
        elif kind > 7:
            patches = _recording_edit(int(kind), rng, sequence, view, frame)
        if patches:
            return patches


def _recording_edit(
    kind: int, rng: np.random.Generator, sequence: Sequence, view: int, frame: int
) -> tuple[Patch, ...]:
    """Another time axis, other cameras, or a note."""
    if kind == 8:
        offset, drift = rng.integers(-4, 5), rng.choice([0.0, 0.001])
        return edits.set_sync(sequence, view, float(offset), float(drift))
    if kind == 9:
        cameras = list(sequence.cameras)
        shift = rng.normal(scale=0.01, size=3)
        cameras[view] = replace(cameras[view], translation=cameras[view].translation + shift)
        return edits.set_cameras(sequence, CameraGroup(tuple(cameras)))
    return edits.set_note(sequence, frame, int(rng.integers(7)), f"note {frame}")


def next_move(rng: np.random.Generator, history: History) -> str:
    """``edit``, ``undo`` or ``redo``."""
    draw = rng.random()
    if draw < 0.15 and history.can_undo:
        return "undo"
    return "redo" if draw < 0.25 and history.can_redo else "edit"


def replay(seed: int, count: int) -> Sequence:
    """The state after ``count`` gestures of the child, in memory."""
    rng = np.random.default_rng(seed)
    sequence, history = small_sequence(), History()
    for number in range(count):
        if number % REOPEN_EVERY == REOPEN_EVERY - 1:
            sequence = _without_empty_layers(sequence)
        move = next_move(rng, history)
        if move == "edit":
            patches = random_edit(rng, sequence)
            history.push(Transaction("", patches, Place(), "", 0.0))
        else:
            patches = history.undo().inverse() if move == "undo" else history.redo().patches
        for patch in patches:
            sequence.apply(patch)
    return sequence


def _without_empty_layers(sequence: Sequence) -> Sequence:
    """What opening a saved project gives: layers without any value do not exist."""
    fresh = Sequence(sequence.info)
    for name, track in sequence.stored_layers():
        if track == NO_TRACK or is_filled(sequence, name, track):
            old, new = sequence.layer(name, track), fresh.layer(name, track)
            for number in old.stored():
                chunk = old.chunk(number)
                if chunk is not None:
                    new.set_chunk(number, chunk)
    return fresh


def _work(path: Path, seed: int) -> None:
    """The child: gestures until killed."""
    rng = np.random.default_rng(seed)
    project = Project.open(path, author="child")
    for number in range(MOST_GESTURES):
        if number % REOPEN_EVERY == REOPEN_EVERY - 1:
            project.close()
            project = Project.open(path, author="child")
        move = next_move(rng, project.history)
        if move == "edit":
            project.commit(f"gesture {number}", random_edit(rng, project.sequence), Place())
        elif move == "undo":
            project.undo()
        else:
            project.redo()
        os.write(1, f"{number + 1}\n".encode())


def _serve() -> None:
    """Fork a child for each line ``seed path``: the imports are then paid for once."""
    for line in sys.stdin:
        seed, path = line.rstrip("\n").split(" ", 1)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _work(Path(path), int(seed))
                status = 0
            finally:
                os._exit(status)
        os.write(1, f"child {pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(1, f"ended {status}\n".encode())


@dataclass(frozen=True, slots=True)
class Trial:
    """What one kill left: gestures said to be committed, gestures found, and after which delay."""

    seed: int
    acknowledged: int
    found: int
    delay_s: float


class Killer:
    """Starts children and kills them; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.simspine"
        Project.create(
            self._template, small_info(), author="parent", recording={}, **small_arrays()
        ).close()
        self._start = digest(small_sequence())
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.truth.killing"],
            cwd=REPOSITORY,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def trial(self, seed: int) -> Trial:
        """Kill one child and check what it left; AssertionError where that is wrong."""
        path = self._folder / f"trial {seed}.simspine"
        shutil.copyfile(self._template, path)
        acknowledged, delay = self._kill_one(path, seed)
        with Project.open(path, author="parent") as project:
            assert project.findings == (), project.findings
            here = digest(project.sequence)
            after = {n: digest(replay(seed, n)) for n in (acknowledged, acknowledged + 1)}
            matching = [n for n, expected in after.items() if expected == here]
            assert matching, f"seed {seed}: the state is not that after {acknowledged} gestures"
            entries = list(project.journal())
            assert len(entries) in after, f"seed {seed}: {len(entries)} journal entries"
            done = project.history.position
            while project.history.can_undo:
                project.undo()
            assert digest(project.sequence) == self._start, f"seed {seed}: undo misses the start"
            for _ in range(done):
                project.redo()
            assert digest(project.sequence) == here, f"seed {seed}: redo misses the end"
        assert not path.with_name(path.name + "-wal").exists()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        path.unlink()
        return Trial(seed, acknowledged, len(entries), delay)

    def _kill_one(self, path: Path, seed: int) -> tuple[int, float]:
        # Gestures take 1 to 3 ms, opening about 20 ms: the delays fall anywhere within them.
        rng = np.random.default_rng([seed, 1])
        wanted = int(rng.integers(0, 40))
        delay = float(rng.uniform(0, 0.03 if wanted == 0 else 0.006))
        stdin, stdout = self._pipes()
        stdin.write(f"{seed} {path}\n")
        stdin.flush()
        acknowledged, child = 0, 0
        while not child or acknowledged < wanted:
            word, _, rest = stdout.readline().partition(" ")
            assert word not in ("", "ended"), f"seed {seed}: the child ended by itself ({rest})"
            if word == "child":
                child = int(rest)
            else:
                acknowledged = int(word)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        while not (line := stdout.readline()).startswith("ended"):
            acknowledged = int(line)
        assert int(line.split()[1]) == signal.SIGKILL, f"seed {seed}: {line}"
        return acknowledged, delay

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        return self._server.stdin, self._server.stdout

    def __enter__(self) -> Killer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stdin, stdout = self._pipes()
        stdin.close()
        self._server.wait(timeout=60)
        stdout.close()


if __name__ == "__main__":
    _serve()
