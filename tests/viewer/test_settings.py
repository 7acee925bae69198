"""Preferences survive, and a damaged file costs only what is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from simspine_viewer import settings as store
from simspine_viewer.settings import MAX_RECENT, TEXT_SIZES, Settings

pytestmark = pytest.mark.gui


def _file(tmp_path: Path) -> Path:
    (found,) = tmp_path.rglob("viewer.ini")
    return found


def test_all_values_come_back() -> None:
    said = Settings(
        theme="light",
        author="Ada, L.",
        error_threshold=12.5,
        show_epipolar=False,
        show_names=True,
        recent=["/a, b/c.simspine", "/é/d.simspine"],
        start="last",
        text_size=120.0,
        notify=False,
        tour_seen=True,
        own_keys='{"next": ["Ctrl+,"]}',
    )
    said.save()
    assert Settings.load() == said


def test_lists_of_none_and_one_come_back() -> None:
    for recent in ([], ["/one.simspine"]):
        Settings(recent=list(recent)).save()
        assert Settings.load().recent == recent


def test_each_test_has_its_own_file(tmp_path: Path) -> None:
    assert Settings.load() == Settings()
    Settings(theme="light").save()
    assert _file(tmp_path).is_relative_to(tmp_path)


@pytest.mark.parametrize("value", ["soon", "nan", "inf", "-3", "0", ""])
def test_a_threshold_that_is_none_has_its_default(tmp_path: Path, value: str) -> None:
    Settings(theme="light").save()
    path = _file(tmp_path)
    path.write_text(path.read_text().replace("error_threshold=30", f"error_threshold={value}"))
    loaded = Settings.load()
    assert loaded.error_threshold == Settings().error_threshold
    assert loaded.theme == "light"


def test_an_unknown_theme_has_its_default(tmp_path: Path) -> None:
    Settings(theme="light").save()
    path = _file(tmp_path)
    path.write_text(path.read_text().replace("theme=light", "theme=plaid"))
    assert Settings.load().theme == "system"


def test_an_unknown_start_and_an_odd_text_size(tmp_path: Path) -> None:
    Settings(start="middle", text_size=9000.0).save()
    loaded = Settings.load()
    assert loaded.start == "empty"
    assert loaded.text_size == TEXT_SIZES[1]


def test_a_file_that_is_none_gives_defaults(tmp_path: Path) -> None:
    Settings(theme="light").save()
    _file(tmp_path).write_bytes(bytes(range(256)) * 20)
    assert Settings.load() == Settings()


def test_recent_is_newest_first_without_doubles_and_not_endless() -> None:
    settings = Settings()
    for number in (*range(MAX_RECENT + 3), 5):
        settings.remember(Path(f"/{number}.simspine"))
    assert len(settings.recent) == MAX_RECENT
    assert settings.recent[:2] == ["/5.simspine", f"/{MAX_RECENT + 2}.simspine"]
    assert settings.recent.count("/5.simspine") == 1
    assert Settings.load().recent == settings.recent


def test_the_layout_comes_back_and_a_damaged_one_is_dropped(tmp_path: Path) -> None:
    assert store.load_layout() == (None, None)
    store.save_layout(QByteArray(b"\x01\xff"), QByteArray(b"\x02"))
    assert store.load_layout() == (QByteArray(b"\x01\xff"), QByteArray(b"\x02"))
    path = _file(tmp_path)
    path.write_text("[window]\ngeometry=nonsense\nstate=1, 2\n")
    assert store.load_layout() == (None, None)
