"""An hour of four cameras, and millions of labelled values: what opening, memory and edits cost.

Usage: ``python benchmarks/long_recording.py [--frames 180000] [--values 2000000] [--events 500]``.
Makes its projects itself, without videos, in a temporary folder. Each is measured in a process of
its own. Prints

* the time until the project is open and its first frame drawn from, and the memory then;
* memory while it is used: every frame's derived points land as from the worker, all lanes are
  read, the cursor jumps, points are placed and taken back. The last quarter should need no more
  than the first, once everything has been seen;
* step, edit and undo in a project with ``--values`` labelled values in each manual layer against
  one with 1 000, interleaved: medians, and their ratio.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication

from benchmarks.machine import name_machine
from pipeline.data import edits
from pipeline.data.camera import SyncMap
from pipeline.data.history import Place
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project_views
from pipeline.io.project import Project
from pipeline.quality.signals import frame_signals
from pipeline.synthesis.cameras import ring_of_cameras
from simspine_viewer.document import Document

FPS, SIZE, N_VIEWS, K = 50.0, (1000, 1000), 4, 37
BLOCK = 2000
FEW = 1000
ONE = Place(track=0)


def info_of(n_frames: int) -> RecordingInfo:
    """Four cameras without videos."""
    return RecordingInfo(
        name="long", fps=FPS, n_frames=n_frames, cameras=ring_of_cameras(N_VIEWS, SIZE),
        videos=(VideoRef(None, SIZE, n_frames),) * N_VIEWS,
        syncs=(SyncMap(n_frames=n_frames),) * N_VIEWS, skeleton=project_skeleton(), n_persons=1,
    )  # fmt: skip


def walking(frames: np.ndarray) -> np.ndarray:
    """(n, K, 3) m: points of a swaying body that wanders about."""
    rng = np.random.default_rng(1)
    rest = rng.uniform((-0.25, 0.1, -0.25), (0.25, 1.7, 0.25), (K, 3))
    t = frames[:, None, None] / FPS
    sway = 0.08 * np.sin(2 * np.pi * (0.7 * t + rng.random((K, 3))))
    return rest + sway + 0.4 * np.sin(t / np.array([11.0, 1e9, 17.0]))


def make_project(path: Path, n_frames: int) -> None:
    """A project of one person, detected with 2 px of noise."""
    info, rng = info_of(n_frames), np.random.default_rng(2)
    xy = np.empty((n_frames, N_VIEWS, 1, K, 2), np.float32)
    for first in range(0, n_frames, BLOCK):
        frames = np.arange(first, min(first + BLOCK, n_frames))
        seen = project_views(info.cameras, walking(frames).reshape(-1, 3))
        seen = seen.reshape(len(frames), K, N_VIEWS, 2).swapaxes(1, 2)
        xy[frames, :, 0] = seen + rng.normal(0, 2, seen.shape)
    score = rng.uniform(0.3, 1, xy.shape[:-1]).astype(np.float32)
    assignment = np.zeros(xy.shape[:3], np.int16)
    Project.create(
        path, info, author="benchmark", xy=xy, score=score, assignment=assignment, recording={}
    ).close()


def label(path: Path, n_values: int) -> None:
    """Give ``n_values`` values of each manual layer, in one view, frame after frame."""
    n = -(-n_values // K)
    with Project.open(path) as project:
        sequence = project.sequence
        for first in range(0, n, BLOCK):
            frames = np.arange(first, min(first + BLOCK, n))
            frame, point = (
                part.ravel() for part in np.meshgrid(frames, np.arange(K), indexing="ij")
            )
            view = np.zeros_like(frame)
            in_view = np.stack([frame, view, point], axis=-1)
            xy = sequence.layer("instances2d.xy").get(np.insert(in_view, 2, 0, axis=1))
            patches = (
                sequence.patch("manual2d.xy", in_view, xy, 0),
                sequence.patch("manual2d.flags", in_view, 1, 0),
                sequence.patch("manual3d.xyz", in_view[:, ::2], walking(frames).reshape(-1, 3), 0),
            )
            project.commit("Label", patches, ONE)


def memory() -> tuple[float, float]:
    """Resident memory now and at its highest, in MB."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, peak = (float(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def land_everything(sequence: Sequence) -> None:
    """Derived points of all frames, as a worker sends them."""
    for first in range(0, sequence.n_frames, 200):
        frames = np.arange(first, min(first + 200, sequence.n_frames))
        index = np.stack(np.meshgrid(frames, np.arange(K), indexing="ij"), -1).reshape(-1, 2)
        xyz = walking(frames).reshape(-1, 3)
        for group, others in (
            ("points3d", ("residual", "sigma", "n_views", "source")),
            ("fused", ("sigma", "source")),
        ):
            patches = [sequence.patch(f"{group}.xyz", index, xyz, 0)]
            patches += [sequence.patch(f"{group}.{name}", index, 3, 0) for name in others]
            sequence.land(tuple(patches), frames, sequence.revision)


def open_and_use(path: Path, events: int) -> None:
    """Print what opening a project and working in it takes."""
    QCoreApplication([])
    before, _ = memory()
    start = time.perf_counter()
    project = Project.open(path)
    document = Document()
    document.open(project)
    opened = time.perf_counter() - start
    document.points_at(project.sequence.n_frames // 2)
    drawn = time.perf_counter() - start
    now, peak = memory()
    print(f"opened in {opened:.2f} s, first frame after {drawn:.2f} s")
    print(f"memory: {before:.0f} MB before, {now:.0f} MB after opening, at most {peak:.0f} MB")
    sequence, rng = project.sequence, np.random.default_rng(3)
    rounds = []
    for _ in range(4):
        sequence.stamps.forget("points3d", 0)
        sequence.stamps.forget("fused", 0)
        land_everything(sequence)
        for first in range(0, sequence.n_frames, 256):
            frame_signals(sequence, 0, np.arange(first, min(first + 256, sequence.n_frames)))
        for _ in range(events):
            frame = int(rng.integers(sequence.n_frames))
            document.points_at(frame)
            edit(document, frame, rng)
            if rng.random() < 0.5:
                document.undo()
        gc.collect()
        rounds.append(memory()[0])
    peak = memory()[1]
    shown = ", ".join(f"{value:.0f}" for value in rounds)
    print(f"memory while working, after each quarter: {shown} MB, at most {peak:.0f} MB")
    document.close()


def edit(document: Document, frame: int, rng: np.random.Generator) -> None:
    """Place one point, as a released drag does."""
    point = int(rng.integers(K))
    xy = rng.uniform(100, 900, 2)
    patches = edits.place_point(document.sequence, 0, frame, 0, point, xy)
    document.commit("Place", patches, Place(frame, 0, point, 0))


def compare(paths: tuple[Path, Path], labelled: tuple[int, int], events: int) -> None:
    """Print medians of the same gestures in two projects, interleaved, and their ratios."""
    QCoreApplication([])
    documents = []
    for path in paths:
        document = Document()
        document.open(Project.open(path))
        land_everything(document.sequence)
        documents.append(document)
    times: dict[str, list[list[float]]] = {name: [[], []] for name in ("step", "edit", "undo")}
    rng = np.random.default_rng(4)

    def timed(name: str, which: int, call: Callable[[], object]) -> None:
        start = time.perf_counter()
        call()
        times[name][which].append(time.perf_counter() - start)

    for _ in range(events):
        for which, document in enumerate(documents):
            frame = int(rng.integers(labelled[which] - 1))
            document.points_at(frame)
            timed("step", which, lambda d=document, f=frame: d.points_at(f + 1))
            timed("edit", which, lambda d=document, f=frame: edit(d, f + 1, rng))
            timed("undo", which, document.undo)
    for name, (many, few) in times.items():
        a, b = np.median(many) * 1e3, np.median(few) * 1e3
        tails = [np.percentile(values, 95) * 1e3 for values in (many, few)]
        print(
            f"{name}: {a:.2f} ms against {b:.2f} ms, ratio {a / b:.2f} "
            f"(95 %: {tails[0]:.1f} and {tails[1]:.1f} ms)"
        )
    for document in documents:
        document.close()


def apart(call: Callable[..., None], *args: object) -> None:
    """Run a function in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=call, args=args)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def main() -> None:
    """Make the projects and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=180_000)
    parser.add_argument("--values", type=int, default=2_000_000)
    parser.add_argument("--events", type=int, default=500)
    options = parser.parse_args()
    name_machine()
    with tempfile.TemporaryDirectory() as folder:
        long, many, few = (Path(folder) / f"{name}.simspine" for name in ("long", "many", "few"))
        apart(make_project, long, options.frames)
        size = long.stat().st_size / 1e6
        print(f"{options.frames} frames in {N_VIEWS} views, {size:.0f} MB")
        apart(open_and_use, long, options.events)
        n_frames = -(-options.values // K) + 1
        for path, values in ((many, options.values), (few, FEW)):
            apart(make_project, path, n_frames)
            apart(label, path, values)
        print(f"{options.values} labelled values per manual layer against {FEW}:")
        apart(compare, (many, few), (options.values // K, FEW // K), options.events)


if __name__ == "__main__":
    main()
