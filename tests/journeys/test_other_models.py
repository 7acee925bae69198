"""A model of the user's in place of ours: chosen, followed live, kept, refused, given up again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from simspine_viewer import dialogs
from simspine_viewer.file_box import FileBox
from simspine_viewer.layouts import BUILT_IN
from simspine_viewer.main_window import MainWindow
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.realdata, pytest.mark.opensim]

FRAME, LONG = 40, 100_000


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, balancing_source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("other") / "balancing"
    shutil.copytree(balancing_source, folder)
    with main_window() as made:
        open_and_settle(made, folder)
        made.time.set_frame(FRAME)
        simulate = next(n for n, one in enumerate(BUILT_IN) if one.name == "Simulate")
        made.table.actions[f"layout-{simulate + 1}"].trigger()
        settle(made)
        assert made.simulation_panel.isVisible()
        yield made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """What the next file dialogs answer."""
    answers: list[Path | None] = []
    monkeypatch.setattr(dialogs, "ask_file", lambda *_: answers.pop(0))
    return answers


def choose(box: FileBox, title: str) -> None:
    """As a person does who picks an entry of the list."""
    place = box.findText(title)
    assert place >= 0, [box.itemText(n) for n in range(box.count())]
    box.setCurrentIndex(place)
    box.activated.emit(place)


def run(window: MainWindow) -> None:
    window.simulation_panel.button.click()
    wait_until(lambda: window.simulations.job is None, LONG)


def followed(window: MainWindow) -> None:
    wait_until(lambda: window.poses.ready and not window.planner.pending, LONG)
    settle(window)


def test_a_model_is_chosen_and_comes_to_lie_where_the_points_are(
    window: MainWindow, asked: list[Path | None], pose2sim_model: Path
) -> None:
    panel = window.simulation_panel
    assert not panel.markers_box.isVisible()
    asked.append(None)
    choose(panel.model_box, "Choose a file…")
    assert panel.model_box.currentText() == "Our own", "given up"
    assert window.simulations.choice.model == ""
    model = pose2sim_model / "Model_Pose2Sim_muscles_flex.osim"
    asked.append(model)
    choose(panel.model_box, "Choose a file…")
    assert panel.model_box.currentText() == model.name
    assert window.simulations.choice.model == str(model)
    assert panel.markers_box.isVisible()
    assert not panel.variant_box.isVisible()
    run(window)
    assert window.simulations.failure == ""
    followed(window)
    assert "33 markers were put on it" in panel.result.text()
    pose = window.document.pose_at(FRAME)
    assert pose is not None
    away = np.linalg.norm(pose.markers - window.document.points_at(FRAME).fused, axis=-1)
    assert np.nanmedian(away) < 0.03
    assert pose.folders == (pose2sim_model,)
    # Its pelvis and its vertebrae have other axes than ours: no angle is better than a wrong one.
    assert not any(label.isVisible() for label in panel.angles)
    assert panel.heading.text() == f"Frame {FRAME}"


def test_it_follows_a_dragged_hip(window: MainWindow) -> None:
    followed(window)
    document = window.document
    hip = document.sequence.info.skeleton.markers.index("LHip")
    still, start = document.pose_at(FRAME), document.points_at(FRAME).xyz[hip].copy()
    assert still is not None
    window.editor.drag_in_3d(hip, start + np.array([0.0, 0.05, 0.0]))
    live = document.pose_at(FRAME)
    assert live is not None
    assert live.live
    assert live.markers[hip, 1] - still.markers[hip, 1] > 0.02
    window.editor.cancel()


def test_a_model_without_our_keypoints_is_refused_and_the_old_one_stays(
    window: MainWindow, asked: list[Path | None], tmp_path: Path
) -> None:
    followed(window)
    panel, before = window.simulation_panel, window.simulations.subject
    bad = tmp_path / "bad.osim"
    bad.write_text("<OpenSimDocument/>")
    asked.append(bad)
    choose(panel.model_box, "Choose a file…")
    assert "has changed since" in panel.result.text()
    run(window)
    assert str(bad) in panel.result.text()
    assert window.simulations.subject is before
    assert window.document.pose_at(FRAME) is not None


def test_back_to_our_own(window: MainWindow) -> None:
    panel = window.simulation_panel
    choose(panel.model_box, "Our own")
    assert panel.variant_box.isVisible()
    run(window)
    assert window.simulations.failure == ""
    followed(window)
    wait_until(panel.angles[1].isVisible)
    assert panel.angles[1].text().endswith("°")
