"""What a command is, and the state of the program on which its availability depends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


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
    n_layouts: int = 0
    cameras_corrected: bool = False
    has_range: bool = False
    n_markers: int = 0
    simulating: bool = False
    has_model: bool = False


def state_of(window: MainWindow) -> State:
    """The state of a window as it is now."""
    document, running = window.document, bool(window.jobs.running)
    n_layouts = len(window.layouts.own)
    if not document.is_open:
        return State(job_running=running, n_layouts=n_layouts)
    sequence = document.sequence
    return State(
        is_open=True,
        can_undo=document.history.can_undo,
        can_redo=document.history.can_redo,
        has_keypoint=window.selection.keypoint >= 0,
        has_video=any(video.path for video in sequence.info.videos),
        n_frames=sequence.n_frames,
        n_views=sequence.n_views,
        n_people=len(document.tracks()),
        job_running=running,
        n_layouts=n_layouts,
        cameras_corrected=sequence.cameras is not sequence.info.cameras,
        has_range=bool(window.frame_range),
        n_markers=len(window.aids.markers.all),
        simulating=window.simulations.job is not None,
        has_model=window.simulations.subject is not None,
    )


def always(state: State) -> bool:
    """Whatever is open."""
    return True


def is_open(state: State) -> bool:
    """A recording is open."""
    return state.is_open


def several_frames(state: State) -> bool:
    """There is somewhere to go in time."""
    return state.is_open and state.n_frames > 1


def several_views(state: State) -> bool:
    """There is another view."""
    return state.is_open and state.n_views > 1


def has_keypoint(state: State) -> bool:
    """A keypoint is selected."""
    return state.is_open and state.has_keypoint


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do.

    ``run`` is called with the window; ``checked`` (for commands that are switches) tells whether
    it is on. ``group`` names the submenu; ``after_separator`` puts a line before the command, and
    for the first command of a submenu before that; ``tool`` is its word in the tool bar. ``label``
    gives a text that changes; an empty one hides the entry.

    The first sentence of ``when``'s docstring is shown where the command cannot be used, so it
    says what is needed: “A keypoint is selected.”
    """

    id: str
    menu: str
    text: str
    help: str
    run: Callable[[MainWindow], None]
    keys: tuple[str, ...] = ()
    when: Callable[[State], bool] = is_open
    checked: Callable[[MainWindow], bool] | None = None
    after_separator: bool = False
    tool: str = field(default="")
    group: str = ""
    label: Callable[[MainWindow], str] | None = None


def reason(command: Command, state: State) -> str:
    """Why a command cannot be used now, as a sentence; empty where it can."""
    if command.when(state):
        return ""
    needed = (command.when.__doc__ or "").strip().split("\n")[0].rstrip(".")
    return f"Needs: {needed[0].lower()}{needed[1:]}." if needed else "Cannot be used now."
