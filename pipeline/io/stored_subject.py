"""A person's body model as it lies in a project file, beside the edits."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.errors import UserError

_KEY = "subject.{}"


@dataclass(frozen=True, slots=True, eq=False)
class StoredSubject:
    """A body model and how it came about.

    ``content`` is read by ``pipeline.kinematics.subject``, ``osim`` is the model as OpenSim reads
    it (zlib); ``choice`` is what was asked for, ``report`` what came out: small values by name.
    """

    content: bytes
    osim: bytes
    choice: dict[str, Any]
    report: dict[str, Any]


def key_of(track: int) -> str:
    """Where in a project's state the model of a person lies."""
    return _KEY.format(track)


def to_state(subject: StoredSubject | None) -> dict[str, Any] | None:
    """A model as a value of a project's state."""
    if subject is None:
        return None
    return {
        "subject": base64.b64encode(subject.content).decode(),
        "osim": base64.b64encode(subject.osim).decode(),
        "choice": subject.choice,
        "report": subject.report,
    }


def from_state(stored: Any, track: int, path: Path) -> StoredSubject | None:
    """The model of a person; None where there is none.

    Raises
    ------
    UserError
        Where what is stored is no model; it names the project, ``path``.
    """
    if stored is None:
        return None
    try:
        return StoredSubject(
            base64.b64decode(stored["subject"], validate=True),
            base64.b64decode(stored["osim"], validate=True),
            dict(stored["choice"]),
            dict(stored["report"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"The body model of person {track + 1} in {path} is damaged; simulate anew."
        ) from error
