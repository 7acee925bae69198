"""No text of the window is elided or clipped: two sizes, two scale factors, two appearances."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from simspine_viewer.dialogs import ExportDialog
from tests.viewer.survey import survey
from tests.viewer.text_fit import misfits

pytestmark = pytest.mark.gui

ENOUGH = 1000  # a walk that looked at fewer texts than this skipped something
LONG = "A sentence that certainly needs more than a hundred points"


@pytest.mark.realdata
def test_everything_fits_at_1366_by_768(balancing: Path, qtbot) -> None:
    found = survey((1366, 768), "dark", balancing)
    assert found.problems == []
    assert found.looked_at > ENOUGH


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("size", "theme"),
    [((1366, 768), "light"), ((960, 540), "dark")],  # the latter: 1920 by 1080 at 200 %
)
def test_everything_fits_at_scale_factor_2(
    balancing: Path, tmp_path: Path, size: tuple[int, int], theme: str
) -> None:
    screen = {"name": "screen", "x": 0, "y": 0, "width": 2 * size[0], "height": 2 * size[1]}
    (tmp_path / "screen.json").write_text(json.dumps({"screens": [screen]}))
    platform = f"offscreen:configfile={tmp_path / 'screen.json'}"
    done = subprocess.run(
        [sys.executable, "-m", "tests.viewer.survey", *map(str, size), theme, str(balancing)],
        env={**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": platform},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    *problems, looked_at = done.stdout.split("\n")[:-1]
    assert [line for line in problems if line] == []
    assert int(looked_at) > ENOUGH


def _label() -> QWidget:
    label = QLabel(LONG)
    label.setFixedWidth(100)
    return label


def _wrapped_label() -> QWidget:
    label = QLabel(LONG)
    label.setWordWrap(True)
    label.setFixedSize(100, 20)
    return label


def _long_word() -> QWidget:
    label = QLabel("Donaudampfschifffahrtsgesellschaft")
    label.setWordWrap(True)
    label.setFixedSize(100, 200)
    return label


def _button() -> QWidget:
    button = QPushButton(LONG)
    button.setFixedWidth(100)
    return button


def _tabs() -> QWidget:
    tabs = QTabBar()
    for _ in range(3):
        tabs.addTab("Inspector")
    tabs.setFixedWidth(100)
    return tabs


def _table() -> QWidget:
    table = QTableWidget(1, 1)
    table.setItem(0, 0, QTableWidgetItem(LONG))
    table.setColumnWidth(0, 100)
    return table


def _header() -> QWidget:
    table = QTableWidget(1, 1)
    table.setHorizontalHeaderLabels([LONG])
    table.setColumnWidth(0, 100)
    return table


def _list() -> QWidget:
    lines = QListWidget()
    lines.addItem(LONG)
    lines.setFixedWidth(100)
    return lines


def _combo() -> QWidget:
    combo = QComboBox()
    combo.addItem(LONG)
    combo.setFixedWidth(100)
    return combo


def _pushed_out() -> QWidget:
    parent = QWidget()
    parent.setFixedSize(100, 30)
    QLabel(LONG, parent).move(20, 0)
    return parent


@pytest.mark.parametrize(
    "make",
    [_label, _wrapped_label, _long_word, _button, _tabs, _table, _header, _list, _combo,
     _pushed_out],
)  # fmt: skip
def test_the_check_sees_what_does_not_fit(qtbot, make: Callable[[], QWidget]) -> None:
    root, fault = QWidget(), make()
    qtbot.addWidget(root)
    box = QHBoxLayout(root)
    box.addWidget(fault)
    box.addWidget(QLabel("fits"))
    root.show()
    assert misfits(root)


def test_the_check_lets_pass_what_fits(qtbot, tmp_path: Path) -> None:
    dialog = ExportDialog(tmp_path / "walk.simspine")
    qtbot.addWidget(dialog)
    dialog.show()
    assert misfits(dialog) == []
