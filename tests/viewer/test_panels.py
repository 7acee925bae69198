"""History, jobs and notes: what is listed, and what a click does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QProgressBar, QPushButton

from pipeline.data.errors import Finding, UserError
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, File, Job, Progress
from simspine_viewer.commands import file
from simspine_viewer.dialogs import ExportChoice
from simspine_viewer.job_manager import JobManager
from simspine_viewer.panels import FindingsPanel, HistoryPanel, JobPanel
from simspine_viewer.theme import DARK, LIGHT
from tests.viewer.fakes import Bench, open_bench
from tests.viewer.small import small_project
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

pytestmark = pytest.mark.gui


# History


def _edits(bench: Bench, n: int) -> None:
    for i in range(n):
        bench.cursor.set_frame(i % 5)
        bench.editor.drag_in_view(0, 5 + i, bench.document.points_at(i % 5).xy[0, 5 + i] + 9)
        bench.editor.release()


def _history(qtbot, bench: Bench) -> HistoryPanel:
    panel = HistoryPanel(bench.document)
    qtbot.addWidget(panel)
    panel.resize(330, 500)
    panel.show()
    return panel


def _rows(panel: HistoryPanel) -> list[str]:
    model = panel.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def _click(panel: HistoryPanel, row: int) -> None:
    index = panel.model().index(row, 0)
    panel.scrollTo(index)
    centre = panel.visualRect(index).center()
    QTest.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=centre)


def test_steps_are_listed_with_place_and_time(qtbot) -> None:
    bench = open_bench()
    panel = _history(qtbot, bench)
    assert _rows(panel) == ["Start"]
    _edits(bench, 3)
    markers = bench.document.sequence.info.skeleton.markers
    at = time.strftime("%H:%M", time.localtime(bench.document.history.entries[0].time))
    assert _rows(panel)[:2] == ["Start", f"Move {markers[5]} in cam01 (frame 0, {at})"]
    assert "frame 2" in _rows(panel)[3]
    tip = panel.model().index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("by tester")
    assert panel.currentIndex().row() == 3


def test_a_click_travels_there_and_back(qtbot) -> None:
    bench = open_bench()
    panel = _history(qtbot, bench)
    _edits(bench, 4)
    document = bench.document
    end = document.points_at(0).xy.copy()
    for row in (1, 3, 0, 4, 2, 2):
        _click(panel, row)
        assert document.history.position == row
        assert panel.currentIndex().row() == row
        assert len(_rows(panel)) == 5, "nothing is lost on the way"
        muted = [
            panel.model().index(r, 0).data(Qt.ItemDataRole.ForegroundRole) is not None
            for r in range(5)
        ]
        assert muted == [r > row for r in range(5)]
    _click(panel, 0)
    assert not document.points_at(0).manual.any()
    _click(panel, 4)
    assert (document.points_at(0).xy == end).all()


def test_a_new_edit_replaces_what_was_undone(qtbot) -> None:
    bench = open_bench()
    panel = _history(qtbot, bench)
    _edits(bench, 3)
    _click(panel, 1)
    _edits(bench, 1)
    assert len(_rows(panel)) == 3
    assert panel.currentIndex().row() == 2


def test_a_step_that_cannot_be_written_stops_the_journey(qtbot, monkeypatch) -> None:
    bench = open_bench()
    panel = _history(qtbot, bench)
    _edits(bench, 3)
    said: list[str] = []
    bench.document.failed.connect(said.append)

    def refuse() -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr(bench.project, "undo", refuse)
    _click(panel, 0)
    assert said == ["The disk is full."]
    assert panel.currentIndex().row() == bench.document.history.position == 3


def test_closed_it_is_empty(qtbot) -> None:
    bench = open_bench()
    panel = _history(qtbot, bench)
    _edits(bench, 2)
    bench.document.close()
    assert _rows(panel) == []


def test_the_history_is_there_after_reopening(qtbot, tmp_path: Path) -> None:
    path = small_project(tmp_path)
    with main_window() as window:
        open_and_settle(window, path)
        window.selection.set(keypoint=5, view=1)
        window.editor.delete()
        window.editor.delete(all_views=True)
        window.document.undo()
        window.show_panel("history")
        listed = _rows(window.history_panel)
        assert len(listed) == 3
    with main_window() as window:
        open_and_settle(window, path)
        window.show_panel("history")
        assert _rows(window.history_panel) == listed
        assert window.history_panel.currentIndex().row() == 1
        _click(window.history_panel, 2)
        assert window.document.history.position == 2
        _click(window.history_panel, 0)
        settle(window)
        assert not window.document.points_at(0).flags.any()
        assert window.selection.keypoint == 5


# Jobs


class FakeWorker:
    """A worker that says what the test wants it to say."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.cancelled: list[int] = []

    def start(self) -> None: ...

    def submit(self, job: Job) -> None: ...

    def cancel(self, job_id: int) -> None:
        self.cancelled.append(job_id)

    def poll(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def close(self) -> None: ...


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def jobs(qtbot, worker: FakeWorker):
    manager = JobManager(worker=lambda _: worker)  # type: ignore[arg-type, return-value]
    yield manager
    manager.close()


@pytest.fixture
def panel(qtbot, jobs: JobManager) -> JobPanel:
    panel = JobPanel(jobs)
    qtbot.addWidget(panel)
    panel.resize(330, 500)
    panel.show()
    return panel


def _say(worker: FakeWorker, *events: Event) -> None:
    worker.events += events
    wait_until(lambda: not worker.events)
    QTest.qWait(1)


def _texts(panel: JobPanel) -> list[str]:
    labels = [w for w in panel.findChildren(QLabel) if w.isVisible()]
    labels.sort(key=lambda w: w.mapTo(panel, w.rect().topLeft()).y())
    return [w.text() for w in labels]


def _visible(panel: JobPanel, kind: type) -> list:
    return [w for w in panel.findChildren(kind) if w.isVisible()]


def test_no_jobs_are_said_to_be_none(panel: JobPanel) -> None:
    assert _texts(panel) == ["No jobs yet."]


def test_progress_files_and_end(panel: JobPanel, jobs: JobManager, worker: FakeWorker) -> None:
    number = jobs.submit("export", "Export walk.trc", {})
    QTest.qWait(1)
    assert _texts(panel) == ["Export walk.trc", "Waiting"]
    _say(worker, Progress(number, 0.25, "30 of 120 frames"))
    (bar,) = _visible(panel, QProgressBar)
    assert bar.value() / bar.maximum() == 0.25
    assert _texts(panel)[1] == "30 of 120 frames"
    _say(worker, File(number, Path("/data/out/walk.trc")), Done(number))
    assert _texts(panel) == ["Export walk.trc", "Done\nWrote walk.trc in /data/out."]
    assert _visible(panel, QProgressBar) == _visible(panel, QPushButton) == []


def test_cancel_asks_the_worker(panel: JobPanel, jobs: JobManager, worker: FakeWorker) -> None:
    number = jobs.submit("triangulate", "Triangulate 9 frames", {})
    QTest.qWait(1)
    (button,) = _visible(panel, QPushButton)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert worker.cancelled == [number]
    assert jobs.running, "it runs until the worker has heard"
    _say(worker, Cancelled(number))
    assert _texts(panel) == ["Triangulate 9 frames", "Cancelled"]


def test_a_failed_job_says_why(panel: JobPanel, jobs: JobManager, worker: FakeWorker) -> None:
    first = jobs.submit("export", "Export a.trc", {})
    second = jobs.submit("export", "Export b.trc", {})
    _say(worker, Failed(first, "a.trc could not be written: the disk is full."))
    assert _texts(panel) == [
        "Export b.trc", "Waiting",
        "Export a.trc", "a.trc could not be written: the disk is full.",
    ]  # fmt: skip
    assert [state.job.id for state in jobs.running] == [second]


# Findings


def test_findings_are_sorted_coloured_and_plain_text(qtbot) -> None:
    panel = FindingsPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    assert [line.text() for line in panel.lines] == ["Nothing unusual was noticed."]
    findings = (
        Finding("info", "a", "An <i>odd</i> name & such.", Path("/x/<i>odd</i>")),
        Finding("error", "b", "A bad file."),
        Finding("warning", "c", "A strange file."),
    )
    panel.set_findings(findings)
    texts = [line.text() for line in panel.lines]
    assert [t.split("</b>")[0].split(">")[1] for t in texts] == ["Error:", "Warning:", "Info:"]
    assert "An &lt;i&gt;odd&lt;/i&gt; name &amp; such." in texts[2]
    assert DARK.bad in texts[0]
    panel.set_theme(LIGHT)
    assert LIGHT.bad in panel.lines[0].text()
    panel.set_findings(())
    assert len(panel.lines) == 1
    QTest.qWait(1)
    assert sum(label.isVisible() for label in panel.findChildren(QLabel)) == 1


def test_an_export_that_fails_is_said_in_a_message(qtbot, tmp_path: Path) -> None:
    (tmp_path / "in the way.trc").mkdir()
    with main_window() as window:
        open_and_settle(window, small_project(tmp_path))
        file.export(window, ExportChoice("trc", tmp_path / "in the way.trc"))
        wait_until(lambda: not window.jobs.running)
        settle(window)
        (box,) = [b for b in window.findChildren(QMessageBox) if b.isVisible()]
        assert "in the way.trc" in box.text()
        assert box.text() in _texts(window.job_panel)
        assert window.document.is_open
        file.export(window, ExportChoice("trc", tmp_path / "out.trc"))
        wait_until(lambda: not window.jobs.running)
        assert (tmp_path / "out.trc").stat().st_size > 1000
        assert window.statusBar().currentMessage() == "Export out.trc: Done."
        assert f"Done\nWrote out.trc in {tmp_path}." in _texts(window.job_panel)
