"""The one clock: an integer frame on the sequence axis, and play."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_TICK_MS = 8  # finer than a 60 Hz display, so that no due frame waits for the next tick
# Frames that may be passed over to keep real time. Decoders have to decode what is passed over, so
# leaps that grow with the delay would make the delay grow with the leaps.
MAX_SKIPPED = 3


class TimeCursor(QObject):
    """Current frame and play state. Panes own no time; they hear :attr:`moved`.

    Play waits for ``is_ready``, which says whether the last frame has been shown, and falls behind
    real time rather than showing nothing; :attr:`reached` says how fast it really goes.
    """

    moved = Signal(int)
    playing_changed = Signal(bool)
    speed_changed = Signal(float)
    range_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frame = 0
        self.n_frames = 0
        self.fps = 30.0
        self.speed = 1.0
        self.loop = False
        self.is_ready: Callable[[], bool] = lambda: True
        self._start_frame = 0
        self._played = 0
        self._since = QElapsedTimer()
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def set_range(self, n_frames: int, fps: float) -> None:
        """Start anew on an axis of ``n_frames`` frames at ``fps`` frames per second."""
        self.pause()
        self.n_frames, self.fps, self.frame = n_frames, fps, 0
        self.range_changed.emit()
        self.moved.emit(0)

    def set_frame(self, frame: int) -> None:
        """Go to a frame, clamped to the range; while playing, play goes on from there."""
        clamped = min(max(frame, 0), max(self.n_frames - 1, 0))
        if self.playing:
            self._start_frame = clamped
            self._clock.restart()
        self._move(clamped)

    def step(self, frames: int) -> None:
        """Pause and go ``frames`` forward (negative: back)."""
        self.pause()
        self.set_frame(self.frame + frames)

    def set_speed(self, speed: float) -> None:
        """Play at ``speed`` times real time."""
        self.speed = speed
        if self.playing:
            self._start_frame = self.frame
            self._clock.restart()
        self.speed_changed.emit(speed)

    def play(self) -> None:
        """Play from here, or from the start when at the end."""
        if self.n_frames < 2 or self.playing:
            return
        if self.frame >= self.n_frames - 1:
            self._move(0)
        self._start_frame, self._played = self.frame, 0
        self._clock.start()
        self._since.start()
        self._timer.start()
        self.playing_changed.emit(True)

    def pause(self) -> None:
        """Stop at the current frame."""
        if self.playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def toggle(self) -> None:
        """Play if paused, pause if playing."""
        if self.playing:
            self.pause()
        else:
            self.play()

    @property
    def reached(self) -> float:
        """How fast play goes, as a multiple of real time, averaged since it began."""
        seconds = self._since.elapsed() * 1e-3 if self.playing else 0.0
        return self._played / (seconds * self.fps) if seconds > 0 else self.speed

    def _tick(self) -> None:
        if not self.is_ready():
            return
        due = self._start_frame + int(self._clock.elapsed() * 1e-3 * self.fps * self.speed)
        if due > self.frame + 1 + MAX_SKIPPED:
            due = self.frame + 1 + MAX_SKIPPED
            self._start_frame = due
            self._clock.restart()
        self._played += max(due - self.frame, 0)
        if due < self.n_frames:
            self._move(due)
        elif self.loop:
            self._start_frame = 0
            self._clock.restart()
            self._move(0)
        else:
            self._move(self.n_frames - 1)
            self.pause()

    def _move(self, frame: int) -> None:
        if frame != self.frame:
            self.frame = frame
            self.moved.emit(frame)
