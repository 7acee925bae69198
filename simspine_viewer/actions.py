"""Every command once, as a table; menus, shortcuts, tool bar and help are made from it.

A command without an entry here does not exist. ``when`` says in which states it can be used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from simspine_viewer.commands import Commands

MENUS = ("File", "Edit", "View", "3D", "Go", "Points", "People", "Help")


@dataclass(frozen=True, slots=True)
class State:
    """What decides which commands can be used; read from the program's state, never stored."""

    is_open: bool = False
    can_undo: bool = False
    can_redo: bool = False
    has_keypoint: bool = False
    has_video: bool = False
    n_frames: int = 0
    n_views: int = 0
    n_people: int = 0
    job_running: bool = False


def _always(state: State) -> bool:
    return True


def _open(state: State) -> bool:
    return state.is_open


def _several_frames(state: State) -> bool:
    return state.is_open and state.n_frames > 1


def _keypoint(state: State) -> bool:
    return state.is_open and state.has_keypoint


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do.

    ``run`` is called with the :class:`Commands` of the window; ``checked`` (for commands that are
    switches) tells whether it is on. ``after_separator`` groups the menu.
    """

    id: str
    menu: str
    text: str
    help: str
    run: Callable[[Commands], None]
    keys: tuple[str, ...] = ()
    when: Callable[[State], bool] = _open
    checked: Callable[[Commands], bool] | None = None
    after_separator: bool = False
    tool: str = field(default="")


COMMANDS: tuple[Command, ...] = (
    Command("open", "File", "Open Recording…", "Open a folder of videos with a calibration.",
            lambda c: c.ask_open_folder(), ("Ctrl+O",), _always, tool="Open"),
    Command("open-project", "File", "Open Project…", "Open a .simspine project file.",
            lambda c: c.ask_open_project(), ("Ctrl+Shift+O",), _always),
    Command("demo", "File", "Open Demo", "Open the built-in synthetic recording.",
            lambda c: c.open_demo(), (), _always),
    Command("save", "File", "Save", "Everything is saved as you work; this says so.",
            lambda c: c.confirm_saved(), ("Ctrl+S",), after_separator=True),
    Command("save-as", "File", "Save As…", "Copy the project and go on in the copy.",
            lambda c: c.ask_save_as(), ("Ctrl+Shift+S",)),
    Command("export", "File", "Export…", "Write TRC, CSV, OpenPose or COCO files.",
            lambda c: c.ask_export(), ("Ctrl+E",), tool="Export"),
    Command("close", "File", "Close", "Close the recording.",
            lambda c: c.close_recording(), ("Ctrl+W",), after_separator=True),
    Command("quit", "File", "Quit", "Leave SIMSPINE Viewer.",
            lambda c: c.quit(), ("Ctrl+Q",), _always),

    Command("undo", "Edit", "Undo", "Take the last step back and go there.",
            lambda c: c.undo(), ("Ctrl+Z",), lambda s: s.is_open and s.can_undo, tool="Undo"),
    Command("redo", "Edit", "Redo", "Do the step again and go there.",
            lambda c: c.redo(), ("Ctrl+Shift+Z", "Ctrl+Y"), lambda s: s.is_open and s.can_redo,
            tool="Redo"),
    Command("threshold", "Edit", "Error Threshold…", "Residual above which a point is suspicious.",
            lambda c: c.ask_threshold(), (), _always, after_separator=True),
    Command("author", "Edit", "Annotator Name…", "The name written with each of your edits.",
            lambda c: c.ask_author(), (), _always),

    Command("fit", "View", "Fit Pictures", "Show the whole picture in every pane.",
            lambda c: c.fit(), ("F",)),
    Command("zoom-in", "View", "Zoom In", "A closer look at the active view.",
            lambda c: c.zoom(1.25), ("+", "=")),
    Command("zoom-out", "View", "Zoom Out", "More of the active view.",
            lambda c: c.zoom(0.8), ("-",)),
    Command("enlarge", "View", "Enlarge View", "One pane large, or all again.",
            lambda c: c.enlarge(), ("Return",), lambda s: s.is_open and s.n_views > 1),
    Command("epipolar", "View", "Epipolar Curves", "Where the selected point can be in each view.",
            lambda c: c.toggle_epipolar(), ("E",), _always, lambda c: c.settings.show_epipolar,
            tool="Epipolar"),
    Command("overlay", "View", "Hide Overlay", "Show the bare pictures.",
            lambda c: c.toggle_overlay(), ("H",), _open, lambda c: c.overlay_hidden),
    Command("names", "View", "Keypoint Names", "Write its name at every point.",
            lambda c: c.toggle_names(), ("K",), _always, lambda c: c.settings.show_names),
    Command("light", "View", "Light", "Light appearance.", lambda c: c.set_theme("light"),
            (), _always, lambda c: c.settings.theme == "light", after_separator=True),
    Command("dark", "View", "Dark", "Dark appearance.", lambda c: c.set_theme("dark"),
            (), _always, lambda c: c.settings.theme == "dark"),
    Command("system", "View", "As the System", "Follow the desktop's appearance.",
            lambda c: c.set_theme("system"), (), _always, lambda c: c.settings.theme == "system"),

    Command("3d-front", "3D", "Front", "See the person from the front.",
            lambda c: c.window.view3d.view_front(), ("Ctrl+1",)),
    Command("3d-side", "3D", "Side", "See the person from the side.",
            lambda c: c.window.view3d.view_side(), ("Ctrl+2",)),
    Command("3d-top", "3D", "Top", "See the person from above.",
            lambda c: c.window.view3d.view_top(), ("Ctrl+3",)),
    Command("3d-camera", "3D", "Through the Active Camera", "See what the active view sees.",
            lambda c: c.view_through_camera(), ("Ctrl+4",)),
    Command("3d-frame", "3D", "Frame the Person", "Bring the whole person into the 3D view.",
            lambda c: c.window.view3d.frame_person(), ("Ctrl+F",)),

    Command("play", "Go", "Play / Pause", "Play in real time, or stop here.",
            lambda c: c.cursor.toggle(), ("Space",), _several_frames,
            lambda c: c.cursor.playing, tool="Play"),
    Command("slower", "Go", "Slower", "Play slower.", lambda c: c.change_speed(-1), ("[",),
            _several_frames),
    Command("faster", "Go", "Faster", "Play faster.", lambda c: c.change_speed(1), ("]",),
            _several_frames),
    Command("loop", "Go", "Loop", "Start again at the end.", lambda c: c.toggle_loop(),
            ("L",), _several_frames, lambda c: c.cursor.loop),
    Command("next", "Go", "Next Frame", "One frame forward.", lambda c: c.cursor.step(1),
            ("Right",), _several_frames, after_separator=True),
    Command("previous", "Go", "Previous Frame", "One frame back.", lambda c: c.cursor.step(-1),
            ("Left",), _several_frames),
    Command("next-10", "Go", "10 Frames Forward", "Ten frames forward.",
            lambda c: c.cursor.step(10), ("Shift+Right",), _several_frames),
    Command("previous-10", "Go", "10 Frames Back", "Ten frames back.",
            lambda c: c.cursor.step(-10), ("Shift+Left",), _several_frames),
    Command("first", "Go", "First Frame", "Go to the start.",
            lambda c: c.cursor.set_frame(0), ("Home",), _several_frames),
    Command("last", "Go", "Last Frame", "Go to the end.",
            lambda c: c.cursor.set_frame(c.cursor.n_frames - 1), ("End",), _several_frames),
    Command("go-to", "Go", "Go to Frame…", "Go to a frame by its number.",
            lambda c: c.ask_frame(), ("Ctrl+G", "Ctrl+J"), _several_frames),
    Command("next-error", "Go", "Next Frame above the Threshold",
            "The next frame with a residual above the error threshold.",
            lambda c: c.go_error(1), ("J", "4"), _several_frames, after_separator=True),
    Command("previous-error", "Go", "Previous Frame above the Threshold",
            "The previous frame with a residual above the error threshold.",
            lambda c: c.go_error(-1), ("Shift+J", "Ctrl+Shift+4"), _several_frames),
    Command("next-missing", "Go", "Next Frame without the Keypoint",
            "The next frame in which the selected keypoint has no 3D position.",
            lambda c: c.go_missing(1), ("7",), _keypoint),
    Command("previous-missing", "Go", "Previous Frame without the Keypoint",
            "The previous frame in which the selected keypoint has no 3D position.",
            lambda c: c.go_missing(-1), ("Ctrl+7",), _keypoint),
    Command("next-edited", "Go", "Next Edited Frame", "The next frame that somebody worked on.",
            lambda c: c.go_edited(1), (".",), _several_frames),
    Command("previous-edited", "Go", "Previous Edited Frame",
            "The previous frame that somebody worked on.",
            lambda c: c.go_edited(-1), (",",), _several_frames),

    Command("next-keypoint", "Points", "Next Keypoint", "Select the next keypoint.",
            lambda c: c.step_keypoint(1), ("Down",)),
    Command("previous-keypoint", "Points", "Previous Keypoint", "Select the previous keypoint.",
            lambda c: c.step_keypoint(-1), ("Up",)),
    Command("next-view", "Points", "Next View", "Work in the next view.",
            lambda c: c.step_view(1), ("V",), lambda s: s.is_open and s.n_views > 1),
    Command("place", "Points", "Place by Clicking",
            "A click puts the selected keypoint into a picture.",
            lambda c: c.toggle_placing(), ("P",), _keypoint, lambda c: c.editor.placing,
            after_separator=True, tool="Place"),
    Command("occluded", "Points", "Occluded", "The keypoint is hidden in this view.",
            lambda c: c.toggle_occluded(), ("O",), _keypoint, lambda c: c.is_occluded()),
    Command("absent", "Points", "Absent", "The keypoint is not in this picture.",
            lambda c: c.toggle_absent(), ("X",), _keypoint, lambda c: c.is_absent()),
    Command("nudge-left", "Points", "Nudge Left", "Move the keypoint one pixel to the left.",
            lambda c: c.editor.nudge(-1, 0), ("Alt+Left",), _keypoint, after_separator=True),
    Command("nudge-right", "Points", "Nudge Right", "Move the keypoint one pixel to the right.",
            lambda c: c.editor.nudge(1, 0), ("Alt+Right",), _keypoint),
    Command("nudge-up", "Points", "Nudge Up", "Move the keypoint one pixel up.",
            lambda c: c.editor.nudge(0, -1), ("Alt+Up",), _keypoint),
    Command("nudge-down", "Points", "Nudge Down", "Move the keypoint one pixel down.",
            lambda c: c.editor.nudge(0, 1), ("Alt+Down",), _keypoint),
    Command("delete", "Points", "Delete in This View", "Remove the keypoint in the active view.",
            lambda c: c.editor.delete(), ("Del", "Backspace"), _keypoint, after_separator=True),
    Command("delete-all", "Points", "Delete in All Views", "Remove the keypoint in every view.",
            lambda c: c.editor.delete(all_views=True), ("Shift+Del",), _keypoint),
    Command("revert", "Points", "Revert to Detection", "Take back what was done in this view.",
            lambda c: c.editor.revert(), ("R",), _keypoint),
    Command("revert-all", "Points", "Revert in All Views",
            "Take back what was done in every view and in 3D.",
            lambda c: c.editor.revert(all_views=True), ("Shift+R",), _keypoint),

    Command("annotate", "People", "Annotate the Next Person", "Work on the next person.",
            lambda c: c.next_person(), ("N",), lambda s: s.is_open and s.n_people > 1),
    Command("people", "People", "Show People", "Pick, merge, split and ignore people.",
            lambda c: c.window.show_panel("people")),

    Command("shortcuts", "Help", "Keys and Commands", "All commands with their keys.",
            lambda c: c.show_shortcuts(), ("F1", "?"), _always),
    Command("keypoints", "Help", "Keypoint Definitions", "What each keypoint means anatomically.",
            lambda c: c.show_keypoints(), (), _always),
    Command("about", "Help", "About SIMSPINE Viewer", "Version and licence.",
            lambda c: c.show_about(), (), _always),
)  # fmt: skip


class ActionTable(QObject):
    """The table as ``QAction`` objects, kept in step with the program's state."""

    def __init__(self, commands: Commands, parent: QObject) -> None:
        super().__init__(parent)
        self._commands = commands
        self.actions: dict[str, QAction] = {}
        for command in COMMANDS:
            action = QAction(command.text, parent)
            action.setObjectName(command.id)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setStatusTip(command.help)
            action.setToolTip(_tip(command))
            action.setCheckable(command.checked is not None)
            action.triggered.connect(lambda _=False, c=command: self._run(c))
            self.actions[command.id] = action

    def _run(self, command: Command) -> None:
        self._commands.guarded(command.run)
        self.refresh()

    def refresh(self) -> None:
        """Enable, disable and check the actions for the state as it is now."""
        state = self._commands.state()
        for command in COMMANDS:
            action = self.actions[command.id]
            action.setEnabled(command.when(state))
            if command.checked is not None:
                action.setChecked(command.checked(self._commands))
        for kind in ("undo", "redo"):
            label = self._commands.step_label(kind)
            self.actions[kind].setText(f"{kind.title()} {label}" if label else kind.title())


def _tip(command: Command) -> str:
    if not command.keys:
        return command.help
    keys = QKeySequence(command.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
    return f"{command.help} ({keys})"
