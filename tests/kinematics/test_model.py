"""Models as arrays: what they refuse, and their file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.kinematics.model import (
    array_fields,
    coordinate_index,
    free_coordinates,
    name_fields,
    subtree,
    with_markers,
)
from pipeline.kinematics.model_file import load_model, save_model
from tests.kinematics.puppet import puppet


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    model = puppet()
    save_model(model, tmp_path / "subject.npz")
    again = load_model(tmp_path / "subject.npz")
    assert again.name == model.name
    for field in name_fields():
        assert getattr(again, field) == getattr(model, field)
    for field in array_fields(model):
        np.testing.assert_array_equal(getattr(again, field), getattr(model, field))
    assert [path.name for path in tmp_path.iterdir()] == ["subject.npz"]


def _content(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "subject.npz"
    save_model(puppet(), path)
    whole = path.read_bytes()
    for bad in (b"", b"not a model", whole[: len(whole) // 2]):
        path.write_bytes(bad)
        with pytest.raises(UserError, match=r"subject\.npz"):
            load_model(path)
    with pytest.raises(UserError, match=r"nowhere\.npz could not be read"):
        load_model(tmp_path / "nowhere.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": np.array(99)}, "later version"),
        ({"kind": np.array("other")}, "no kinematic model"),
        ({"parents": np.zeros(3, int)}, "parents"),
        ({"axis_coordinate": np.full((9, 6), 77)}, "axis_coordinate"),
        ({"default": np.full(20, np.nan)}, "default"),
    ],
)
def test_an_impossible_file_is_refused(
    tmp_path: Path, change: dict[str, np.ndarray], message: str
) -> None:
    path = tmp_path / "subject.npz"
    save_model(puppet(), path)
    np.savez(path, **(_content(path) | change))
    with pytest.raises(UserError, match=message):
        load_model(path)


def test_a_field_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "subject.npz"
    save_model(puppet(), path)
    content = _content(path)
    del content["masses"]
    np.savez(path, **content)
    with pytest.raises(UserError, match="masses is missing"):
        load_model(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="could not be written"):
        save_model(puppet(), tmp_path / "no folder" / "subject.npz")


def test_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        puppet().default[0] = 1.0


def test_a_marker_named_twice_is_refused() -> None:
    model = puppet()
    with pytest.raises(ValueError, match="C7 appears twice in marker_names"):
        with_markers(model, ["C7", "C7"], ["high", "high"], np.zeros((2, 3)))
    with pytest.raises(KeyError, match="no body named nose"):
        with_markers(model, ["C7"], ["nose"], np.zeros((1, 3)))


def test_a_body_before_its_parent_is_refused() -> None:
    model = puppet()
    parents = model.parents.copy()
    parents[1] = 5
    with pytest.raises(ValueError, match="before its parent"):
        replace(model, parents=parents)


def test_helpers() -> None:
    model = puppet()
    free = free_coordinates(model)
    assert not free[coordinate_index(model, "upper_flex")]
    assert not free[coordinate_index(model, "toe")]
    assert free.sum() == 17
    carried = [model.body_names[b] for b in np.flatnonzero(subtree(model, 2))]
    assert carried == ["high", "arm_r", "fore_r", "arm_l", "fore_l"]
