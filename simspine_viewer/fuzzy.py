"""How well a few typed letters match a name."""

from __future__ import annotations

_WORD = 2.2  # a letter at the start of a word
_RUN = 3.0  # a letter right after the one before
_GAP = 0.2  # per letter passed over


def score(typed: str, name: str) -> float | None:
    """Larger for a better match, None where the letters do not all occur in this order.

    Spaces do not count; upper and lower case are the same. Of equal matches the shorter name is
    the better one.
    """
    wanted = "".join(typed.split()).casefold()
    text = name.casefold()
    if not wanted:
        return 0.0
    best: float | None = None
    for start in (i for i, letter in enumerate(text) if letter == wanted[0]):
        found = _from(wanted, text, start)
        if found is not None and (best is None or found > best):
            best = found
    return None if best is None else best - 0.01 * len(text)


def _from(wanted: str, text: str, start: int) -> float | None:
    """Score of the match whose first letter is at ``start``."""
    total, at = 0.0, start - 1
    for letter in wanted:
        following = at + 1
        place = _word_start(text, letter, following)
        if following < len(text) and text[following] == letter and total:
            place = following
        if place < 0:
            place = text.find(letter, following)
        if place < 0:
            return None
        total += 1.0 + (_RUN if place == following and total else 0.0)
        total += _WORD if place == 0 or not text[place - 1].isalnum() else 0.0
        total -= _GAP * (place - following) if at >= start else 0.0
        at = place
    return total


def _word_start(text: str, letter: str, start: int) -> int:
    """Where the next word that begins with a letter starts, -1 for none."""
    for place in range(max(start, 0), len(text)):
        if text[place] == letter and (place == 0 or not text[place - 1].isalnum()):
            return place
    return -1
