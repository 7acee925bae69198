"""Small panels: undo history, jobs, and findings: what was noticed about the recording."""

from __future__ import annotations

import time
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from pipeline.data.errors import Finding
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager, JobState
from simspine_viewer.theme import DARK, Theme

NO_INDEX = QModelIndex()


class _HistoryModel(QAbstractListModel):
    """The steps as rows, the first being the state before them; read when painted, never copied."""

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = NO_INDEX) -> int:
        if parent.isValid() or not self._document.is_open:
            return 0
        return len(self._document.history.entries) + 1

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if not self._document.is_open or not 0 <= index.row() < self.rowCount():
            return None
        history = self._document.history
        if role == Qt.ItemDataRole.ForegroundRole and index.row() > history.position:
            return QGuiApplication.palette().placeholderText()
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        if index.row() == 0:
            return "Start"
        entry = history.entries[index.row() - 1]
        at = time.strftime("%H:%M", time.localtime(entry.time))
        where = f"frame {entry.place.frame}, " if entry.place.frame >= 0 else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{entry.label} ({where}{at})"
        day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.time))
        return f"{entry.label}, {where}{day}, by {entry.author}"


class HistoryPanel(QListView):
    """Everything done, newest last; a click goes back or forward to just after that step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._model = _HistoryModel(document, self)
        self.setModel(self._model)
        self.setUniformItemSizes(True)
        self.setAccessibleName("Undo history")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.clicked.connect(self._travel)
        document.history_changed.connect(self.reload)
        self.reload()

    def reload(self) -> None:
        """Show the history as it is."""
        self._model.beginResetModel()
        self._model.endResetModel()
        if self._document.is_open:
            here = self._model.index(self._document.history.position)
            self.setCurrentIndex(here)
            self.scrollTo(here)

    def _travel(self, index: QModelIndex) -> None:
        history, wanted = self._document.history, index.row()
        while history.position != wanted:
            before = history.position
            if wanted < before:
                self._document.undo()
            else:
                self._document.redo()
            if history.position == before:  # it could not be written, and that was said
                self.reload()
                return


class JobPanel(QScrollArea):
    """Each job with its progress, how it ended, and a way to stop it."""

    def __init__(self, jobs: JobManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._rows: dict[int, _JobRow] = {}
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._empty = QLabel("No jobs yet.")
        self._empty.setProperty("role", "muted")
        content = QWidget()
        self._box = QVBoxLayout(content)
        self._box.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._box.addWidget(self._empty)
        self.setWidget(content)
        jobs.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the jobs as they are, newest first."""
        known = {state.job.id for state in self._jobs.jobs}
        for job_id in [i for i in self._rows if i not in known]:
            self._rows.pop(job_id).deleteLater()
        for state in self._jobs.jobs:
            if state.job.id not in self._rows:
                row = _JobRow(state, self._jobs)
                self._rows[state.job.id] = row
                self._box.insertWidget(0, row)
            self._rows[state.job.id].refresh()
        self._empty.setVisible(not self._rows)


class _JobRow(QWidget):
    def __init__(self, state: JobState, jobs: JobManager) -> None:
        super().__init__()
        self._state = state
        title = QLabel(state.job.title or state.job.task)
        title.setWordWrap(True)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setProperty("role", "muted")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(lambda: jobs.cancel(state.job.id))
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self._cancel)
        box = QVBoxLayout(self)
        box.setContentsMargins(2, 4, 2, 6)
        box.addLayout(top)
        box.addWidget(self._bar)
        box.addWidget(self._text)

    def refresh(self) -> None:
        running = self._state.running
        self._bar.setVisible(running)
        self._cancel.setVisible(running)
        self._bar.setValue(round(1000 * self._state.fraction))
        files = [f"Wrote {Path(name).name} in {Path(name).parent}." for name in self._state.files]
        self._text.setText("\n".join([self._state.text, *files]))


class FindingsPanel(QScrollArea):
    """What was noticed about the files of the recording, the gravest first; text to be copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = DARK
        self._findings: tuple[Finding, ...] = ()
        self.lines: list[QLabel] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Findings about the recording")
        content = QWidget()
        self._box = QVBoxLayout(content)
        self._box.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._box.setSpacing(9)
        self.setWidget(content)
        self._fill()

    def set_findings(self, findings: tuple[Finding, ...]) -> None:
        """Show other findings."""
        order = {"error": 0, "warning": 1, "info": 2}
        self._findings = tuple(sorted(findings, key=lambda f: order[f.severity]))
        self._fill()

    def set_theme(self, theme: Theme) -> None:
        """Colour the lines for another theme."""
        self._theme = theme
        self._fill()

    def _fill(self) -> None:
        colours = {"error": self._theme.bad, "warning": self._theme.warning}
        words = {"error": "Error", "warning": "Warning", "info": "Info"}
        for line in self.lines:
            self._box.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = []
        for finding in self._findings:
            colour = colours.get(finding.severity, self._theme.muted)
            word = words[finding.severity]
            line = QLabel(f"<b style='color:{colour}'>{word}:</b> {escape(finding.message)}")
            line.setToolTip(str(finding.path) if finding.path else "")
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.lines.append(line)
        if not self.lines:
            self.lines = [QLabel("Nothing unusual was noticed.")]
            self.lines[0].setProperty("role", "muted")
        for line in self.lines:
            line.setWordWrap(True)
            self._box.addWidget(line)
