"""What drawing the simulated body costs: in 3D, and in the pictures.

Usage: ``python benchmarks/simulated_body.py [--pictures 100] [--size 420x865]``. The size is that
of the 3D view in a window of 1920 x 1080. Pictures of all kinds take turns, so that what else the
computer does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from benchmarks.machine import name_machine
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.model import KinematicModel, coordinate_index
from pipeline.simulation.osim_model import extract_kinematics
from simspine_viewer import orbit_camera as orbit
from simspine_viewer.bone_groups import BoneStore
from simspine_viewer.document import Document
from simspine_viewer.orbit_camera import OrbitView
from simspine_viewer.overlay_scene import SpineCurve
from simspine_viewer.overlay_spine import paint_spine
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.pose import Pose
from simspine_viewer.scene3d import Scene3D
from simspine_viewer.spine_levels import keypoint_column, spine_levels

SKELETON = project_skeleton()


def shipped_model() -> KinematicModel:
    """Our model, unscaled."""
    return extract_kinematics(resource_path("models", "simspine_core.osim"))[0]


def swaying_poses(model: KinematicModel, n: int) -> list[Pose]:
    """Poses of a body whose trunk bends to and fro."""
    coordinates = np.tile(model.default, (n, 1))
    bend = 0.4 * np.sin(np.linspace(0, 2 * np.pi, n, endpoint=False))
    for name in ("lumbar_bend", "pelvis_tilt", "hip_flexion_r"):
        coordinates[:, coordinate_index(model, name)] += bend
    placed = body_transforms(model, coordinates)
    markers = marker_positions(model, coordinates, placed)
    rows = [model.marker_names.index(keypoint.marker) for keypoint in SKELETON.keypoints]
    return [Pose(model, *each) for each in zip(placed, coordinates, markers[:, rows], strict=True)]


class Swaying:
    """A simulated body that moves with every event of a drag, where the annotated person is."""

    def __init__(self, document: Document, model: KinematicModel) -> None:
        self._document, self._n = document, 0
        xyz = document.points_at(0).xyz
        poses = swaying_poses(model, 100)
        shift = np.nanmean(xyz, axis=0) - poses[0].markers.mean(axis=0)
        for pose in poses:
            pose.ground_from_body[..., 3] += shift
            pose.markers[:] += shift
        self._poses = poses
        document.pose_source = lambda _frame: self._poses[self._n % len(poses)]
        document.preview_changed.connect(self._go_on)
        document.pose_changed.emit()

    def _go_on(self) -> None:
        self._n += 1
        self._document.pose_changed.emit()

    def leave(self) -> None:
        """Show no body any more."""
        self._document.preview_changed.disconnect(self._go_on)
        self._document.pose_source = None
        self._document.pose_changed.emit()


def print_row(what: str, milliseconds: list[float]) -> None:
    """Median, 95th percentile and best of some times."""
    median, late = np.percentile(milliseconds, [50, 95])
    best = min(milliseconds)
    print(
        f"{what:46s} median {median:6.2f} ms, p95 {late:6.2f} ms, best {best:6.2f} ms", flush=True
    )


def measure_3d(poses: list[Pose], n: int, size: tuple[int, int]) -> None:
    """Print how long the bones take to load and a picture takes to draw."""
    store, pieces = BoneStore(), []
    store.want(poses[0].model)
    while store.loading:
        began = time.perf_counter()
        store.go_on(0.0)
        pieces.append(1e3 * (time.perf_counter() - began))
    triangles = sum(len(group.mesh.triangles) for group in store.groups)
    print(
        f"bones loaded in {sum(pieces):.0f} ms, the longest piece {max(pieces):.1f} ms; "
        f"{len(store.groups)} actors, {triangles} triangles"
    )
    scene = Scene3D()
    scene.set_recording((), SKELETON)
    scene.set_bones(store.groups)
    centre = poses[0].markers.mean(axis=0)
    kinds = {
        "points alone": (False, 1.0, 1),
        "with bones": (True, 1.0, 1),
        "with bones, while a point is dragged in a pane": (True, 0.5, 1),
        "with bones, at rest": (True, 1.0, 2),
    }
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(n + 3):
        pose = poses[number % len(poses)]
        for what, (bones, share, samples) in kinds.items():
            width, height = (round(side * share) for side in size)
            hole = orbit.pinhole(OrbitView(centre, 0.6, 0.2, 3.0), width, height)
            began = time.perf_counter()
            scene.pose_bones(pose.ground_from_body if bones else None)
            scene.set_points(pose.markers, slim=bones)
            scene.render(hole, width, height, samples)
            times[what].append(1e3 * (time.perf_counter() - began))
    for what, spent in times.items():
        print_row(what, spent[3:])
    scene.close()


def measure_pane(poses: list[Pose], n: int) -> None:
    """Print how long the spine takes to be put into one picture of a drag."""
    image = QImage(640, 900, QImage.Format.Format_RGB32)
    area, times = QRectF(0, 0, 640, 900), []
    column = keypoint_column(SKELETON)
    for number in range(n):
        pose = poses[number % len(poses)]
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            began = time.perf_counter()
            levels = spine_levels(pose, column)
            assert levels is not None
            xy: NDArray[np.float64] = 500 * levels.xyz[:, :2] * (1, -1) + (320, 850)
            curve = SpineCurve(levels.names, xy, levels.first)
            paint_spine(painter, curve, PaneTransform(), area)
            times.append(1e3 * (time.perf_counter() - began))
    print_row("spine in one picture", times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--size", default="420x865")
    args = parser.parse_args()
    name_machine()
    _app = QApplication([])
    poses = swaying_poses(shipped_model(), 100)
    width, height = map(int, args.size.split("x"))
    measure_3d(poses, args.pictures, (width, height))
    measure_pane(poses, 5 * args.pictures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
