"""A person is simulated in the window: live drag, undo, labels, a killed worker, reopening."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pipeline.io.trc import read_trc
from pipeline.jobs.messages import Cancelled, Failed
from simspine_viewer import dialogs
from simspine_viewer.main_window import MainWindow
from simspine_viewer.pose import Pose
from simspine_viewer.simulations import WORKER, SimulationChoice
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.realdata, pytest.mark.opensim]

FRAME, LONG = 40, 250_000


@pytest.fixture(scope="module")
def simulating(
    qapp: QApplication, balancing_source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """The real recording, and a model of the person in it being made."""
    folder = tmp_path_factory.mktemp("simulate") / "balancing"
    shutil.copytree(balancing_source, folder)
    with main_window() as made:
        open_and_settle(made, folder)
        made.time.set_frame(FRAME)
        assert made.document.pose_at(FRAME) is None
        assert not made.table.actions["save-model"].isEnabled()
        made.table.actions["simulate"].trigger()
        yield made


@pytest.fixture
def window(simulating: MainWindow) -> MainWindow:
    """The same window with everything computed."""
    simulated(simulating)
    return simulating


def keypoint(window: MainWindow, name: str) -> int:
    return window.document.sequence.info.skeleton.markers.index(name)


def simulated(window: MainWindow) -> None:
    """Everything is computed, and the window can solve poses itself."""
    wait_until(lambda: window.simulations.job is None, LONG)
    assert window.simulations.subject is not None, window.simulations.failure
    wait_until(lambda: window.poses.ready and not window.planner.pending, LONG)
    settle(window)


def stale(window: MainWindow) -> np.ndarray:
    stamps = window.document.sequence.stamps
    return np.flatnonzero(stamps.stale("kinematics", window.document.person))


def risen(window: MainWindow, still: Pose) -> float:
    """Metres by which the left hip of the body has risen."""
    pose = window.document.pose_at(FRAME)
    assert pose is not None
    return float((pose.markers - still.markers)[keypoint(window, "LHip"), 1])


def test_the_body_comes_to_lie_where_the_points_are(simulating: MainWindow) -> None:
    window, panel = simulating, simulating.simulation_panel
    assert panel.isVisible()
    assert panel.button.text() == "Cancel"
    assert not window.table.actions["simulate"].isEnabled()
    simulated(window)
    assert not len(stale(window))
    assert "Scaled on 100 frames" in panel.result.text()
    assert panel.angles[1].text().endswith("°")
    still = window.document.pose_at(FRAME)
    assert still is not None
    assert not still.live
    away = np.linalg.norm(still.markers - window.document.points_at(FRAME).fused, axis=-1)
    assert np.nanmedian(away) < 0.03
    assert np.isfinite(still.markers).all(), "also where nobody saw anything"


def test_the_bones_follow_a_dragged_hip_and_go_back(window: MainWindow) -> None:
    document, hip = window.document, keypoint(window, "LHip")
    still, start = document.pose_at(FRAME), document.points_at(FRAME).xyz[hip].copy()
    assert still is not None
    window.selection.set(keypoint=hip)
    position = document.history.position
    for up in np.linspace(0.01, 0.05, 5):
        window.editor.drag_in_3d(hip, start + np.array([0.0, up, 0.0]))
    live = document.pose_at(FRAME)
    assert live is not None
    assert live.live
    assert risen(window, still) > 0.025
    pelvis = live.model.body_names.index("pelvis")
    assert live.ground_from_body[pelvis, 1, 3] > still.ground_from_body[pelvis, 1, 3] + 0.005
    wait_until(lambda: "in the drag" in window.simulation_panel.heading.text())
    assert document.history.position == position, "nothing is written"
    window.editor.cancel()
    assert abs(risen(window, still)) < 1e-9


def test_what_hangs_on_an_edit_is_solved_anew_and_undone(window: MainWindow) -> None:
    document, hip = window.document, keypoint(window, "LHip")
    still, start = document.pose_at(FRAME), document.points_at(FRAME).xyz[hip].copy()
    assert still is not None
    window.editor.drag_in_3d(hip, start + np.array([0.0, 0.05, 0.0]))
    window.editor.release()
    assert FRAME in stale(window)
    assert risen(window, still) > 0.025, "at once"
    wait_until(lambda: not len(stale(window)), LONG)
    assert risen(window, still) > 0.025
    label = document.sequence.read("kinematics.label_xyz", FRAME, document.person)[0, hip]
    np.testing.assert_allclose(label, start + np.array([0.0, 0.05, 0.0]), atol=1e-4)
    window.table.actions["undo"].trigger()
    wait_until(lambda: not len(stale(window)), LONG)
    assert abs(risen(window, still)) < 2e-3


def test_angles_over_time_go_stale_with_an_edit_and_come_back(
    window: MainWindow, tmp_path: Path
) -> None:
    curves, document = window.curves, window.document
    window.settings.curves = ["lumbar_lordosis", "trunk_lean", "model"]
    window.selection.set(keypoint=keypoint(window, "LHip"))
    window.docks["curves"].show()
    wait_until(lambda: "trunk_lean" in curves.angles.values and curves.angles.complete)
    lean = curves.angles.values["trunk_lean"]
    assert np.isfinite(lean.values).all()
    text = f"{lean.values[FRAME]:.1f}°".replace("-", "−")
    assert window.simulation_panel.angles[11].text() == text
    wait_until(lambda: curves.store.complete)
    assert np.isfinite(curves.store.values(keypoint(window, "LHip"))["model"]).all()

    start = document.points_at(FRAME).xyz[9].copy()
    window.editor.drag_in_3d(9, start + np.array([0.0, 0.02, 0.0]))
    window.editor.release()
    wait_until(lambda: bool(np.isnan(curves.angles.values["trunk_lean"].values[FRAME])))
    wait_until(lambda: not len(stale(window)), LONG)
    wait_until(lambda: bool(np.isfinite(curves.angles.values["trunk_lean"].values).all()))
    window.table.actions["undo"].trigger()
    wait_until(lambda: not len(stale(window)), LONG)

    target = tmp_path / "angles.csv"
    curves.save_csv(target)
    header, first, *_ = target.read_text().splitlines()
    assert header.split(",")[2:8:3] == ["lumbar_lordosis_deg", "trunk_lean_deg"]
    assert "LWrist_model_mm" in header, "undo went to the wrist"
    assert float(first.split(",")[5]) == pytest.approx(lean.values[0], abs=0.5)
    window.docks["curves"].hide()
    lane = window.timeline.lanes()
    window.timeline.set_lanes(["model", "residual"])
    store = window.aids.lanes
    wait_until(lambda: store.complete)
    known = np.isfinite(store.values["model"])
    assert known.all()
    assert 5.0 < np.median(store.values["model"]) < 150.0
    window.timeline.set_lanes([one.id for one in lane])


def test_every_joint_has_a_curve_that_says_what_is_known_of_it(
    window: MainWindow, tmp_path: Path
) -> None:
    """Nobody saw the column between neck and hips: its joints are told by the priors."""
    curves = window.curves
    window.settings.curves = ["trunk_lean"]
    window.docks["curves"].show()
    curves.menu.fill()
    for path in (["Joints of the column", "Lumbar", "L4–L5", "Twist to the left (°)"],
                 ["Joint angles", "Legs", "Right knee angle (°)"]):  # fmt: skip
        menu = curves.menu
        for title in path[:-1]:
            menu = next(a for a in menu.actions() if a.text() == title).menu()
        next(a for a in menu.actions() if a.text() == path[-1]).trigger()
    assert curves.shown() == ["trunk_lean", "L4_L5.twist", "q.knee_angle_r"]
    wait_until(lambda: "q.knee_angle_r" in curves.angles.values and curves.angles.complete)
    lean, twist, knee = (curves.angles.values[name] for name in curves.shown())
    assert lean.seen[FRAME]
    assert knee.seen[FRAME]
    assert not twist.seen.any()
    assert 0.5 < np.median(lean.sigma) < 15.0
    assert np.isfinite(twist.values).all()
    assert np.median(twist.sigma) > 0.0
    window.time.set_frame(FRAME - 1)
    window.time.set_frame(FRAME)
    assert curves.plot is not None
    titles = [item.toPlainText() for item in curves.plot._names]
    assert titles[0].endswith(
        f"{lean.values[FRAME]:.1f} ± {lean.sigma[FRAME]:.1f}".replace("-", "−")
    )
    assert titles[1].endswith("from the prior")
    target = tmp_path / "joints.csv"
    curves.save_csv(target)
    header, first, *_ = target.read_text().splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert row["L4_L5_twist_deg_seen"] == "0"
    assert row["q_knee_angle_r_deg_seen"] == "1"
    assert float(row["L4_L5_twist_deg_sd"]) == pytest.approx(twist.sigma[0], abs=1e-3)
    curves.menu.fill()
    assert "L4–L5 twist to the left (°)" in [a.text() for a in curves.menu.actions()]
    window.docks["curves"].hide()
    window.settings.curves = []


def test_labels_have_every_keypoint(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "labels.trc"
    choice = dialogs.ExportChoice("trc", target, stage="labels")
    monkeypatch.setattr(dialogs, "ask_export", lambda *_, has_model: has_model and choice)
    window.table.actions["export"].trigger()
    wait_until(target.exists, LONG)
    wait_until(lambda: not window.jobs.running, LONG)
    labels = read_trc(target)
    assert len(labels.names) == 37
    assert np.isfinite(labels.xyz).all()


def test_the_model_is_saved_for_opensim(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "person.osim"
    monkeypatch.setattr(dialogs, "ask_new_file", lambda *_: model)
    window.table.actions["save-model"].trigger()
    assert "<OpenSimDocument" in model.read_text()


def weigh(window: MainWindow, part: str, text: str) -> None:
    """Type a weight as a user does."""
    box = window.simulation_panel.weights.boxes[part]
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def test_parts_of_the_body_count_more_or_not_at_all(window: MainWindow) -> None:
    weights, document = window.simulation_panel.weights, window.document
    simulations, made = window.simulations, window.simulations.subject
    arms = [keypoint(window, name) for name in ("LElbow", "RElbow", "LWrist", "RWrist")]

    def away() -> float:
        pose = document.pose_at(FRAME)
        assert pose is not None
        points = document.points_at(FRAME).fused
        return float(np.linalg.norm((pose.markers - points)[arms], axis=-1).mean())

    usual = away()
    assert not weights.rows.isVisible()
    QTest.mouseClick(weights.fold, Qt.MouseButton.LeftButton)
    assert weights.rows.isVisible()
    weigh(window, "arms", "0")
    assert simulations.choice.weights == {"arms": 0.0}
    assert FRAME in stale(window)
    simulated(window)
    assert not len(stale(window))
    assert simulations.subject is not made
    assert not simulations.is_outdated
    assert away() > 2.0 * usual, "nothing pulls the arms"
    for part in ("head", "column", "pelvis"):
        weigh(window, part, "0")
    before = simulations.choice
    weigh(window, "legs", "0")
    assert "At least one part" in window.simulation_panel.result.text()
    assert simulations.choice == before
    assert weights.boxes["legs"].value() == 1.0
    for part in weights.boxes:
        weigh(window, part, "1")
    assert simulations.choice.weights == {}
    simulated(window)
    assert away() == pytest.approx(usual, abs=1e-3)
    QTest.mouseClick(weights.fold, Qt.MouseButton.LeftButton)
    assert not weights.rows.isVisible()


def test_cancelled_a_model_stays_and_without_its_worker_it_is_made_anew(
    window: MainWindow,
) -> None:
    simulations, document = window.simulations, window.document
    before = simulations.subject
    window.table.actions["simulate"].trigger()
    window.table.actions["cancel-simulate"].trigger()
    state = simulations.job
    assert state is not None
    wait_until(lambda: simulations.job is None, LONG)
    assert isinstance(state.ending, Cancelled)
    assert simulations.subject is before
    assert window.simulation_panel.result.text() == "Cancelled"

    # Killed from outside, the worker costs its job only, and the work goes on.
    window.table.actions["simulate"].trigger()
    state = simulations.job
    assert state is not None
    wait_until(lambda: state.text != "Waiting", LONG)
    worker = window.jobs.worker(WORKER)
    assert worker is not None
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: simulations.job is None, LONG)
    assert isinstance(state.ending, Failed)
    assert "can be run again" in window.simulation_panel.result.text()
    position = document.history.position
    window.editor.drag_in_3d(3, document.points_at(FRAME).xyz[3] + 0.01)
    window.editor.release()
    assert document.history.position == position + 1
    simulations.set_choice(SimulationChoice(height=1.70))
    assert "has changed" in window.simulation_panel.result.text()
    window.table.actions["simulate"].trigger()
    simulated(window)
    assert simulations.subject is not before


def test_a_model_is_there_after_reopening_until_it_is_removed(window: MainWindow) -> None:
    simulations, document = window.simulations, window.document
    project, made = document.project, simulations.subject
    assert project is not None
    assert made is not None
    path = project.path
    document.close()
    assert simulations.subject is None
    open_and_settle(window, path)
    window.time.set_frame(FRAME)
    assert simulations.subject is not None
    assert simulations.subject.content == made.content
    simulated(window)
    assert document.pose_at(FRAME) is not None
    window.table.actions["forget-model"].trigger()
    assert simulations.subject is None
    assert document.pose_at(FRAME) is None
    assert not window.table.actions["forget-model"].isEnabled()
