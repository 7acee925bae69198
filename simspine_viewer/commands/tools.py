"""Cameras in space and time: refined, reset, synchronised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog

from pipeline.data import edits
from pipeline.data.history import Place
from simspine_viewer.commands.command import Command, State

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def can_refine(state: State) -> bool:
    """A recording with three cameras or more is open."""
    return state.is_open and state.n_views >= 3


def several_cameras(state: State) -> bool:
    """A recording with two cameras or more is open."""
    return state.is_open and state.n_views >= 2


def cameras_corrected(state: State) -> bool:
    """The cameras are not where they were when imported."""
    return state.is_open and state.cameras_corrected


def refine(window: MainWindow) -> None:
    """Refine the cameras from the annotated person, in a dialog beside the window."""
    from simspine_viewer.refine_dialog import RefineDialog  # not at start

    if not _brought_forward(window, RefineDialog):
        place = _here(window)
        RefineDialog(window.document, window.jobs, window.monitor, place, window).show()


def reset(window: MainWindow) -> None:
    """Put the cameras back where the calibration has them."""
    document = window.document
    patches = edits.reset_cameras(document.sequence)
    document.commit("Cameras as imported", patches, _here(window))


def synchronise(window: MainWindow) -> None:
    """Shift the cameras' videos in time, in a dialog beside the window."""
    from simspine_viewer.sync_dialog import SyncDialog  # not at start

    if not _brought_forward(window, SyncDialog):
        SyncDialog(window.document, window.jobs, _here(window), window).show()


def _brought_forward(window: MainWindow, kind: type[QDialog]) -> bool:
    for dialog in window.findChildren(kind):
        if dialog.isVisible():
            dialog.activateWindow()
            return True
    return False


def _here(window: MainWindow) -> Place:
    return Place(window.time.frame, track=window.document.person)


COMMANDS: tuple[Command, ...] = (
    Command("refine-cameras", "Tools", "Refine Cameras from the Person…",
            "Correct where the cameras stand, from the points of the annotated person.",
            refine, (), can_refine),
    Command("reset-cameras", "Tools", "Camera Positions as Imported",
            "Put the cameras back where the calibration has them.",
            reset, (), cameras_corrected),
    Command("sync-cameras", "Tools", "Synchronise Cameras…",
            "Shift a camera's video in time against the others.",
            synchronise, (), several_cameras, after_separator=True),
)  # fmt: skip
