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


def state_of(window: MainWindow) -> State:
    """The state of a window as it is now."""
    document, running = window.document, bool(window.jobs.running)
    if not document.is_open:
        return State(job_running=running)
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
    it is on. ``after_separator`` groups the menu; ``tool`` is its word in the tool bar.
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
