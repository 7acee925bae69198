"""The words of the window: one name for one thing, one way to write a path through the menus."""

from __future__ import annotations

import ast
import colorsys
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.data.resources import resource_path
from pipeline.data.source import Flag, Source
from simspine_viewer.commands.table import COMMANDS, MENUS
from simspine_viewer.help_words import WORDS
from simspine_viewer.lanes import LANES
from simspine_viewer.markers import COLOURS
from simspine_viewer.palette import BAD, EPIPOLAR, STANDARD

ROOT = resource_path().parent
CODE = sorted([*(ROOT / "simspine_viewer").rglob("*.py"), *(ROOT / "pipeline").rglob("*.py")])
PAGES = sorted((ROOT / "docs").glob("*.md"))


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Where and what: the texts of a module that are no docstrings, or the lines of a page."""
    if path.suffix == ".md":
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.name}:{number}", line
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    ignored = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in ignored
        ):
            yield f"{path.name}:{node.lineno}", node.value


@cache
def everywhere() -> tuple[tuple[str, str], ...]:
    return tuple(text for path in (*CODE, *PAGES) for text in texts(path))


# Paths through the menus

_MENU = "|".join(MENUS)
_OTHER_WAY = re.compile(rf"\b(?:{_MENU})(?: ?(?:>|→|->|»|›|/) ?|, )(?=[A-Z][a-z])")
_PATH = re.compile(rf"\b(?:{_MENU}) ▸ .*")


def paths() -> set[str]:
    """Every path through the menus that there is, and each of its beginnings."""
    known = {"View ▸ Panels"}  # made from the docks
    for command in COMMANDS:
        groups = [command.group] if command.group else []
        for n in range(1, len(groups) + 2):
            known.add(" ▸ ".join([command.menu, *groups, command.text][: n + 1]))
    return known


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        ("see View > Names", True), ("see Edit, Error Threshold", True), ("Go → Loop", True),
        ("see View ▸ Overlay", False), ("layouts Review, Edit, 3D", False), ("3D view", False),
    ],
)  # fmt: skip
def test_the_scan_finds_other_ways(text: str, is_wrong: bool) -> None:
    assert bool(_OTHER_WAY.search(text)) == is_wrong


def test_paths_through_the_menus_are_written_in_one_way() -> None:
    wrong = [(where, text) for where, text in everywhere() if _OTHER_WAY.search(text)]
    assert not wrong


def test_paths_through_the_menus_lead_somewhere() -> None:
    known, n = paths(), 0
    for where, text in everywhere():
        for found in _PATH.finditer(text):
            n += 1
            written = found.group()
            fits = [path for path in known if written.startswith(path)]
            longest = max(fits, key=len, default="")
            rest = written[len(longest) :]
            assert longest, f"{where}: {written}"
            assert not rest.startswith((" ▸", "…")), f"{where}: {written}"
    assert n > 20


def test_no_level_of_a_menu_is_long() -> None:
    # A list to choose from by name, and one of which most entries are hidden until they are saved.
    lists = {("Timeline", "Lanes"), ("View", "Layout")}
    levels: dict[tuple[str, str], list[str]] = {}
    for command in COMMANDS:
        level = levels.setdefault((command.menu, command.group), [])
        level.append(command.text)
        if command.group:
            top = levels.setdefault((command.menu, ""), [])
            if command.group not in top:
                top.append(command.group)
    long = {level: n for level, entries in levels.items() if (n := len(entries)) > 10}
    assert not set(long) - lists, long


# Keys


def test_keys_that_can_be_changed_are_named_by_the_key_map_alone() -> None:
    fixed = {"Alt+Left", "Shift+F3"}  # of the help window, for no command
    for path in CODE:
        if path.parent.name == "commands" or path.name == "keymap.py":
            continue
        for where, text in texts(path):
            written = set(re.findall(r"(?:(?:Ctrl|Shift|Alt)\+)+\w+", text))
            assert written <= fixed, f"{where}: {text}"


# Names


# Where the word “proxy” is said as well, or stands beside the text.
_EXPLAINED = ("prox", "this very frame", "Small copies make scrubbing")


def test_small_copies_of_videos_are_called_proxies() -> None:
    for where, text in everywhere():
        if re.search(r"prepared video|prepare video|preparing video", text, re.IGNORECASE):
            raise AssertionError(f"{where}: {text}")
        if re.search(r"small(?:er)? cop(?:y|ies)", text, re.IGNORECASE):
            explained = "help_words" in where or any(words in text for words in _EXPLAINED)
            assert explained, f"{where}: {text}"


def test_what_is_noticed_about_files_is_a_finding_and_a_note_is_the_users() -> None:
    for where, text in everywhere():
        assert not re.search(r"\bNotes\b(?! on)", text), f"{where}: {text}"


def test_words_explains_what_lanes_stages_and_tables_say() -> None:
    explained = {word.casefold() for word, _ in WORDS}
    meanings = " ".join(meaning for _, meaning in WORDS)
    assert len(explained) == len(WORDS), "a word twice"
    needed = {
        "Source", "Final", "Occluded", "Absent", "Stage", "Proxy", "Lane", "Triangulated",
        "Keyframe", "Suspect", "Marker", "Note", "Finding", "Range", "Trail", "Loupe", "Close-up",
        "Overlay", "Layout", "Job", "Project", "Score", "Residual", "Sigma", "Uncertainty",
        "Offset", "Drift", "Error threshold", "Held-out error",
    }  # fmt: skip
    # “Edited”, “Speed” and “Markers” are plain, or said by another word.
    needed |= {lane.title for lane in LANES} - {"Edited", "Speed", "Markers", "Held-out"}
    needed |= {flag.name or "" for flag in (Flag.OCCLUDED, Flag.ABSENT)}
    assert not {word.casefold() for word in needed} - explained
    shown = (
        Source.NONE, Source.DETECTED, Source.TRIANGULATED, Source.INTERPOLATED,
        Source.MANUAL_2D, Source.MANUAL_3D,
    )  # fmt: skip
    assert not [source.label for source in shown if f"“{source.label}”" not in meanings]


_FOLDERS = {"plan", "root", "folder", "request"}


def test_names_of_folders_and_recordings_are_in_quotes() -> None:
    n = 0
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.JoinedStr):
                continue
            for at, part in enumerate(node.values):
                if not isinstance(part, ast.FormattedValue) or not _is_folder_name(part.value):
                    continue
                before, after = (
                    value.value if isinstance(value, ast.Constant) else ""
                    for value in (_nth(node, at - 1), _nth(node, at + 1))
                )
                assert isinstance(before, str)
                assert isinstance(after, str)
                sentence = " " in before + after
                if sentence and not after.startswith("/") and not before.endswith("project: "):
                    n += 1
                    where = f"{path.name}:{node.lineno}"
                    assert before.endswith("“"), where
                    assert after.startswith("”"), where
    assert n > 15


def _nth(node: ast.JoinedStr, at: int) -> ast.expr | None:
    return node.values[at] if 0 <= at < len(node.values) else None


def _is_folder_name(value: ast.expr) -> bool:
    if not isinstance(value, ast.Attribute) or value.attr != "name":
        return False
    owner = value.value
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return name in _FOLDERS


# Colours

# Where on the colour circle a word stands, degrees: what people call red ends before 15 (XKCD's
# survey of colour names, 2010: red 0, orange 28, amber 42, green 120, blue 240, pink 330).
HUES = {
    "red": [(345, 360), (0, 15)], "orange": [(18, 36)], "amber": [(36, 50)], "yellow": [(46, 66)],
    "green": [(90, 170)], "blue": [(190, 250)], "purple": [(265, 305)], "pink": [(315, 345)],
}  # fmt: skip


def is_called(name: str, rgb: tuple[float, ...]) -> bool:
    """Whether a colour, 0 to 255, is what people call by that name."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(value / 255 for value in rgb))
    if name == "grey":
        return saturation < 0.1
    return saturation > 0.3 and any(low <= 360 * hue <= high for low, high in HUES[name])


def rgb_of(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def test_colours_are_what_they_are_called() -> None:
    assert not is_called("red", rgb_of("#d55e00")), "the test can tell them apart"
    assert len({name for name, _ in COLOURS}) == len(COLOURS)
    for name, colour in COLOURS:
        assert is_called(name.casefold(), rgb_of(colour)), name
    sides = (STANDARD.left, STANDARD.right, STANDARD.mid)
    for name, rgb in zip(STANDARD.title.casefold().split(", "), sides, strict=True):
        assert is_called(name, rgb), name
    assert is_called("yellow", EPIPOLAR)  # as the manual calls the curves
    assert is_called("red", BAD)
