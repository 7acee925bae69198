"""The shipped skeletons agree with each other and with their documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.data.skeleton import load_skeleton, project_skeleton, shipped_skeletons

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "keypoints.md"


def test_the_project_skeleton_is_spinetrack() -> None:
    skeleton = project_skeleton()
    assert len(skeleton) == 37
    assert [skeleton.markers[i] for i in skeleton.column] == [
        "Hip", "Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05",
        "Neck", "Neck_02", "Neck_03",
    ]  # fmt: skip


@pytest.mark.parametrize("name", shipped_skeletons())
def test_names_are_distinct_and_sides_agree_with_them(name: str) -> None:
    skeleton = load_skeleton(name)
    assert len(set(skeleton.names)) == len(skeleton)
    assert len(set(skeleton.markers)) == len(skeleton)
    for keypoint in skeleton.keypoints:
        prefix = keypoint.name.partition("_")[0]
        assert keypoint.side == (prefix if prefix in ("left", "right") else "mid")


@pytest.mark.parametrize("name", shipped_skeletons())
def test_every_left_point_has_a_right_one_with_the_same_sigma(name: str) -> None:
    skeleton = load_skeleton(name)
    for keypoint in skeleton.keypoints:
        if keypoint.side == "left":
            partner = skeleton.keypoints[skeleton.index(keypoint.name.replace("left", "right"))]
            assert partner.sigma == keypoint.sigma


def test_mapping_is_by_name() -> None:
    source, target = load_skeleton("halpe_26"), project_skeleton()
    mapping = source.mapping_onto(target)
    for i, j in enumerate(mapping):
        assert j == -1 or source.names[j] == target.names[i]
    assert mapping[target.index("hip")] == -1  # Halpe's hip is between the hip joints


def test_an_unknown_keypoint_is_named() -> None:
    with pytest.raises(UserError, match=r"no keypoint named “Tail”\.$"):
        project_skeleton().index("Tail")


def test_the_document_lists_every_keypoint() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for i, k in enumerate(project_skeleton().keypoints):
        assert f"| {i} | {k.name} | {k.marker} | {k.side} | {k.sigma} | {k.definition} |" in text
