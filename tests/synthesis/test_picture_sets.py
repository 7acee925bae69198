"""Drawn sets: the same for any number of processes, gone on with, and true to their notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.picture_set import ANNOTATIONS, read_picture_set
from pipeline.synthesis import picture_sets
from pipeline.synthesis.picture_sets import draw_part, draw_set, teaching_pictures


@pytest.fixture(autouse=True)
def _short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_sets, "PART", 2)


def test_a_part_is_a_function_of_seed_and_number(tmp_path: Path) -> None:
    for name, number in (("a", 1), ("b", 1), ("c", 2)):
        draw_part(tmp_path / name, 3, number, held_out=False)
    a, b, c = (sorted((tmp_path / n).rglob("*.jpg")) for n in "abc")
    assert [p.read_bytes() for p in a] == [p.read_bytes() for p in b]
    assert [p.read_bytes() for p in a] != [p.read_bytes() for p in c]


def test_some_parts_show_people_small() -> None:
    sizes = [teaching_pictures(part).person for part in range(5)]
    assert sizes[0][1] <= sizes[1][0]
    assert len(set(sizes[1:])) == 1


def test_a_drawing_goes_on_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    class Here:
        """Draws in this process, so that it is seen what is drawn."""

        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None: ...
        def submit(self, work: object, folder: Path, seed: int, part: int, held_out: bool) -> Done:
            drawn.append(part)
            draw_part(folder, seed, part, held_out)
            return Done()

    class Done:
        def result(self) -> None: ...
        def cancel(self) -> None: ...

    monkeypatch.setattr(picture_sets, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(picture_sets, "as_completed", lambda futures: futures)
    draw_part(tmp_path, 8, 1, held_out=True)
    assert list(draw_set(tmp_path, 8, 5, held_out=True)) == [pytest.approx(p / 3) for p in (2, 3)]
    assert drawn == [0, 2]
    made = read_picture_set(tmp_path)
    assert 4 <= len(made) <= 6
    height, width = made.picture(0).shape[:2]
    assert (width, height) == (900, 900)
    tall = (made.boxes[:, 2:] - made.boxes[:, :2]).max(axis=1)
    assert (tall <= 703).all()
    assert np.median(tall) >= 600
    assert list(draw_set(tmp_path, 8, 5, held_out=True)) == [1.0]
    assert drawn == [0, 2]
    with pytest.raises(UserError, match="holds another set of pictures"):
        next(draw_set(tmp_path, 9, 5, held_out=True))
    assert (tmp_path / ANNOTATIONS).exists()
