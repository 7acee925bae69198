"""Which keys do what: the table's own, a preset over them, and the user's changes over both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtGui import QKeySequence

from pipeline.data.errors import UserError
from simspine_viewer.commands.command import Command

Keys = Mapping[str, tuple[str, ...]]
"""Keys by the id of a command, in Qt's portable spelling (``Ctrl+Shift+Z``)."""

STANDARD = "SIMSPINE"
# What users of other programs have in their fingers; source: their manuals and key lists. Commands
# named here that a version of the program does not have are passed over.
PRESETS: dict[str, Keys] = {
    STANDARD: {},
    # Space goes to the next suggestion there, and Ctrl or Alt make the step longer.
    "SLEAP": {
        "next-error": ("Space",), "previous-error": ("Shift+Space",), "play": ("Ctrl+Space",),
        "next-10": ("Ctrl+Right", "Shift+Right"), "previous-10": ("Ctrl+Left", "Shift+Left"),
        "go-to": ("Ctrl+J",), "annotate": ("`", "N"), "delete": ("Ctrl+Backspace", "Del"),
        "play-backwards": ("Ctrl+Alt+Space",),
    },
    # F and B step there, C fits the picture, 4 and 7 look for errors and gaps.
    "XMALab": {
        "next": ("Right", "F", "W"), "previous": ("Left", "B", "Q"),
        "next-10": ("6", "Shift+Right"), "previous-10": ("5", "Shift+Left"),
        "next-error": ("4",), "previous-error": ("Ctrl+4",),
        "next-missing": ("7",), "previous-missing": ("Ctrl+7",), "fit": ("C",),
        "3d-camera": ("Ctrl+5",), "close-up": ("Shift+C",), "adjust": ("Ctrl+Alt+B",),
        "swap-sides": ("Ctrl+Alt+W",),
    },
    # Space steps there, Tab goes through the keypoints, U resets, H is the help.
    "Label3D": {
        "next": ("Space", "Right"), "previous": ("Shift+Space", "Left"), "play": ("P",),
        "place": ("Ctrl+P",), "next-keypoint": ("Tab", "Down"),
        "previous-keypoint": ("Shift+Tab", "Up"), "revert": ("U",), "delete": ("Backspace", "Del"),
        "shortcuts": ("H", "F1"), "fit": ("Z",), "overlay": ("Shift+H",),
        "loupe": ("Shift+Z",), "ellipse": ("Shift+U",), "play-backwards": ("Ctrl+Alt+Space",),
    },
}  # fmt: skip


def portable(key: str) -> str:
    """A key in Qt's portable spelling; empty where it is none."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def native(key: str) -> str:
    """A key as this platform writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def bindings(commands: Iterable[Command], preset: str, own: Keys) -> dict[str, tuple[str, ...]]:
    """Keys of every command; of two that want the same key the later layer gets it."""
    keys = {command.id: tuple(map(portable, command.keys)) for command in commands}
    for layer in (PRESETS.get(preset, {}), own):
        given = {name: tuple(map(portable, wanted)) for name, wanted in layer.items()}
        given = {name: wanted for name, wanted in given.items() if name in keys}
        taken = {key for wanted in given.values() for key in wanted}
        keys = {
            name: given.get(name, tuple(key for key in had if key not in taken))
            for name, had in keys.items()
        }
    return keys


def holder(keys: Keys, key: str, but: str = "") -> str:
    """Id of the command that has a key, other than ``but``; empty where none has."""
    key = portable(key)
    return next((name for name, had in keys.items() if key in had and name != but), "")


def to_text(own: Keys) -> str:
    """The user's changes as one line for the settings."""
    return json.dumps({name: list(keys) for name, keys in own.items()}, sort_keys=True)


def from_text(text: str) -> dict[str, tuple[str, ...]]:
    """The user's changes back from the settings; what is damaged is left out."""
    try:
        return _checked(json.loads(text)) if text else {}
    except ValueError:
        return {}


def _checked(data: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(data, dict):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for name, keys in data.items():
        if isinstance(name, str) and isinstance(keys, list):
            wanted = [portable(key) for key in keys if isinstance(key, str)]
            found[name] = tuple(dict.fromkeys(k for k in wanted if k and k not in taken))
            taken.update(found[name])
    return found


def write_keys(path: Path, preset: str, own: Keys) -> None:
    """Write a preset and the user's changes over it to a file that :func:`read_keys` reads."""
    data = {"simspine_keys": 1, "preset": preset, "keys": json.loads(to_text(own))}
    try:
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path.name} could not be written: {error.strerror}.") from error


def read_keys(path: Path) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Preset and changes from a file; UserError where it is no such file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path.name} could not be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path.name} holds no keys: it is not JSON.") from error
    if not isinstance(data, dict) or "simspine_keys" not in data:
        raise UserError(f"{path.name} holds no keys of SIMSPINE Viewer.")
    preset = data.get("preset")
    return preset if preset in PRESETS else STANDARD, _checked(data.get("keys"))
