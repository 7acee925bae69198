"""What the program remembers between sessions, one dataclass over ``QSettings``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path

import platformdirs
from PySide6.QtCore import QByteArray, QSettings

from pipeline.io.project_lock import user_name

MAX_RECENT = 10
THEMES = ("system", "light", "dark")
STARTS = ("empty", "last")
TEXT_SIZES = (80.0, 200.0)  # per cent


def _store() -> QSettings:
    # Qt finds its own folder once per process; this one follows the environment as it is.
    folder = platformdirs.user_config_path("simspine-viewer", appauthor=False)
    return QSettings(str(folder / "viewer.ini"), QSettings.Format.IniFormat)


@dataclass(slots=True)
class Settings:
    """Preferences of this user on this machine; never part of a project."""

    theme: str = "system"
    author: str = field(default_factory=user_name)
    error_threshold: float = 30.0  # px; beyond it a view is off, not noisy (Pose2Sim uses 15)
    show_epipolar: bool = True
    show_names: bool = False
    show_ellipse: bool = False
    show_bones: bool = True  # of the simulated body, in 3D
    show_spine: bool = True  # of the simulated body, in the pictures
    palette: str = "standard"  # one of palette.PALETTES
    trail_frames: float = 15.0  # on either side of the frame shown
    use_proxies: bool = True
    proxy_gigabytes: float = 20.0  # disk for small copies of videos
    picture_megabytes: float = 192.0  # memory for decoded pictures; less on small computers
    recent: list[str] = field(default_factory=list)
    lanes: list[str] = field(default_factory=list)  # of the timeline; none: the default ones
    lane_height: float = 21.0
    time_in_seconds: bool = False
    curves: list[str] = field(default_factory=list)  # quantities drawn; none: the default ones
    curves_height: float = 0.0  # points that the user gave their dock; 0: its share of the window
    detect_model: str = ""  # name of the pose model used last
    start: str = "empty"  # what is shown at start: one of STARTS
    text_size: float = 100.0  # per cent of the system's
    notify: bool = True  # say on the desktop that long work has ended
    tour_seen: bool = False
    key_preset: str = "SIMSPINE"
    own_keys: str = "{}"  # see keymap.py
    own_layouts: str = "[]"  # see layouts.py
    layout: str = "{}"  # the arrangement the window was left in

    @classmethod
    def load(cls) -> Settings:
        """Read from disk; whatever is missing or unreadable has its default."""
        store, settings = _store(), cls()
        for entry in fields(cls):
            default = getattr(settings, entry.name)
            value = store.value(entry.name, default)
            if isinstance(default, bool):
                value = value in (True, "true", "1", 1)
            elif isinstance(default, float):
                value = _number(value, default)
            elif isinstance(default, list):
                value = [value] if isinstance(value, str) else _texts(value)
            else:
                value = str(value) or default
            setattr(settings, entry.name, value)
        if settings.theme not in THEMES:
            settings.theme = THEMES[0]
        if settings.start not in STARTS:
            settings.start = STARTS[0]
        settings.text_size = min(max(settings.text_size, TEXT_SIZES[0]), TEXT_SIZES[1])
        return settings

    def save(self) -> None:
        """Write to disk."""
        store = _store()
        for entry in fields(self):
            store.setValue(entry.name, getattr(self, entry.name))
        store.sync()

    def remember(self, path: Path) -> None:
        """Put a recording or project first in the list of recent ones."""
        text = str(path)
        self.recent = [text, *(entry for entry in self.recent if entry != text)][:MAX_RECENT]
        self.save()


def save_layout(geometry: QByteArray, state: QByteArray) -> None:
    """Keep the window's size and docks; layout belongs to the machine, never to a project."""
    store = _store()
    store.setValue("window/geometry", geometry)
    store.setValue("window/state", state)


def load_layout() -> tuple[QByteArray | None, QByteArray | None]:
    """The window's size and docks as last left, None where never saved."""
    store = _store()
    return _bytes(store.value("window/geometry")), _bytes(store.value("window/state"))


def _bytes(value: object) -> QByteArray | None:
    return value if isinstance(value, QByteArray) else None


def _texts(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _number(value: object, default: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return default
    return number if math.isfinite(number) and number > 0 else default
