"""Which part of the recording the timeline shows, and where each frame lies in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

# A closer look than eight frames over the whole width shows nothing more.
LEAST_SPAN = 8.0


class TimeView(QObject):
    """The visible part of the time axis: ``span`` frames from ``first`` on, both may be broken.

    Shared by the timeline and the curves, so that both show the same stretch of time.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.n_frames = 0
        self.first = 0.0
        self.span = 1.0

    @property
    def whole(self) -> bool:
        """True while all of the recording is visible."""
        return self.span >= max(self.n_frames, 1)

    @property
    def start(self) -> int:
        """First frame that is visible, if only in part."""
        return int(self.first)

    @property
    def stop(self) -> int:
        """One past the last frame that is visible, if only in part."""
        return min(-int(-(self.first + self.span) // 1), self.n_frames)

    def set_axis(self, n_frames: int) -> None:
        """Show all of an axis of ``n_frames`` frames."""
        self.n_frames = n_frames
        self.first, self.span = 0.0, float(max(n_frames, 1))
        self.changed.emit()

    def show(self, first: float, span: float) -> None:
        """Show ``span`` frames from ``first`` on, moved and widened to lie in the recording."""
        whole = float(max(self.n_frames, 1))
        span = min(max(span, min(LEAST_SPAN, whole)), whole)
        first = min(max(first, 0.0), whole - span)
        if (first, span) != (self.first, self.span):
            self.first, self.span = first, span
            self.changed.emit()

    def show_all(self) -> None:
        """Show the whole recording."""
        self.show(0.0, float(self.n_frames))

    def zoom(self, factor: float, anchor: float) -> None:
        """See ``factor`` times more detail; what lies at ``anchor`` (frames) stays there."""
        span = self.span / factor
        whole = float(max(self.n_frames, 1))
        span = min(max(span, min(LEAST_SPAN, whole)), whole)
        self.show(anchor - (anchor - self.first) * span / self.span, span)

    def pan(self, frames: float) -> None:
        """Move on by ``frames`` (negative: back)."""
        self.show(self.first + frames, self.span)

    def keep_visible(self, frame: int, *, page: bool = False) -> None:
        """Bring a frame into view: by pages while playing, else just far enough to be clear."""
        if self.whole or (self.first <= frame and frame + 1 <= self.first + self.span):
            return
        if page:
            ahead = frame >= self.first
            self.show(frame - (0.05 if ahead else 0.95) * self.span, self.span)
            return
        margin = min(0.1 * self.span, 20.0)
        if frame < self.first:
            self.show(frame - margin, self.span)
        else:
            self.show(frame + 1 + margin - self.span, self.span)


@dataclass(frozen=True, slots=True)
class Axis:
    """Visible frames laid over ``width`` pixels from ``left`` on."""

    left: float
    width: float
    first: float
    span: float

    @property
    def step(self) -> float:
        """Pixels per frame."""
        return self.width / self.span

    def position_at(self, x: float) -> float:
        """Place on the time axis under a pixel; frame i reaches from i to i + 1."""
        return self.first + (x - self.left) / self.step

    def edge(self, frame: float) -> float:
        """Pixel at which a frame begins."""
        return self.left + (frame - self.first) * self.step

    def centre(self, frame: int) -> float:
        """Pixel of the middle of a frame."""
        return self.edge(frame + 0.5)


def frame_spacing(step: float, apart: float) -> int:
    """Frames between two labels that are to be ``apart`` pixels away: 1, 2 or 5 times a ten."""
    return next(size for size in _one_two_five() if size * step >= apart)


def second_spacing(step: float, fps: float, apart: float) -> float:
    """Seconds between two labels that are to be ``apart`` pixels away."""
    finest = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
    for size in finest:
        if size * fps * step >= apart:
            return size
    return 60.0 * next(size for size in _one_two_five() if 60.0 * size * fps * step >= apart)


def time_text(seconds: float, spacing: float) -> str:
    """A time as written on the ruler, as fine as the labels are apart: “1:02.5”, “12.25 s”."""
    digits = 0 if spacing >= 1 else 1 if spacing >= 0.1 else 2 if spacing >= 0.01 else 3
    minutes = int(round(seconds, 3) // 60)
    if minutes:
        rest = abs(round(seconds - 60 * minutes, 3))  # not -0.0
        return f"{minutes}:{rest:0{3 + digits if digits else 2}.{digits}f}"
    return f"{seconds:.{digits}f} s"


def _one_two_five() -> Iterator[int]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10
