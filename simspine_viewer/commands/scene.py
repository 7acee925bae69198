"""The 3D view."""

from __future__ import annotations

from simspine_viewer.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    Command("3d-front", "3D", "Front", "See the person from the front.",
            lambda w: w.view3d.view_front(), ("Ctrl+1",)),
    Command("3d-side", "3D", "Side", "See the person from the side.",
            lambda w: w.view3d.view_side(), ("Ctrl+2",)),
    Command("3d-top", "3D", "Top", "See the person from above.",
            lambda w: w.view3d.view_top(), ("Ctrl+3",)),
    Command("3d-camera", "3D", "Through the Active Camera", "See what the active view sees.",
            lambda w: w.view3d.view_camera(w.selection.view), ("Ctrl+4",)),
    Command("3d-frame", "3D", "Frame the Person", "Bring the whole person into the 3D view.",
            lambda w: w.view3d.frame_person(), ("Ctrl+F",)),
)  # fmt: skip
