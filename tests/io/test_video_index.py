"""What an index says of a video, and the one sentence that a file without one gets."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.video_index import index_video
from tests.truth.video import encode, remux, truncate
from tests.truth.video_kinds import N_FRAMES, VideoKinds


def test_times_of_a_constant_rate(kinds: VideoKinds) -> None:
    index = index_video(kinds["b_frames"])
    assert index.mode == "pts"
    assert index.codec == "h264"
    np.testing.assert_allclose(index.times, np.arange(N_FRAMES) / 50, atol=1e-9)
    assert index.fps == pytest.approx(50.0)
    assert index.key_frame.tolist() == [0, 250, 500]
    assert index.findings == ()


def test_times_of_a_variable_rate_are_the_true_ones(kinds: VideoKinds) -> None:
    index = index_video(kinds["variable_rate"])
    gap = np.where(np.arange(N_FRAMES) < 200, 0.0, 0.5)  # as the file was made
    offset = index.times - (np.arange(N_FRAMES) / 50 + gap)
    assert np.ptp(offset) <= 0.0101  # random shifts of up to 10 ms
    assert np.ptp(offset) > 0.005


def test_an_edit_list_hides_frames_but_not_their_keyframe(kinds: VideoKinds) -> None:
    index = index_video(kinds["edit_list"])
    assert index.frame_count == N_FRAMES - 65
    assert index.times[0] == pytest.approx(0.0)
    assert index.key_pts[0] < index.pts[0]


@pytest.mark.parametrize("kind", ["avi", "avi_mpeg4", "avi_mjpeg", "elementary"])
def test_where_timestamps_are_of_no_use_frames_are_counted(kinds: VideoKinds, kind: str) -> None:
    index = index_video(kinds[kind])
    assert index.mode == "ordinal"
    assert index.frame_count == (200 if kind.startswith("avi_") else N_FRAMES)
    rate = 25 if kind == "elementary" else 50  # an elementary stream tells no rate: FFmpeg's guess
    np.testing.assert_allclose(np.diff(index.times), 1 / rate, atol=1e-9)


def test_joined_recordings_with_clocks_of_their_own_are_counted(
    kinds: VideoKinds, tmp_path: Path
) -> None:
    path = tmp_path / "joined.ts"
    path.write_bytes(kinds["transport_stream"].read_bytes() * 2)
    assert index_video(path).mode == "ordinal"


def test_frame_of_a_timestamp(kinds: VideoKinds) -> None:
    index = index_video(kinds["b_frames"])
    assert index.frame_of(int(index.pts[7])) == 7
    assert index.frame_of(int(index.pts[7]) + 1) is None
    assert index.frame_of(int(index.pts[-1]) + 1) is None
    assert index.frame_of(None) is None


def test_a_cut_off_file_is_indexed_with_a_finding(kinds: VideoKinds) -> None:
    index = index_video(kinds["truncated"])
    assert 300 < index.frame_count < 400
    (finding,) = index.findings
    assert finding.code == "video-cut-off"
    assert finding.path == kinds["truncated"]
    assert f"of the {N_FRAMES} frames" in finding.message


def test_unusual_file_names(kinds: VideoKinds, tmp_path: Path) -> None:
    for name in ("take:1.mp4", "50% %03d é.mp4", "no suffix"):
        path = tmp_path / name
        path.write_bytes(kinds["b_frames"].read_bytes())
        assert index_video(path).frame_count == N_FRAMES


# Each writes a broken file to the given path.
def _nothing(kinds: VideoKinds, path: Path) -> None:
    del kinds, path


def _folder(kinds: VideoKinds, path: Path) -> None:
    del kinds
    path.mkdir()


def _pipe(kinds: VideoKinds, path: Path) -> None:
    del kinds
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this platform")
    os.mkfifo(path)


def _empty(kinds: VideoKinds, path: Path) -> None:
    del kinds
    path.touch()


def _noise(kinds: VideoKinds, path: Path) -> None:
    del kinds
    path.write_bytes(np.random.default_rng(1).bytes(5000))


def _text(kinds: VideoKinds, path: Path) -> None:
    del kinds
    path.write_text("frame,x,y\n1,2,3\n" * 50, encoding="utf-8")


def _sound(kinds: VideoKinds, path: Path) -> None:
    del kinds
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))


def _picture(kinds: VideoKinds, path: Path) -> None:
    encode(path, [1], "-frames:v", "1")


def _playlist(kinds: VideoKinds, path: Path) -> None:
    path.write_text(f"ffconcat version 1.0\nfile '{kinds['b_frames']}'\n", encoding="utf-8")


def _without_moov(kinds: VideoKinds, path: Path) -> None:
    whole = remux(kinds["b_frames"], path.with_name("whole.mp4"))  # moov at the end
    truncate(whole, path, 0.7)


def _without_frames(kinds: VideoKinds, path: Path) -> None:
    data = kinds["fragmented"].read_bytes()
    path.write_bytes(data[: data.index(b"moof") - 4])  # header only


def _without_keyframe_data(kinds: VideoKinds, path: Path) -> None:
    data = bytearray(kinds["b_frames"].read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)


BROKEN: dict[str, tuple[str, Callable[[VideoKinds, Path], None], str]] = {
    "missing": ("a.mp4", _nothing, "does not exist"),
    "folder": ("a.mp4", _folder, "is a folder"),
    "pipe": ("a.mp4", _pipe, "not a regular file"),
    "empty": ("a.mp4", _empty, "is empty"),
    "noise": ("a.mp4", _noise, "not a video file"),
    "text": ("a.txt", _text, "not a video file"),
    "text named mp4": ("a.mp4", _text, "not a video file"),
    "sound": ("a.wav", _sound, "no video stream"),
    "picture": ("a.png", _picture, "not a video file"),
    "playlist": ("a.mp4", _playlist, "not a video file"),
    "without moov": ("a.mp4", _without_moov, "cut off; its table of frames (moov)"),
    "without frames": ("a.mp4", _without_frames, "holds no frames"),
    "zeroed": ("a.mp4", _without_keyframe_data, "none of the video's frames can be decoded"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_input_gets_one_sentence(kinds: VideoKinds, tmp_path: Path, case: str) -> None:
    name, write, cause = BROKEN[case]
    path = tmp_path / name
    write(kinds, path)
    with pytest.raises(UserError) as caught:
        index_video(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    sentence = message.removeprefix(f"{path}: ")
    assert cause in sentence
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence
