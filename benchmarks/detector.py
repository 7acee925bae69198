"""Our own detector: held-out renders against the mean pose, and the demo from pictures to labels.

Run from the repository: ``python benchmarks/detector.py [--pictures N] [--weights FILE]``. The
people it is judged by share no body, movement, look, room or lens setting with those it was taught
with (``held_out_pictures``); the larger side of their points is at least 600 pixels. Exit code 0 if
every goal is met.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.cli.main import main as simspine
from pipeline.data.skeleton import project_skeleton
from pipeline.io.picture_set import NOT_LABELLED, VISIBLE, PictureSet, read_picture_set
from pipeline.io.trc import read_trc
from pipeline.models.detector import PoseDetector
from pipeline.models.network import load_pose_network
from pipeline.models.store import shipped_cards
from pipeline.quality.keypoint_metrics import keypoint_auc
from pipeline.synthesis.demo import load_truth, make_demo
from pipeline.synthesis.picture_sets import draw_set

FloatArray = NDArray[np.float64]

SEED, PICTURES = 2026, 384
AUC_GOAL, DEMO_GOAL, LARGEST = 0.85, 15.0, 12e6
PAPER = 0.803  # SIMSPINE's best detector, on its own set
NAME = "simspine-detector"
TALL = 600  # px
SKELETON = project_skeleton()
# SIMSPINE's fifteen points of the spine.
SPINE = [*SKELETON.column, *(SKELETON.index(name) for name in ("nose", "head"))]
SPINE += [i for i, name in enumerate(SKELETON.names) if "clavicle" in name or "latissimus" in name]


def shipped() -> Path:
    """The weights that come with the program."""
    card = next(card for card in shipped_cards() if card.name == NAME)
    assert card.file is not None
    return card.file


def mean_pose(pictures: PictureSet) -> FloatArray:
    """(N, K, 2) px: the mean place of each keypoint in its box, over these very pictures."""
    low, size = pictures.boxes[:, None, :2], np.ptp(pictures.boxes.reshape(-1, 2, 2), axis=1)
    placed = (pictures.xy - low) / size[:, None]
    return np.asarray(np.nanmean(placed, axis=0) * size[:, None] + low)


def found(pictures: PictureSet, weights: Path, flip: bool) -> FloatArray:
    """(N, K, 2) px by the network, told the box of each person."""
    detector = PoseDetector(load_pose_network(weights), SKELETON, flip=flip)
    people = ((pictures.picture(i), pictures.boxes[i]) for i in range(len(pictures)))
    return np.asarray(detector.detect(people).points, np.float64)


def row(title: str, pictures: PictureSet, points: FloatArray) -> float:
    """Print a row; returns the area under the curve over all labelled points."""
    away = np.linalg.norm(points - pictures.xy, axis=-1)
    away = np.where(pictures.visibility > NOT_LABELLED, away, np.nan)
    seen = np.where(pictures.visibility == VISIBLE, away, np.nan)
    auc = keypoint_auc(away)
    print(
        f"{title:<34}{auc:>7.3f}{keypoint_auc(seen):>9.3f}{keypoint_auc(away[:, SPINE]):>8.3f}"
        f"{np.nanmedian(away):>10.1f}{np.nanmean(away):>8.1f}"
    )
    return auc


def held_out(weights: Path, count: int, folder: Path) -> bool:
    """Whether the goal on pictures is met."""
    for _ in draw_set(folder, SEED, count, held_out=True, processes=2):
        pass
    pictures = read_picture_set(folder)
    tall = np.max(pictures.boxes[:, 2:] - pictures.boxes[:, :2], axis=1)
    print(f"\n{len(pictures)} held-out pictures, people {tall.min():.0f} to {tall.max():.0f} px")
    kept = tall >= TALL
    if not kept.all():
        print(f"  ({(~kept).sum()} of them cut off by the edge and below {TALL} px)")
    print(f"{'AUC (30 px; best possible 0.95)':<34}{'all':>7}{'visible':>9}{'spine':>8}", end="")
    print(f"{'median px':>10}{'mean':>8}")
    row("mean pose in the box", pictures, mean_pose(pictures))
    auc = row("our detector", pictures, found(pictures, weights, flip=False))
    row("our detector, flip test", pictures, found(pictures, weights, flip=True))
    print(f"goal {AUC_GOAL}; SIMSPINE's best on its own set {PAPER}")
    return auc >= AUC_GOAL


def demo(weights: Path, folder: Path) -> bool:
    """Whether the goal is met from the demo's videos and calibration alone."""
    recording = folder / "demo"
    make_demo(recording)
    shutil.rmtree(recording / "pose")
    commands = (
        ["detect", str(recording), "--model", str(weights), "-o", str(recording / "pose")],
        ["simulate", str(recording), "-o", str(folder / "simulated")],
    )
    for command in commands:
        if simspine(command) != 0:
            return False
    truth = load_truth(recording)
    labels = read_trc(folder / "simulated" / "labels.trc")
    names = [point.marker for point in SKELETON.keypoints]
    xyz = labels.xyz[:, [labels.names.index(name) for name in names]]
    away = 1000.0 * np.linalg.norm(xyz - truth.xyz, axis=-1)
    spine = float(np.nanmean(away[:, SPINE]))
    print(
        f"\ndemo, detect -> triangulate -> simulate: spine points {spine:.1f} mm from the truth "
        f"(goal {DEMO_GOAL:g}), all points {np.nanmean(away):.1f} mm"
    )
    return spine < DEMO_GOAL


def main() -> int:
    """Print every row; 0 where all goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    name_machine()
    weights = arguments.weights or shipped()
    made = load_pose_network(weights)
    count = sum(p.numel() for p in made.parameters())
    size = weights.stat().st_size
    print(f"{weights.name}: {count / 1e6:.2f} million weights, {size / 1e6:.1f} MB (at most 12)")
    with tempfile.TemporaryDirectory() as folder:
        met = [
            size <= LARGEST,
            held_out(weights, arguments.pictures, Path(folder) / "pictures"),
            demo(weights, Path(folder)),
        ]
    print("every goal is met" if all(met) else "missed: " + json.dumps(met))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
