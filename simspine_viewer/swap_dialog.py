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

from pipeline.jobs.messages import Done, Ending
from simspine_viewer.dialog_job import DialogJob
from simspine_viewer.editor import Editor
from simspine_viewer.job_manager import JobManager

TASK = "find_swaps"
COLUMNS = ("Frames", "View", "Limbs", "Comes closer by")
EXPLANATION = (
    "Every view is compared with what all the others say. Nothing changes until you swap; what is"
    " swapped counts as placed by hand, and Undo takes it back."
)
OUTDATED = "Cameras, time axes or people have changed meanwhile; search again."


class SwapDialog(QDialog):
    """Searches when it opens; Go shows a suggestion, Swap makes it one undo step."""

    def __init__(self, editor: Editor, jobs: JobManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor, self._document = editor, editor.document
        self._track = editor.document.person
        self.ranges: list[dict[str, Any]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Left and Right Mixed Up")
        self.resize(560, 420)
        self.doing = QLabel()
        self._job = DialogJob(editor.document, jobs, self.doing, self)
        self._job.ended.connect(self._ended)
        self._job.outdated.connect(self._refresh)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Suggested swaps")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
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
        self.search()

    @property
    def running(self) -> bool:
        """True while swaps are being looked for."""
        return self._job.running

    def search(self) -> None:
        """Look for swaps of the annotated person."""
        if self.running:
            return
        self._track = self._document.person
        self.doing.setText("Comparing each view with all the others…")
        self._show([])
        self._job.start(TASK, "Look for left and right mixed up", self._track)
        self._refresh()

    def _ended(self, ending: Ending) -> None:
        if isinstance(ending, Done):
            self._show(ending.result["ranges"])
            self.doing.setText(self._found())
        self._refresh()

    def _show(self, ranges: list[dict[str, Any]]) -> None:
        self.ranges = list(ranges)
        names = self._document.sequence.cameras.names
        self.table.setRowCount(len(ranges))
        for row, one in enumerate(ranges):
            first, last = one["start"], one["stop"] - 1
            frames = str(first) if first == last else f"{first} to {last}"
            texts = (frames, names[one["view"]], one["chain"], f"{one['gain_px']:.0f} px")
            for column, text in enumerate(texts):
                self.table.setItem(row, column, QTableWidgetItem(text))
        if ranges:
            self.table.setEnabled(True)
            self.table.selectRow(0)
            self.table.setFocus()

    def _found(self) -> str:
        n = len(self.ranges)
        return f"{n} suggestion{'s' if n > 1 else ''}." if n else "Nothing seems to be mixed up."

    def _refresh(self) -> None:
        current = not self.running and self._job.is_current()
        chosen = 0 <= self.table.currentRow() < len(self.ranges) and current
        if not self.running and not current:
            self.doing.setText(OUTDATED)
        elif self.doing.text() == OUTDATED:
            self.doing.setText(self._found())
        self.table.setEnabled(current)
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
        if not self.go_button.isEnabled():
            return
        one = self._chosen()
        pairs = self._pairs(one["chain"])
        self._editor.cursor.pause()
        self._editor.cursor.set_frame(one["start"])
        self._editor.selection.set(keypoint=pairs[0][0], view=one["view"])

    def swap(self) -> None:
        """Exchange left and right of the suggestion, go there, and take it off the list."""
        if not self.swap_button.isEnabled():
            return
        one, row = self._chosen(), self.table.currentRow()
        if self._track != self._document.person:
            self._document.set_person(self._track)
        self.go()
        pairs = self._pairs(one["chain"])
        frames = np.arange(one["start"], one["stop"])
        if self._editor.swap_sides(frames, one["view"], pairs, one["chain"]):
            del self.ranges[row]
            self.table.removeRow(row)
            self.doing.setText(self._found() if self.ranges else "No suggestion is left.")
            self._refresh()
