"""Numbered pictures are read as a video, and are found in a recording."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.image_files import image_files, is_image_sequence
from pipeline.io.image_sequence import ImageSequenceReader
from pipeline.io.proxy_encode import encode_segment
from pipeline.io.proxy_reader import ProxyReader
from pipeline.io.proxy_store import ProxyStore, needs_proxy, proxy_key
from pipeline.io.recording_files import find_recording_files
from pipeline.io.recording_layout import recognise
from pipeline.io.video_fingerprint import fingerprint
from pipeline.io.video_index import index_video
from pipeline.io.video_numbers import frame_number_warning
from pipeline.io.video_reader import open_video
from tests.truth.video import HEIGHT, WIDTH, coded_frame, read_code


def _write(folder: Path, numbers: list[int], name: str = "{:06d}.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        data = cv2.imencode(Path(name).suffix, coded_frame(number))[1]
        (folder / name.format(number)).write_bytes(data.tobytes())
    return folder


@pytest.mark.parametrize("name", ["{:06d}.png", "cam1_{}.jpg", "shot 2 é{:03d}_left.TIFF"])
def test_a_folder_is_read_by_number(tmp_path: Path, name: str) -> None:
    folder = _write(tmp_path / "cam1", list(range(95, 112)), name)
    (folder / "Thumbs.db").write_bytes(b"other files do not matter")
    assert is_image_sequence(folder)
    with open_video(folder) as reader:
        index = reader.index
        assert isinstance(reader, ImageSequenceReader)
        assert (index.frame_count, index.width, index.height) == (17, WIDTH, HEIGHT)
        assert index.findings == ()
        assert index.fps == 0.0
        for frame in (16, 0, 5, 4, 11):
            image = reader.get(frame)
            assert image is not None
            assert image.shape == (HEIGHT, WIDTH, 4)
            assert read_code(image) == 95 + frame
            assert np.all(image[..., 3] == 255)
            snap = reader.keyframe(frame)
            assert snap is not None
            assert snap[0] == frame
            reader.prefetch_before(frame)
            assert not reader.suspect(frame)
        assert reader.get(-1) is None
        assert reader.get(17) is None
    assert not needs_proxy(index)
    assert frame_number_warning(index) is None


@pytest.mark.parametrize("pattern", ["b_%04d.png", "b_%d.png", "b_####.png"])
def test_a_pattern_picks_one_series_of_several(tmp_path: Path, pattern: str) -> None:
    _write(tmp_path, list(range(30)), "a_{:04d}.png")
    _write(tmp_path, [7, 8, 9], "b_{:04d}.png")
    path = tmp_path / pattern
    assert [file.name for file in image_files(path)] == ["b_0007.png", "b_0008.png", "b_0009.png"]
    with open_video(path) as reader:
        assert reader.index.frame_count == 3
        image = reader.get(1)
        assert image is not None
        assert read_code(image) == 8
    assert len(image_files(tmp_path)) == 30


def test_gaps_are_named_and_what_cannot_be_read_has_no_picture(tmp_path: Path) -> None:
    folder = _write(tmp_path / "cam", [1, 2, 3, 7, 8, 9])
    (folder / "000003.png").write_bytes(b"not a picture")
    (folder / "000007.png").write_bytes(b"")
    cv2.imwrite(str(folder / "000008.png"), np.zeros((10, 12, 3), np.uint8))
    with open_video(folder) as reader:
        (finding,) = reader.index.findings
        assert finding.code == "image-gaps"
        assert "3 of the pictures from number 1 to 9" in finding.message
        shown = [reader.get(frame) for frame in range(6)]
    assert [image is None for image in shown] == [False, False, True, True, True, False]


def test_deep_and_gray_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    for number in (1, 2):
        cv2.imwrite(str(folder / f"{number}.tif"), coded_frame(number).astype(np.uint16) * 256)
    with open_video(folder) as reader:
        image = reader.get(1)
    assert image is not None
    assert read_code(image) == 2


def test_other_folders_are_none(tmp_path: Path) -> None:
    assert not is_image_sequence(tmp_path)
    assert not is_image_sequence(tmp_path / "missing")
    assert not is_image_sequence(tmp_path / "%04d.png")
    _write(tmp_path, [1])
    assert not is_image_sequence(tmp_path)
    with pytest.raises(UserError, match="this is a folder"):
        open_video(tmp_path)
    folder = _write(tmp_path / "bad", [1, 2])
    (folder / "000001.png").write_bytes(b"?")
    with pytest.raises(UserError, match="cannot be read"):
        index_video(folder)


def test_a_fingerprint_notices_another_picture(tmp_path: Path) -> None:
    folder = _write(tmp_path / "cam", [1, 2, 3])
    before = fingerprint(folder)
    key = proxy_key(folder)
    assert fingerprint(folder) == before
    _write(folder, [4])
    assert fingerprint(folder) != before
    assert proxy_key(folder) != key


def test_pictures_of_the_same_sizes_have_another_key(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number:06d}.bmp"), np.full((64, 64, 3), 40, np.uint8))
    key = proxy_key(tmp_path)
    cv2.imwrite(str(tmp_path / "000002.bmp"), np.full((64, 64, 3), 41, np.uint8))
    assert proxy_key(tmp_path) != key


def test_a_proxy_of_pictures(tmp_path: Path) -> None:
    folder = _write(tmp_path / "cam", list(range(25)))
    index = index_video(folder)
    store = ProxyStore(tmp_path / "proxies")
    for _ in encode_segment(folder, index, 0, 25, store.segment_path("a", 0)):
        pass
    proxy = ProxyReader(store, "a", index)
    for frame in (0, 24, 13):
        image = proxy.get(frame)
        assert image is not None
        assert read_code(image) == frame


def test_a_recording_of_pictures_is_recognised(tmp_path: Path) -> None:
    for camera in ("cam1", "cam2", "cam10"):
        _write(tmp_path / "videos" / camera, [1, 2, 3])
    _write(tmp_path / "calibration" / "intrinsics" / "cam1", [1, 2, 3])
    _write(tmp_path / "plots", [1, 2])
    plan = recognise(tmp_path)
    assert [view.camera for view in plan.views] == ["cam1", "cam2", "cam10"]
    assert [view.video for view in plan.views] == [
        tmp_path / "videos" / name for name in ("cam1", "cam2", "cam10")
    ]


def test_pictures_beside_videos_are_no_views(tmp_path: Path) -> None:
    (tmp_path / "cam1.mp4").write_bytes(b"a video")
    _write(tmp_path / "plots", [1, 2])
    assert find_recording_files(tmp_path).videos == (tmp_path / "cam1.mp4",)
    (tmp_path / "cam1.mp4").unlink()
    assert find_recording_files(tmp_path).videos == (tmp_path / "plots",)
