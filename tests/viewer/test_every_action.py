"""Every enabled command, fired in every state, raises nothing and leaves no Qt warning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWhatsThis

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.project import Project
from simspine_viewer import dialogs, opener, training_set_dialog
from simspine_viewer.command_palette import CommandPalette
from simspine_viewer.commands.table import COMMANDS, MENUS
from simspine_viewer.help_pages import shortcuts_html
from simspine_viewer.main_window import MainWindow
from simspine_viewer.tour import Tour
from simspine_viewer.training_set_dialog import TrainingSetChoice
from tests.viewer.window import main_window, make_recording, open_and_settle, project_of, settle

pytestmark = pytest.mark.gui

# The offscreen platform says this about windows with size hints or brought to the front, and about
# popups; no real platform does.
HARMLESS = (
    "This plugin does not support propagateSizeHints()",
    "This plugin does not support raise()",
    "This plugin does not support grabbing the keyboard",
)
STATES = {
    "empty": 0,
    "1 view": 1,
    "4 views": 4,
    "8 views": 8,
    "playing": 4,
    "job running": 4,
    "read only": 4,
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    root = tmp_path_factory.mktemp("recordings")
    made = {}
    for n in (1, 4, 8):
        folder = make_recording(root / f"views{n}", n_views=n, n_frames=8)
        made[n] = project_of(folder)
    return made


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recordings: dict[int, Path]) -> None:
    """Dialogs answer at once, as a user who accepts what is proposed; the demo is there."""
    monkeypatch.setattr(opener, "demo_folder", lambda: recordings[4].parent)
    monkeypatch.setattr(dialogs, "ask_folder", lambda *a: None)
    monkeypatch.setattr(dialogs, "ask_project", lambda *a: None)
    monkeypatch.setattr(dialogs, "ask_save_as", lambda *a: tmp_path / "copy.simspine")
    monkeypatch.setattr(
        dialogs, "ask_export", lambda *a, **k: dialogs.ExportChoice("trc", tmp_path / "out.trc")
    )
    chosen = TrainingSetChoice(tmp_path / "set", None, (0, 2), 1, False)
    monkeypatch.setattr(training_set_dialog, "ask_training_set", lambda *a, **k: chosen)
    monkeypatch.setattr(
        dialogs, "ask_new_file", lambda _w, _t, proposed, _k: tmp_path / proposed.name
    )
    monkeypatch.setattr(dialogs, "ask_number", lambda *a: 25.0)
    monkeypatch.setattr(dialogs, "ask_text", lambda *a: "3")
    monkeypatch.setattr(dialogs, "offer_read_only", lambda *a: True)


def prepare(window: MainWindow, state: str, recordings: dict[int, Path]) -> None:
    """Bring the window into a state, whatever the last command did to it."""
    n_views = STATES[state]
    if n_views == 0:
        window.document.close()
        return
    if state == "read only":
        if window.document.project is None or not window.document.project.read_only:
            window.document.open(Project.open(recordings[n_views], read_only=True))
            settle(window)
            window.selection.set(keypoint=18, view=0)
    elif not window.document.is_open:
        open_and_settle(window, recordings[n_views])
        document = window.document
        for _ in range(2):  # something to undo and something to redo
            patches = edits.place_point(document.sequence, document.person, 2, 0, 18, (40.0, 50.0))
            document.commit("Place Neck", patches, Place(2, 0, 18, document.person))
            patches = edits.delete_point(document.sequence, document.person, 3, [0], 18)
            document.commit("Delete Neck", patches, Place(3, 0, 18, document.person))
            document.undo()
        window.selection.set(keypoint=18, view=0)
    if state == "playing":
        window.time.loop = True
        window.time.play()
    if state == "job running" and not window.jobs.running:
        window.document.sequence.stamps.forget("points3d", window.document.person)
        window.planner.plan_now()
        assert window.jobs.running


def dismiss(window: QObject) -> None:
    for dialog in window.findChildren(QDialog):
        dialog.close()
    for tour in window.findChildren(Tour):
        tour.end()
    window.findChild(CommandPalette).hide()
    QWhatsThis.leaveWhatsThisMode()


@pytest.fixture
def window(qtbot, answers: None) -> Iterator[MainWindow]:
    with main_window() as made:
        yield made


@pytest.mark.parametrize("state", STATES)
def test_every_enabled_command(
    state: str, window: MainWindow, recordings: dict[int, Path], qtlog, qtbot
) -> None:
    fired = []
    for command in COMMANDS:
        if command.id == "quit":  # has a test of its own
            continue
        prepare(window, state, recordings)
        window.table.refresh()
        action = window.table.actions[command.id]
        if action.isEnabled():
            action.trigger()
            fired.append(command.id)
            QTest.qWait(1)
            dismiss(window)
        window.time.pause()
    settle(window)
    said = [r.message for r in qtlog.records if r.message not in HARMLESS]
    assert not said, said
    always = {c.id for c in COMMANDS if c.menu == "Help" and c.id != "tour"}
    assert always <= set(fired)
    if state == "read only":
        assert {"delete", "place", "export", "next", "3d-front"} <= set(fired)
    elif state != "empty":
        assert {"undo", "demo", "delete", "place", "export", "save-as", "next", "3d-front"} <= set(
            fired
        )
    else:
        assert not {"undo", "export", "next", "close", "delete"} & set(fired)


def test_quit_closes_the_window(qtbot, recordings: dict[int, Path]) -> None:
    with main_window() as window:
        open_and_settle(window, recordings[4])
        window.table.actions["quit"].trigger()
        assert not window.isVisible()
        assert not window.document.is_open


def test_the_table_is_sound() -> None:
    ids = [command.id for command in COMMANDS]
    assert len(set(ids)) == len(ids)
    assert {command.menu for command in COMMANDS} == set(MENUS)
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(set(keys)) == len(keys), "a key does two things"
    for command in COMMANDS:
        assert command.help.endswith("."), command.id


def test_the_help_lists_every_command(qtbot) -> None:
    with main_window() as window:
        page = shortcuts_html(window.table)
    for command in COMMANDS:
        assert f"<b>{command.text}</b>" in page
