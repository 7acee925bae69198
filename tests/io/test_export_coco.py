"""COCO keypoints: complete for pycocotools, and true to the observations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.observations import observations
from pipeline.data.sequence import Sequence
from pipeline.io.export import export
from tests.data.recordings import SIZE
from tests.io.exports import corrected_sequence, request

Document = dict[str, Any]


def exported(tmp_path: Path, **changes: Any) -> Document:
    export(request(tmp_path / "a.json", "coco", **changes))
    document: Document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    return document


def image(document: Document, view: int, frame: int) -> Document:
    (found,) = (
        entry
        for entry in document["images"]
        if (entry["camera"], entry["sequence_frame"]) == (f"cam{view}", frame)
    )
    return found


def points(document: Document, view: int, frame: int) -> np.ndarray:
    number = image(document, view, frame)["id"]
    (found,) = (a for a in document["annotations"] if a["image_id"] == number)
    return np.array(found["keypoints"]).reshape(37, 3)


def test_has_what_pycocotools_asks_for(tmp_path: Path) -> None:
    document = exported(tmp_path, frames=None)
    assert document.keys() == {"info", "licenses", "categories", "images", "annotations"}
    (category,) = document["categories"]
    assert (category["id"], category["name"], category["supercategory"]) == (1, "person", "person")
    assert len(category["keypoints"]) == len(set(category["keypoints"])) == 37
    links = np.array(category["skeleton"])
    assert (links.min(), links.max()) == (1, 37)
    assert len(category["simspine"]["sigmas"]) == 37
    images = {entry["id"]: entry for entry in document["images"]}
    assert len(images) == len(document["images"])
    assert len({entry["file_name"] for entry in document["images"]}) == len(images)
    assert all((entry["width"], entry["height"]) == SIZE for entry in images.values())
    ids = [entry["id"] for entry in document["annotations"]]
    assert len(set(ids)) == len(ids) > 500
    for entry in document["annotations"]:
        assert entry["image_id"] in images
        assert entry["category_id"] == 1
        assert entry["iscrowd"] == 0
        triples = np.array(entry["keypoints"]).reshape(-1, 3)
        assert len(triples) == 37
        assert all(isinstance(v, int) and v in (0, 1, 2) for v in entry["keypoints"][2::3])
        labelled = triples[triples[:, 2] > 0, :2]
        assert entry["num_keypoints"] == len(labelled) > 0
        assert (triples[triples[:, 2] == 0] == 0).all()
        x, y, width, height = entry["bbox"]
        np.testing.assert_allclose((x, y), labelled.min(axis=0))
        np.testing.assert_allclose((x + width, y + height), labelled.max(axis=0), atol=1e-3)
        assert entry["area"] == width * height
        assert len(entry["simspine"]["source"]) == len(entry["simspine"]["score"]) == 37


def test_points_are_the_observations(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    document = exported(tmp_path, sequence=sequence)
    seen = observations(sequence, 0, slice(0, 12))
    compared = 0
    for t, v in np.argwhere(np.isfinite(seen.xy[..., 0]).any(axis=-1)):
        if v == 2 or (v == 1 and t < 3):  # a slow camera, and pictures from before it started
            continue
        triples = points(document, v, t)
        there = np.isfinite(seen.xy[t, v, :, 0])
        np.testing.assert_allclose(triples[there, :2], seen.xy[t, v, there], atol=1e-3)
        np.testing.assert_array_equal(triples[:, 2] > 0, there)
        compared += 1
    assert compared > 15


def test_corrections_show(tmp_path: Path) -> None:
    document = exported(tmp_path)
    assert points(document, 1, 3)[3].tolist() == [7.25, 14.5, 2]
    assert points(document, 0, 5)[5].tolist() == [30.5, 40.25, 1]
    assert points(document, 0, 6)[6].tolist() == [0, 0, 0]
    assert points(document, 0, 7)[7].tolist() == [0, 0, 0]
    annotated = {entry["image_id"] for entry in document["annotations"]}
    assert image(document, 0, 8)["id"] not in annotated
    (entry,) = (a for a in document["annotations"] if a["image_id"] == image(document, 0, 5)["id"])
    own = entry["simspine"]
    assert own["person"] == 1
    assert (own["source"][5], own["score"][5]) == ("manual-2d", 1.0)
    assert (own["source"][36], own["score"][36]) == ("none", 0.0)
    assert own["source"][0] == "detected"


def test_images_lead_to_the_pictures_of_the_videos(tmp_path: Path) -> None:
    sequence = corrected_sequence()
    (tmp_path / "videos").mkdir()
    video = replace(sequence.info.videos[1], path=tmp_path / "videos" / "é 1.mp4")
    videos = (sequence.info.videos[0], video, sequence.info.videos[2])
    moved = Sequence(replace(sequence.info, videos=videos))
    for name, track in sequence.stored_layers():
        for number in sequence.layer(name, track).stored():
            chunk = sequence.layer(name, track).chunk(number)
            assert chunk is not None
            moved.layer(name, track).set_chunk(number, chunk)
    document = exported(tmp_path, sequence=moved)
    late = image(document, 1, 7)
    assert late["frame_index"] == 4
    assert late["file_name"] == "cam1/cam1_000004.jpg"
    assert late["video"] == "videos/é 1.mp4"
    assert image(document, 0, 7)["video"] is None
    assert [entry["frame_index"] for entry in document["images"]][:12] == list(range(12))
    slow = [entry["frame_index"] for entry in document["images"] if entry["camera"] == "cam2"]
    assert slow == list(range(5, 13))  # 12 frames show 8 pictures


def test_info_and_a_range_without_the_person(tmp_path: Path) -> None:
    document = exported(tmp_path, title="Walk", frames=(8, 9))
    info = document["info"]
    assert info["description"] == "Walk"
    assert info["version"].startswith("SIMSPINE Viewer ")
    assert "pixel centres at integers" in info["pixel_convention"]
    assert len(document["images"]) == 3
    assert {entry["image_id"] for entry in document["annotations"]} <= {2, 3}  # nobody in cam0
