"""Small dialogs: frames as people write them, targets of exports, help pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QWidget

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from simspine_viewer import help_pages
from simspine_viewer.dialogs import EXPORT_FORMATS, ExportChoice, ExportDialog, parse_frame
from simspine_viewer.time_cursor import TimeCursor
from tests.viewer.window import main_window

pytestmark = pytest.mark.gui


@pytest.fixture
def cursor(qtbot) -> TimeCursor:
    cursor = TimeCursor()
    cursor.set_range(100, 60.0)
    return cursor


@pytest.mark.parametrize(
    ("text", "frame"),
    [("0", 0), ("42", 42), (" 7 ", 7), ("99", 99), ("1000", 99), ("-5", 0), ("0.5 s", 30),
     ("0.5s", 30), ("0,5 S", 30), ("1 s", 60), ("0.667 s", 40), ("100 s", 99), ("-1 s", 0)],
)  # fmt: skip
def test_frames_and_times(cursor: TimeCursor, text: str, frame: int) -> None:
    assert parse_frame(text, cursor) == frame


@pytest.mark.parametrize("text", ["", "soon", "s", "1.5", "nan s", "inf s", "1e999 s", "12 px"])
def test_what_is_neither_is_said(cursor: TimeCursor, text: str) -> None:
    with pytest.raises(UserError, match=r"neither a frame from 0 to 99 nor a time"):
        parse_frame(text, cursor)


@pytest.fixture
def export(qtbot, tmp_path: Path) -> ExportDialog:
    dialog = ExportDialog(tmp_path / "walk.simspine")
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def _ok(dialog: ExportDialog) -> QWidget:
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)


def test_each_format_proposes_a_name(export: ExportDialog, tmp_path: Path) -> None:
    for row, (key, (_, suffix)) in enumerate(EXPORT_FORMATS.items()):
        export.format.setCurrentIndex(row)
        expected = tmp_path / f"walk{suffix or '_openpose'}"
        assert export.choice() == ExportChoice(key, expected)
        assert _ok(export).isEnabled()
        assert export.problem.isHidden()


def test_another_format_keeps_the_chosen_folder(export: ExportDialog, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export.path.setText(str(tmp_path / "out" / "a.trc"))
    export.format.setCurrentIndex(1)
    assert export.choice().path == tmp_path / "out" / "walk.csv"


def test_a_target_that_exists_is_named(export: ExportDialog, tmp_path: Path) -> None:
    (tmp_path / "old.trc").write_text("old")
    export.path.setText(str(tmp_path / "old.trc"))
    assert export.problem.text() == (
        "old.trc exists and will be replaced once the export is complete."
    )
    assert _ok(export).isEnabled()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Say where"), ("  ", "Say where"), ("/no/such/folder/a.trc", "is not a folder"),
     (".", "is a folder")],
)  # fmt: skip
def test_a_target_that_cannot_be_is_refused(export: ExportDialog, text: str, said: str) -> None:
    export.path.setText(text)
    assert said in export.problem.text()
    assert not _ok(export).isEnabled()
    QTest.keyClick(export.path, Qt.Key.Key_Return)
    assert export.isVisible()


def test_a_file_is_no_target_for_a_folder_of_files(export: ExportDialog, tmp_path: Path) -> None:
    export.format.setCurrentIndex(list(EXPORT_FORMATS).index("openpose"))
    (tmp_path / "walk_openpose").write_text("in the way")
    export.path.setText("")
    export.path.setText(str(tmp_path / "walk_openpose"))
    assert export.problem.text() == "walk_openpose is a file."
    assert not _ok(export).isEnabled()


def test_the_help_pages_open_and_close(qtbot) -> None:
    with main_window() as window:
        for show, word in (
            (help_pages.show_shortcuts, "Escape drops the drag"),
            (help_pages.show_keypoints, project_skeleton().keypoints[-1].definition),
            (help_pages.show_about, "BSD 3-Clause"),
        ):
            show(window)
            (page,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
            text = page.findChild(QTextBrowser)
            assert text is not None
            assert word in text.toPlainText()
            QTest.keyClick(page, Qt.Key.Key_Escape)
            assert not page.isVisible()
            QTest.qWait(1)


def test_final_points_are_offered_first_where_there_are_points_in_3d(export: ExportDialog) -> None:
    assert export.choice().stage == "final"
    export.stage.setCurrentIndex(export.stage.findData("triangulated"))
    assert export.choice().stage == "triangulated"
    enabled = {}
    for row in range(export.format.count()):
        export.format.setCurrentIndex(row)
        enabled[export.format.itemData(row)] = export.stage.isEnabled()
    assert enabled == {"trc": True, "csv": True, "openpose": False, "coco": False}
