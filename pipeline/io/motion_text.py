"""What the text files of markers and of motions share: lines, names and times that must be sound.

A *fault* is the end of a sentence that begins with the file or its content; empty: none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError


def read_lines(path: Path, kind: str) -> list[str]:
    """The lines of a UTF-8 file; UserError where it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a {kind} file: it is not UTF-8 text.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {(error.strerror or '').lower()}.") from error


def fault_of_names(names: Sequence[str], noun: str) -> str:
    """Fault of column names: none at all, one twice, an empty one or one with tabs."""
    if not names:
        return f"has no {noun}s"
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        return f"has the {noun} {name} {count} times"
    odd = [name for name in names if not name.strip() or set("\t\r\n") & set(name)]
    return f"has a {noun} named {odd[0]!r}" if odd else ""


def fault_of_times(times: NDArray[np.float64]) -> str:
    """Fault of times in seconds, (T,): not finite or not increasing."""
    if not np.isfinite(times).all():
        return "has a frame without a time"
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if len(backwards):
        return f"has times that do not increase, at {times[backwards[0] + 1]:g} s"
    return ""
