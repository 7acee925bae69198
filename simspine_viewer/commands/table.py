"""All commands, in the order of the menus; menus, shortcuts, tool bar and help are made from it.

A command that is not here does not exist.
"""

from __future__ import annotations

from simspine_viewer.commands import (
    edit,
    file,
    go,
    help,
    layouts,
    people,
    points,
    scene,
    timeline,
    tools,
    video,
    view,
)
from simspine_viewer.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    *file.COMMANDS,
    *edit.COMMANDS,
    *view.COMMANDS,
    *layouts.COMMANDS,
    *scene.COMMANDS,
    *go.COMMANDS,
    *timeline.COMMANDS,
    *points.COMMANDS,
    *people.COMMANDS,
    *tools.COMMANDS,
    *video.COMMANDS,
    *help.COMMANDS,
)

MENUS: tuple[str, ...] = tuple(dict.fromkeys(command.menu for command in COMMANDS))
