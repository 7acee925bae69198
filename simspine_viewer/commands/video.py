"""Proxies: small copies of the videos, which make scrubbing smooth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from simspine_viewer.commands.command import Command, always

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def toggle_prepare(window: MainWindow) -> None:
    """Make and use proxies, or neither."""
    proxies = window.playback.proxies
    proxies.set_enabled(not window.settings.use_proxies)
    if not window.settings.use_proxies:
        window.say("Videos are read as they are; proxies stay until they are deleted.")
    elif window.document.is_open and not proxies.videos:
        window.say("These videos are quick as they are; they need no proxies.")


def ask_delete(window: MainWindow) -> None:
    """Offer to delete the proxies of this recording, or of all."""
    proxies = window.playback.proxies
    here, everywhere = proxies.used_bytes()
    if not everywhere:
        window.say("There are no proxies on this computer.")
        return
    box = QMessageBox(QMessageBox.Icon.Question, "Delete Proxies", "", parent=window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setText(
        f"Proxies take {_size(everywhere)} on this computer, {_size(here)} of it for this"
        " recording. The videos themselves stay as they are."
    )
    box.setInformativeText("No more are made until “Use Proxies for Scrubbing” is on again.")
    roles = QMessageBox.ButtonRole
    if here:
        this = box.addButton("Delete for This Recording", roles.DestructiveRole)
        this.clicked.connect(lambda: _delete(window, everything=False))
    if everywhere > here:
        every = box.addButton("Delete All", roles.DestructiveRole)
        every.clicked.connect(lambda: _delete(window, everything=True))
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.open()


def _delete(window: MainWindow, everything: bool) -> None:
    before = window.playback.proxies.used_bytes()[1]
    window.playback.proxies.delete(everything)
    freed = before - window.playback.proxies.used_bytes()[1]
    window.say(f"Deleted {_size(freed)} of proxies.")
    window.table.refresh()


def _size(n_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB"


COMMANDS: tuple[Command, ...] = (
    Command("prepare-video", "Tools", "Use Proxies for Scrubbing",
            "Make proxies (small copies) of slow videos in the background, so that every frame is"
            " there at once; at rest the video itself is shown.",
            toggle_prepare, (), always, lambda w: w.settings.use_proxies),
    Command("delete-prepared", "Tools", "Delete Proxies…",
            "Delete the copies of videos made for scrubbing; they can be made again.",
            ask_delete, (), always),
)  # fmt: skip
