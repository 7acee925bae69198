"""Layouts survive the settings; damage costs only what is damaged."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simspine_viewer.layouts import BUILT_IN, MAX_NAME, Layout, clean_name, from_text, to_text
from simspine_viewer.pane_layout import Arrangement


def test_all_parts_come_back() -> None:
    layouts = (
        Layout("a", "3d", Arrangement.STRIP, "pictures", 20, ("timeline",), "", False, "AAAA"),
        *BUILT_IN,
    )
    assert from_text(to_text(layouts)) == layouts


@settings(deadline=None, max_examples=60)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["name", "shows", "panes", "apart", "split", "docks", "front", "state"]),
        inner, max_size=8,
    ),
    max_leaves=20,
))  # fmt: skip
def test_anything_gives_layouts_that_can_be_used(data: Any) -> None:
    for layout in from_text(json.dumps(data)):
        assert layout.name == clean_name(layout.name) != ""
        assert layout.shows in ("both", "pictures", "3d")
        assert isinstance(layout.panes, Arrangement)
        assert 0 < layout.split < 100
        assert from_text(to_text((layout,))) == (layout,)


@pytest.mark.parametrize("text", ["", "{", "null", "[[]]", "[3]", '[{"name": "  "}]'])
def test_garbage_gives_none(text: str) -> None:
    assert from_text(text) == ()


def test_one_bad_layout_costs_no_other() -> None:
    data = [asdict(BUILT_IN[0]), {"name": None}, {**asdict(BUILT_IN[1]), "split": "wide"}]
    read = from_text(json.dumps(data))
    assert [layout.name for layout in read] == ["Review", "Edit"]
    assert read[1].split == Layout("x").split


def test_names_stand_on_one_line_of_a_menu() -> None:
    assert clean_name(" a\n b ") == "a b"
    assert len(clean_name("x" * 500)) == MAX_NAME
