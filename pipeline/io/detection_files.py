"""Which file of a detections folder belongs to which frame."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import Finding, UserError

_DIGITS = re.compile(r"\d+")
# Ranges spelt out in a sentence before the rest is counted.
_SPELT_RANGES = 6
# Two years at 30 frames per second: a larger number in a name is a date or a clock's time.
_LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class FrameFiles:
    """The JSON files of a folder by the frame number in their name, ascending.

    ``numbers`` is (N,) and ``names`` has as many entries; ``findings`` name files without a
    number of their own.
    """

    folder: Path
    numbers: NDArray[np.intp]
    names: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def first(self) -> int:
        """Smallest number (0 if there is no file)."""
        return int(self.numbers[0]) if len(self.numbers) else 0

    @property
    def last(self) -> int:
        """Largest number (-1 if there is no file)."""
        return int(self.numbers[-1]) if len(self.numbers) else -1

    @staticmethod
    def of_folder(folder: Path) -> FrameFiles:
        """List a folder; UserError if that is impossible."""
        try:
            with os.scandir(folder) as entries:
                names = [e.name for e in entries if _is_detection(e.name)]
        except NotADirectoryError as error:
            raise UserError(f"The detections “{folder.name}” are not a folder.") from error
        except FileNotFoundError as error:
            raise UserError(f"The folder of detections “{folder.name}” does not exist.") from error
        except OSError as error:
            raise UserError(
                f"The folder of detections “{folder.name}” cannot be read: {error.strerror}."
            ) from error
        return _numbered(folder, sorted(names))

    def first_frame(self, n_frames: int | None) -> int:
        """The number in the file names that is frame 0 of a video of ``n_frames``.

        Numbers that run over exactly the length of the video start at its first frame; numbers
        that fit below its length count from 0; those that reach it count from 1; others start
        with the video. Without a video, frame 0 has the smallest number.
        """
        return frame_zero(self.first, self.last, n_frames)


def frame_zero(first: int, last: int, n_frames: int | None) -> int:
    """The rule of :meth:`FrameFiles.first_frame` for a smallest and a largest number."""
    if last < 0:
        return 0
    if n_frames is None or last - first + 1 == n_frames:
        return first
    if last < n_frames:
        return 0
    if last == n_frames:
        return 1
    return first


def frame_ranges(frames: Sequence[int] | NDArray[np.intp]) -> str:
    """Ascending frames in words: ``frame 4``, or ``frames 4, 6–9 and 3 more ranges``."""
    values = np.asarray(frames, dtype=np.intp)
    breaks = np.flatnonzero(np.diff(values) != 1)
    starts = values[np.concatenate([[0], breaks + 1])]
    ends = values[np.concatenate([breaks, [len(values) - 1]])]
    spelt = [
        f"{a}" if a == b else f"{a}–{b}"
        for a, b in zip(starts[:_SPELT_RANGES], ends[:_SPELT_RANGES], strict=True)
    ]
    more = len(starts) - len(spelt)
    tail = f" and {more} more range{'s' if more > 1 else ''}" if more else ""
    return f"frame{'s' if len(values) > 1 else ''} {', '.join(spelt)}{tail}"


def _is_detection(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _numbered(folder: Path, names: list[str]) -> FrameFiles:
    groups = {name: _DIGITS.findall(name[: -len(".json")]) for name in names}
    depth = _counting_group(list(groups.values()))
    findings: list[Finding] = []
    by_number: dict[int, str] = {}
    for name, digits in groups.items():
        number = int(digits[-depth]) if len(digits) >= depth else None
        cause = ""
        if number is None:
            cause = "it has no frame number in its name"
        elif number > _LARGEST_NUMBER:
            cause = "the number in its name is too large for a frame"
        elif number in by_number:
            cause = f"it has the same frame number as {by_number[number]}"
        if number is None or cause:
            message = f"{folder.name}/{name} was not used: {cause}."
            findings.append(Finding("error", "unnumbered-detections", message, folder / name))
        else:
            by_number[number] = name
    if not by_number:
        message = f"The folder “{folder.name}” has no JSON file with a frame number."
        findings.append(Finding("warning", "no-detections", message, folder))
    ordered = sorted(by_number)
    return FrameFiles(
        folder,
        np.array(ordered, dtype=np.intp),
        tuple(by_number[number] for number in ordered),
        tuple(findings),
    )


def _counting_group(groups: list[list[str]]) -> int:
    """Which group of digits, from the end and counted from 1, tells files apart.

    It is the last one, unless that is the same in all files (``cam1_0004_body25.json``).
    """
    depths = Counter(len(group) for group in groups)
    usual = depths.most_common(1)[0][0] if depths else 0
    for depth in range(1, usual + 1):
        if len({group[-depth] for group in groups if len(group) >= depth}) > 1:
            return depth
    return 1
