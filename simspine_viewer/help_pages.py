"""Pages that explain: keys and commands, keypoints, about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from pipeline import __version__
from pipeline.data.skeleton import project_skeleton

if TYPE_CHECKING:
    from simspine_viewer.actions import ActionTable
    from simspine_viewer.main_window import MainWindow


def _show_page(parent: QWidget, title: str, html: str) -> None:
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(720, 560)
    page = QTextBrowser()
    page.setOpenExternalLinks(True)
    page.setHtml(html)
    close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    close.rejected.connect(dialog.reject)
    box = QVBoxLayout(dialog)
    box.addWidget(page)
    box.addWidget(close)
    dialog.open()


def shortcuts_html(table: ActionTable) -> str:
    """All commands with their keys, by menu."""
    rows = []
    for menu in dict.fromkeys(command.menu for command in table.commands):
        rows.append(f"<tr><td colspan='3'><h3>{menu}</h3></td></tr>")
        for command in table.commands:
            if command.menu == menu:
                keys = ", ".join(
                    key.toString(QKeySequence.SequenceFormat.NativeText)
                    for key in table.actions[command.id].shortcuts()
                )
                rows.append(
                    f"<tr><td><b>{command.text}</b>&nbsp;&nbsp;</td>"
                    f"<td>{keys}&nbsp;&nbsp;</td><td>{command.help}</td></tr>"
                )
    mouse = (
        ("Click a point", "select it"),
        ("Drag a point", "move it; the other views and the 3D follow; Escape drops the drag"),
        ("Wheel", "zoom at the pointer"),
        ("Middle drag", "move the picture"),
        ("Double click", "one pane large, or all again"),
        ("Drag in 3D", "turn; middle or Shift drag moves; wheel zooms"),
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
