"""Selecting and editing keypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.source import Flag
from simspine_viewer.commands.command import Command, State, has_keypoint, several_views

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def step_keypoint(window: MainWindow, direction: int) -> None:
    """Select the next keypoint."""
    n = window.document.sequence.n_keypoints
    current = window.selection.keypoint
    if current < 0:
        current = -1 if direction > 0 else 0
    window.selection.set(keypoint=(current + direction) % n)


def step_view(window: MainWindow, direction: int) -> None:
    """Work in the next view."""
    n_views = window.document.sequence.n_views
    window.selection.set(view=(window.selection.view + direction) % n_views)


def swap_sides(window: MainWindow) -> None:
    """Exchange left and right of the keypoint's limb in the active view.

    In the selected range of frames where that holds the cursor, else in this frame.
    """
    from pipeline.geometry.swaps import CHAINS, chain_pairs  # loads SciPy: not at start

    skeleton, keypoint = window.document.sequence.info.skeleton, window.selection.keypoint
    limbs = ""
    pairs: tuple[tuple[int, int], ...] = ()
    for chain in CHAINS:
        found = chain_pairs(skeleton, chain)
        if any(keypoint in pair for pair in found):
            limbs, pairs = chain, found
    if not pairs:
        window.say("Swapping is for points of arms and legs.")
        return
    frame, chosen = window.time.frame, window.frame_range
    in_range = bool(chosen) and chosen.start <= frame < chosen.stop
    frames = np.asarray(chosen.frames if in_range else [frame], np.intp)
    window.editor.swap_sides(frames, window.selection.view, pairs, limbs)


def suggest_swaps(window: MainWindow) -> None:
    """Open the list of suggested swaps, or bring it forward."""
    from simspine_viewer.swap_dialog import SwapDialog  # not at start

    for dialog in window.findChildren(SwapDialog):
        if dialog.isVisible():
            dialog.activateWindow()
            return
    SwapDialog(window.editor, window.jobs, window).show()


def track_point(window: MainWindow, direction: int) -> None:
    """Follow the selected keypoint through the video of the active view."""
    from simspine_viewer.point_tracker import PointTracker  # not at start

    tracker = window.findChild(PointTracker)
    if tracker is None:
        tracker = PointTracker(window.editor, window.frame_range, window.jobs, window.say, window)
    tracker.start(direction)


def keypoint_and_video(state: State) -> bool:
    """A keypoint is selected and there is a video."""
    return has_keypoint(state) and state.has_video and state.n_frames > 1


def three_views(state: State) -> bool:
    """A recording with three views or more is open."""
    return state.is_open and state.n_views >= 3


def _is_marked(window: MainWindow, flag: Flag) -> bool:
    keypoint, document = window.selection.keypoint, window.document
    if not document.is_open or keypoint < 0:
        return False
    return bool(document.points_at(window.time.frame).flags[window.selection.view, keypoint] & flag)


COMMANDS: tuple[Command, ...] = (
    Command("next-keypoint", "Points", "Next Keypoint", "Select the next keypoint.",
            lambda w: step_keypoint(w, 1), ("Down",), group="Select"),
    Command("previous-keypoint", "Points", "Previous Keypoint", "Select the previous keypoint.",
            lambda w: step_keypoint(w, -1), ("Up",), group="Select"),
    Command("next-view", "Points", "Next View", "Work in the next view.",
            lambda w: step_view(w, 1), ("V",), several_views, group="Select"),
    Command("place", "Points", "Place by Clicking",
            "A click puts the selected keypoint into a picture.",
            lambda w: w.editor.set_placing(not w.editor.placing), ("P",), has_keypoint,
            lambda w: w.editor.placing, after_separator=True, tool="Place"),
    Command("occluded", "Points", "Occluded", "The keypoint is hidden in this view.",
            lambda w: w.editor.toggle(Flag.OCCLUDED), ("O",), has_keypoint,
            lambda w: _is_marked(w, Flag.OCCLUDED)),
    Command("absent", "Points", "Absent", "The keypoint is not in this picture.",
            lambda w: w.editor.toggle(Flag.ABSENT), ("X",), has_keypoint,
            lambda w: _is_marked(w, Flag.ABSENT)),
    Command("nudge-left", "Points", "Nudge Left", "Move the keypoint one pixel to the left.",
            lambda w: w.editor.nudge(-1, 0), ("Alt+Left",), has_keypoint, group="Move"),
    Command("nudge-right", "Points", "Nudge Right", "Move the keypoint one pixel to the right.",
            lambda w: w.editor.nudge(1, 0), ("Alt+Right",), has_keypoint, group="Move"),
    Command("nudge-up", "Points", "Nudge Up", "Move the keypoint one pixel up.",
            lambda w: w.editor.nudge(0, -1), ("Alt+Up",), has_keypoint, group="Move"),
    Command("nudge-down", "Points", "Nudge Down", "Move the keypoint one pixel down.",
            lambda w: w.editor.nudge(0, 1), ("Alt+Down",), has_keypoint, group="Move"),
    Command("track-forward", "Points", "Track Forward in the Video",
            "Place the keypoint in the active view in the frames that follow, by what it looks "
            "like, up to the end of the range.",
            lambda w: track_point(w, 1), ("A",), keypoint_and_video, after_separator=True,
            group="Move"),
    Command("track-back", "Points", "Track Back in the Video",
            "Place the keypoint in the active view in the frames before, by what it looks like, "
            "up to the start of the range.",
            lambda w: track_point(w, -1), ("Shift+A",), keypoint_and_video, group="Move"),
    Command("delete", "Points", "Delete in This View", "Remove the keypoint in the active view.",
            lambda w: w.editor.delete(), ("Del", "Backspace"), has_keypoint, after_separator=True),
    Command("revert", "Points", "Revert to Detection", "Take back what was done in this view.",
            lambda w: w.editor.revert(), ("R",), has_keypoint),
    Command("delete-all", "Points", "Delete in All Views", "Remove the keypoint in every view.",
            lambda w: w.editor.delete(all_views=True), ("Shift+Del",), has_keypoint,
            group="In All Views"),
    Command("revert-all", "Points", "Revert in All Views",
            "Take back what was done in every view and in 3D.",
            lambda w: w.editor.revert(all_views=True), ("Shift+R",), has_keypoint,
            group="In All Views"),
    Command("swap-sides", "Points", "Swap Left and Right",
            "Exchange left and right of this arm or leg in the active view, in the selected range.",
            swap_sides, ("W",), has_keypoint, after_separator=True),
    Command("suggest-swaps", "Points", "Suggest Left/Right Swaps…",
            "List where left and right seem to be mixed up.", suggest_swaps, ("Shift+W",),
            three_views),
)  # fmt: skip
