"""Triangulation of a real recording beside its peers: reprojection, held-out cameras, time.

Run from the repository: ``python benchmarks/triangulation.py [RECORDING]``, by default the
balancing trial beside it. Exit code 0 if the reprojection is not above that of Pose2Sim's own
points under the same cameras, and the held-out-camera error not above plain weighted DLT's.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.association import associate
from pipeline.geometry.heldout import heldout_errors
from pipeline.geometry.projection import project_views
from pipeline.geometry.triangulation import (
    DEFAULT_OPTIONS,
    LINEAR_OPTIONS,
    TriangulationOptions,
    triangulate,
)
from pipeline.io.recording import LoadedRecording, load_recording, recognise, with_calibration

REPOSITORY = Path(__file__).resolve().parents[1]
# Detections below this score are used by the solver but not counted, as in Pose2Sim.
COUNTED_SCORE = 0.3
# What is required, measured once with Pose2Sim 0.10.49 and a plain weighted DLT.
PEER_REPROJECTION, PEER_HELDOUT = 10.75, 23.0
REPEATS, MANY_REPEATS = 800, 30

STRATEGIES = {
    "ours (default)": DEFAULT_OPTIONS,
    "DLT x score, all views": LINEAR_OPTIONS,
    "non-linear L2": TriangulationOptions(loss="l2"),
    "huber 10": TriangulationOptions(loss="huber", loss_px=10.0),
    "huber 15": TriangulationOptions(loss="huber", loss_px=15.0),
    "soft-l1 8": TriangulationOptions(loss_px=8.0),
    "soft-l1 12": TriangulationOptions(loss_px=12.0),
    "soft-l1 9, score as weight": TriangulationOptions(full_score=1.0),
    "cauchy 8": TriangulationOptions(loss="cauchy", loss_px=8.0),
    "cauchy 20": TriangulationOptions(loss="cauchy", loss_px=20.0),
}


def read_trc(path: Path) -> tuple[list[str], np.ndarray]:
    """Marker names and (T, M, 3) world points of one of Pose2Sim's files."""
    lines = path.read_text().splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name.strip()]
    rows = [[float(x) for x in line.split("\t") if x.strip()] for line in lines[5:] if line.strip()]
    return names, np.array(rows)[:, 2:].reshape(len(rows), len(names), 3)


def main_person(recording: LoadedRecording) -> tuple[np.ndarray, np.ndarray]:
    """(T, K, V, 2) pixels and (T, K, V) score of track 0."""
    xy, score = recording.instances_xy, recording.instances_score
    tracks = associate(recording.cameras, xy, score)
    own = (tracks == 0)[..., None]
    chosen = np.where(own[..., None], xy, np.nan)
    xy = np.take_along_axis(chosen, own.argmax(axis=2)[:, :, None, :, None], axis=2)[:, :, 0]
    score = np.where(own, score, 0.0).max(axis=2)
    return xy.swapaxes(1, 2).astype(float), score.swapaxes(1, 2).astype(float)


def accuracy(recording: LoadedRecording, trc: Path | None) -> bool:
    """Print one table; whether both requirements hold."""
    cameras = recording.cameras
    xy, score = main_person(recording)
    skeleton = project_skeleton()
    columns = list(range(len(skeleton)))
    peer = None
    if trc is not None:
        names, points = read_trc(trc)
        columns = [skeleton.index(name) for name in names]
        # The file's axes (y, z, x of its Z-up world) are those of the project's world.
        peer = points
    pixels = xy[:, columns].reshape(-1, len(cameras), 2)
    scores = score[:, columns].reshape(-1, len(cameras))
    counted = (scores > COUNTED_SCORE) & np.isfinite(pixels[..., 0])
    print(
        f"  {'strategy':30} {'reproj px':>10} {'mean':>7} {'held-out px':>12} {'p90':>6} {'n':>6}"
    )
    if peer is not None:
        error = np.linalg.norm(project_views(cameras, peer.reshape(-1, 3)) - pixels, axis=-1)
        error = error[counted]
        print(f"  {'Pose2Sim (its TRC)':30} {np.median(error):10.2f} {error.mean():7.2f} "
              f"{'-':>12} {'-':>6} {len(error):6}")  # fmt: skip
        theirs = float(np.median(error))
    else:
        theirs = PEER_REPROJECTION
    figures = {}
    for name, options in STRATEGIES.items():
        reprojection = triangulate(cameras, pixels, scores, options=options).residual[counted]
        heldout = heldout_errors(cameras, pixels, scores, options=options)[counted]
        figures[name] = np.nanmedian(reprojection), np.nanmedian(heldout)
        print(f"  {name:30} {figures[name][0]:10.2f} {np.nanmean(reprojection):7.2f} "
              f"{figures[name][1]:12.2f} {np.nanpercentile(heldout, 90):6.1f} "
              f"{np.isfinite(heldout).sum():6}")  # fmt: skip
    ours, dlt = figures["ours (default)"], figures["DLT x score, all views"]
    passed = bool(ours[0] <= theirs and ours[1] <= dlt[1])
    print(f"  reprojection {ours[0]:.2f} px against {theirs:.2f} (Pose2Sim, ratio "
          f"{ours[0] / theirs:.3f}); held-out {ours[1]:.2f} px against {dlt[1]:.2f} (DLT, ratio "
          f"{ours[1] / dlt[1]:.3f}): {'passed' if passed else 'FAILED'}")  # fmt: skip
    return passed


def timing(recording: LoadedRecording) -> None:
    """Print the time of many points and of one, interleaved with plain DLT."""
    cameras = recording.cameras
    xy, score = main_person(recording)
    pixels, scores = xy.reshape(-1, len(cameras), 2), score.reshape(-1, len(cameras))
    busy = np.flatnonzero((scores > COUNTED_SCORE).all(axis=1))
    pixels, scores = pixels[busy][:1000], scores[busy][:1000]
    jobs = {}
    for views in (len(cameras), 2 * len(cameras)):
        group = CameraGroup((cameras.cameras * 2)[:views])
        twice = (np.tile(pixels, (1, 2, 1))[:, :views], np.tile(scores, (1, 2))[:, :views])
        for name, options in (("ours", DEFAULT_OPTIONS), ("DLT", LINEAR_OPTIONS)):
            jobs[f"1 point, {views} views, {name}"] = (group, twice, options, 1)
            jobs[f"{len(pixels)} points, {views} views, {name}"] = (group, twice, options, 0)
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for repeat in range(REPEATS):
        for name, (group, (points, weights), options, single) in jobs.items():
            if not single and repeat >= MANY_REPEATS:
                continue
            i = repeat % len(points)
            part = slice(i, i + 1) if single else slice(None)
            start = time.perf_counter()
            triangulate(group, points[part], weights[part], options=options)
            spent[name].append(time.perf_counter() - start)
    for name, times in spent.items():
        print(f"  {name:30} {1000 * np.median(times):8.3f} ms (median of {len(times)})")


def main() -> int:
    """Measure with every calibration of the recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = REPOSITORY.parent / "shared" / "data" / "balancing"
    parser.add_argument("recording", nargs="?", type=Path, default=default)
    arguments = parser.parse_args()
    name_machine()
    plan = recognise(arguments.recording)
    trc = next((arguments.recording / "reference").glob("*_0-100.trc"), None)
    print(f"Required with the stored calibration: reprojection <= {PEER_REPROJECTION} px, "
          f"held-out <= {PEER_HELDOUT} px")  # fmt: skip
    passed = []
    for calibration in (plan.calibration, *plan.alternatives):
        if calibration is not None:
            print(f"{calibration.name}: detections with score > {COUNTED_SCORE}, all views counted")
            passed.append(accuracy(load_recording(with_calibration(plan, calibration)), trc))
    print("time")
    timing(load_recording(plan))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
