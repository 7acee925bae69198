"""Everything the program asks or shows in a dialog; each function returns an answer or None."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QWidget,
)

from pipeline.data.errors import UserError
from pipeline.io.project_path import SUFFIX
from simspine_viewer.settings import Settings
from simspine_viewer.target_dialog import TargetDialog
from simspine_viewer.time_cursor import TimeCursor

EXPORT_FORMATS = {
    "trc": ("TRC: 3D markers for OpenSim", ".trc"),
    "csv": ("CSV: every value with its source", ".csv"),
    "openpose": ("OpenPose JSON: one file per view and frame", ""),
    "coco": ("COCO keypoints JSON", ".json"),
}

EXPORT_STAGES = {
    "labels": "Labels, final and with the body model",
    "final": "Final, solved over time",
    "triangulated": "Triangulated, each frame by itself",
}
HAVE_3D = ("trc", "csv")


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What to export and where to; ``frames``: first and the one after the last, None for all.

    ``stage``: which 3D points, one of :data:`EXPORT_STAGES`.
    """

    format: str
    path: Path
    frames: tuple[int, int] | None = None
    stage: str = "final"


def _start_folder(settings: Settings) -> str:
    for entry in settings.recent:
        parent = Path(entry).parent
        if parent.is_dir():
            return str(parent)
    return QStandardPaths.writableLocation(QStandardPaths.StandardLocation.HomeLocation)


def ask_folder(parent: QWidget, settings: Settings) -> Path | None:
    """A recording's folder."""
    path = QFileDialog.getExistingDirectory(
        parent, "Open the folder of a recording", _start_folder(settings)
    )
    return Path(path) if path else None


def ask_project(parent: QWidget, settings: Settings) -> Path | None:
    """A project file."""
    path, _ = QFileDialog.getOpenFileName(
        parent, "Open a project", _start_folder(settings), f"SIMSPINE projects (*{SUFFIX})"
    )
    return Path(path) if path else None


def ask_save_as(parent: QWidget, current: Path) -> Path | None:
    """Where a copy of the project goes; the suffix is added where it lacks."""
    path, _ = QFileDialog.getSaveFileName(
        parent, "Save the project as", str(current), f"SIMSPINE projects (*{SUFFIX})"
    )
    if not path:
        return None
    chosen = Path(path)
    return chosen if chosen.suffix == SUFFIX else chosen.with_name(chosen.name + SUFFIX)


def ask_keys_file(parent: QWidget, *, save: bool) -> Path | None:
    """The file that keys are written to or read from."""
    kinds = "Keys of SIMSPINE Viewer (*.json)"
    if save:
        path, _ = QFileDialog.getSaveFileName(parent, "Export keys", "simspine-keys.json", kinds)
    else:
        path, _ = QFileDialog.getOpenFileName(parent, "Import keys", "", kinds)
    return Path(path) if path else None


class ExportDialog(TargetDialog):
    """Format and target of an export."""

    def __init__(
        self,
        project: Path,
        parent: QWidget | None = None,
        person: int = 1,
        frames: tuple[int, int] | None = None,
        *,
        has_model: bool = False,
    ) -> None:
        super().__init__(project.parent, parent)
        self.setWindowTitle(f"Export Person {person}")
        self._frames = frames
        self.only_range = QCheckBox()
        if frames is not None:
            first, last = frames[0], frames[1] - 1
            self.only_range.setText(f"Only the selected range, frames {first} to {last}")
            self.only_range.setChecked(True)
        self._project = project
        self.format = QComboBox()
        for key, (title, _) in EXPORT_FORMATS.items():
            self.format.addItem(title, key)
        self.stage = QComboBox()
        for key, title in EXPORT_STAGES.items():
            if key != "labels" or has_model:
                self.stage.addItem(title, key)
        self.stage.setToolTip(
            "Labels are the final points put together with the body model: no keypoint is missing, "
            "and the spine is one that a body can have. Final points follow from all views and "
            "frames together: smoother, and without gaps where a point is hidden for a moment. "
            "Triangulated ones follow from one frame alone."
        )
        form = QFormLayout()
        form.addRow("Format", self.format)
        form.addRow("3D points", self.stage)
        form.addRow("To", self.target_line())
        if frames is not None:
            form.addRow("", self.only_range)
        note = QLabel(
            "What you placed or corrected goes before what was detected. Coordinates are metres "
            "with Y up, or pixels with the centre of the first pixel at 0, 0."
        )
        self.lay_out(form, note)
        self.format.currentIndexChanged.connect(self._suggest)
        self._suggest()

    def _suggest(self) -> None:
        """Propose a name for the format, in the folder that was chosen last."""
        key = self.format.currentData()
        self.stage.setEnabled(key in HAVE_3D)
        suffix = EXPORT_FORMATS[key][1] or f"_{key}"
        self.path.setText(str(self.folder / (self._project.stem + suffix)))

    def is_folder(self) -> bool:
        """Whether the format is a folder of files."""
        return not EXPORT_FORMATS[self.format.currentData()][1]

    def choice(self) -> ExportChoice:
        """The answer."""
        frames = self._frames if self.only_range.isChecked() else None
        stage = self.stage.currentData()
        return ExportChoice(self.format.currentData(), self.target(), frames, stage)


def ask_export(
    parent: QWidget,
    project: Path,
    person: int,
    frames: tuple[int, int] | None = None,
    *,
    has_model: bool = False,
) -> ExportChoice | None:
    """What to export and where to; ``frames`` is the selected range, if there is one."""
    dialog = ExportDialog(project, parent, person, frames, has_model=has_model)
    return dialog.choice() if dialog.exec() == QDialog.DialogCode.Accepted else None


def ask_file(parent: QWidget, title: str, kinds: str, start: Path | None = None) -> Path | None:
    """A file that is read; the dialog begins in the folder ``start``."""
    path, _ = QFileDialog.getOpenFileName(parent, title, "" if start is None else str(start), kinds)
    return Path(path) if path else None


def ask_new_file(parent: QWidget, title: str, proposed: Path, kinds: str) -> Path | None:
    """Where something is written; the suffix of ``proposed`` is added where one lacks."""
    path, _ = QFileDialog.getSaveFileName(parent, title, str(proposed), kinds)
    if not path:
        return None
    return Path(path) if Path(path).suffix else Path(path).with_suffix(proposed.suffix)


def ask_number(
    parent: QWidget, title: str, label: str, value: float, limits: tuple[float, float]
) -> float | None:
    """A number within limits."""
    number, ok = QInputDialog.getDouble(parent, title, label, value, *limits, 1)
    return number if ok else None


def ask_text(parent: QWidget, title: str, label: str, value: str) -> str | None:
    """A line of text."""
    text, ok = QInputDialog.getText(parent, title, label, QLineEdit.EchoMode.Normal, value)
    return text.strip() if ok else None


def ask_frame(parent: QWidget, cursor: TimeCursor) -> int | None:
    """A frame number; “12.5 s” is taken as a time."""
    last = cursor.n_frames - 1
    label = f"Frame, 0 to {last}, or a time such as “{last / cursor.fps:.2f} s”:"
    text = ask_text(parent, "Go to Frame", label, str(cursor.frame))
    return None if text is None else parse_frame(text, cursor)


def parse_frame(text: str, cursor: TimeCursor) -> int:
    """Frame meant by “120” or “2.5 s”, within the recording; UserError where it is neither."""
    text = text.strip()
    try:
        if text.lower().endswith("s"):
            frame = round(float(text[:-1].replace(",", ".")) * cursor.fps)
        else:
            frame = int(text)
    except (ValueError, OverflowError):
        last = cursor.n_frames - 1
        raise UserError(
            f"“{text}” is neither a frame from 0 to {last} nor a time such as "
            f"“{last / cursor.fps:.2f} s”."
        ) from None
    return min(max(frame, 0), max(cursor.n_frames - 1, 0))


def offer_read_only(parent: QWidget, error: Exception) -> bool:
    """Ask whether a locked project is to be opened for looking only."""
    answer = QMessageBox.question(parent, "Not Editable", f"{error}\n\nOpen it for looking only?")
    return answer == QMessageBox.StandardButton.Yes


def confirm_quit(parent: QWidget, exports: list[str]) -> bool:
    """Ask whether exports that are still being written may be dropped."""
    answer = QMessageBox.question(
        parent,
        "Export Under Way",
        f"{', '.join(exports)}: not complete yet. Quit and drop it?",
        QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
        QMessageBox.StandardButton.Cancel,
    )
    return answer == QMessageBox.StandardButton.Discard
