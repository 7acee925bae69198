"""The Open dialog: what it shows, what can be mended in it, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialogButtonBox, QPushButton, QWidget

from pipeline.data.camera import WORLD_FROM_UP
from pipeline.data.skeleton import shipped_skeletons
from pipeline.io.recording import RecordingPlan, load_recording, recognise
from simspine_viewer.plan_dialog import UPS, PlanDialog, ask_plan
from simspine_viewer.theme import DARK
from tests.io.recordings import calibration_table, write_recording, write_table, write_video

pytestmark = pytest.mark.gui


def _shown(qtbot, plan: RecordingPlan) -> PlanDialog:
    dialog = PlanDialog(plan, DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def _open(dialog: PlanDialog) -> QPushButton:
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Open)


def _cell(dialog: PlanDialog, row: int, column: int) -> QComboBox:
    combo = dialog.table.cellWidget(row, column)
    assert isinstance(combo, QComboBox)
    return combo


def _choose(combo: QComboBox, data: object) -> None:
    """As with the keyboard: step down or up to the entry."""
    wanted = [combo.itemData(i) for i in range(combo.count())].index(data)
    key = Qt.Key.Key_Down if wanted > combo.currentIndex() else Qt.Key.Key_Up
    while combo.currentIndex() != wanted:
        QTest.keyClick(combo, key)


def _notes(dialog: PlanDialog) -> str:
    return "\n".join(line.text() for line in dialog.findings.lines)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "walk", n_cameras=3, n_frames=2)


@pytest.mark.realdata
def test_the_real_recording(qtbot, balancing: Path) -> None:
    plan = recognise(balancing)
    dialog = _shown(qtbot, plan)
    assert dialog.table.rowCount() == 4
    for row in range(4):
        assert dialog.table.item(row, 0).text() == f"cam_{row + 1:02d}"
        assert _cell(dialog, row, 1).currentText() == f"videos/cam{row + 1:02d}.mp4"
        assert _cell(dialog, row, 2).currentText() == f"pose/cam{row + 1:02d}_json"
    assert dialog.calibration.count() == 2
    assert "1/64" in _notes(dialog)
    assert _open(dialog).isEnabled()
    assert dialog.plan() == plan

    other = plan.alternatives[0]
    _choose(dialog.calibration, other)
    now = dialog.plan()
    assert now.calibration == other
    assert [(v.camera, v.video, v.detections) for v in now.views] == [
        (v.camera, v.video, v.detections) for v in plan.views
    ]
    assert f"{other.name} is used as the calibration" in _notes(dialog)
    assert f"{plan.calibration.name} is used" not in _notes(dialog)
    assert _open(dialog).isEnabled()


def test_one_video_for_two_cameras_is_refused(qtbot, recording: Path) -> None:
    dialog = _shown(qtbot, recognise(recording))
    first = _cell(dialog, 0, 1).currentData()
    _choose(_cell(dialog, 1, 1), first)
    assert dialog.problem.isVisible()
    assert dialog.problem.text() == "“cam01.mp4” is given to two cameras."
    assert not _open(dialog).isEnabled()
    _choose(_cell(dialog, 1, 1), None)
    assert not dialog.problem.isVisible()
    assert _open(dialog).isEnabled()
    assert dialog.plan().views[1].video is None
    assert "cam_02 has no video" in _notes(dialog)


def test_detections_for_two_cameras_are_refused(qtbot, recording: Path) -> None:
    dialog = _shown(qtbot, recognise(recording))
    _choose(_cell(dialog, 2, 2), _cell(dialog, 0, 2).currentData())
    assert dialog.problem.text() == "“cam01_json” is given to two cameras."
    assert not _open(dialog).isEnabled()


def test_without_a_calibration_nothing_can_be_opened(qtbot, recording: Path) -> None:
    (recording / "calibration" / "Calib.toml").unlink()
    dialog = _shown(qtbot, recognise(recording))
    assert not _open(dialog).isEnabled()
    assert "no calibration" in dialog.problem.text()
    assert dialog.calibration.currentText() == "none found"
    _choose(_cell(dialog, 0, 1), None)
    assert not _open(dialog).isEnabled()


def test_without_any_files_nothing_can_be_opened(qtbot, recording: Path) -> None:
    dialog = _shown(qtbot, recognise(recording))
    for row in range(3):
        for column in (1, 2):
            _choose(_cell(dialog, row, column), None)
    assert dialog.problem.text() == "No camera has a video or detections."
    assert not _open(dialog).isEnabled()


def test_up_axis_and_skeleton_are_in_the_plan(qtbot, recording: Path) -> None:
    assert set(UPS) == set(WORLD_FROM_UP)
    plan = recognise(recording)
    dialog = _shown(qtbot, plan)
    assert (dialog.plan().up, dialog.plan().skeleton) == (plan.up, None)
    for up in UPS:
        _choose(dialog.up, up)
        assert dialog.plan().up == up
    for name in shipped_skeletons():
        _choose(dialog.skeleton, name)
        assert dialog.plan().skeleton == name
    again = _shown(qtbot, replace(plan, up="y", skeleton=shipped_skeletons()[0]))
    assert again.plan() == replace(plan, up="y", skeleton=shipped_skeletons()[0])


def test_mended_choices_survive_another_calibration(qtbot, recording: Path) -> None:
    other = write_table(recording / "calibration" / "Other.toml", calibration_table(3))
    dialog = _shown(qtbot, recognise(recording))
    _choose(_cell(dialog, 2, 1), None)
    _choose(dialog.up, "y")
    chosen = dialog.plan().calibration
    _choose(dialog.calibration, other if chosen != other else dialog.plan().alternatives[0])
    assert dialog.plan().calibration != chosen
    assert dialog.plan().views[2].video is None
    assert dialog.plan().up == "y"


def test_a_calibration_of_other_names_is_matched_anew(qtbot, recording: Path) -> None:
    table = {
        f"cam_{10 + i:02d}": {**entry, "name": f"cam_{10 + i:02d}"}
        for i, entry in enumerate(calibration_table(3).values())
    }
    other = write_table(recording / "calibration" / "z_other.toml", table)
    plan = recognise(recording)
    dialog = _shown(qtbot, plan)
    _choose(dialog.calibration, other)
    now = dialog.plan()
    assert [view.camera for view in now.views] == ["cam_10", "cam_11", "cam_12"]
    assert [view.video for view in now.views] == [view.video for view in plan.views]
    assert "by order only" in _notes(dialog)
    assert (now.root, now.name) == (plan.root, plan.name)
    assert load_recording(now).cameras.names == ("cam_10", "cam_11", "cam_12")
    _choose(dialog.calibration, plan.calibration)
    assert [view.camera for view in dialog.plan().views] == ["cam_01", "cam_02", "cam_03"]


def test_an_unreadable_calibration_stays_refused_until_another_is_chosen(
    qtbot, recording: Path
) -> None:
    other = write_table(recording / "calibration" / "z_other.toml", calibration_table(3))
    plan = recognise(recording)
    dialog = _shown(qtbot, plan)
    other.write_text("nothing of use")
    _choose(dialog.calibration, other)
    assert "z_other.toml" in dialog.problem.text()
    assert not _open(dialog).isEnabled()
    _choose(_cell(dialog, 0, 1), None)  # another change must not let the old file slip in
    assert "z_other.toml" in dialog.problem.text()
    assert not _open(dialog).isEnabled()
    _choose(dialog.calibration, plan.calibration)
    assert dialog.problem.text() == ""
    assert _open(dialog).isEnabled()
    assert dialog.plan().views[0].video is None


def test_a_video_that_belonged_to_no_camera_can_be_given_to_one(qtbot, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "walk", n_cameras=2, n_frames=2)
    table = calibration_table(4)
    write_table(recording / "calibration" / "Calib.toml", table)
    spare = write_video(recording / "videos" / "phone.mp4", 2)
    plan = recognise(recording)
    assert [view.camera for view in plan.views] == ["cam_01", "cam_02"]
    assert "“phone.mp4” belongs to no camera" in "".join(f.message for f in plan.findings)
    dialog = _shown(qtbot, plan)
    assert [dialog.table.item(row, 0).text() for row in range(4)] == list(table)
    assert dialog.plan() == plan
    _choose(_cell(dialog, 3, 1), spare)
    now = dialog.plan()
    assert [(v.camera, v.video) for v in now.views][2:] == [("cam_04", spare)]
    assert "belongs to no camera" not in _notes(dialog)
    assert "cam_04 has no detections" in _notes(dialog)
    loaded = load_recording(now)
    assert loaded.cameras.names == ("cam_01", "cam_02", "cam_04")
    assert loaded.video_sizes[2] == (640, 480)


@pytest.mark.parametrize("button", ["Open", "Cancel"])
def test_the_answer(qtbot, recording: Path, button: str) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PlanDialog)
        _choose(dialog.up, "y")
        kind = getattr(QDialogButtonBox.StandardButton, button)
        QTest.mouseClick(dialog.buttons.button(kind), Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, answer)
    got = ask_plan(parent, recognise(recording), DARK)
    assert got == (replace(recognise(recording), up="y") if button == "Open" else None)
