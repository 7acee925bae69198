"""The same points triangulated by ours, aniposelib and Pose2Sim in turns: time and error.

Run from the repository: ``python benchmarks/triangulation_peers.py [RECORDING] [--peers-venv DIR |
--python EXE]``. The peers are no dependencies: they are installed with pip into a virtual
environment of their own, made if it is absent, or an interpreter that has them is named. Without a
recording, the balancing trial below SIMSPINE_TEST_DATA or beside the repository is taken; beside it
stand synthetic points with known truth, from a forward model that none of the three shares.

Held-out error: each method solves without one camera, by its own rules, and is measured there.
All errors are over the same observations: those with score 0.3 or more of points that every method
found; ``found`` is the share of points with two such views that a method found at all. Rounds are
interleaved; a ratio of times is the median over rounds. Exit code 0 if in every set our final
points (the whole track) have a lower held-out error and a lower error against truth than any peer,
and ours (plain), the weighted DLT, takes at most twice the time of the fastest peer. Whether single
frames (default) are ahead as well is printed: under Gaussian noise alone least squares is the best
there can be, and all meet there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from benchmarks.triangulation import main_person
from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import project_views
from pipeline.geometry.refine import refine_cameras
from pipeline.geometry.track_solve import solve_track
from pipeline.geometry.triangulation import (
    DEFAULT_OPTIONS,
    LINEAR_OPTIONS,
    TriangulationOptions,
    triangulate,
)
from pipeline.io.calibration_toml import write_calibration_toml
from pipeline.io.recording import load_recording, recognise
from tests.truth.cameras import ring
from tests.truth.moving_body import Detector, detected_body, moving_body

REPOSITORY = Path(__file__).resolve().parents[1]
INSTALLS = (
    ("aniposelib", ("aniposelib==0.8.0",)),
    # Alone: the rest of what it asks for (5 GB) is for pose estimation and OpenSim.
    ("Pose2Sim", ("--no-deps", "pose2sim==0.10.49")),
    ("what Pose2Sim imports", ("rtoml", "c3d", "anytree", "matplotlib", "pandas", "toml", "tqdm")),
)
PEERS = {
    "aniposelib": "aniposelib, DLT",
    "aniposelib-fast": "aniposelib, fast (pairs)",
    "pose2sim-weighted": "Pose2Sim, weighted DLT",
    "pose2sim-best": "Pose2Sim, best cameras",
}
PLAIN, DEFAULT, TRACK = "ours, plain (DLT x score)", "ours, default", "ours, whole track"
LEAST_SCORE, SLOWEST = 0.3, 2.0
FRAMES, FPS = 100, 60.0

Solver = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A set of points: xy (T, V, K, 2) px, score (T, V, K), truth (T, K, 3) m or None."""

    name: str
    cameras: CameraGroup
    xy: np.ndarray
    score: np.ndarray
    fps: float
    truth: np.ndarray | None = None

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """(N, V, 2) and (N, V) of all points of all frames."""
        v = len(self.cameras)
        return self.xy.swapaxes(1, 2).reshape(-1, v, 2), self.score.swapaxes(1, 2).reshape(-1, v)


@dataclass(slots=True, eq=False)
class Found:
    """What a method found: points (N, 3), the same without each view (V, N, 3), and its times."""

    points: np.ndarray
    without: np.ndarray
    seconds: list[float]


class Peer:
    """One method of a peer, in a process of its environment."""

    def __init__(self, python: Path, method: str, points: Path, cameras: Path) -> None:
        runner = Path(__file__).with_name("peer_runner.py")
        self._process = subprocess.Popen(
            [python, str(runner), method, str(points), str(cameras)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=points.parent,
        )  # fmt: skip
        self.version = self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            _, error = self._process.communicate()
            raise RuntimeError((error.strip().splitlines() or ["it ended without a word"])[-1])
        return line

    def ask(self, request: str) -> tuple[float, np.ndarray]:
        """Seconds and points."""
        assert self._process.stdin is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        seconds, _, path = self._answer().partition(" ")
        return float(seconds), np.load(path)

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.communicate()


def real_sets(path: Path) -> Iterator[Points]:
    """The recording's first person with stored and with refined cameras."""
    recording = load_recording(recognise(path))
    xy, score = (values.swapaxes(1, 2) for values in main_person(recording))
    score = np.where(np.isfinite(xy[..., 0]), np.nan_to_num(score), 0.0)
    yield Points(f"{path.name}, stored cameras", recording.cameras, xy, score, recording.fps)
    refined = refine_cameras(recording.cameras, xy, score)
    yield Points(f"{path.name}, refined cameras", refined.cameras, xy, score, recording.fps)


def synthetic_sets() -> Iterator[Points]:
    """A moving body in four views, without and with outliers, missing views and lenses."""
    truth = moving_body(FRAMES, FPS)
    noise = Detector(wild=0.0, missed=0.0)
    faults = Detector(wild=0.1, wild_px=80.0, missed=0.0)
    holes = Detector(wild=0.02, missed=0.2)
    for name, detector, coefficients in (
        ("synthetic, noise", noise, 0),
        ("synthetic, 10 % outliers of 80 px", faults, 0),
        ("synthetic, 20 % of views missing, 2 % outliers", holes, 0),
        ("synthetic, noise, lenses distort", noise, 5),
    ):
        cameras = ring(4, coefficients)
        xy, score = detected_body(cameras, truth, FPS, detector=detector)
        yield Points(name, cameras, xy, score, FPS, truth)


def ours(points: Points, options: TriangulationOptions) -> Solver:
    """One of our modes, point by point."""
    return lambda xy, score: triangulate(points.cameras, xy, score, options=options).xyz


def whole_track(points: Points) -> Solver:
    """Our batch solve over time."""
    shape = points.score.swapaxes(1, 2).shape

    def solve(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
        pixels, weights = xy.reshape(*shape, 2), score.reshape(shape)
        solution = solve_track(
            points.cameras, pixels.swapaxes(1, 2), weights.swapaxes(1, 2),
            skeleton=project_skeleton(), fps=points.fps,
        )  # fmt: skip
        return np.asarray(solution.xyz).reshape(-1, 3)

    return solve


def request(solver: Solver, points: Points) -> Callable[[str], tuple[float, np.ndarray]]:
    """Our modes asked in the way of :meth:`Peer.ask`."""

    def ask(line: str) -> tuple[float, np.ndarray]:
        xy, score = (values.copy() for values in points.flat())
        if line.startswith("leave"):
            score[:, int(line.split()[1])] = 0.0
        began = time.perf_counter()
        found = solver(xy, score)
        return time.perf_counter() - began, found

    return ask


def measure(points: Points, python: Path | None, rounds: int) -> bool:
    """Print the table of one set of points; whether ours is ahead and not too slow."""
    xy, score = points.flat()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        data, calibration = Path(name) / "points.npz", Path(name) / "cameras.toml"
        np.savez(data, xy=xy, score=score)
        write_calibration_toml(calibration, points.cameras)
        asked = {
            PLAIN: request(ours(points, LINEAR_OPTIONS), points),
            DEFAULT: request(ours(points, DEFAULT_OPTIONS), points),
            TRACK: request(whole_track(points), points),
        }
        versions = []
        for method, label in PEERS.items() if python else ():
            try:
                peer = Peer(python, method, data, calibration)
            except RuntimeError as error:
                print(f"  left out: {label}: {error}")
                continue
            stack.callback(peer.close)
            versions.append(f"{method} {peer.version}")
            asked[label] = peer.ask
        results = {}
        for label, ask in asked.items():
            _, found = ask("run")  # warms up as well
            without = [ask(f"leave {view}")[1] for view in range(len(points.cameras))]
            results[label] = Found(found, np.array(without), [])
        for _ in range(rounds):
            for label, ask in asked.items():
                results[label].seconds.append(ask("run")[0])
    print(f"{points.name}: {len(xy)} points, {np.isfinite(xy[..., 0]).sum()} observations"
          f"{'; ' if versions else ''}{', '.join(versions)}")  # fmt: skip
    return _table(points, results)


def _table(points: Points, results: dict[str, Found]) -> bool:
    xy, score = points.flat()
    counted = (score >= LEAST_SCORE) & np.isfinite(xy[..., 0])
    solvable = counted.sum(axis=1) >= 2
    everywhere = np.logical_and.reduce(
        [np.isfinite(found.points[:, 0]) for found in results.values()]
    )
    held = np.logical_and.reduce([np.isfinite(found.without[..., 0]) for found in results.values()])
    peers = [label for label in results if label in PEERS.values()]
    fastest = np.min([results[label].seconds for label in peers], axis=0) if peers else None
    print(f"  {'':28} {'ms':>8} {'x fastest peer':>14} {'found %':>8} {'reproj px':>10} "
          f"{'held-out px':>12} {'p90':>6} {'truth mm':>9} {'p95':>7}")  # fmt: skip
    held_out, against = {}, {}
    for label, found in results.items():
        error = np.linalg.norm(project_views(points.cameras, found.points) - xy, axis=-1)
        reprojection = np.nanmedian(error[counted & everywhere[:, None]])
        predicted = np.stack(
            [project_views(points.cameras, found.without[view])[:, view]
             for view in range(len(points.cameras))], axis=1,
        )  # fmt: skip
        error = np.linalg.norm(predicted - xy, axis=-1)[counted & held.T]
        error = np.where(np.isnan(error), np.inf, error)  # predicted behind the camera
        held_out[label] = float(np.median(error))
        ratio = np.median(np.divide(found.seconds, fastest)) if peers else np.nan
        line = (f"  {label:28} {1000 * np.median(found.seconds):8.1f} {ratio:14.2f} "
                f"{100 * np.isfinite(found.points[solvable, 0]).mean():8.1f} {reprojection:10.2f} "
                f"{held_out[label]:12.2f} {np.percentile(error, 90):6.1f}")  # fmt: skip
        if points.truth is not None:
            away = 1000 * np.linalg.norm(found.points - points.truth.reshape(-1, 3), axis=-1)
            against[label] = float(np.median(away[everywhere]))
            line += f" {against[label]:9.2f} {np.percentile(away[everywhere], 95):7.1f}"
        print(line)
    return not peers or _verdict(results, fastest, held_out, against, peers)


def _verdict(results, fastest, held_out, against, peers) -> bool:  # type: ignore[no-untyped-def]
    ratio = float(np.median(np.divide(results[PLAIN].seconds, fastest)))
    passed = [ratio <= SLOWEST]
    said = [f"plain takes {ratio:.2f} times the fastest peer's time (at most {SLOWEST:.0f})"]
    for name, errors, unit in (("held-out", held_out, "px"), ("truth", against, "mm")):
        if errors:
            best = min(errors[label] for label in peers)
            passed.append(errors[TRACK] < best)
            single = 100.0 * (errors[DEFAULT] / best - 1.0)
            said.append(
                f"{name} {errors[TRACK]:.2f} against {best:.2f} {unit} (single frames "
                f"{errors[DEFAULT]:.2f}, {single:+.1f} %)"
            )
    print(f"  {'passed' if all(passed) else 'MISSED'}: {'; '.join(said)}")
    return all(passed)


def peers_python(folder: Path) -> Path:
    """The interpreter of the environment with the peers, made where it is absent."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        for name, packages in INSTALLS:
            pip = [str(python), "-m", "pip", "install", "--quiet", *packages]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode:
                error = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
                print(f"not installed: {name}: {error}")
    return python


def main() -> int:
    """Measure all sets."""
    data = Path(os.environ.get("SIMSPINE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", nargs="?", type=Path, default=data / "balancing")
    parser.add_argument("--peers-venv", type=Path, metavar="DIR",
                        default=Path(tempfile.gettempdir()) / "simspine-peers")  # fmt: skip
    parser.add_argument("--python", type=Path, metavar="EXE", help="interpreter with the peers")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    name_machine()
    python = arguments.python or peers_python(arguments.peers_venv.absolute())
    sets = [*synthetic_sets()]
    if arguments.recording.is_dir():
        sets = [*real_sets(arguments.recording), *sets]
    else:
        print(f"left out: {arguments.recording} is not there")
    passed = [measure(points, python, arguments.rounds) for points in sets]
    print("all figures hold" if all(passed) else "FIGURES DO NOT HOLD")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
