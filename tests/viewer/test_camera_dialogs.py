"""The dialogs that refine and synchronise cameras, and the note on a calibration that is off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pipeline.data import edits
from pipeline.data.camera import Camera, CameraGroup
from pipeline.data.history import Place
from pipeline.data.sequence import Sequence
from pipeline.jobs.messages import Done, Failed, Job
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.quality_monitor import QualityMonitor
from simspine_viewer.refine_dialog import RefineDialog
from simspine_viewer.swap_dialog import SwapDialog
from simspine_viewer.sync_dialog import SyncDialog
from simspine_viewer.theme import DARK, LIGHT, Theme, apply_theme
from tests.geometry.refining import disturbed
from tests.viewer.fakes import Bench, make_sequence, open_bench
from tests.viewer.text_fit import misfits

pytestmark = pytest.mark.gui

PLACE = Place(1, track=0)


class StillJobs(JobManager):
    """Takes jobs and does nothing until told how they end."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled: list[int] = []

    def submit(self, task: str, title: str, args: dict[str, Any], base_revision: int = 0,
               kind: str = "geometry") -> int:  # fmt: skip
        self.jobs.append(JobState(Job(len(self.jobs) + 1, task, args, base_revision, title)))
        return len(self.jobs)

    def cancel(self, job_id: int) -> None:
        self.cancelled.append(job_id)

    def end(self, result: dict[str, Any] | str) -> None:
        """End the last job with a result, or fail it with a sentence."""
        state = self.jobs[-1]
        failed = isinstance(result, str)
        state.ending = Failed(state.job.id, result) if failed else Done(state.job.id, result)
        self.finished.emit(state)
        self.changed.emit()


def _result(cameras: CameraGroup, **other: Any) -> dict[str, Any]:
    better = disturbed(cameras, mm=20.0)
    entries = [
        {"name": camera.name, "rotation": camera.rotation.tolist(),
         "translation": camera.translation.tolist(), "moved_mm": 20.4, "turned_deg": 0.7,
         "before": 21.0, "after": None if view == 1 else 11.0, "offset": 0, "offset_exact": 0.1,
         "verdict": ("clear", "weak", "none", "clear")[view % 4], "cost": [1.0] * 7}
        for view, camera in enumerate(better)
    ]  # fmt: skip
    return {
        "accepted": True, "reason": "", "cautions": [], "before": 21.0, "after": 11.0,
        "frames": list(range(40)), "checked_frames": 60, "points": 991, "tried": [-1, 0, 1],
        "cameras": entries, **other,
    }  # fmt: skip


@contextmanager
def _refining(theme: Theme = DARK) -> Iterator[tuple[Bench, StillJobs, RefineDialog]]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(theme, app)
    bench, jobs = open_bench(), StillJobs()
    monitor = QualityMonitor(bench.document)
    dialog = RefineDialog(bench.document, jobs, monitor, PLACE)
    dialog.show()
    try:
        yield bench, jobs, dialog
    finally:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialog.close()


def _bits(camera: Camera) -> bytes:
    return camera.rotation.tobytes() + camera.translation.tobytes()


@pytest.mark.parametrize("when", ["while it works", "once it is shown"])
def test_what_was_fitted_to_other_time_axes_is_not_applied(qtbot, when: str) -> None:
    with _refining() as (bench, jobs, dialog):
        document = bench.document
        result = _result(document.sequence.cameras)
        shift = edits.set_sync(document.sequence, 1, 2.0, 0.0)
        if when == "while it works":
            document.commit("Shift", shift, PLACE)
            jobs.end(result)
        else:
            jobs.end(result)
            assert dialog.apply_button.isEnabled()
            document.commit("Shift", shift, PLACE)
        assert not dialog.apply_button.isEnabled()
        assert "refine again" in dialog.notes.text()
        dialog.apply()
        assert document.history.position == 1, "only the shift"


def test_what_would_change_is_shown_and_applied_as_one_step(qtbot) -> None:
    with _refining() as (bench, jobs, dialog):
        document = bench.document
        before = [_bits(camera) for camera in document.sequence.cameras]
        assert jobs.jobs[0].job.args["track"] == 0
        assert dialog.running
        assert not dialog.apply_button.isEnabled()
        result = _result(document.sequence.cameras)
        jobs.end(result)
        cells = [dialog.table.item(0, column).text() for column in range(5)]
        name = document.sequence.cameras[0].name
        assert cells == [name, "20.4 mm", "0.70°", "21.0 px → 11.0 px", "in step (clear)"]
        assert dialog.table.item(1, 3).text() == "21.0 px → –"
        assert dialog.table.item(2, 4).text() == "not known"
        assert "48% less" in dialog.summary.text()
        assert [_bits(camera) for camera in document.sequence.cameras] == before
        QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
        assert document.history.position == 1
        for camera, found in zip(document.sequence.cameras, result["cameras"], strict=True):
            np.testing.assert_allclose(camera.rotation, found["rotation"], atol=1e-12)
        document.undo()
        assert [_bits(camera) for camera in document.sequence.cameras] == before


def test_what_is_not_accepted_cannot_be_applied(qtbot) -> None:
    with _refining() as (bench, jobs, dialog):
        reason = "The person hardly moves."
        jobs.end(_result(bench.document.sequence.cameras, accepted=False, reason=reason))
        assert not dialog.apply_button.isEnabled()
        assert dialog.notes.isVisible()
        assert dialog.notes.text() == reason
        dialog.apply()
        assert bench.document.history.position == 0


def test_offsets_are_shown_in_words(qtbot) -> None:
    with _refining() as (bench, jobs, dialog):
        result = _result(bench.document.sequence.cameras)
        result["cameras"][0]["offset"], result["cameras"][1]["offset"] = 3, -1
        jobs.end(result)
        assert dialog.table.item(0, 4).text() == "3 frames late (clear)"
        assert dialog.table.item(1, 4).text() == "1 frame early (weak)"


def test_a_project_for_looking_only_is_not_changed(qtbot) -> None:
    with _refining() as (bench, jobs, dialog):
        project = bench.document.project
        assert project is not None
        project.read_only = True
        jobs.end(_result(bench.document.sequence.cameras))
        assert not dialog.apply_button.isEnabled()
        assert "looking only" in dialog.notes.text()


def test_a_failure_is_said_and_closing_cancels(qtbot) -> None:
    with _refining() as (_, jobs, dialog):
        jobs.end("The project cannot be read.")
        assert dialog.notes.text() == "The project cannot be read."
        assert not dialog.apply_button.isEnabled()
    with _refining() as (_, jobs, dialog):
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert jobs.cancelled == [1]
        assert not dialog.isVisible()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_nothing_is_clipped(theme: Theme, qtbot) -> None:
    with _refining(theme) as (bench, jobs, dialog):
        assert misfits(dialog) == []
        caution = "cam_03 moves by 140 mm and 4.1°: that is much; consider calibrating again."
        jobs.end(_result(bench.document.sequence.cameras, cautions=[caution] * 2))
        QTest.qWait(20)
        assert misfits(dialog) == []
        assert dialog.width() <= 1000
        sync = SyncDialog(bench.document, jobs, PLACE, dialog)
        sync.show()
        QTest.qWait(20)
        assert misfits(sync) == []


def test_offsets_by_hand_are_one_step(qtbot) -> None:
    bench, jobs = open_bench(), StillJobs()
    document = bench.document
    dialog = SyncDialog(document, jobs, PLACE)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    assert not dialog.apply_button.isEnabled()
    dialog.offsets[0].setValue(-2.0)
    dialog.drifts[1].setValue(0.5)
    QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
    syncs, imported = document.sequence.syncs, document.sequence.info.syncs
    assert syncs[0].offset == imported[0].offset - 2
    assert syncs[1].drift == pytest.approx(0.0005)
    assert syncs[2:] == imported[2:]
    assert document.history.position == 1
    assert not dialog.apply_button.isEnabled()
    document.undo()
    assert document.sequence.syncs == imported
    assert dialog.offsets[0].value() == 0.0
    dialog.close()


@contextmanager
def _synchronising(bench: Bench) -> Iterator[tuple[StillJobs, SyncDialog]]:
    jobs = StillJobs()
    dialog = SyncDialog(bench.document, jobs, PLACE)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.show()
    try:
        yield jobs, dialog
    finally:
        dialog.close()


def _shift(bench: Bench, view: int, offset: float) -> None:
    sequence = bench.document.sequence
    bench.document.commit("Shift", edits.set_sync(sequence, view, offset, 0.0), PLACE)


def test_what_is_typed_survives_edits_elsewhere_and_undo_shows_what_it_changed(qtbot) -> None:
    bench = open_bench()
    document = bench.document
    _shift(bench, 0, 4.0)
    with _synchronising(bench) as (_, dialog):
        dialog.offsets[1].setValue(-2.0)
        dialog.drifts[2].setValue(0.25)
        placed = edits.place_point(document.sequence, 0, 1, 3, 5, (9.0, 9.0))
        document.commit("Place", placed, PLACE)
        document.undo()
        assert [box.value() for box in dialog.offsets] == [4.0, -2.0, 0.0, 0.0]
        document.undo()  # of the shift of the first camera
        assert [box.value() for box in dialog.offsets] == [0.0, -2.0, 0.0, 0.0]
        assert dialog.drifts[2].value() == 0.25
        QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
        assert [sync.offset for sync in document.sequence.syncs] == [0, -2, 0, 0]
        assert document.sequence.syncs[2].drift == pytest.approx(0.00025)
        document.undo()
        assert not any(box.value() for box in (*dialog.offsets, *dialog.drifts))


def test_what_is_typed_survives_an_estimate_that_is_cancelled(qtbot) -> None:
    with _synchronising(open_bench()) as (jobs, dialog):
        dialog.drifts[1].setValue(0.5)
        QTest.mouseClick(dialog.estimate_button, Qt.MouseButton.LeftButton)
        QTest.mouseClick(dialog.estimate_button, Qt.MouseButton.LeftButton)
        assert jobs.cancelled == [1]
        assert dialog.drifts[1].value() == 0.5


@pytest.mark.parametrize("rate", [1.0, 0.1, 0.0123, 1e-6])
def test_no_drift_can_be_chosen_with_which_time_stands(qtbot, rate: float) -> None:
    sequence = make_sequence()
    syncs = (replace(sequence.info.syncs[0], rate=rate), *sequence.info.syncs[1:])
    bench = open_bench(Sequence(replace(sequence.info, syncs=syncs)))
    with _synchronising(bench) as (_, dialog):
        dialog.drifts[0].setValue(-100.0)
        dialog.drifts[1].setValue(-100.0)
        dialog.apply()
        now = bench.document.sequence.syncs
        assert 0 < now[0].rate + now[0].drift <= rate
        assert now[1].drift == pytest.approx(-0.1)


def test_an_estimate_for_other_time_axes_is_not_offered(qtbot) -> None:
    bench = open_bench()
    with _synchronising(bench) as (jobs, dialog):
        QTest.mouseClick(dialog.estimate_button, Qt.MouseButton.LeftButton)
        _shift(bench, 1, 3.0)
        result = _result(bench.document.sequence.cameras)
        result["cameras"][0]["offset"] = 2
        jobs.end(result)
        assert "estimate again" in dialog.doing.text()
        assert [box.value() for box in dialog.offsets] == [0.0, 3.0, 0.0, 0.0]
        assert not dialog.apply_button.isEnabled()
        assert dialog.estimate_button.text() == "Estimate"


@contextmanager
def _swapping(bench: Bench) -> Iterator[tuple[StillJobs, SwapDialog]]:
    jobs = StillJobs()
    dialog = SwapDialog(bench.editor, jobs)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.show()
    try:
        yield jobs, dialog
    finally:
        dialog.close()


SWAPS = {"ranges": [{"start": 1, "stop": 3, "view": 2, "chain": "legs", "gain_px": 44.0}]}


@pytest.mark.parametrize("what", ["cameras", "time axes", "people"])
@pytest.mark.parametrize("when", ["while it works", "once it is shown"])
def test_swaps_found_for_something_else_are_marked_and_refused(qtbot, what: str, when: str) -> None:
    bench = open_bench()
    document = bench.document
    sequence = document.sequence
    change = {
        "cameras": edits.set_cameras(sequence, disturbed(sequence.cameras, mm=20.0)),
        "time axes": edits.set_sync(sequence, 1, 2.0, 0.0),
        "people": edits.split_track(sequence, 1, 3),
    }[what]
    with _swapping(bench) as (jobs, dialog):
        if when == "while it works":
            document.commit("Change", change, PLACE)
            jobs.end(SWAPS)
        else:
            jobs.end(SWAPS)
            assert dialog.doing.text() == "1 suggestion."
            assert dialog.focusWidget() is dialog.table
            assert dialog.swap_button.isEnabled()
            document.commit("Change", change, PLACE)
        assert dialog.doing.text().endswith("have changed meanwhile; search again.")
        for button in (dialog.swap_button, dialog.go_button):
            assert not button.isEnabled()
        dialog.swap()
        dialog.table.itemDoubleClicked.emit(dialog.table.item(0, 0))
        assert document.history.position == 1, "only the change"
        QTest.mouseClick(dialog.again_button, Qt.MouseButton.LeftButton)
        jobs.end(SWAPS)
        assert dialog.doing.text() == "1 suggestion."
        QTest.mouseClick(dialog.swap_button, Qt.MouseButton.LeftButton)
        assert document.history.position == 2


def test_swaps_hold_again_once_the_change_is_undone_and_while_points_are_placed(qtbot) -> None:
    bench = open_bench()
    with _swapping(bench) as (jobs, dialog):
        jobs.end(SWAPS)
        placed = edits.place_point(bench.document.sequence, 0, 1, 0, 5, (9.0, 9.0))
        bench.document.commit("Place", placed, PLACE)
        assert dialog.swap_button.isEnabled()
        _shift(bench, 1, 3.0)
        assert not dialog.swap_button.isEnabled()
        bench.document.undo()
        assert dialog.swap_button.isEnabled()
        assert dialog.doing.text() == "1 suggestion."


def test_closing_the_dialog_stops_the_search_and_closing_the_project_the_dialog(qtbot) -> None:
    bench = open_bench()
    with _swapping(bench) as (jobs, dialog):
        jobs.jobs[-1].text = "Comparing"
        jobs.changed.emit()
        assert dialog.doing.text() == "0% Comparing"
        bench.document.close()
        assert not dialog.isVisible()
        assert jobs.cancelled == [1]
        jobs.end(SWAPS)
        assert not dialog.ranges


@pytest.mark.parametrize("n_views", [2, 3])
def test_an_estimate_needs_three_cameras(n_views: int, qtbot) -> None:
    bench, jobs = open_bench(make_sequence(n_views=n_views)), StillJobs()
    dialog = SyncDialog(bench.document, jobs, PLACE)
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.mouseClick(dialog.estimate_button, Qt.MouseButton.LeftButton)
    enough = n_views == 3
    assert dialog.estimate_button.isEnabled() == enough
    assert bool(jobs.jobs) == enough
    assert ("Needs three cameras" in dialog.estimate_button.toolTip()) != enough
    if not enough:
        dialog.offsets[0].setValue(1.0)
        assert dialog.apply_button.isEnabled(), "by hand it can be set anyway"
        assert not dialog.estimate_button.isEnabled()


def test_an_estimate_is_added_to_what_is_in_force(qtbot) -> None:
    bench, jobs = open_bench(), StillJobs()
    document = bench.document
    patches = edits.set_sync(document.sequence, 0, 1.0, 0.0)
    document.commit("Shift", patches, PLACE)
    dialog = SyncDialog(document, jobs, PLACE)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    QTest.mouseClick(dialog.estimate_button, Qt.MouseButton.LeftButton)
    assert dialog.running
    result = _result(document.sequence.cameras)
    result["cameras"][0]["offset"] = 2
    jobs.end(result)
    assert dialog.verdicts[0].text() == "2 frames late (clear)"
    assert dialog.offsets[0].value() == 3.0
    assert dialog.apply_button.isEnabled()
    assert document.sequence.syncs[0].offset == document.sequence.info.syncs[0].offset + 1
    dialog.close()


def test_a_camera_that_is_off_alarms_once(qtbot) -> None:
    document = open_bench().document
    monitor = QualityMonitor(document)
    alarms: list[Any] = []
    monitor.alarmed.connect(alarms.append)
    document.opened.emit()
    qtbot.waitUntil(lambda: monitor.alarm is not None)
    assert alarms == []
    assert monitor.alarm is not None
    assert monitor.alarm.sentence == ""
    sequence = document.sequence
    for seed in (1, 2):  # twice, to be said once
        wrong = disturbed(sequence.cameras, seed=seed, mm=200.0, degrees=5.0)
        errors = monitor.errors
        document.commit("Disturb", edits.set_cameras(sequence, wrong), PLACE)
        qtbot.waitUntil(lambda errors=errors: monitor.errors is not errors)
    assert len(alarms) == 1
    assert monitor.alarm.alarmed
    document.opened.emit()  # another recording is another matter
    qtbot.waitUntil(lambda: len(alarms) == 2)
