"""A few letters find what they are meant to find, before everything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simspine_viewer import fuzzy
from simspine_viewer.commands.table import COMMANDS


def _best(typed: str, names: list[str]) -> str:
    scores = {name: fuzzy.score(typed, name) for name in names}
    return max((n for n in names if scores[n] is not None), key=lambda n: scores[n] or 0.0)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("undo", "Undo"),
        ("nf", "Next Frame"),
        ("gtf", "Go to Frame…"),
        ("open pro", "Open Project…"),
        ("prefs", "Preferences…"),
        ("SAVE AS", "Save As…"),
        ("3dtop", "Top"),
    ],
)
def test_the_best_command(typed: str, name: str) -> None:
    names = [command.text for command in COMMANDS]
    if name == "Top":  # no command has “3D” in its own name here
        assert fuzzy.score(typed, name) is None
        return
    assert _best(typed, names) == name


def test_letters_must_occur_in_this_order() -> None:
    assert fuzzy.score("ba", "ab") is None
    assert fuzzy.score("xx", "x") is None
    assert fuzzy.score("", "anything") == 0.0


def test_words_before_letters_within_words() -> None:
    assert (fuzzy.score("hip", "LHip") or 0) < (fuzzy.score("hip", "Hip") or 0)
    assert (fuzzy.score("nf", "Next Frame") or 0) > (fuzzy.score("nf", "Confidence") or 0)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=8), st.text(max_size=30))
def test_a_match_is_a_subsequence(typed: str, name: str) -> None:
    wanted = "".join(typed.split()).casefold()
    rest = iter(name.casefold())
    is_subsequence = all(letter in rest for letter in wanted)
    assert (fuzzy.score(typed, name) is not None) == is_subsequence
