"""Parts of the body that are hidden or locked, kept in the project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Signal

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Keypoint, Skeleton
from simspine_viewer.document import Document

STATE = "parts"

# Words in the names of keypoints, by part; the first that fits counts.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("foot", ("toe", "heel")),
    ("leg", ("knee", "ankle")),
    ("arm", ("elbow", "wrist", "hand", "finger", "thumb")),
    ("head", ("nose", "eye", "ear", "head")),
    ("spine", ("spine", "neck", "pelvis", "sacrum", "thorax")),
    ("trunk", ("shoulder", "hip", "clavicle", "latissimus")),
)
_TITLES = {
    "head": "Head", "spine": "Spine", "trunk": "Shoulders and hips", "left-arm": "Left arm",
    "right-arm": "Right arm", "left-leg": "Left leg", "right-leg": "Right leg",
    "left-foot": "Left foot", "right-foot": "Right foot", "other": "Other points",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A group of keypoints: ``id`` for the project, ``title`` for people."""

    id: str
    title: str
    keypoints: tuple[int, ...]


@cache
def body_parts(skeleton: Skeleton) -> tuple[BodyPart, ...]:
    """The parts of a skeleton, from head to foot; every keypoint is in exactly one."""
    members: dict[str, list[int]] = {name: [] for name in _TITLES}
    for index, keypoint in enumerate(skeleton.keypoints):
        in_column = index in skeleton.column
        members["spine" if in_column else _part_of(keypoint)].append(index)
    return tuple(
        BodyPart(name, _TITLES[name], tuple(keypoints))
        for name, keypoints in members.items()
        if keypoints
    )


def _part_of(keypoint: Keypoint) -> str:
    words = keypoint.name.split("_")
    for part, known in _WORDS:
        if any(word in known for word in words):
            limb = part in ("arm", "leg", "foot")
            if not limb:
                return part
            return f"{keypoint.side}-{part}" if keypoint.side != "mid" else "other"
    return "other"


class Parts(QObject):
    """Which parts of the body are hidden (neither drawn nor hit) and locked (cannot be changed).

    Signals
    -------
    changed : other parts are hidden or locked now.
    """

    changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._hidden_parts: frozenset[str] = frozenset()
        self._locked_parts: frozenset[str] = frozenset()
        self.hidden: frozenset[int] = frozenset()
        self.locked: frozenset[int] = frozenset()
        document.opened.connect(self._load)
        document.closed.connect(self._forget)
        if document.is_open:
            self._load()

    @property
    def all(self) -> tuple[BodyPart, ...]:
        """The parts of the skeleton of the open recording."""
        if not self._document.is_open:
            return ()
        return body_parts(self._document.sequence.info.skeleton)

    def part_of(self, keypoint: int) -> BodyPart | None:
        """The part that a keypoint belongs to."""
        return next((part for part in self.all if keypoint in part.keypoints), None)

    def is_hidden(self, part: str) -> bool:
        """Whether a part is not drawn."""
        return part in self._hidden_parts

    def is_locked(self, part: str) -> bool:
        """Whether the points of a part cannot be changed."""
        return part in self._locked_parts

    def set_hidden(self, part: str, hidden: bool) -> None:
        """Hide or show a part."""
        self._set(_with(self._hidden_parts, part, hidden), self._locked_parts)

    def set_locked(self, part: str, locked: bool) -> None:
        """Lock or unlock a part."""
        self._set(self._hidden_parts, _with(self._locked_parts, part, locked))

    def reset(self) -> None:
        """Show and unlock everything."""
        self._set(frozenset(), frozenset())

    def _set(self, hidden: frozenset[str], locked: frozenset[str]) -> None:
        if (hidden, locked) == (self._hidden_parts, self._locked_parts):
            return
        self._take(hidden, locked)
        project = self._document.project
        if project is not None and not project.read_only:
            try:
                project.set_state(STATE, {"hidden": sorted(hidden), "locked": sorted(locked)})
            except UserError as error:
                self._document.failed.emit(str(error))

    def _take(self, hidden: frozenset[str], locked: frozenset[str]) -> None:
        self._hidden_parts, self._locked_parts = hidden, locked
        self.hidden = frozenset(k for p in self.all if p.id in hidden for k in p.keypoints)
        self.locked = frozenset(k for p in self.all if p.id in locked for k in p.keypoints)
        self.changed.emit()

    def _load(self) -> None:
        project = self._document.project
        state = project.state(STATE, {}) if project is not None else {}
        known = {part.id for part in self.all}
        self._take(_names(state, "hidden") & known, _names(state, "locked") & known)

    def _forget(self) -> None:
        self._take(frozenset(), frozenset())


def _with(parts: frozenset[str], part: str, there: bool) -> frozenset[str]:
    return parts | {part} if there else parts - {part}


def _names(state: Any, key: str) -> frozenset[str]:
    """Names from a project, whatever stands there."""
    names = state.get(key) if isinstance(state, dict) else None
    return frozenset(map(str, names)) if isinstance(names, Iterable) else frozenset()
