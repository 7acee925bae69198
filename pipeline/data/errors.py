"""The one exception type whose text is meant for the user's eyes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class UserError(Exception):
    """Something the user can understand and act on, in one sentence naming file and cause."""


Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed about an input that did not stop it from being used.

    ``message`` is one sentence that names the file and the cause; ``path`` is that file.
    ``code`` is a stable short name for tests and scripts, such as ``"size-mismatch"``.
    """

    severity: Severity
    code: str
    message: str
    path: Path | None = None


class NotEditableError(UserError):
    """The project is open elsewhere or its folder takes no files; looking at it still works."""
