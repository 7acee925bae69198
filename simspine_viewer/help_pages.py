"""Pages that explain: manual, keys and commands, words, keypoints, licences, about."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QWidget

from pipeline import __version__
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from simspine_viewer.help_window import HelpWindow
from simspine_viewer.help_words import WORDS

if TYPE_CHECKING:
    from simspine_viewer.actions import ActionTable
    from simspine_viewer.main_window import MainWindow


def manual_path() -> Path:
    """The manual: in an installed program beside its other resources, else in ``docs``."""
    shipped = resource_path("docs", "manual.md")
    return shipped if shipped.is_file() else resource_path().parent / "docs" / "manual.md"


def show_manual(parent: QWidget) -> None:
    """The whole manual, its links followed in the same page."""
    window = HelpWindow("Manual", "", parent)
    window.page.setSource(QUrl.fromLocalFile(str(manual_path())))
    window.show()  # the main window stays usable beside it


def words_html() -> str:
    """What the words mean that are no everyday English."""
    rows = (
        f"<tr><td><b>{word}</b>&nbsp;&nbsp;</td><td>{meaning}</td></tr>"
        for word, meaning in sorted(WORDS, key=lambda entry: entry[0].casefold())
    )
    return f"<table cellspacing='4'>{''.join(rows)}</table>"


def show_words(parent: QWidget) -> None:
    """What the words mean that are no everyday English."""
    _show_page(parent, "Words", words_html())


def _show_page(parent: QWidget, title: str, html: str) -> None:
    HelpWindow(title, html, parent).show()


def shortcuts_html(table: ActionTable) -> str:
    """All commands with the keys they have now, by menu."""
    rows = []
    for menu in dict.fromkeys(command.menu for command in table.commands):
        rows.append(f"<tr><td colspan='3'><h3>{menu}</h3></td></tr>")
        for command in table.commands:
            if command.menu == menu:
                keys = escape(table.key_text(command))
                where = f"{command.group} ▸ " if command.group else ""
                rows.append(
                    f"<tr><td>{where}<b>{command.text}</b>&nbsp;&nbsp;</td>"
                    f"<td>{keys}&nbsp;&nbsp;</td><td>{command.help}</td></tr>"
                )
    mouse = (
        ("Click a point", "select it"),
        (
            "Drag a point",
            "place it in this picture, whatever stage is shown; the 3D and the other views "
            "follow; Escape drops the drag",
        ),
        ("Wheel", "zoom at the pointer"),
        ("Middle drag", "move the picture"),
        ("Double click", "one pane large, or all again"),
        ("Drag in 3D", "turn; middle or Shift drag moves; wheel zooms"),
        ("Drag on the timeline", "go through time; Shift drag selects a range"),
        (
            "Wheel on the timeline",
            "zoom at the pointer; Shift and wheel, or a middle drag, moves along",
        ),
    )
    rows.append("<tr><td colspan='3'><h3>Mouse</h3></td></tr>")
    rows += [f"<tr><td><b>{a}</b>&nbsp;&nbsp;</td><td></td><td>{b}</td></tr>" for a, b in mouse]
    return f"<table cellspacing='4'>{''.join(rows)}</table>"


def show_shortcuts(window: MainWindow) -> None:
    """All commands with their keys."""
    _show_page(window, "Keys and Commands", shortcuts_html(window.table))


def show_keypoints(parent: QWidget) -> None:
    """What each keypoint means."""
    rows = "".join(
        f"<tr><td><b>{k.marker}</b>&nbsp;&nbsp;</td><td>{k.name}&nbsp;&nbsp;</td>"
        f"<td>{k.definition}</td></tr>"
        for k in project_skeleton().keypoints
    )
    _show_page(
        parent,
        "Keypoint Definitions",
        f"<p>SpineTrack's 37 keypoints.</p><table cellspacing='4'>{rows}</table>",
    )


def show_licences(parent: QWidget) -> None:
    """The licences of everything the program is made of."""
    from simspine_viewer.licences import licences_html  # not at start

    _show_page(parent, "Licences", licences_html())


def show_about(parent: QWidget) -> None:
    """Version and licence."""
    _show_page(
        parent,
        "About SIMSPINE Viewer",
        f"<h2>SIMSPINE Viewer {__version__}</h2>"
        "<p>See, correct and publish how the human spine moves.</p>"
        "<p>BSD 3-Clause licence. Built on Qt (PySide6, LGPL), VTK and PyVista, NumPy, SciPy, "
        "OpenCV and PyAV (FFmpeg).</p>"
        "<p>Keypoints and pipeline after SIMSPINE (Khan and Stricker, CVPR 2026) and SpineTrack "
        "(Khan, Krauß, Stricker, CVSports 2025).</p>",
    )
