"""Triangulates given points with aniposelib or Pose2Sim, inside an environment that has them.

Started by ``triangulation_peers.py``; imports nothing of this project. Usage: ``peer_runner.py
METHOD POINTS.npz CAMERAS.toml``; answers each line on its standard input (``run``, or ``leave V``
to do without view V) with one line: the seconds within the peer's own function, after which the
(N, 3) points lie in the ``.npy`` file that the line names.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

# Below this likelihood both peers leave a detection out (their own defaults).
LEAST_SCORE = 0.3
Solver = Callable[[np.ndarray, np.ndarray], np.ndarray]


def aniposelib(cameras: str, fast: bool) -> Solver:
    """Its ``CameraGroup.triangulate``: unweighted DLT, or the median over pairs."""
    from aniposelib.cameras import CameraGroup

    group = CameraGroup.load(cameras)

    def solve(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
        points = np.where((score >= LEAST_SCORE)[..., None], xy, np.nan).swapaxes(0, 1).copy()
        return np.asarray(group.triangulate(points, fast=fast))

    return solve


def pose2sim_weighted(cameras: str) -> Solver:
    """Its weighted DLT of all views, point by point as its own loop does."""
    from Pose2Sim.common import computeP, weighted_triangulation

    matrices = computeP(Path(cameras))  # it reads text as the TOML itself

    def solve(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
        points = np.full((len(xy), 3), np.nan)
        for n in range(len(xy)):
            views = np.flatnonzero(score[n] >= LEAST_SCORE)
            used = [matrices[view] for view in views]
            x, y, likelihood = xy[n, views, 0], xy[n, views, 1], score[n, views]
            points[n] = weighted_triangulation(used, x, y, likelihood)[:3]
        return points

    return solve


def pose2sim_best(cameras: str) -> Solver:
    """Its default: views are dropped until the mean reprojection error is below 15 px."""
    from Pose2Sim.common import computeP, retrieve_calib_params
    from Pose2Sim.triangulation import triangulation_from_best_cameras

    path = Path(cameras)
    matrices, calibration = computeP(path), retrieve_calib_params(path)

    def solve(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
        points = np.full((len(xy), 3), np.nan)
        kept = score >= LEAST_SCORE
        for n in range(len(xy)):
            seen = [np.where(kept[n], values, np.nan) for values in (*xy[n].T, score[n])]
            points[n] = triangulation_from_best_cameras({}, seen, seen, matrices, calibration)[0]
        return points

    return solve


METHODS: dict[str, tuple[str, Callable[[str], Solver]]] = {
    "aniposelib": ("aniposelib", lambda cameras: aniposelib(cameras, fast=False)),
    "aniposelib-fast": ("aniposelib", lambda cameras: aniposelib(cameras, fast=True)),
    "pose2sim-weighted": ("pose2sim", pose2sim_weighted),
    "pose2sim-best": ("pose2sim", pose2sim_best),
}


def main() -> None:
    """Answer requests until the input ends."""
    method, points, cameras = sys.argv[1:4]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a peer prints is no answer
    package, make = METHODS[method]
    solve = make(cameras)
    data = np.load(points)
    print(importlib.metadata.version(package), file=answers)
    target = f"{points}.{method}.npy"
    with np.errstate(all="ignore"):
        for line in sys.stdin:
            xy, score = data["xy"].copy(), data["score"].copy()
            if line.startswith("leave"):
                view = int(line.split()[1])
                xy[:, view], score[:, view] = np.nan, np.nan
            began = time.perf_counter()
            found = solve(xy, score)
            spent = time.perf_counter() - began
            np.save(target, found)
            print(spent, target, file=answers)


if __name__ == "__main__":
    main()
