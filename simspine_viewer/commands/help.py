"""What helps to use the program."""

from __future__ import annotations

from simspine_viewer import help_pages
from simspine_viewer.commands.command import Command, always

COMMANDS: tuple[Command, ...] = (
    Command("shortcuts", "Help", "Keys and Commands", "All commands with their keys.",
            help_pages.show_shortcuts, ("F1", "?"), always),
    Command("keypoints", "Help", "Keypoint Definitions", "What each keypoint means anatomically.",
            help_pages.show_keypoints, (), always),
    Command("about", "Help", "About SIMSPINE Viewer", "Version and licence.",
            help_pages.show_about, (), always),
)  # fmt: skip
