"""Parts of the body: every keypoint in one, hidden and locked ones kept in the project."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import load_skeleton, shipped_skeletons
from pipeline.data.source import Flag
from simspine_viewer.parts import STATE, Parts, body_parts
from tests.viewer.fakes import open_bench

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("name", shipped_skeletons())
def test_every_keypoint_is_in_exactly_one_part(name: str) -> None:
    skeleton = load_skeleton(name)
    members = [k for part in body_parts(skeleton) for k in part.keypoints]
    assert sorted(members) == list(range(len(skeleton)))


def test_limbs_are_apart_by_side_and_the_column_is_the_spine() -> None:
    skeleton = load_skeleton("spinetrack_37")
    parts = {part.id: part for part in body_parts(skeleton)}
    assert set(skeleton.column) <= set(parts["spine"].keypoints)
    assert {skeleton.names[k] for k in parts["left-leg"].keypoints} == {"left_knee", "left_ankle"}
    assert all(skeleton.keypoints[k].side == "right" for k in parts["right-foot"].keypoints)
    assert "other" not in parts


def test_state_goes_to_the_project_and_comes_back(qtbot) -> None:
    bench = open_bench()
    parts = bench.editor.parts
    parts.set_hidden("head", True)
    parts.set_locked("spine", True)
    again = Parts(bench.document)
    assert again.is_hidden("head")
    assert again.is_locked("spine")
    assert again.hidden == parts.hidden
    assert len(parts.hidden) == 6
    bench.project.read_only = True
    parts.reset()
    assert bench.project.state(STATE) == {"hidden": ["head"], "locked": ["spine"]}
    bench.document.closed.emit()
    assert not again.hidden


@pytest.mark.parametrize("damaged", [None, 3, [], {"hidden": 4}, {"hidden": ["tail"], "locked": 1}])
def test_damaged_state_hides_nothing(qtbot, damaged: object) -> None:
    bench = open_bench()
    bench.project.set_state(STATE, damaged)
    parts = Parts(bench.document)
    assert not parts.hidden
    assert not parts.locked


def test_nothing_changes_a_locked_keypoint(qtbot) -> None:
    bench = open_bench()
    keypoint = bench.document.sequence.info.skeleton.index("LKnee")
    bench.selection.set(keypoint, 0)
    bench.editor.parts.set_locked("left-leg", True)
    said: list[str] = []
    bench.editor.refused.connect(said.append)
    for act in (
        lambda: bench.editor.nudge(1, 0),
        bench.editor.delete,
        bench.editor.revert,
        lambda: bench.editor.toggle(Flag.OCCLUDED),
    ):
        act()
    assert len(said) == 4
    assert all("LKnee" in text and "locked" in text for text in said)
    bench.editor.drag_in_view(0, keypoint, np.array([5.0, 5.0]))
    bench.editor.drag_in_3d(keypoint, np.zeros(3))
    assert bench.document.preview is None
    bench.editor.release()
    assert not bench.document.history.entries
    bench.editor.parts.reset()
    bench.editor.delete()
    assert bench.document.history.entries
