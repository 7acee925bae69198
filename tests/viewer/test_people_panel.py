"""People: who is annotated, merge, split, ignore, and that undo takes all of it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from pipeline.data import edits
from pipeline.data.history import Place
from simspine_viewer.people_panel import PeoplePanel
from tests.viewer.fakes import ANNOTATED, BYSTANDER, Bench, make_sequence, open_bench
from tests.viewer.window import main_window, open_and_settle, settle

pytestmark = pytest.mark.gui


def _click(panel: PeoplePanel, row: int) -> None:
    centre = panel.list.visualItemRect(panel.list.item(row)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=centre)


def _press(button: QPushButton) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def _rows(panel: PeoplePanel) -> list[str]:
    return [panel.list.item(row).text() for row in range(panel.list.count())]


def _bold(panel: PeoplePanel) -> list[bool]:
    return [panel.list.item(row).font().bold() for row in range(panel.list.count())]


def _assigned(bench: Bench) -> np.ndarray:
    return bench.document.sequence.read("assignment.track")


@pytest.fixture
def bench() -> Bench:
    return open_bench()


@pytest.fixture
def panel(qtbot, bench: Bench) -> PeoplePanel:
    made = PeoplePanel(bench.document, bench.cursor)
    qtbot.addWidget(made)
    made.resize(330, 500)
    made.show()
    made.reload()
    return made


def test_who_is_there(panel: PeoplePanel, bench: Bench) -> None:
    assert _rows(panel) == ["Person 1: 5 frames in all views", "Person 2: 5 frames in all views"]
    assert _bold(panel) == [True, False]
    assert not panel.annotate_button.isEnabled()
    assert not panel.merge_button.isEnabled()
    assert not panel.ignore_button.isEnabled()
    bench.document.sequence.apply(
        bench.document.sequence.patch(
            "assignment.track",
            [(f, v, 1) for f in range(5) for v in range(4) if (f, v) != (2, 3)],
            -1,
        )
    )
    panel.reload()
    assert _rows(panel)[1] == "Person 2: 1 frame in cam04"


def test_counts_are_of_the_pictures_that_are_shown(panel: PeoplePanel, bench: Bench) -> None:
    document = bench.document
    for view in range(4):
        shift = edits.set_sync(document.sequence, view, 2.0, 0.0)
        document.commit("Shift", shift, Place(0))
    assert _rows(panel)[1] == "Person 2: 3 frames in all views"
    bench.cursor.set_frame(3)
    _click(panel, 1)
    _press(panel.split_button)
    assert len(_rows(panel)) == 2, "nobody is seen from frame 3 on"


def test_annotate_another(panel: PeoplePanel, bench: Bench) -> None:
    _click(panel, 1)
    _press(panel.annotate_button)
    assert bench.document.person == BYSTANDER
    assert _bold(panel) == [False, True]
    assert not bench.document.history.can_undo, "whom one looks at is no edit"
    assert bench.project.state("person") == BYSTANDER


def test_a_double_click_annotates(panel: PeoplePanel, bench: Bench) -> None:
    _click(panel, 1)
    centre = panel.list.visualItemRect(panel.list.item(1)).center()
    QTest.mouseDClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert bench.document.person == BYSTANDER


def test_merge_and_undo(panel: PeoplePanel, bench: Bench) -> None:
    before = _assigned(bench).copy()
    _click(panel, 1)
    _press(panel.merge_button)
    assert (_assigned(bench)[before == BYSTANDER] == ANNOTATED).all()
    assert _rows(panel) == ["Person 1: 5 frames in all views"]
    assert bench.document.history.entries[0].label == "Merge person 2 into 1"
    bench.document.undo()
    np.testing.assert_array_equal(_assigned(bench), before)
    assert len(_rows(panel)) == 2
    assert bench.document.person == ANNOTATED
    bench.document.redo()
    assert len(_rows(panel)) == 1


def test_merged_points_placed_by_hand_move_over(panel: PeoplePanel, bench: Bench) -> None:
    sequence, document = bench.document.sequence, bench.document
    for track, frame, xy in ((BYSTANDER, 1, (11, 12)), (BYSTANDER, 2, (21, 22)),
                             (ANNOTATED, 2, (31, 32))):  # fmt: skip
        patches = edits.place_point(sequence, track, frame, 0, 4, xy)
        document.commit("Place", patches, Place(frame, 0, 4, track))
    document.set_person(ANNOTATED)
    _click(panel, 1)
    _press(panel.merge_button)
    assert document.points_at(1).manual[0, 4]
    assert document.points_at(1).xy[0, 4].tolist() == [11, 12]
    assert document.points_at(2).xy[0, 4].tolist() == [31, 32], "what was placed here stays"
    document.undo()
    assert not document.points_at(1).manual[0, 4]
    document.set_person(BYSTANDER)
    assert document.points_at(1).xy[0, 4].tolist() == [11, 12]
    assert document.points_at(2).xy[0, 4].tolist() == [21, 22]


def test_split_and_undo(panel: PeoplePanel, bench: Bench) -> None:
    before = _assigned(bench).copy()
    bench.cursor.set_frame(3)
    _click(panel, 1)
    _press(panel.split_button)
    assert _rows(panel)[1:] == [
        "Person 2: 3 frames in all views",
        "Person 3: 2 frames in all views",
    ]
    new = _assigned(bench)
    assert (new[3:][before[3:] == BYSTANDER] == 2).all()
    np.testing.assert_array_equal(new[:3], before[:3])
    bench.document.undo()
    np.testing.assert_array_equal(_assigned(bench), before)


def test_undoing_a_split_never_leaves_a_person_who_is_not_there(
    panel: PeoplePanel, bench: Bench
) -> None:
    bench.cursor.set_frame(3)
    _click(panel, 0)
    _press(panel.split_button)
    _click(panel, 2)
    _press(panel.annotate_button)
    assert bench.document.person == 2
    bench.document.undo()
    assert bench.document.person in bench.document.tracks()
    assert True in _bold(panel)


@pytest.mark.parametrize("frame", [0, 4])
def test_a_split_that_would_move_everything_or_nothing_is_refused(qtbot, frame: int) -> None:
    sequence = make_sequence()
    gone = [(4, view, BYSTANDER) for view in range(4)]
    sequence.apply(sequence.patch("assignment.track", gone, -1))
    bench = open_bench(sequence)
    panel = PeoplePanel(bench.document, bench.cursor)
    qtbot.addWidget(panel)
    panel.show()
    panel.reload()
    said: list[str] = []
    bench.document.failed.connect(said.append)
    bench.cursor.set_frame(frame)
    _click(panel, 1)
    _press(panel.split_button)
    where = "before frame 0" if frame == 0 else "from frame 4 on"
    assert said == [f"Person 2 is not seen {where}, so there is nothing to split here."]
    assert not bench.document.history.can_undo


def test_ignore_and_bring_back(panel: PeoplePanel, bench: Bench) -> None:
    assert BYSTANDER in bench.document.points_at(0).others
    _click(panel, 1)
    assert panel.ignore_button.text() == "Ignore"
    _press(panel.ignore_button)
    assert _rows(panel)[1] == "Person 2 (ignored): 5 frames in all views"
    assert BYSTANDER not in bench.document.points_at(0).others
    assert panel.ignore_button.text() == "Bring back"
    _press(panel.ignore_button)
    assert BYSTANDER in bench.document.points_at(0).others
    bench.document.undo()
    assert BYSTANDER not in bench.document.points_at(0).others
    bench.document.undo()
    assert BYSTANDER in bench.document.points_at(0).others
    assert [e.label for e in bench.document.history.entries] == [
        "Ignore person 2",
        "Bring back person 2",
    ]


def test_closed_it_is_empty(panel: PeoplePanel, bench: Bench) -> None:
    _click(panel, 1)
    bench.document.close()
    assert _rows(panel) == []
    for button in panel.findChildren(QPushButton):
        assert not button.isEnabled()


@pytest.mark.realdata
def test_the_real_recording(balancing: Path, qtbot) -> None:
    with main_window() as window:
        open_and_settle(window, balancing)
        window.show_panel("people")
        panel, document = window.people_panel, window.document
        rows = _rows(panel)
        assert rows[0] == "Person 1: 100 frames in all views"
        assert rows[1].startswith("Person 2: ")
        first = document.points_at(0)
        assert window.timeline.signals is not None
        missing = window.timeline.signals.missing.copy()

        _click(panel, 1)
        _press(panel.annotate_button)
        settle(window)
        second = document.points_at(0)
        assert document.person == 1
        assert np.nanmax(np.abs(first.xy - second.xy)) > 50, "the panes show somebody else"
        np.testing.assert_allclose(first.others[1], second.xy, equal_nan=True)
        assert (window.timeline.signals.missing != missing).any()
        window.show_panel("inspector")
        window.selection.set(keypoint=18)
        views = [window.inspector.views.item(v, 1).text() for v in range(4)]
        assert views[2:] == ["missing", "missing"], "the second person is in two views only"

        window.show_panel("people")
        _click(panel, 0)
        _press(panel.annotate_button)
        _click(panel, 1)
        _press(panel.merge_button)
        settle(window)
        assert rows[1] not in _rows(panel)
        document.undo()
        settle(window)
        assert _rows(panel) == rows
        np.testing.assert_array_equal(document.points_at(0).xy, first.xy)
        np.testing.assert_array_equal(window.timeline.signals.missing, missing)

        window.time.set_frame(50)
        _click(panel, 1)
        _press(panel.split_button)
        assert len(_rows(panel)) == len(rows) + 1
        document.undo()
        assert _rows(panel) == rows
        assert window.time.frame == 50
