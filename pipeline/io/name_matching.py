"""Matching the names of videos and folders to the names of cameras."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
# What tools append to a camera's name and does not belong to it.
_NOISE = frozenset({"json", "keypoints", "pose", "video", "img"})


@dataclass(frozen=True, slots=True)
class Match:
    """Which candidate belongs to which target.

    ``index`` has one entry per target, the candidate's index or None; ``by_order`` lists the
    targets that were matched by position only; ``spare`` the candidates left over.
    """

    index: tuple[int | None, ...]
    by_order: tuple[int, ...]
    spare: tuple[int, ...]


def match_names(targets: Sequence[str], candidates: Sequence[str]) -> Match:
    """Match names that mean the same thing.

    In this order, each step with what the earlier ones left: the same words and numbers
    (``cam_01``, ``Cam1``); the target's words inside the candidate's (``S1_cam_01``); the same
    after removing what all names of a side share (``cam_01``, ``GoPro1``); and, if equally many
    are left on both sides, by order. A step matches only where the answer is unique.

    Parameters
    ----------
    targets, candidates : sequence of str
        Names without file suffixes.
    """
    wanted, offered = [_tokens(n) for n in targets], [_tokens(n) for n in candidates]
    found: dict[int, int] = {}
    _pair(found, wanted, offered, lambda a, b: len(a) if a == b else 0)
    _pair(found, wanted, offered, lambda a, b: len(a) if _inside(a, b) or _inside(b, a) else 0)
    own, other = _distinguishing(wanted), _distinguishing(offered)
    _pair(found, own, other, lambda a, b: len(a) if a == b else 0)
    left = [i for i in range(len(targets)) if i not in found]
    spare = [j for j in range(len(candidates)) if j not in found.values()]
    by_order: tuple[int, ...] = ()
    if left and len(left) == len(spare):
        left.sort(key=lambda i: _natural(targets[i]))
        spare.sort(key=lambda j: _natural(candidates[j]))
        found.update(zip(left, spare, strict=True))
        by_order, spare = tuple(left), []
    return Match(tuple(found.get(i) for i in range(len(targets))), by_order, tuple(spare))


def natural_key(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sort key under which ``cam2`` comes before ``cam10``."""
    return _natural(name)


def _natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    return tuple((t.isdigit(), int(t) if t.isdigit() else 0, t) for t in _TOKEN.findall(name))


def _tokens(name: str) -> tuple[str, ...]:
    words = [t.lower() if not t.isdigit() else str(int(t)) for t in _TOKEN.findall(name)]
    return tuple(w for w in words if w not in _NOISE) or tuple(words)


def _inside(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    n = len(part)
    return 0 < n <= len(whole) and any(whole[i : i + n] == part for i in range(len(whole) - n + 1))


def _distinguishing(names: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    shared = set.intersection(*map(set, names)) if len(names) > 1 else set()
    return [tuple(t for t in name if t not in shared) for name in names]


def _pair(
    found: dict[int, int],
    wanted: list[tuple[str, ...]],
    offered: list[tuple[str, ...]],
    agreement: Callable[[tuple[str, ...], tuple[str, ...]], int],
) -> None:
    """Add pairs that agree most for both sides, leaving ties to the next step."""
    rows = [i for i in range(len(wanted)) if i not in found]
    columns = [j for j in range(len(offered)) if j not in found.values()]
    score = {(i, j): agreement(wanted[i], offered[j]) for i in rows for j in columns}
    added: dict[int, int] = {}
    for i in rows:
        best = max((score[i, j] for j in columns), default=0)
        tops = [j for j in columns if score[i, j] == best]
        if best and len(tops) == 1:
            (j,) = tops
            rivals = [k for k in rows if score[k, j] >= best]
            if rivals == [i]:
                added[i] = j
    found.update(added)
