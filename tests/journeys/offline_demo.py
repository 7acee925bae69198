"""The demo without its detections, and how far what is made of its pictures is from the truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from pipeline.data.skeleton import project_skeleton
from pipeline.io.trc import read_trc
from pipeline.synthesis.demo import DemoRecording, make_demo

FRAMES = 24
DETECTOR = "simspine-detector"


def bare_demo(folder: Path) -> DemoRecording:
    """Videos and calibration of the demo's first moments."""
    made = make_demo(folder, n_frames=FRAMES)
    shutil.rmtree(folder / "pose")
    return made


def spine_error_mm(demo: DemoRecording, labels: Path) -> float:
    """Mean distance of the column's labels from where they truly are."""
    skeleton = project_skeleton()
    read = read_trc(labels)
    column = list(skeleton.column)
    names = [skeleton.keypoints[i].marker for i in column]
    xyz = read.xyz[:, [read.names.index(name) for name in names]]
    return float(1000.0 * np.linalg.norm(xyz - demo.truth.xyz[:, column], axis=-1).mean())
