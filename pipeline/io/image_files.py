"""Folders and patterns of numbered pictures: which files they are, and in which order."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
IMAGE_SEQUENCE = "image sequence"
"""What stands for the file format where there are many files."""

# The number is the last run of digits of a name: "cam1_000012" is picture 12.
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
# As in ffmpeg and printf: "%06d"; and as in Blender and Nuke: "######".
_PATTERN = re.compile(r"%0?\d*d|#+")
_FEWEST = 2


def is_image_sequence(path: Path) -> bool:
    """Whether a path is a folder of numbered pictures, or a pattern such as ``a/%06d.png``."""
    if path.is_dir():
        return len(_in_folder(path)) >= _FEWEST
    return _is_pattern(path) and bool(image_files(path))


def image_files(path: Path) -> tuple[Path, ...]:
    """The pictures of a folder or pattern by number; of several series the longest one."""
    if path.is_dir():
        return _in_folder(path)
    before, after = _PATTERN.split(path.name, maxsplit=1)
    number = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    found = {}
    for name in _names(path.parent):
        match = number.fullmatch(name)
        if match:
            found[int(match[1]), name] = path.parent / name
    return tuple(found[key] for key in sorted(found))


def _is_pattern(path: Path) -> bool:
    is_picture = path.suffix.lower() in IMAGE_SUFFIXES
    return is_picture and len(_PATTERN.findall(path.name)) == 1 and not path.exists()


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # whoever opens the folder says why
        return []


def _in_folder(folder: Path) -> tuple[Path, ...]:
    return tuple(folder / name for name in _longest(_names(folder)))


def _longest(names: Iterable[str]) -> list[str]:
    """The longest series of names that differ in their number only, by number."""
    series: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in IMAGE_SUFFIXES or name.startswith("."):
            continue
        match = _NUMBERED.fullmatch(stem)
        if match:
            series[match[1], match[3] + suffix].append((int(match[2]), name))
    if not series:
        return []
    longest = max(sorted(series), key=lambda kind: len(series[kind]))
    return [name for _, name in sorted(series[longest])]


def picture_number(file: Path) -> int:
    """The number in a picture's name; 0 where there is none."""
    match = _NUMBERED.fullmatch(file.stem)
    return int(match[2]) if match else 0


def has_pictures(names: Iterable[str]) -> bool:
    """Whether a folder with files of these names is one of numbered pictures."""
    return len(_longest(names)) >= _FEWEST
