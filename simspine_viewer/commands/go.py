"""Moving through time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.derived import next_frame_without
from pipeline.quality.signals import next_frame_where
from simspine_viewer import dialogs
from simspine_viewer.commands.command import Command, has_keypoint, several_frames
from simspine_viewer.palette import LOW_SCORE
from simspine_viewer.time_cursor import SPEEDS

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

FURTHER, TO_CHECK = "Further", "Frames to Check"  # submenus


def change_speed(window: MainWindow, direction: int) -> None:
    """To the next speed up or down."""
    nearest = int(np.argmin([abs(speed - window.time.speed) for speed in SPEEDS]))
    window.time.set_speed(SPEEDS[min(max(nearest + direction, 0), len(SPEEDS) - 1)])


def toggle_loop(window: MainWindow) -> None:
    """Start again at the end, or stop there."""
    window.time.loop = not window.time.loop


def toggle_every_frame(window: MainWindow) -> None:
    """Show every frame however long it takes, or keep real time."""
    window.time.set_every_frame(not window.time.every_frame)


def _speed_command(speed: float) -> Command:
    """Play at a speed, by its own entry."""
    what = "as fast as it was recorded" if speed == 1 else f"at {speed:g} times real time"
    return Command(
        f"speed-{speed:g}", "Go", f"{speed:g}×", f"Play {what}.",
        lambda w: w.time.set_speed(speed), (), several_frames,
        lambda w: w.time.speed == speed, group="Speed", after_separator=speed == SPEEDS[0],
    )  # fmt: skip


def ask_frame(window: MainWindow) -> None:
    """Ask for a frame and go there."""
    frame = dialogs.ask_frame(window, window.time)
    if frame is not None:
        window.time.set_frame(frame)


def go_error(window: MainWindow, direction: int) -> None:
    """To the next frame above the threshold, selecting the worst keypoint there."""
    signals = window.timeline.signals
    if signals is None:
        return
    over = np.nan_to_num(signals.residual) > window.settings.error_threshold
    if _go_where(window, over, direction, "is above the error threshold"):
        points = window.document.points_at(window.time.frame)
        keypoint = int(np.argmax(np.nan_to_num(points.rms)))
        counted = np.where(points.score >= LOW_SCORE, points.residual, 0.0)[:, keypoint]
        window.selection.set(keypoint=keypoint, view=int(np.argmax(np.nan_to_num(counted))))


def go_missing(window: MainWindow, direction: int) -> None:
    """To the next frame in which the selected keypoint has no 3D position."""
    sequence, person, here = window.document.sequence, window.document.person, window.time.frame
    frame = next_frame_without(sequence, person, window.selection.keypoint, here, direction)
    stale = sequence.stamps.stale("points3d", person)
    ahead = stale[here + 1 :] if direction > 0 else stale[:here]
    _go_to(window, frame, direction, "lacks the keypoint", known=not ahead.any())


def go_edited(window: MainWindow, direction: int) -> None:
    """To the next frame that somebody worked on."""
    signals = window.timeline.signals
    if signals is not None:
        _go_where(window, signals.edited > 0, direction, "has been edited")


def _go_where(window: MainWindow, condition: NDArray[np.bool_], direction: int, what: str) -> bool:
    frame = next_frame_where(condition, window.time.frame, direction)
    return _go_to(window, frame, direction, what, known=window.aids.lanes.complete)


def _go_to(window: MainWindow, frame: int | None, direction: int, what: str, known: bool) -> bool:
    if frame is None:
        rest = "" if known else " so far; the rest is still being computed"
        window.say(f"No {'later' if direction > 0 else 'earlier'} frame {what}{rest}.")
        return False
    window.time.pause()
    window.time.set_frame(frame)
    return True


COMMANDS: tuple[Command, ...] = (
    Command("play", "Go", "Play / Pause", "Play in real time, or stop here.",
            lambda w: w.time.toggle(), ("Space",), several_frames,
            lambda w: w.time.playing and w.time.direction > 0, tool="Play"),
    Command("play-backwards", "Go", "Play Backwards", "Play towards the start, or stop here.",
            lambda w: w.time.toggle(-1), ("Shift+Space",), several_frames,
            lambda w: w.time.playing and w.time.direction < 0),
    Command("loop", "Go", "Loop", "Start again at the end, of the selected range if there is one.",
            toggle_loop, ("L",), several_frames, lambda w: w.time.loop),
    Command("every-frame", "Go", "Play Every Frame",
            "Show each frame, slower if need be; otherwise frames are passed over to keep time.",
            toggle_every_frame, ("Ctrl+Shift+Space",), several_frames,
            lambda w: w.time.every_frame),
    Command("slower", "Go", "Slower", "Play slower.", lambda w: change_speed(w, -1), ("[",),
            several_frames, group="Speed"),
    Command("faster", "Go", "Faster", "Play faster.", lambda w: change_speed(w, 1), ("]",),
            several_frames, group="Speed"),
    *(_speed_command(speed) for speed in SPEEDS),
    Command("next", "Go", "Next Frame", "One frame forward.", lambda w: w.time.step(1),
            ("Right",), several_frames, after_separator=True),
    Command("previous", "Go", "Previous Frame", "One frame back.", lambda w: w.time.step(-1),
            ("Left",), several_frames),
    Command("next-10", "Go", "10 Frames Forward", "Ten frames forward.",
            lambda w: w.time.step(10), ("Shift+Right",), several_frames, group=FURTHER),
    Command("previous-10", "Go", "10 Frames Back", "Ten frames back.",
            lambda w: w.time.step(-10), ("Shift+Left",), several_frames, group=FURTHER),
    Command("first", "Go", "First Frame", "Go to the start.",
            lambda w: w.time.set_frame(0), ("Home",), several_frames, after_separator=True,
            group=FURTHER),
    Command("last", "Go", "Last Frame", "Go to the end.",
            lambda w: w.time.set_frame(w.time.n_frames - 1), ("End",), several_frames,
            group=FURTHER),
    Command("go-to", "Go", "Go to Frame…", "Go to a frame by its number.",
            ask_frame, ("Ctrl+G", "Ctrl+J"), several_frames),
    Command("next-error", "Go", "Next Frame above the Threshold",
            "The next frame with a residual above the error threshold.",
            lambda w: go_error(w, 1), ("J", "4"), several_frames, after_separator=True,
            group=TO_CHECK),
    Command("previous-error", "Go", "Previous Frame above the Threshold",
            "The previous frame with a residual above the error threshold.",
            lambda w: go_error(w, -1), ("Shift+J", "Ctrl+Shift+4"), several_frames,
            group=TO_CHECK),
    Command("next-missing", "Go", "Next Frame without the Keypoint",
            "The next frame in which the selected keypoint has no 3D position.",
            lambda w: go_missing(w, 1), ("7",), has_keypoint, after_separator=True,
            group=TO_CHECK),
    Command("previous-missing", "Go", "Previous Frame without the Keypoint",
            "The previous frame in which the selected keypoint has no 3D position.",
            lambda w: go_missing(w, -1), ("Ctrl+7",), has_keypoint, group=TO_CHECK),
    Command("next-edited", "Go", "Next Edited Frame", "The next frame that somebody worked on.",
            lambda w: go_edited(w, 1), (".",), several_frames, after_separator=True,
            group=TO_CHECK),
    Command("previous-edited", "Go", "Previous Edited Frame",
            "The previous frame that somebody worked on.",
            lambda w: go_edited(w, -1), (",",), several_frames, group=TO_CHECK),
)  # fmt: skip
