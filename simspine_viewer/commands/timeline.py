"""The time axis: zoom, the selected range, markers and notes, lanes and curves."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from pipeline.data import range_edits
from pipeline.data.edits import Patches
from pipeline.data.history import Place
from pipeline.data.sequence import Sequence
from pipeline.quality.signals import next_frame_where
from simspine_viewer import dialogs
from simspine_viewer import lanes as lane_list
from simspine_viewer.commands.command import (
    Command,
    State,
    always,
    has_keypoint,
    is_open,
    several_frames,
)
from simspine_viewer.lanes import LANES, Lane
from simspine_viewer.note_editor import NoteEditor

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

RangeEdit = Callable[[Sequence, int, NDArray[np.intp], Items[int], int], Patches]

ZOOM = 1.6  # per command; the wheel is finer
PAGE = 0.8  # of the visible part
TALLER = 6.0  # pixels
CHOSEN_LANE = "Chosen Lane"  # a submenu


def has_range(state: State) -> bool:
    """A range of frames is selected."""
    return state.is_open and state.has_range


def range_and_keypoint(state: State) -> bool:
    """A range of frames and a keypoint are selected."""
    return has_range(state) and state.has_keypoint


def has_markers(state: State) -> bool:
    """There are markers."""
    return state.is_open and state.n_markers > 0


def zoom(window: MainWindow, factor: float) -> None:
    """Zoom at the cursor."""
    window.aids.view.zoom(factor, window.time.frame + 0.5)


def zoom_to_range(window: MainWindow) -> None:
    """Show the selected frames over the whole width."""
    chosen = window.frame_range
    window.aids.view.show(chosen.start, len(chosen))


def page(window: MainWindow, direction: int) -> None:
    """See what lies before or after what is visible."""
    window.aids.view.pan(direction * PAGE * window.aids.view.span)


def edit_range(window: MainWindow, verb: str, edit: RangeEdit) -> None:
    """Do something to the selected keypoint in the active view over the range, as one step."""
    document, chosen = window.document, window.frame_range
    keypoint, view = window.selection.keypoint, window.selection.view
    if not window.editor.may_change(keypoint):
        return
    sequence = document.sequence
    name = sequence.info.skeleton.keypoints[keypoint].marker
    where = f"{name} in {sequence.cameras[view].name}, frames {chosen.start} to {chosen.stop - 1}"
    patches = edit(sequence, document.person, chosen.frames, [view], keypoint)
    if not patches:
        window.say(f"Nothing to change for {where}.")
        return
    place = Place(chosen.start, view, keypoint, document.person)
    document.commit(f"{verb} {where}", patches, place)


def edit_note(window: MainWindow, frame: int | None = None) -> None:
    """Write the note of a frame (the current one by default) in a small window."""
    at = window.time.frame if frame is None else frame
    for editor in window.findChildren(NoteEditor):
        if editor.isVisible() and editor.frame == at:
            editor.activateWindow()
            return
    editor = NoteEditor(window.aids.markers, at, window)
    editor.cut.connect(lambda: window.say("The note was too long; its end was left out."))
    editor.show()
    editor.activateWindow()
    editor.text.setFocus()


def go_marker(window: MainWindow, direction: int) -> None:
    """To the next marked frame."""
    frame = window.aids.markers.next_from(window.time.frame, direction)
    if frame is None:
        window.say(f"No {'later' if direction > 0 else 'earlier'} marker.")
        return
    window.time.pause()
    window.time.set_frame(frame)


def copy_markers(window: MainWindow) -> None:
    """Put all markers on the clipboard as a table."""
    QGuiApplication.clipboard().setText(window.aids.markers.table(window.time.fps))
    n = len(window.aids.markers.all)
    window.say(f"{n} marker{'s' if n != 1 else ''} copied as a table.")


def go_lane(window: MainWindow, direction: int) -> None:
    """To the next frame that is suspicious in the chosen lane."""
    lane, store = window.timeline.active_lane(), window.aids.lanes
    if lane.id == "markers":
        go_marker(window, direction)
        return
    threshold, _ = lane_list.limits(lane, window.settings)
    beyond = store.beyond(lane.id, threshold)
    frame = next_frame_where(beyond, window.time.frame, direction)
    if frame is None:
        rest = "" if store.complete else " so far; the rest is still being computed"
        side = "later" if direction > 0 else "earlier"
        window.say(f"No {side} frame stands out in the lane {lane.title}{rest}.")
        return
    window.time.pause()
    window.time.set_frame(frame)


def step_lane(window: MainWindow, direction: int) -> None:
    """Let commands act on the next lane."""
    timeline = window.timeline
    ids = [lane.id for lane in timeline.lanes()]
    timeline.choose_lane((ids.index(timeline.active) + direction) % len(ids))
    window.say(f"Lane {timeline.active_lane().title}: {timeline.active_lane().help}")


def move_lane(window: MainWindow, direction: int) -> None:
    """Move the chosen lane up or down."""
    timeline = window.timeline
    row = [lane.id for lane in timeline.lanes()].index(timeline.active)
    if 0 <= row + direction < len(timeline.lanes()):
        timeline.move_lane(row, row + direction)
        window.settings.save()


def toggle_lane(window: MainWindow, lane: Lane) -> None:
    """Show a lane or hide it; the last one stays."""
    window.timeline.set_lanes(lane_list.toggled(window.timeline.lanes(), lane))
    window.settings.save()


def change_height(window: MainWindow, pixels: float) -> None:
    """Make all lanes higher or lower."""
    window.timeline.set_lane_height(window.settings.lane_height + pixels)
    window.settings.save()


def toggle_seconds(window: MainWindow) -> None:
    """Write seconds on the ruler, or frames."""
    window.settings.time_in_seconds = not window.settings.time_in_seconds
    window.settings.save()
    window.timeline.update()


def ask_save_curves(window: MainWindow) -> None:
    """Ask where the curves go, then write them."""
    project = window.document.project
    if project is None:
        return
    proposed = project.path.with_name(f"{project.path.stem}_curves.csv")
    path = dialogs.ask_new_file(window, "Save the curves as", proposed, "CSV files (*.csv)")
    if path is not None:
        window.guarded(lambda: save_curves(window, path))


def save_curves(window: MainWindow, path: Path) -> None:
    """Write the curves and say so."""
    start, stop = window.curves.frames()
    window.curves.save_csv(path)
    window.say(f"Curves of frames {start} to {stop - 1} written to {path.name}.")


def copy_curves(window: MainWindow) -> None:
    """Put a picture of the curves on the clipboard; shows them first."""
    window.show_panel("curves")
    window.curves.copy_picture()
    window.say("A picture of the curves is on the clipboard.")


def toggle_panel(window: MainWindow, name: str) -> None:
    """Show a panel in front, or hide it."""
    dock = window.docks[name]
    if dock.isVisible() and not dock.visibleRegion().isEmpty():
        dock.hide()
    else:
        window.show_panel(name)


def context_menu(window: MainWindow, position: QPoint) -> None:
    """What can be done with the timeline, where the right button was pressed."""
    menu = QMenu(window)
    chosen = QMenu(CHOSEN_LANE, menu)
    for command in COMMANDS:
        target = {"Lanes": menu, CHOSEN_LANE: chosen}.get(command.group)
        if target is not None:
            target.addAction(window.table.actions[command.id])
    menu.addSeparator()
    menu.addMenu(chosen)
    for name in _ALSO_IN_CONTEXT:
        menu.addAction(window.table.actions[name])
    window.table.refresh()
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(position)


def _lane_command(lane: Lane) -> Command:
    return Command(
        f"lane-{lane.id}", "Timeline", lane.title, lane.help,
        lambda w: toggle_lane(w, lane), (), always,
        lambda w: lane in w.timeline.lanes(), group="Lanes",
    )  # fmt: skip


_ALSO_IN_CONTEXT = (
    "time-seconds", "time-zoom-range",
    "time-whole", "range-clear", "curves-panel",
)  # fmt: skip

COMMANDS: tuple[Command, ...] = (
    Command("time-zoom-in", "Timeline", "Zoom In on the Timeline", "Less time, seen closer.",
            lambda w: zoom(w, ZOOM), ("Ctrl++", "Ctrl+="), several_frames, group="Zoom"),
    Command("time-zoom-out", "Timeline", "Zoom Out on the Timeline", "More time at once.",
            lambda w: zoom(w, 1 / ZOOM), ("Ctrl+-",), several_frames, group="Zoom"),
    Command("time-zoom-range", "Timeline", "Zoom to Range", "The selected frames, all the width.",
            zoom_to_range, ("Ctrl+9",), has_range, group="Zoom"),
    Command("time-whole", "Timeline", "Whole Recording", "All frames at once.",
            lambda w: w.aids.view.show_all(), ("Ctrl+0",), several_frames, group="Zoom"),
    Command("time-page-back", "Timeline", "Page Back", "What lies before what is visible.",
            lambda w: page(w, -1), ("PgUp",), several_frames, group="Zoom"),
    Command("time-page-on", "Timeline", "Page On", "What comes after what is visible.",
            lambda w: page(w, 1), ("PgDown",), several_frames, group="Zoom"),
    Command("time-seconds", "Timeline", "Ruler in Seconds", "Seconds on the ruler, or frames.",
            toggle_seconds, (), several_frames, lambda w: w.settings.time_in_seconds,
            after_separator=True, group="Zoom"),
    *(_lane_command(lane) for lane in LANES),
    Command("lane-next", "Timeline", "Choose Next Lane",
            "The lane whose suspicious frames are gone to; it is marked with a bar.",
            lambda w: step_lane(w, 1), ("Ctrl+Shift+L",), several_frames, group=CHOSEN_LANE),
    Command("lane-go-next", "Timeline", "Next Frame that Stands Out",
            "The next frame beyond the threshold of the chosen lane.",
            lambda w: go_lane(w, 1), ("G",), several_frames, group=CHOSEN_LANE),
    Command("lane-go-previous", "Timeline", "Previous Frame that Stands Out",
            "The previous frame beyond the threshold of the chosen lane.",
            lambda w: go_lane(w, -1), ("Shift+G",), several_frames, group=CHOSEN_LANE),
    Command("lane-up", "Timeline", "Move Lane Up", "The chosen lane, one row up.",
            lambda w: move_lane(w, -1), ("Ctrl+Shift+Up",), always, group=CHOSEN_LANE,
            after_separator=True),
    Command("lane-down", "Timeline", "Move Lane Down", "The chosen lane, one row down.",
            lambda w: move_lane(w, 1), ("Ctrl+Shift+Down",), always, group=CHOSEN_LANE),
    Command("lane-higher", "Timeline", "Higher Lanes", "More room for every lane.",
            lambda w: change_height(w, TALLER), (), always, group=CHOSEN_LANE,
            after_separator=True),
    Command("lane-lower", "Timeline", "Lower Lanes", "Less room for every lane.",
            lambda w: change_height(w, -TALLER), (), always, group=CHOSEN_LANE),
    Command("range-start", "Timeline", "Range Starts Here",
            "The current frame is the first of the range. Shift and dragging selects one, too.",
            lambda w: w.frame_range.set_first(w.time.frame), ("Ctrl+[",), several_frames,
            group="Range", after_separator=True),
    Command("range-end", "Timeline", "Range Ends Here",
            "The current frame is the last of the range.",
            lambda w: w.frame_range.set_last(w.time.frame), ("Ctrl+]",), several_frames,
            group="Range"),
    Command("range-clear", "Timeline", "Clear Range",
            "Select no range. Escape does so where nothing else needs it.",
            lambda w: w.frame_range.clear(), ("Ctrl+Shift+\\",), has_range, group="Range"),
    Command("range-revert", "Timeline", "Revert Range to Detections",
            "Take back what was done to the keypoint in this view, in all selected frames.",
            lambda w: edit_range(w, "Revert", range_edits.revert_range), ("Ctrl+R",),
            range_and_keypoint, group="Range", after_separator=True),
    Command("range-occlude", "Timeline", "Mark Occluded in Range",
            "The keypoint is hidden in this view in all selected frames.",
            lambda w: edit_range(w, "Mark occluded", range_edits.occlude_range),
            ("Ctrl+Shift+X",), range_and_keypoint, group="Range"),
    Command("range-delete", "Timeline", "Delete in Range",
            "Remove the keypoint in this view in all selected frames.",
            lambda w: edit_range(w, "Delete", range_edits.delete_range), ("Ctrl+Del",),
            range_and_keypoint, group="Range"),
    Command("marker", "Timeline", "Marker Here",
            "Mark the current frame, or take its marker and note away.",
            lambda w: w.aids.markers.toggle(w.time.frame), ("M",), is_open,
            lambda w: w.time.frame in w.aids.markers.all, after_separator=True),
    Command("note", "Timeline", "Note…", "Write a note on the current frame, with a marker.",
            edit_note, ("Shift+M",)),
    Command("next-marker", "Timeline", "Next Marker", "To the next marked frame.",
            lambda w: go_marker(w, 1), ("Ctrl+M",), has_markers, group="Markers"),
    Command("previous-marker", "Timeline", "Previous Marker", "To the previous marked frame.",
            lambda w: go_marker(w, -1), ("Ctrl+Shift+M",), has_markers, group="Markers"),
    Command("copy-markers", "Timeline", "Copy Markers as Table",
            "Frame, time, colour and note of every marker, for a spreadsheet.",
            copy_markers, (), has_markers, group="Markers"),
    Command("markers-panel", "Timeline", "Markers Panel", "The list of all markers.",
            lambda w: toggle_panel(w, "markers"), (), always, group="Markers"),
    Command("curves-panel", "Timeline", "Curves Panel",
            "Positions, speed and residual of keypoints over time, as curves.",
            lambda w: toggle_panel(w, "curves"), ("Ctrl+U",), always, after_separator=True,
            group="Curves"),
    Command("curves-save", "Timeline", "Save Curves as CSV…",
            "Write the curves of the selected range, or of what is visible.",
            ask_save_curves, (), has_keypoint, group="Curves"),
    Command("curves-copy", "Timeline", "Copy Picture of Curves",
            "Put a picture of the curves on the clipboard.", copy_curves, (), is_open,
            group="Curves"),
)  # fmt: skip
