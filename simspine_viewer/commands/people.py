"""Whose points are annotated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simspine_viewer.commands.command import Command, State

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def several_people(state: State) -> bool:
    """There is another person."""
    return state.is_open and state.n_people > 1


def next_person(window: MainWindow) -> None:
    """Annotate the next person who is not ignored."""
    document = window.document
    tracks = document.tracks()
    ignored = document.sequence.read("tracks.ignored", tracks).astype(bool)
    candidates = [int(t) for t in tracks[~ignored]]
    if candidates:
        after = [t for t in candidates if t > document.person]
        document.set_person(after[0] if after else candidates[0])


COMMANDS: tuple[Command, ...] = (
    Command("annotate", "People", "Annotate the Next Person", "Work on the next person.",
            next_person, ("N",), several_people),
    Command("people", "People", "Show People", "Pick, merge, split and ignore people.",
            lambda w: w.show_panel("people")),
)  # fmt: skip
