"""Sets of pictures with keypoints: what is written is read back, and what is none is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.skeleton import load_skeleton, project_skeleton
from pipeline.io.picture_set import (
    ANNOTATIONS,
    PictureSet,
    annotation,
    image_entry,
    in_skeleton,
    read_picture_set,
    split_in_time,
    split_picture_set,
    write_annotations,
    write_picture,
)

K = len(project_skeleton())


def _written(folder: Path, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    xy = rng.uniform(5.0, 60.0, (count, K, 2))
    visibility = rng.integers(0, 3, (count, K))
    visibility[:, 0] = 2
    images, annotations = [], []
    for i in range(count):
        picture = np.full((64, 80, 3), 20 * i % 250, np.uint8)
        picture[:, 40:, 0] = 200
        write_picture(folder / "a" / f"{i}.jpg", picture)
        images.append(image_entry(i + 1, f"a/{i}.jpg", picture))
        annotations.append(annotation(i + 1, xy[i], visibility[i]))
    write_annotations(folder, project_skeleton(), images, annotations, {})
    return xy, visibility


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    xy, visibility = _written(tmp_path)
    made = read_picture_set(tmp_path)
    assert len(made) == 3
    assert made.skeleton.names == project_skeleton().names
    np.testing.assert_array_equal(made.visibility, visibility)
    labelled = visibility > 0
    np.testing.assert_allclose(made.xy[labelled], xy[labelled], atol=6e-4)
    assert np.isnan(made.xy[~labelled]).all()
    for i in range(3):
        low, high = xy[i, labelled[i]].min(axis=0), xy[i, labelled[i]].max(axis=0)
        np.testing.assert_allclose(made.boxes[i], [*low, *high], atol=2e-3)
    picture = made.picture(1)
    assert picture.shape == (64, 80, 3)
    np.testing.assert_allclose(picture[30, 60], [200, 20, 20], atol=4)  # RGB, not BGR


def test_a_set_is_split_without_overlap(tmp_path: Path) -> None:
    _written(tmp_path, 30)
    whole = read_picture_set(tmp_path)
    taught, kept = split_picture_set(whole, 5)
    assert (len(taught), len(kept)) == (27, 3)
    assert {*taught.files, *kept.files} == set(whole.files)
    place = whole.files.index(kept.files[0])
    np.testing.assert_array_equal(kept.xy[0], whole.xy[place])
    again, _ = split_picture_set(whole, 5)
    assert again.files == taught.files
    with pytest.raises(UserError, match="too few to keep some"):
        split_picture_set(_first(whole, 3), 5)


def _first(pictures: PictureSet, count: int) -> PictureSet:
    from pipeline.io.picture_set import chosen_pictures

    return chosen_pictures(pictures, np.arange(count))


def test_the_last_frames_are_kept_for_judging(tmp_path: Path) -> None:
    _written(tmp_path, 10)
    whole = read_picture_set(tmp_path)
    frames = np.array([4, 4, 8, 8, 9, 9, 30, 30, 31, 31])  # two views of five frames
    taught, judged = split_in_time(replace(whole, frames=frames), 0.2)
    assert set(taught.frames) == {4, 8, 9, 30}
    assert set(judged.frames) == {31}
    taught, judged = split_in_time(replace(whole, frames=frames), 0.45)
    assert set(judged.frames) == {30, 31}


def test_frames_of_a_recording_are_read(tmp_path: Path) -> None:
    _written(tmp_path)
    path = tmp_path / ANNOTATIONS
    content = json.loads(path.read_text())
    for image, frame in zip(content["images"], (7, 3, 5), strict=True):
        image["sequence_frame"] = frame
    path.write_text(json.dumps(content))
    assert read_picture_set(tmp_path).frames.tolist() == [7, 3, 5]


def test_keypoints_are_taken_over_by_name(tmp_path: Path) -> None:
    xy, visibility = _written(tmp_path)
    target = load_skeleton("halpe_26")
    made = in_skeleton(read_picture_set(tmp_path), target)
    assert made.xy.shape == (3, 26, 2)
    ours = project_skeleton()
    for i, name in enumerate(target.names):
        if name in ours.names:
            there = ours.index(name)
            np.testing.assert_array_equal(made.visibility[:, i], visibility[:, there])
        else:
            assert (made.visibility[:, i] == 0).all()
            assert np.isnan(made.xy[:, i]).all()
    shared = ours.index("left_knee"), target.index("left_knee")
    seen = visibility[:, shared[0]] > 0
    np.testing.assert_allclose(made.xy[seen, shared[1]], xy[seen, shared[0]], atol=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is not JSON"),
        ("[]", "in COCO's form"),
        ('{"categories": [], "images": [], "annotations": []}', "in COCO's form"),
        (
            json.dumps({"categories": [{"keypoints": ["a"]}], "images": [], "annotations": []}),
            "has no picture with keypoints",
        ),
        (
            json.dumps(
                {
                    "categories": [{"keypoints": ["a"]}],
                    "images": [{"id": 1, "file_name": "a.jpg"}],
                    "annotations": [
                        {
                            "image_id": 1,
                            "num_keypoints": 1,
                            "keypoints": [1, 2, 2],
                            "bbox": [1, 2, 3, 4],
                        }
                    ],
                }
            ),
            "1 keypoints that are those of no known skeleton",
        ),
    ],
)
def test_what_is_no_set_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / ANNOTATIONS).write_text(text)
    with pytest.raises(UserError) as refused:
        read_picture_set(tmp_path)
    assert said in str(refused.value)
    assert str(tmp_path / ANNOTATIONS) in str(refused.value)


def test_files_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"annotations\.json cannot be read"):
        read_picture_set(tmp_path)
    _written(tmp_path)
    made = read_picture_set(tmp_path)
    made.files[0].unlink()
    with pytest.raises(UserError, match=r"0\.jpg cannot be read"):
        made.picture(0)
    made.files[1].write_bytes(b"no picture")
    with pytest.raises(UserError, match="it is no picture"):
        made.picture(1)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be written"):
        write_picture(tmp_path / "file" / "x.jpg", np.zeros((4, 4, 3), np.uint8))
