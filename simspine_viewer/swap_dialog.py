"""The dialog that lists where left and right seem to be mixed up, and exchanges them one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pipeline.jobs.messages import Done, Failed
from simspine_viewer.editor import Editor
from simspine_viewer.job_manager import JobManager, JobState

TASK = "find_swaps"
COLUMNS = ("Frames", "View", "Limbs", "Comes closer by")
EXPLANATION = (
    "Every view is compared with what all the others say. Nothing changes until you swap; what is"
    " swapped counts as placed by hand, and Undo takes it back."
)


class SwapDialog(QDialog):
    """Searches when it opens; Go shows a suggestion, Swap makes it one undo step."""

    def __init__(self, editor: Editor, jobs: JobManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor, self._document, self._jobs = editor, editor.document, jobs
        self._job_id: int | None = None
        self._track = editor.document.person
        self.ranges: list[dict[str, Any]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Left and Right Mixed Up")
        self.resize(560, 420)
        self.doing = QLabel()
        self.doing.setWordWrap(True)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Suggested swaps")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.itemSelectionChanged.connect(self._refresh)
        self.table.itemDoubleClicked.connect(lambda _: self.go())
        note = QLabel(EXPLANATION)
        note.setWordWrap(True)
        note.setProperty("role", "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.go_button = QPushButton("&Go There")
        self.swap_button = QPushButton("&Swap in This View")
        self.again_button = QPushButton("Search &Again")
        for button, act in (
            (self.go_button, self.go),
            (self.swap_button, self.swap),
            (self.again_button, self.search),
        ):
            button.setAutoDefault(False)
            button.clicked.connect(act)
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        for widget in (self.doing, self.table, note, buttons):
            box.addWidget(widget)
        jobs.finished.connect(self._finished)
        self._document.closed.connect(self.reject)
        self.search()

    @property
    def running(self) -> bool:
        """True while swaps are being looked for."""
        return self._job_id is not None

    def search(self) -> None:
        """Look for swaps of the annotated person."""
        project = self._document.project
        if project is None or self.running:
            return
        self._track = self._document.person
        self.doing.setText("Comparing each view with all the others…")
        self._job_id = self._jobs.submit(
            TASK,
            "Look for left and right mixed up",
            {"project": str(project.path), "track": self._track},
            self._document.sequence.revision,
        )
        self._refresh()

    def done(self, result: int) -> None:
        """Close; a search under way is stopped."""
        if self._job_id is not None:
            self._jobs.cancel(self._job_id)
        super().done(result)

    def _finished(self, state: JobState) -> None:
        if state.job.id != self._job_id:
            return
        self._job_id = None
        self.doing.setText("")
        if isinstance(state.ending, Done):
            self._show(state.ending.result["ranges"])
        elif isinstance(state.ending, Failed):
            self.doing.setText(state.ending.message)
        self._refresh()

    def _show(self, ranges: list[dict[str, Any]]) -> None:
        self.ranges = ranges
        names = self._document.sequence.cameras.names
        self.table.setRowCount(len(ranges))
        for row, one in enumerate(ranges):
            first, last = one["start"], one["stop"] - 1
            frames = str(first) if first == last else f"{first} to {last}"
            texts = (frames, names[one["view"]], one["chain"], f"{one['gain_px']:.0f} px")
            for column, text in enumerate(texts):
                self.table.setItem(row, column, QTableWidgetItem(text))
        n = len(ranges)
        self.doing.setText(
            f"{n} suggestion{'s' if n > 1 else ''}." if n else "Nothing seems to be mixed up."
        )
        if n:
            self.table.selectRow(0)
            self.table.setFocus()

    def _refresh(self) -> None:
        chosen = 0 <= self.table.currentRow() < len(self.ranges) and not self.running
        self.go_button.setEnabled(chosen)
        self.swap_button.setEnabled(chosen)
        self.again_button.setEnabled(not self.running)

    def _chosen(self) -> dict[str, Any]:
        return self.ranges[self.table.currentRow()]

    def _pairs(self, chain: str) -> tuple[tuple[int, int], ...]:
        from pipeline.geometry.swaps import chain_pairs  # loads SciPy: not at start

        return chain_pairs(self._document.sequence.info.skeleton, chain)

    def go(self) -> None:
        """Show the first frame of the suggestion, with its view active."""
        one = self._chosen()
        pairs = self._pairs(one["chain"])
        self._editor.cursor.pause()
        self._editor.cursor.set_frame(one["start"])
        self._editor.selection.set(keypoint=pairs[0][0], view=one["view"])

    def swap(self) -> None:
        """Exchange left and right of the suggestion, go there, and take it off the list."""
        one, row = self._chosen(), self.table.currentRow()
        if self._track != self._document.person:
            self._document.set_person(self._track)
        self.go()
        pairs = self._pairs(one["chain"])
        frames = np.arange(one["start"], one["stop"])
        if self._editor.swap_sides(frames, one["view"], pairs, one["chain"]):
            del self.ranges[row]
            self.table.removeRow(row)
            self._refresh()
