"""What to open when files or folders are dropped on the window."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from pipeline.data.errors import UserError
from pipeline.io.project_path import SUFFIX

_UP = 4  # folders above a file in which its recording may begin: recording/pose/camera_json/file

# Folders inside a recording, as Pose2Sim and others name them.
_PARTS = {"videos", "video", "raw", "raw-2d", "pose", "pose-2d", "detections"}
_KINDS = {
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mts", ".wmv",
    ".toml", ".json", ".trc", ".yaml", ".yml", ".png", ".jpg", ".tif",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dropped:
    """What to open, what else could be opened, and a remark about it (empty: none needed)."""

    path: Path
    others: tuple[Path, ...] = ()
    remark: str = ""


def resolved(paths: Items[Path]) -> Dropped:
    """The recordings that dropped files belong to; UserError where there is none."""
    found: dict[Path, Path] = {}
    problem: UserError | None = None
    for path in paths:
        try:
            found.setdefault(_recording_of(path), path)
        except UserError as error:
            problem = problem or error
    if not found:
        raise problem or UserError("Nothing that was dropped is a file of this computer.")
    target, dropped = next(iter(found.items()))
    remarks = []
    if target != dropped:
        remarks.append(f"{dropped.name} belongs to the recording {target.name}, which is opened.")
    if len(found) > 1:
        more = len(found) - 1
        remarks.append(f"{more} more {'are' if more > 1 else 'is'} in Open Recent.")
    if problem is not None:
        remarks.append(str(problem))
    return Dropped(target, tuple(found)[1:], " ".join(remarks))


def _recording_of(path: Path) -> Path:
    """A project file or recording folder itself, or the recording folder a file lies in."""
    from pipeline.io.recording import recognise  # loads decoders: not at start

    if path.suffix == SUFFIX or path.is_dir():
        return path
    if not path.exists():
        raise UserError(f"{path} does not exist.")
    for folder in list(path.parents)[:_UP]:
        if folder == folder.parent or folder == Path.home():
            break  # never read through a whole disk or home
        try:
            plan = recognise(folder)
        except UserError:
            continue
        if plan.calibration is None or not _may_belong(path):
            continue
        if plan.calibration.is_relative_to(folder) or folder.name.lower() not in _PARTS:
            return folder
    raise UserError(
        f"“{path.name}” is neither a project nor part of a recording: its folder has no videos "
        "with a calibration."
    )


def _may_belong(path: Path) -> bool:
    """Whether a file is of a kind that recordings have."""
    if path.suffix.lower() == ".txt":
        return path.name.lower().endswith(".qca.txt")
    return path.suffix.lower() in _KINDS


class DropHint(QWidget):
    """A frame over the window that says what letting go would do."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ""
        self.hide()

    def offer(self, paths: Items[Path]) -> None:
        """Show what letting go of these would do."""
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        self.text = f"Drop to open {paths[0].name}{more}"
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            shade = QColor(self.palette().color(QPalette.ColorRole.Window))
            shade.setAlpha(190)
            painter.fillRect(self.rect(), shade)
            accent = self.palette().color(QPalette.ColorRole.Highlight)
            painter.setPen(QPen(accent, 4, Qt.PenStyle.DashLine))
            painter.drawRect(self.rect().adjusted(8, 8, -8, -8))
            font = QFont(self.font())
            font.setPointSizeF(1.6 * font.pointSizeF())
            painter.setFont(font)
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            room = QRect(self.rect()).adjusted(24, 24, -24, -24)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, int(flags), self.text)
