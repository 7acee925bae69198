"""What dialogs share that ask where something is to be written, and how."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


def grow(dialog: QDialog) -> None:
    """Make room for what a dialog says: it does not grow by itself with sentences of many lines."""
    layout = dialog.layout()
    if dialog.isVisible() and layout is not None:
        layout.activate()
        needed = layout.totalHeightForWidth(dialog.width())
        dialog.resize(dialog.width(), max(dialog.height(), needed))


class TargetDialog(QDialog):
    """A form, the line that says where its result goes, and what would become of that place.

    It is a file that is replaced, where :meth:`is_folder` and :meth:`replaced` are not overridden.
    Whoever makes one calls :meth:`lay_out`.
    """

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self.path = QLineEdit()
        self.path.setMinimumWidth(420)
        self.path.setAccessibleName("Where the export goes")
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "warning")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Export")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def is_folder(self) -> bool:
        """Whether a folder is written, not a file."""
        return False

    def replaced(self, name: str) -> str:
        """What becomes of a target that exists."""
        return f"{name} exists and will be replaced once the export is complete."

    def target_line(self) -> QHBoxLayout:
        """The line with a button to look for a place."""
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.addWidget(self.path, 1)
        line.addWidget(browse)
        return line

    def lay_out(self, form: QFormLayout, note: QLabel) -> None:
        """Put the form, a note, the problem and the buttons below each other."""
        note.setWordWrap(True)
        note.setProperty("role", "muted")
        box = QVBoxLayout(self)
        box.addLayout(form)
        for widget in (note, self.problem, self.buttons):
            box.addWidget(widget)
        self.path.textChanged.connect(self._check)

    def target(self) -> Path:
        """Where the result goes."""
        return Path(self.path.text().strip()).expanduser()

    def _check(self) -> None:
        """Say what would become of the target, and refuse what cannot be written."""
        target = self.target()
        problem, allowed = "", True
        if not self.path.text().strip():
            problem, allowed = "Say where the export goes.", False
        elif not target.parent.is_dir():
            problem, allowed = f"{target.parent} is not a folder.", False
        elif target.is_dir() != self.is_folder() and target.exists():
            kind = "a file" if self.is_folder() else "a folder"
            problem, allowed = f"{target.name} is {kind}.", False
        elif target.exists():
            problem = self.replaced(target.name)
        if allowed:
            self.folder = target.absolute().parent
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        grow(self)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(allowed)

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Export to", self.path.text(), options=QFileDialog.Option.DontConfirmOverwrite
        )  # the dialog itself says what will be replaced
        if path:
            self.path.setText(path)
