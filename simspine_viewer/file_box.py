"""A box to choose between what is built in and one file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from simspine_viewer import dialogs

_ASK = object()


class FileBox(QComboBox):
    """What is built in, the file chosen last, and “Choose a file…”.

    Parameters
    ----------
    built_in : str
        How the first entry is called.
    title, kinds : str
        Of the dialog, and the files that it shows.

    Signals
    -------
    chosen(path) : a person chose a file, or (empty) what is built in.
    """

    chosen = Signal(str)

    def __init__(
        self, built_in: str, title: str, kinds: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._title, self._kinds, self._file = title, kinds, ""
        self.addItem(built_in, "")
        self.addItem("Choose a file…", _ASK)
        # A long file name must not make the panel wide.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.activated.connect(self._activated)

    @property
    def file(self) -> str:
        """The file that is chosen, empty for what is built in."""
        return str(self.currentData())

    def show_file(self, file: str) -> None:
        """Show what is chosen now, empty for what is built in."""
        with QSignalBlocker(self):
            if file and file != self._file:
                if self._file:
                    self.removeItem(1)
                self.insertItem(1, Path(file).name, file)
                self._file = file
            self.setCurrentIndex(1 if file else 0)
        self.setToolTip(file)

    def _activated(self, place: int) -> None:
        chosen = self.itemData(place)
        if chosen is _ASK:
            start = Path(self._file).parent if self._file else None
            asked = dialogs.ask_file(self, self._title, self._kinds, start)
            chosen = None if asked is None else str(asked)
        if chosen is None:  # given up: what was shown before
            self.show_file(self.toolTip())
            return
        self.show_file(chosen)
        self.chosen.emit(chosen)
