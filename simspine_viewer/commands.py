"""What each command does: asks where it must, then acts on the window's state."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.errors import UserError
from pipeline.data.source import Flag
from pipeline.quality.signals import next_frame_where
from simspine_viewer import dialogs
from simspine_viewer.actions import State
from simspine_viewer.opener import Opener
from simspine_viewer.palette import LOW_SCORE
from simspine_viewer.theme import apply_theme, theme_for
from simspine_viewer.time_cursor import SPEEDS, TimeCursor

if TYPE_CHECKING:
    from simspine_viewer.document import Document
    from simspine_viewer.editor import Editor
    from simspine_viewer.job_manager import JobManager
    from simspine_viewer.main_window import MainWindow
    from simspine_viewer.selection import Selection
    from simspine_viewer.settings import Settings

log = logging.getLogger(__name__)


class Commands:
    """The verbs behind the action table. Each is a method without arguments, or nearly so."""

    window: MainWindow
    document: Document
    cursor: TimeCursor
    selection: Selection
    editor: Editor
    jobs: JobManager
    settings: Settings
    overlay_hidden: bool

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.document = window.document
        self.cursor = window.time
        self.selection = window.selection
        self.editor = window.editor
        self.jobs = window.jobs
        self.settings = window.settings
        self.overlay_hidden = False
        self.opener = Opener(window)

    def guarded(self, action: Callable[[Commands], None]) -> None:
        """Run a command; what the user can understand is said in one sentence."""
        try:
            action(self)
        except UserError as error:
            log.warning("%s", error)
            self.window.say_error(str(error))

    def state(self) -> State:
        """The state on which the availability of commands depends."""
        document = self.document
        if not document.is_open:
            return State(job_running=bool(self.jobs.running))
        return State(
            is_open=True,
            can_undo=document.history.can_undo,
            can_redo=document.history.can_redo,
            has_keypoint=self.selection.keypoint >= 0,
            has_video=any(video.path for video in document.sequence.info.videos),
            n_frames=document.sequence.n_frames,
            n_views=document.sequence.n_views,
            n_people=len(document.tracks()),
            job_running=bool(self.jobs.running),
        )

    def step_label(self, kind: str) -> str:
        """What undo or redo would do next, for its menu entry."""
        if not self.document.is_open:
            return ""
        history = self.document.history
        if kind == "undo":
            return history.entries[history.position - 1].label if history.can_undo else ""
        return history.entries[history.position].label if history.can_redo else ""

    # File

    def ask_open_folder(self) -> None:
        path = dialogs.ask_folder(self.window, self.settings)
        if path is not None:
            self.opener.open(path)

    def ask_open_project(self) -> None:
        path = dialogs.ask_project(self.window, self.settings)
        if path is not None:
            self.opener.open(path)

    def open_demo(self) -> None:
        self.opener.open_demo()

    def confirm_saved(self) -> None:
        project = self.document.project
        if project is not None:
            self.window.say(f"All edits are saved in {project.path.name}.")

    def ask_save_as(self) -> None:
        project = self.document.project
        path = dialogs.ask_save_as(self.window, project.path) if project else None
        if project is not None and path is not None:
            project.save_as(path)
            self.window.planner.try_again()
            self.settings.remember(path)
            self.window.refresh_title()
            self.window.say(f"The project is now {path.name}.")

    def ask_export(self) -> None:
        project = self.document.project
        if project is None:
            return
        choice = dialogs.ask_export(self.window, project.path, self.document.person + 1)
        if choice is not None:
            self.export(choice)

    def export(self, choice: dialogs.ExportChoice) -> None:
        """Write an export in the background; the old file stays until the new one is complete."""
        project = self.document.project
        if project is None:
            return
        args = {
            "project": str(project.path),
            "track": self.document.person,
            "format": choice.format,
            "out": str(choice.path),
        }
        revision = self.document.sequence.revision
        self.jobs.submit("export", f"Export {choice.path.name}", args, revision)
        self.window.say(f"Writing {choice.path.name} in the background; see Jobs.")

    def close_recording(self) -> None:
        self.window.remember_position()
        self.document.close()

    def quit(self) -> None:
        self.window.close()

    # Edit

    def undo(self) -> None:
        self.document.undo()

    def redo(self) -> None:
        self.document.redo()

    def ask_threshold(self) -> None:
        value = dialogs.ask_number(
            self.window, "Error Threshold", "Residual above which a point is suspicious (px):",
            self.settings.error_threshold, (1.0, 500.0),
        )  # fmt: skip
        if value is not None:
            self.settings.error_threshold = value
            self.settings.save()
            self.window.timeline.update()
            self.window.inspector.refresh()

    def ask_author(self) -> None:
        name = dialogs.ask_text(
            self.window, "Annotator Name", "Name written with your edits:", self.settings.author
        )
        if name:
            self.settings.author = name
            self.settings.save()
            if self.document.project is not None:
                self.document.project.author = name

    # View

    def fit(self) -> None:
        self.window.grid.fit_all()

    def zoom(self, factor: float) -> None:
        self.window.grid.panes[self.selection.view].zoom(factor)

    def enlarge(self) -> None:
        self.window.grid.enlarge(self.selection.view)

    def toggle_epipolar(self) -> None:
        self.settings.show_epipolar = not self.settings.show_epipolar
        self.settings.save()
        self.window.grid.set_epipolar(self.settings.show_epipolar)

    def toggle_names(self) -> None:
        self.settings.show_names = not self.settings.show_names
        self.settings.save()
        self.window.grid.set_names(self.settings.show_names)

    def toggle_overlay(self) -> None:
        self.overlay_hidden = not self.overlay_hidden
        self.window.grid.set_overlay_visible(not self.overlay_hidden)

    def set_theme(self, choice: str) -> None:
        self.settings.theme = choice
        self.settings.save()
        theme = theme_for(choice, self.window.app)
        apply_theme(theme, self.window.app)
        self.window.set_theme(theme)

    def view_through_camera(self) -> None:
        self.window.view3d.view_camera(self.selection.view)

    # Go

    def change_speed(self, direction: int) -> None:
        nearest = int(np.argmin([abs(speed - self.cursor.speed) for speed in SPEEDS]))
        self.cursor.set_speed(SPEEDS[min(max(nearest + direction, 0), len(SPEEDS) - 1)])

    def toggle_loop(self) -> None:
        self.cursor.loop = not self.cursor.loop

    def ask_frame(self) -> None:
        frame = dialogs.ask_frame(self.window, self.cursor)
        if frame is not None:
            self.cursor.set_frame(frame)

    def go_error(self, direction: int) -> None:
        """To the next frame above the threshold, selecting the worst keypoint there."""
        signals = self.window.timeline.signals
        if signals is None:
            return
        over = np.nan_to_num(signals.residual) > self.settings.error_threshold
        if self._go_where(over, direction, "is above the error threshold"):
            points = self.document.points_at(self.cursor.frame)
            keypoint = int(np.argmax(np.nan_to_num(points.rms)))
            counted = np.where(points.score >= LOW_SCORE, points.residual, 0.0)[:, keypoint]
            self.selection.set(keypoint=keypoint, view=int(np.argmax(np.nan_to_num(counted))))

    def go_missing(self, direction: int) -> None:
        sequence, keypoint = self.document.sequence, self.selection.keypoint
        xyz = sequence.read("points3d.xyz", track=self.document.person)[:, keypoint, 0]
        self._go_where(~np.isfinite(xyz), direction, "lacks the keypoint")

    def go_edited(self, direction: int) -> None:
        signals = self.window.timeline.signals
        if signals is not None:
            self._go_where(signals.edited > 0, direction, "has been edited")

    def _go_where(self, condition: np.ndarray, direction: int, what: str) -> bool:
        frame = next_frame_where(condition, self.cursor.frame, direction)
        if frame is None:
            self.window.say(f"No {'later' if direction > 0 else 'earlier'} frame {what}.")
            return False
        self.cursor.pause()
        self.cursor.set_frame(frame)
        return True

    # Points

    def step_keypoint(self, direction: int) -> None:
        n = self.document.sequence.n_keypoints
        current = self.selection.keypoint
        if current < 0:
            current = -1 if direction > 0 else 0
        self.selection.set(keypoint=(current + direction) % n)

    def step_view(self, direction: int) -> None:
        self.selection.set(view=(self.selection.view + direction) % self.document.sequence.n_views)

    def toggle_placing(self) -> None:
        self.editor.set_placing(not self.editor.placing)

    def toggle_occluded(self) -> None:
        self.editor.toggle(Flag.OCCLUDED)

    def toggle_absent(self) -> None:
        self.editor.toggle(Flag.ABSENT)

    def is_occluded(self) -> bool:
        return self._has_flag(Flag.OCCLUDED)

    def is_absent(self) -> bool:
        return self._has_flag(Flag.ABSENT)

    def _has_flag(self, flag: Flag) -> bool:
        if not self.document.is_open or self.selection.keypoint < 0:
            return False
        flags = self.document.points_at(self.cursor.frame).flags
        return bool(flags[self.selection.view, self.selection.keypoint] & flag)

    # People

    def next_person(self) -> None:
        tracks = self.document.tracks()
        ignored = self.document.sequence.read("tracks.ignored", tracks).astype(bool)
        candidates = [int(t) for t in tracks[~ignored]]
        if candidates:
            after = [t for t in candidates if t > self.document.person]
            self.document.set_person(after[0] if after else candidates[0])

    # Help

    def show_shortcuts(self) -> None:
        dialogs.show_shortcuts(self.window)

    def show_keypoints(self) -> None:
        dialogs.show_keypoints(self.window)

    def show_about(self) -> None:
        dialogs.show_about(self.window)
