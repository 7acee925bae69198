"""The status bar: where one is, how fast it plays, how good the points are, which mode is on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QLabel, QStatusBar

from simspine_viewer.document import Document, Preview
from simspine_viewer.editor import Editor
from simspine_viewer.quality_monitor import QualityMonitor
from simspine_viewer.selection import Selection
from simspine_viewer.stages import Stage
from simspine_viewer.time_cursor import TimeCursor

SLOWER = 0.9  # play at less than this share of its speed is said to be slower
_RATE_MS = 250  # between two changes of numbers that nobody could read faster


class StatusBar(QStatusBar):
    """Remarks that go by themselves on the left, what always holds on the right.

    ``with_keys`` puts the user's own keys into a text: ``{key:id of the command}``.
    """

    def __init__(
        self,
        document: Document,
        cursor: TimeCursor,
        selection: Selection,
        editor: Editor,
        monitor: QualityMonitor,
        with_keys: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._document, self._cursor, self._selection = document, cursor, selection
        self._editor, self._monitor, self._with_keys = editor, monitor, with_keys
        self._stage = Stage.WORK
        self.mode, self.quality, self.speed, self.place = (QLabel() for _ in range(4))
        self.mode.setProperty("role", "warning")
        for label in (self.mode, self.quality, self.speed, self.place):
            self.addPermanentWidget(label)
        self._rate_at = QElapsedTimer()
        self._rate_at.start()
        document.opened.connect(self._show_place)
        document.closed.connect(self._clear)
        cursor.moved.connect(lambda _: self._show_place())
        cursor.moved.connect(lambda _: self._show_rate())
        cursor.speed_changed.connect(lambda _: self._show_speed())
        cursor.playing_changed.connect(lambda _: self._show_speed())
        cursor.mode_changed.connect(self._show_speed)
        cursor.range_changed.connect(self._show_speed)
        selection.changed.connect(self.show_mode)
        editor.placing_changed.connect(lambda _: self.show_mode())
        document.preview_changed.connect(self.show_mode)
        monitor.changed.connect(self._show_quality)

    def _clear(self) -> None:
        for label in (self.mode, self.quality, self.speed, self.place):
            label.clear()

    def _show_place(self) -> None:
        cursor = self._cursor
        if not self._document.is_open or not cursor.n_frames:
            return
        seconds = cursor.frame / cursor.fps
        self.place.setText(f"Frame {cursor.frame} of {cursor.n_frames - 1}   {seconds:.3f} s")

    def _show_rate(self) -> None:
        if self._cursor.playing and self._rate_at.elapsed() >= _RATE_MS:
            self._show_speed()

    def _show_speed(self) -> None:
        """How fast it is to go and, in play, what is shown of it and what was passed over."""
        cursor = self._cursor
        if not self._document.is_open or not cursor.n_frames:
            return
        self._rate_at.restart()
        parts = [f"{cursor.speed:g}×" + (", every frame" if cursor.every_frame else "")]
        if cursor.playing:
            if cursor.reached < SLOWER * cursor.speed:
                parts.append(f"reaches {cursor.reached:.1f}×")
            parts.append(f"{cursor.shown_fps:.0f} fps, {cursor.dropped} dropped")
        self.speed.setText("   ".join(parts))

    def set_stage(self, stage: Stage) -> None:
        """Which stage of the points is shown, so what a drag in a picture takes hold of."""
        self._stage = stage
        self.show_mode()

    def show_mode(self) -> None:
        """Say which mode is on, or what a drag under way does."""
        text, keypoint, preview = "", self._selection.keypoint, self._document.preview
        if preview is not None:
            text = self._drag_text(preview)
        elif self._editor.placing and keypoint >= 0 and self._document.is_open:
            text = self._with_keys(
                f"Placing {self._name(keypoint)}: click where it is; {{key:place}} ends"
            )
        if text != self.mode.text():  # not at each move of a drag
            self.mode.setText(text)

    def _drag_text(self, preview: Preview) -> str:
        """What the release of a drag will have done, where that is not what is dragged."""
        if preview.view < 0 or self._stage in (Stage.WORK, Stage.DETECTED):
            return ""
        camera = self._document.sequence.cameras[preview.view].name
        return f"Placing {self._name(preview.keypoint)} in {camera}; the 3D point follows"

    def _name(self, keypoint: int) -> str:
        return self._document.sequence.info.skeleton.keypoints[keypoint].marker

    def _show_quality(self) -> None:
        """The held-out-camera error: no choice of views or weights can flatter it."""
        errors = self._monitor.errors
        if errors is None or not errors.overall.n:
            self.quality.clear()
            return
        names = self._document.sequence.cameras.names
        views = [
            f"{name}: {view.median:.1f} px"
            for name, view in zip(names, errors.views, strict=True)
            if view.n
        ]
        self.quality.setText(f"Held-out error {errors.overall.median:.1f} px")
        how = f"Each view predicted from the others, median of {errors.overall.n} detections."
        self.quality.setToolTip("\n".join([how, *views]))
