"""Small panels: undo history, jobs, and what was noticed about the recording."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
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


class HistoryPanel(QListWidget):
    """Everything done, newest last; a click goes back or forward to just after that step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.setAccessibleName("Undo history")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.itemClicked.connect(self._travel)
        document.history_changed.connect(self.reload)
        self.reload()

    def reload(self) -> None:
        """Show the history as it is."""
        self.clear()
        if not self._document.is_open:
            return
        history = self._document.history
        self.addItem("Start")
        for entry in history.entries:
            at = time.strftime("%H:%M", time.localtime(entry.time))
            where = f"frame {entry.place.frame}, " if entry.place.frame >= 0 else ""
            self.addItem(f"{entry.label} ({where}{at})")
        for row in range(history.position + 1, self.count()):
            self.item(row).setForeground(self.palette().placeholderText())
        self.setCurrentRow(history.position)

    def _travel(self, item: QListWidgetItem) -> None:
        wanted = self.row(item)
        while self._document.history.position > wanted:
            self._document.undo()
        while self._document.history.position < wanted:
            self._document.redo()


class JobPanel(QScrollArea):
    """Each job with its progress, how it ended, and a way to stop it."""

    def __init__(self, jobs: JobManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._rows: dict[int, _JobRow] = {}
        self.setWidgetResizable(True)
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
        self._text.setText("\n".join([self._state.text, *self._state.files]))


class FindingsPanel(QListWidget):
    """What was noticed about the files of the recording; a double click copies the sentence."""

    count_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = DARK
        self._findings: tuple[Finding, ...] = ()
        self.setWordWrap(True)
        self.setAccessibleName("Notes about the recording")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def set_findings(self, findings: tuple[Finding, ...]) -> None:
        """Show other findings, the gravest first."""
        order = {"error": 0, "warning": 1, "info": 2}
        self._findings = tuple(sorted(findings, key=lambda f: order[f.severity]))
        self._fill()

    def set_theme(self, theme: Theme) -> None:
        """Colour the lines for another theme."""
        self._theme = theme
        self._fill()

    def _fill(self) -> None:
        colours = {"error": self._theme.bad, "warning": self._theme.warning}
        words = {"error": "Error", "warning": "Warning", "info": "Note"}
        self.clear()
        for finding in self._findings:
            item = QListWidgetItem(f"{words[finding.severity]}: {finding.message}")
            item.setForeground(QColor(colours.get(finding.severity, self._theme.text)))
            self.addItem(item)
        self.count_changed.emit(len(self._findings))
