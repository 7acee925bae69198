"""The one clock: an integer frame on the sequence axis, and play."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_TICK_MS = 8  # finer than a 60 Hz display, so that no due frame waits for the next tick
# Frames that may be passed over to keep real time. Decoders have to decode what is passed over, so
# leaps that grow with the delay would make the delay grow with the leaps.
MAX_SKIPPED = 3
# What a display shows in a second; passing over frames to go faster than that drops nothing.
_DISPLAY_HZ = 60
# Frames behind the clock that are made up for, in play that shows every frame.
_MAX_LATE = 2
_WINDOW_MS = 1000  # over which the rate shown is counted


class TimeCursor(QObject):
    """Current frame and play state. Panes own no time; they hear :attr:`moved`.

    Play waits for ``is_ready``, which says whether the last frame has been shown, and falls behind
    real time rather than showing nothing. With ``every_frame`` no frame is passed over, however
    long that takes; without, frames are passed over to keep real time, and counted. Of those due,
    one for which ``is_loaded`` holds is preferred.

    Attributes
    ----------
    direction : {1, -1}
        Which way play goes.
    loop_range : (int, int) or None
        First frame and the one after the last that play repeats while ``loop`` is on; None for all.
    dropped : int
        Frames passed over since play began, other than those that no display could show.
    """

    moved = Signal(int)
    playing_changed = Signal(bool)
    speed_changed = Signal(float)
    range_changed = Signal()
    loop_range_changed = Signal()
    mode_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frame = 0
        self.n_frames = 0
        self.fps = 30.0
        self.speed = 1.0
        self.loop = False
        self.every_frame = False
        self.direction = 1
        self.loop_range: tuple[int, int] | None = None
        self.dropped = 0
        self.is_ready: Callable[[], bool] = lambda: True
        self.is_loaded: Callable[[int], bool] = lambda frame: True
        self._start_frame = 0
        self._played = 0
        self._since = QElapsedTimer()
        self._clock = QElapsedTimer()
        self._shown_at: deque[int] = deque()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def set_range(self, n_frames: int, fps: float) -> None:
        """Start anew on an axis of ``n_frames`` frames at ``fps`` frames per second."""
        self.pause()
        self.n_frames, self.fps, self.frame = n_frames, fps, 0
        self.set_loop_range(None)
        self.range_changed.emit()
        self.moved.emit(0)

    def set_loop_range(self, frames: tuple[int, int] | None) -> None:
        """Repeat only frames ``start`` to ``stop - 1`` while looping, or (None) all.

        What lies outside the axis is cut off; a range of fewer than two frames is none.
        """
        if frames is not None:
            start, stop = max(min(frames), 0), min(max(frames), self.n_frames)
            frames = (start, stop) if stop - start >= 2 else None
        if frames != self.loop_range:
            self.loop_range = frames
            self.loop_range_changed.emit()

    def set_frame(self, frame: int) -> None:
        """Go to a frame, clamped to the range; while playing, play goes on from there."""
        clamped = min(max(frame, 0), max(self.n_frames - 1, 0))
        if self.playing:
            self._time_from(clamped)
        self._move(clamped)

    def step(self, frames: int) -> None:
        """Pause and go ``frames`` forward (negative: back)."""
        self.pause()
        self.set_frame(self.frame + frames)

    def set_speed(self, speed: float) -> None:
        """Play at ``speed`` times real time."""
        self.speed = speed
        if self.playing:
            self._count_from_here()
        self.speed_changed.emit(speed)

    def set_every_frame(self, on: bool) -> None:
        """Show every frame however long it takes, or keep real time."""
        self.every_frame = on
        if self.playing:
            self._count_from_here()
        self.mode_changed.emit()

    def play(self, direction: int = 1) -> None:
        """Play from here, or from the other end when there is nothing left this way."""
        if self.n_frames < 2 or (self.playing and direction == self.direction):
            return
        self.direction = direction
        first, last = self._bounds()
        if not first <= self.frame <= last or self.frame == (last if direction > 0 else first):
            self._move(first if direction > 0 else last)
        self._count_from_here()
        self._timer.start()
        self.playing_changed.emit(True)

    def pause(self) -> None:
        """Stop at the current frame."""
        if self.playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def toggle(self, direction: int = 1) -> None:
        """Play this way if paused or playing the other way, else pause."""
        if self.playing and direction == self.direction:
            self.pause()
        else:
            self.play(direction)

    @property
    def reached(self) -> float:
        """How fast play goes, as a multiple of real time, averaged since it began."""
        seconds = self._since.elapsed() * 1e-3 if self.playing else 0.0
        return self._played / (seconds * self.fps) if seconds > 0 else self.speed

    @property
    def shown_fps(self) -> float:
        """Frames shown per second of play, over the last second; 0 while paused."""
        if not self.playing:
            return 0.0
        now = self._since.elapsed()
        while self._shown_at and now - self._shown_at[0] > _WINDOW_MS:
            self._shown_at.popleft()
        return len(self._shown_at) * 1000.0 / max(min(now, _WINDOW_MS), 1)

    @property
    def stride(self) -> int:
        """Frames from one shown frame to the next where play is as fast as the display."""
        if self.every_frame:
            return 1
        return max(1, math.ceil(self.fps * self.speed / _DISPLAY_HZ - 1e-9))

    def upcoming(self, count: int) -> list[int]:
        """The next frames of play at full speed, soonest first; fewer where it ends."""
        (first, last), frame, frames = self._bounds(), self.frame, []
        for _ in range(count):
            frame += self.direction * self.stride
            if not first <= frame <= last:
                if not self.loop:
                    break
                frame = first if self.direction > 0 else last
            frames.append(frame)
        return frames

    def _bounds(self) -> tuple[int, int]:
        """First and last frame that play goes through."""
        if self.loop and self.loop_range is not None:
            return self.loop_range[0], self.loop_range[1] - 1
        return 0, self.n_frames - 1

    def _time_from(self, frame: int) -> None:
        self._start_frame = frame
        self._clock.restart()

    def _count_from_here(self) -> None:
        self._played = self.dropped = 0
        self._shown_at.clear()
        self._since.restart()
        self._time_from(self.frame)

    def _tick(self) -> None:
        if not self.is_ready():
            return
        elapsed = int(self._clock.elapsed() * 1e-3 * self.fps * self.speed)
        gone = abs(self.frame - self._start_frame)
        due = elapsed - gone
        if due < self.stride:
            return
        most = steps = 1 if self.every_frame else min(due, self.stride + MAX_SKIPPED)
        while steps > self.stride and not self.is_loaded(self.frame + self.direction * steps):
            steps -= 1
        target = self.frame + self.direction * steps
        if due - most > (_MAX_LATE if self.every_frame else 0):
            self._time_from(target)
        self._played += steps
        self.dropped += max(0, steps - self.stride)
        self._shown_at.append(self._since.elapsed())
        first, last = self._bounds()
        if first <= target <= last:
            self._move(target)
        elif self.loop:
            start = first if self.direction > 0 else last
            self._time_from(start)
            self._move(start)
        else:
            self._move(last if self.direction > 0 else first)
            self.pause()

    def _move(self, frame: int) -> None:
        if frame != self.frame:
            self.frame = frame
            self.moved.emit(frame)
