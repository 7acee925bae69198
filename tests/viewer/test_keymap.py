"""Keys: presets over the table, the user's changes over both, and files of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.errors import UserError
from simspine_viewer import keymap
from simspine_viewer.commands.command import Command
from simspine_viewer.commands.table import COMMANDS

pytestmark = pytest.mark.gui

NAMES = [command.id for command in COMMANDS]


def _command(name: str, *keys: str) -> Command:
    return Command(name, "Go", name, "Does it.", lambda w: None, keys)


def test_the_later_layer_gets_the_key() -> None:
    commands = [_command("next", "Right"), _command("play", "Space"), _command("fit", "F")]
    keys = keymap.bindings(commands, "XMALab", {})
    assert keys["next"] == ("Right", "F", "W")
    assert keys["fit"] == ("C",)
    keys = keymap.bindings(commands, "XMALab", {"play": ("F", "C"), "gone": ("X",)})
    assert keys == {"next": ("Right", "W"), "play": ("F", "C"), "fit": ()}


@pytest.mark.parametrize("preset", keymap.PRESETS)
def test_no_preset_gives_a_key_to_two(preset: str) -> None:
    keys = keymap.bindings(COMMANDS, preset, {})
    all_keys = [key for had in keys.values() for key in had]
    assert len(set(all_keys)) == len(all_keys)
    wanted = [key for had in keymap.PRESETS[preset].values() for key in had]
    assert all(keymap.portable(key) for key in wanted), "every key is one"
    assert len(set(wanted)) == len(wanted)
    assert set(keymap.PRESETS[preset]) <= set(NAMES), "every command is one"
    assert [c.id for c in COMMANDS if c.keys and not keys[c.id]] == [], "nothing loses its key"


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(["A", "Ctrl+B", "Right", "Space", "F5"]), max_size=2),
        max_size=4,
    ),
    st.sampled_from(list(keymap.PRESETS)),
)
def test_no_changes_give_a_key_to_two(own: dict[str, list[str]], preset: str) -> None:
    read = keymap.from_text(json.dumps(own))
    keys = keymap.bindings(COMMANDS, preset, read)
    all_keys = [key for had in keys.values() for key in had]
    assert len(set(all_keys)) == len(all_keys)
    assert keymap.from_text(keymap.to_text(read)) == read


@pytest.mark.parametrize("text", ["", "garbage", "3", "[]", '{"next": 3}', '{"next": [3, null]}'])
def test_damaged_settings_change_no_key(text: str) -> None:
    own = keymap.from_text(text)
    assert not any(own.values())


def test_a_file_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keymap.write_keys(path, "SLEAP", {"play": ("Ctrl+P",)})
    assert keymap.read_keys(path) == ("SLEAP", {"play": ("Ctrl+P",)})
    path.write_text('{"simspine_keys": 1, "preset": "Emacs", "keys": 7}')
    assert keymap.read_keys(path) == (keymap.STANDARD, {})


@pytest.mark.parametrize("text", ["{", "[]", "{}", "12"])
def test_a_file_of_something_else_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"other\.json holds no keys"):
        keymap.read_keys(path)


def test_files_that_cannot_be_had_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json could not be read"):
        keymap.read_keys(tmp_path / "none.json")
    with pytest.raises(UserError, match="could not be written"):
        keymap.write_keys(tmp_path / "no folder" / "keys.json", "SLEAP", {})


def test_who_has_a_key() -> None:
    keys = {"next": ("Right",), "play": ("Space",)}
    assert keymap.holder(keys, "right") == "next"
    assert keymap.holder(keys, "Right", but="next") == ""
    assert keymap.holder(keys, "F9") == ""
