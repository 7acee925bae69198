"""Who counts frames in another way is told apart, and named."""

from __future__ import annotations

import cv2
import pytest

from pipeline.io.video_index import index_video
from pipeline.io.video_numbers import decode_fingerprint, frame_number_warning
from tests.truth.video_kinds import VideoKinds

WARNED = {
    "edit_list": "stores 600 pictures but shows 535",
    "variable_rate": "variable frame rate",
    "transport_stream": "transport stream",
    "avi": "tells no times",
}


@pytest.mark.parametrize("kind", WARNED)
def test_other_numbers_are_warned_of_in_one_sentence(kinds: VideoKinds, kind: str) -> None:
    text = frame_number_warning(index_video(kinds[kind]))
    assert text is not None
    assert WARNED[kind] in text
    assert text.startswith(kinds[kind].name)
    assert text.endswith(".")
    assert text.count(". ") == 0


@pytest.mark.parametrize("kind", ["b_frames", "matroska", "vp9", "avi_mjpeg", "hevc", "ntsc"])
def test_plain_videos_are_not_warned_of(kinds: VideoKinds, kind: str) -> None:
    assert frame_number_warning(index_video(kinds[kind])) is None


def test_the_count_of_opencv_is_the_one_that_is_told(kinds: VideoKinds) -> None:
    capture = cv2.VideoCapture(str(kinds["edit_list"]))
    counted = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    found = decode_fingerprint(index_video(kinds["edit_list"]))
    assert found.packet_count == counted == 600
    assert found.frame_count == 535
    assert str(found).startswith("535 frames shown, 65 hidden")


def test_a_fingerprint_tells_counts_and_times_apart(kinds: VideoKinds) -> None:
    of = {
        kind: decode_fingerprint(index_video(kinds[kind]))
        for kind in ("b_frames", "no_edit_list", "late_start", "variable_rate", "edit_list")
    }
    assert len({str(found) for found in of.values()}) == len(of)
    # Times between frames are the same, wherever they start.
    assert of["b_frames"].pts_sha256 == of["late_start"].pts_sha256
    assert of["late_start"].first_pts_s == pytest.approx(3.2, abs=0.05)
    assert of["variable_rate"].pts_sha256 != of["b_frames"].pts_sha256
