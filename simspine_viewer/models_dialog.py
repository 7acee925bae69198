"""The dialog that lists pose models, and brings, adds, checks and removes their files."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from simspine_viewer import dialogs
from simspine_viewer.detecting import Models

COLUMNS = ("Model", "Licence", "Size", "On this computer")
STATES = {"there": "yes", "begun": "in part", "missing": "no"}
KINDS = "Pose models (*.pth *.pt *.ckpt *.onnx)"


class ModelsDialog(QDialog):
    """One row for each model; buttons act on the chosen one."""

    def __init__(self, models: Models, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._shown: list[dict[str, Any]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Pose Models")
        self.resize(720, 460)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Pose models")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.itemSelectionChanged.connect(self.refresh)
        self.about, self.doing = QLabel(), QLabel()
        for label in (self.about, self.doing):
            label.setWordWrap(True)
            label.setProperty("role", "muted")
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.LinksAccessibleByMouse
            )
        self.about.setOpenExternalLinks(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.rejected.connect(self.reject)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.get_button, self.add_button, self.check_button, self.remove_button = (
            self.buttons.addButton(text, role) for text in ("Get", "Add a File…", "Check", "Remove")
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        for button, act in (
            (self.get_button, self._get), (self.add_button, self._add),
            (self.check_button, self._check), (self.remove_button, self._remove),
        ):  # fmt: skip
            button.setAutoDefault(False)
            button.clicked.connect(act)
        box = QVBoxLayout(self)
        box.addWidget(self.table, 1)
        for widget in (self.about, self.bar, self.doing, self.buttons):
            box.addWidget(widget)
        models.changed.connect(self._fill)
        models.progressed.connect(self._progress)
        models.said.connect(self.doing.setText)
        models.failed.connect(self.doing.setText)
        models.list()
        self._fill()

    @property
    def entry(self) -> dict[str, Any] | None:
        """The chosen model."""
        rows = self.table.selectionModel().selectedRows()
        return self._shown[rows[0].row()] if rows else None

    def _fill(self) -> None:
        chosen = self.entry
        # Those that can be used come first.
        self._shown = entries = sorted(
            self._models.entries, key=lambda one: list(STATES).index(one["state"])
        )
        self.table.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            licence = entry["licence"] or "not stated"
            if entry["non_commercial"]:
                licence += ", not commercial"
            for column, text in enumerate(
                (entry["title"], licence, _size(entry["bytes"]), STATES[entry["state"]])
            ):
                self.table.setItem(row, column, QTableWidgetItem(str(text)))
            if chosen is not None and entry["name"] == chosen["name"]:
                self.table.selectRow(row)
        if entries and self.entry is None:
            self.table.selectRow(0)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of the chosen model and what can be done with it."""
        entry, job = self.entry, self._models.job()
        there = entry is not None and entry["state"] == "there"
        busy = job is not None
        self.get_button.setText("Cancel" if busy else "Get")
        self.get_button.setEnabled(busy or (entry is not None and not there))
        self.add_button.setEnabled(not busy)
        own = there and entry is not None and not entry["built_in"]
        self.check_button.setEnabled(own and not busy)
        self.remove_button.setEnabled(own and not busy)
        self.about.setText("" if entry is None else _about(entry))
        self.bar.setVisible(busy)
        if busy:
            self._progress()
        elif self._models.listing and not self._models.entries:
            self.doing.setText("Looking for models…")

    def _progress(self) -> None:
        job = self._models.job()
        if job is not None:
            self.bar.setValue(round(1000 * job.fraction))
            self.doing.setText(job.text)

    def _get(self) -> None:
        if self._models.job() is not None:
            self._models.cancel()
            return
        entry = self.entry
        if entry is None:
            return
        accepted = bool(entry["accepted"])
        if not accepted:
            accepted = ask_licence(entry, self)
            if not accepted:
                return
        self.doing.clear()
        self._models.get(entry, accept_licence=accepted)

    def _add(self) -> None:
        file = dialogs.ask_file(self, "Add a pose model", KINDS, None)
        if file is not None:
            self.doing.clear()
            self._models.add(str(file))

    def _check(self) -> None:
        if self.entry is not None:
            self.doing.clear()
            self._models.check(self.entry)

    def _remove(self) -> None:
        if self.entry is not None:
            self.doing.clear()
            self._models.remove(self.entry)


def ask_licence(entry: dict[str, Any], parent: QWidget) -> bool:
    """Whether the person accepts the licence of a model's weights."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Licence")
    box.setText(f"The weights of {entry['title']} are under {entry['licence']}.")
    where = f" Read it at {entry['licence_address']}." if entry["licence_address"] else ""
    box.setInformativeText(f"It forbids commercial use.{where}")
    accept = box.addButton("Accept and Get", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is accept


def _about(entry: dict[str, Any]) -> str:
    parts = [
        f"<b>{entry['name']}</b>",
        f"by {entry['publisher']}" if entry["publisher"] else "",
        "a lifter: points of one view into space" if entry["kind"] == "lifter" else "",
        "comes with the program" if entry["built_in"] else "",
        f"trained on {entry['trained_on']}" if entry["trained_on"] else "",
        f"input {entry['input_size'][0]} × {entry['input_size'][1]} px"
        if entry["input_size"]
        else "",
    ]
    text = ", ".join(part for part in parts if part)
    address = next(iter(entry["addresses"]), "")
    return f'{text}<br><a href="{address}">{address}</a>' if address else text


def _size(n_bytes: int | None) -> str:
    return "" if n_bytes is None else f"{n_bytes / 1e6:.1f} MB"
