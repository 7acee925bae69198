"""What a layout of the window is, the built-in ones, and reading them back from the settings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from simspine_viewer.pane_layout import Arrangement

MAX_NAME = 40  # letters; a name stands in a menu
SHOWS = ("both", "pictures", "3d")
APART = ("", "pictures", "3d")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the window shows a recording.

    ``shows`` what stands in the middle, ``apart`` what stands in a window of its own; ``split`` is
    the pictures' share of the middle, per cent. ``docks`` are the panels that are shown; ``front``
    the one on top. ``state`` (base64 of ``QMainWindow.saveState``) has their exact places, for
    layouts that a user saved.
    """

    name: str
    shows: str = "both"
    panes: Arrangement = Arrangement.GRID
    apart: str = ""
    split: int = 72
    docks: tuple[str, ...] | None = None
    front: str = "inspector"
    toolbar: bool = True
    state: str = ""


BUILT_IN = (
    Layout("Review", docks=("inspector", "findings", "history", "jobs", "people", "timeline")),
    Layout(
        "Edit",
        panes=Arrangement.STRIP,
        docks=("inspector", "history", "people", "timeline"),
    ),
    Layout("3D", shows="3d", docks=("inspector", "timeline")),
    Layout("Presentation", panes=Arrangement.GRID, split=55, docks=("timeline",), toolbar=False),
    Layout(
        "Simulate",
        docks=("inspector", "simulation", "jobs", "timeline"),
        front="simulation",
    ),
)


def to_text(layouts: tuple[Layout, ...]) -> str:
    """Layouts as one line for the settings."""
    return json.dumps([asdict(layout) for layout in layouts])


def from_text(text: str) -> tuple[Layout, ...]:
    """Layouts back from the settings; what is damaged is left out."""
    try:
        data = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(data, list):
        return ()
    found = [layout for entry in data if (layout := _layout(entry)) is not None]
    return tuple({layout.name: layout for layout in found}.values())


def _layout(data: Any) -> Layout | None:
    """One layout; parts that make no sense have their defaults, one without a name is none."""
    if not isinstance(data, dict) or not clean_name(data.get("name")):
        return None
    layout = Layout(clean_name(data["name"]))
    if data.get("shows") in SHOWS:
        layout = replace(layout, shows=data["shows"])
    if data.get("panes") in tuple(Arrangement):
        layout = replace(layout, panes=Arrangement(data["panes"]))
    if data.get("apart") in APART:
        layout = replace(layout, apart=data["apart"])
    split = data.get("split")
    if isinstance(split, int) and 0 < split < 100:
        layout = replace(layout, split=split)
    docks = data.get("docks")
    if isinstance(docks, list):
        layout = replace(layout, docks=tuple(name for name in docks if isinstance(name, str)))
    for key in ("front", "state"):
        if isinstance(data.get(key), str):
            layout = replace(layout, **{key: data[key]})
    return replace(layout, toolbar=data.get("toolbar") is not False)


def clean_name(name: Any) -> str:
    """A name on one line and not too long; empty where it is none."""
    return " ".join(name.split())[:MAX_NAME] if isinstance(name, str) else ""
