"""The pages of the preferences but for the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from pipeline.io.proxy_store import ProxyStore
from simspine_viewer import apply_settings
from simspine_viewer.palette import PALETTES
from simspine_viewer.settings import TEXT_SIZES, THEMES, Settings

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class Page(QWidget):
    """One page. ``fields`` are the settings it sets; controls show them after :meth:`reload`."""

    title = ""
    fields: tuple[str, ...] = ()

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self.window_, self.settings = window, window.settings
        self.form = QFormLayout(self)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.form.setVerticalSpacing(10)

    def note(self, text: str) -> None:
        """A row that explains."""
        label = QLabel(text)
        label.setWordWrap(True)
        label.setProperty("role", "muted")
        self.form.addRow(label)

    def reload(self) -> None:
        """Show the settings as they are."""

    def apply(self) -> None:
        """Put the settings into force."""
        self.settings.save()

    def restore_defaults(self) -> None:
        """Set the settings of this page as in a new program."""
        new = Settings()
        for name in self.fields:
            setattr(self.settings, name, getattr(new, name))
        self.apply()
        self.reload()

    def set(self, name: str, value: object) -> None:
        """Change one setting, where it is another than before."""
        if getattr(self.settings, name) != value:
            setattr(self.settings, name, value)
            self.apply()


def choice(values: dict[str, str], tip: str) -> QComboBox:
    """A box to choose one of several values; title by value."""
    box = QComboBox()
    for value, title in values.items():
        box.addItem(title, value)
    box.setToolTip(tip)
    return box


def number(limits: tuple[float, float], suffix: str, step: float, tip: str) -> QDoubleSpinBox:
    """A box for a whole number with a unit, taken over once it is complete."""
    box = QDoubleSpinBox()
    box.setRange(*limits)
    box.setDecimals(0)
    box.setSingleStep(step)
    box.setSuffix(f" {suffix}")
    box.setKeyboardTracking(False)
    box.setToolTip(tip)
    return box


class GeneralPage(Page):
    """What happens at start, and when long work ends."""

    title = "General"
    fields = ("start", "notify")

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        starts = {"empty": "Show the first page", "last": "Open the last recording"}
        self.start = choice(starts, "What is shown when the program starts.")
        self.start.activated.connect(lambda: self.set("start", self.start.currentData()))
        self.notify = QCheckBox("Say on the desktop that long work has ended")
        self.notify.setToolTip("Only while you are in another program.")
        self.notify.toggled.connect(lambda on: self.set("notify", on))
        self.form.addRow("At start", self.start)
        self.form.addRow(self.notify)
        self.note("Frame, view, keypoint and zoom come back with each recording, the layout with "
                  "the program.")  # fmt: skip

    def reload(self) -> None:
        self.start.setCurrentIndex(self.start.findData(self.settings.start))
        self.notify.setChecked(self.settings.notify)


class AppearancePage(Page):
    """Theme, colours of the points, text size."""

    title = "Appearance"
    fields = ("theme", "palette", "text_size")

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        titles = {"system": "As the system", "light": "Light", "dark": "Dark"}
        self.theme = choice({name: titles[name] for name in THEMES}, "Colours of the window.")
        self.theme.activated.connect(lambda: self.set("theme", self.theme.currentData()))
        self.text_size = number(TEXT_SIZES, "%", 10, "Of the size that the system proposes.")
        self.text_size.valueChanged.connect(lambda value: self.set("text_size", value))
        self.palette_ = choice(
            {palette.id: palette.title for palette in PALETTES.values()},
            "Colours of left, right, midline.",
        )
        self.palette_.activated.connect(lambda: self.set("palette", self.palette_.currentData()))
        self.form.addRow("Theme", self.theme)
        self.form.addRow("Points", self.palette_)
        self.form.addRow("Text size", self.text_size)

    def reload(self) -> None:
        self.theme.setCurrentIndex(self.theme.findData(self.settings.theme))
        self.palette_.setCurrentIndex(self.palette_.findData(self.settings.palette))
        self.text_size.setValue(self.settings.text_size)

    def apply(self) -> None:
        apply_settings.save_appearance(self.window_)


class EditingPage(Page):
    """What is suspicious, and who works."""

    title = "Editing"
    fields = ("error_threshold", "author", "show_epipolar", "show_names")

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.threshold = number((1, 500), "px", 1, "Residual above which a point is suspicious.")
        self.threshold.valueChanged.connect(lambda value: self.set("error_threshold", value))
        self.author = QLineEdit()
        self.author.setToolTip("Written with each of your edits.")
        self.author.setAccessibleName("Annotator name")
        self.author.editingFinished.connect(self._take_author)
        self.epipolar = QCheckBox("Show epipolar curves")
        self.epipolar.setToolTip("Where the selected point can be, seen from the other views.")
        self.epipolar.toggled.connect(lambda on: self.set("show_epipolar", on))
        self.names = QCheckBox("Show the names of keypoints")
        self.names.toggled.connect(lambda on: self.set("show_names", on))
        self.form.addRow("Error threshold", self.threshold)
        self.form.addRow("Annotator name", self.author)
        self.form.addRow(self.epipolar)
        self.form.addRow(self.names)
        self.note("The residual is how far a point in a picture is from where its 3D position "
                  "falls in that picture.")  # fmt: skip

    def _take_author(self) -> None:
        if self.author.text().strip():
            self.set("author", self.author.text().strip())
        self.author.setText(self.settings.author)

    def reload(self) -> None:
        self.threshold.setValue(self.settings.error_threshold)
        self.author.setText(self.settings.author)
        self.epipolar.setChecked(self.settings.show_epipolar)
        self.names.setChecked(self.settings.show_names)

    def apply(self) -> None:
        apply_settings.save_editing(self.window_)


class VideoPage(Page):
    """Proxies of videos, and memory."""

    title = "Video"
    fields = ("use_proxies", "proxy_gigabytes", "picture_megabytes")

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.proxies = QCheckBox("Use proxies for scrubbing")
        self.proxies.setToolTip(
            "Small copies make scrubbing and playing quick. Your videos stay as they are."
        )
        self.proxies.toggled.connect(lambda on: self.set("use_proxies", on))
        self.disk = number((1, 2000), "GB", 1, "Disk that all proxies together may take.")
        self.disk.valueChanged.connect(lambda value: self.set("proxy_gigabytes", value))
        self.memory = number((64, 16384), "MB", 64, "Memory for pictures that were decoded.")
        self.memory.valueChanged.connect(lambda value: self.set("picture_megabytes", value))
        self.used = QLabel()
        self.form.addRow(self.proxies)
        self.form.addRow("Disk limit", self.disk)
        self.form.addRow("Used now", self.used)
        self.form.addRow("Picture memory", self.memory)
        self.note("Tools ▸ Delete Proxies… frees the disk. The picture memory holds from the next "
                  "recording that is opened.")  # fmt: skip

    def reload(self) -> None:
        self.proxies.setChecked(self.settings.use_proxies)
        self.disk.setValue(self.settings.proxy_gigabytes)
        self.memory.setValue(self.settings.picture_megabytes)
        self.used.setText(QLocale.system().formattedDataSize(ProxyStore().used_bytes()))

    def apply(self) -> None:
        super().apply()
        self.window_.playback.apply_settings()
        self.window_.table.refresh()


PAGES: tuple[type[Page], ...] = (GeneralPage, AppearancePage, EditingPage, VideoPage)
