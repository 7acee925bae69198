"""Connects the video engine of a window: clock, decoders, panes and proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pipeline.data.patch import Change
from simspine_viewer.memory import picture_bytes
from simspine_viewer.picture import Picture
from simspine_viewer.proxy_planner import ProxyPlanner

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


class Playback(QObject):
    """Made before anything else hears the cursor, so that sizes are known when frames are asked."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        loader, document, cursor = window.loader, window.document, window.time
        self.proxies = ProxyPlanner(document, cursor, loader, window.jobs, window.settings, self)
        loader.set_memory(picture_bytes(window.settings.picture_megabytes))
        cursor.is_ready = lambda: not loader.busy
        cursor.is_loaded = loader.has
        loader.upcoming = cursor.upcoming
        cursor.moved.connect(self._tell_sizes)
        cursor.playing_changed.connect(loader.set_playing)
        window.selection.changed.connect(lambda: loader.set_active(window.selection.view))
        loader.picture_refined.connect(self._refine)
        document.changed.connect(self._changed)
        document.closed.connect(cursor.pause)

    def apply_settings(self) -> None:
        """Take over changed preferences; the memory from the next recording on."""
        settings = self._window.settings
        self._window.loader.set_memory(picture_bytes(settings.picture_megabytes))
        self.proxies.set_enabled(settings.use_proxies)

    def _tell_sizes(self, _: int) -> None:
        for pane in self._window.grid.panes:
            self._window.loader.set_target_size(pane.view, pane.drawn_size())

    def _refine(self, view: int, picture: Picture) -> None:
        panes = self._window.grid.panes
        if view < len(panes):
            panes[view].set_picture(picture)

    def _changed(self, change: Change) -> None:
        if change.group == "cameras":
            self._window.loader.set_syncs(self._window.document.sequence.syncs)
