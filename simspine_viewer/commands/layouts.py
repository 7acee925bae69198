"""How the window shows a recording: built-in layouts, the user's own, and their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simspine_viewer import dialogs
from simspine_viewer.commands.command import Command, State, always, is_open, several_views
from simspine_viewer.layout_dialog import LayoutDialog
from simspine_viewer.layouts import BUILT_IN
from simspine_viewer.pane_layout import Arrangement

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

OWN_KEYS = 9 - len(BUILT_IN)  # own layouts that have a key


def ask_save(window: MainWindow) -> None:
    """Ask for a name and keep the layout under it."""
    name = dialogs.ask_text(window, "Save Layout", "Name of this layout:", "My layout")
    if name:
        window.layouts.save(name)
        window.say(f"Layout “{name}” is kept; it is in View ▸ Layout.")


def manage(window: MainWindow) -> None:
    """Show the user's own layouts, to be used, renamed or deleted."""
    LayoutDialog(window).open()


def toggle_apart(window: MainWindow, what: str) -> None:
    """Give pictures or 3D a window of its own, or bring it back."""
    window.layouts.set_apart("" if window.layouts.apart == what else what)


def has_own(number: int) -> Callable[[State], bool]:
    """Whether the user has that many layouts."""

    def when(state: State) -> bool:
        """A layout of your own was saved."""
        return state.n_layouts > number

    return when


def _own_name(window: MainWindow, number: int) -> str:
    own = window.layouts.own
    return own[number].name if number < len(own) else ""


def _own(number: int) -> Command:
    key = f"Ctrl+Alt+{number + len(BUILT_IN) + 1}"
    return Command(
        f"layout-own-{number + 1}", "View", f"Own Layout {number + 1}",
        "Show the window in this layout of yours.",
        lambda w: w.layouts.apply(w.layouts.own[number]), (key,), has_own(number),
        group="Layout", label=lambda w: _own_name(w, number), after_separator=number == 0,
    )  # fmt: skip


_HELP = {
    "Review": "All panels, pictures and 3D side by side.",
    "Edit": "The active view big, the others in a strip; little 3D.",
    "3D": "Only the 3D view, with the inspector and the timeline.",
    "Presentation": "Pictures, 3D and timeline, nothing else.",
    "Simulate": "Pictures and 3D, the body panel in front.",
}


def _panes(id: str, text: str, help: str, panes: Arrangement, first: bool = False) -> Command:
    return Command(
        id, "View", text, help, lambda w: w.layouts.set_panes(panes), (), several_views,
        lambda w: w.grid.arrangement is panes, after_separator=first, group="Arrange",
    )  # fmt: skip


def _shows(id: str, text: str, help: str, what: str, first: bool = False) -> Command:
    return Command(
        id, "View", text, help, lambda w: w.layouts.set_shows(what), (), is_open,
        lambda w: w.layouts.shows == what, after_separator=first, group="Arrange",
    )  # fmt: skip


def _built_in(number: int) -> Command:
    layout = BUILT_IN[number]
    return Command(
        f"layout-{number + 1}", "View", layout.name, _HELP[layout.name],
        lambda w: w.layouts.apply(layout), (f"Ctrl+Alt+{number + 1}",), always, group="Layout",
    )  # fmt: skip


COMMANDS: tuple[Command, ...] = (
    *(_built_in(number) for number in range(len(BUILT_IN))),
    *(_own(number) for number in range(OWN_KEYS)),
    Command("layout-save", "View", "Save Layout…", "Keep the window's layout under a name.",
            ask_save, (), always, after_separator=True, group="Layout"),
    Command("layouts", "View", "Own Layouts…", "Use, rename and delete layouts of your own.",
            manage, (), always, group="Layout"),
    _panes("panes-grid", "Pictures in a Grid", "As large as they can be.", Arrangement.GRID),
    _panes("panes-row", "Pictures in a Row", "All side by side.", Arrangement.ROW),
    _panes("panes-strip", "One Picture Big", "The active view big, the others in a strip; a "
           "click in the strip swaps.", Arrangement.STRIP),
    _shows("show-both", "Pictures and 3D", "Both side by side.", "both", True),
    _shows("show-pictures", "Pictures Only", "Without the 3D view.", "pictures"),
    _shows("show-3d", "3D Only", "Without the pictures.", "3d"),
    Command("apart-3d", "View", "3D in a Second Window",
            "On the second screen if there is one; closing it brings the 3D view back.",
            lambda w: toggle_apart(w, "3d"), ("Ctrl+Alt+D",), is_open,
            lambda w: w.layouts.apart == "3d", after_separator=True, group="Arrange"),
    Command("apart-pictures", "View", "Pictures in a Second Window",
            "On the second screen if there is one; closing it brings the pictures back.",
            lambda w: toggle_apart(w, "pictures"), ("Ctrl+Alt+P",), is_open,
            lambda w: w.layouts.apart == "pictures", group="Arrange"),
)  # fmt: skip
