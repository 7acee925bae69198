"""Indexes from the table of frames and from sidecars are those of a pass over all packets."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io import video_index
from pipeline.io.mp4_table import read_table
from pipeline.io.video_demux import index_by_demux
from pipeline.io.video_frames import VideoIndex
from pipeline.io.video_index import index_video
from pipeline.io.video_moov import index_by_moov
from pipeline.io.video_sidecar import read_sidecar, sidecar_path, write_sidecar
from tests.truth.video import truncate
from tests.truth.video_kinds import SHOWN, VideoKinds

PLAIN_MP4 = {
    *("b_frames", "variable_rate", "open_gop", "no_edit_list", "vp9_mp4", "hevc", "av1", "ntsc"),
    *("hevc_open_gop", "late_start", "mov_mjpeg", "pyramid", "gradual_refresh", "pixel_aspect"),
}


def _differences(one: VideoIndex, other: VideoIndex) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(one)
        if not np.array_equal(getattr(one, field.name), getattr(other, field.name))
    ]


@pytest.mark.parametrize("kind", [*SHOWN, "damaged", "truncated", "turned", "mirrored"])
def test_the_table_of_frames_says_what_all_packets_say(kinds: VideoKinds, kind: str) -> None:
    fast = index_by_moov(kinds[kind])
    if kind in SHOWN:
        assert (fast is not None) == (kind in PLAIN_MP4)
    if fast is not None:
        assert _differences(fast, index_by_demux(kinds[kind])) == []


def test_a_table_that_lies_is_not_believed(kinds: VideoKinds, tmp_path: Path) -> None:
    truth = index_by_demux(kinds["b_frames"])
    source = kinds["b_frames"].read_bytes()
    generator = np.random.default_rng(4)
    tables = [source.index(name) for name in (b"stts", b"ctts", b"stsz", b"stco", b"elst", b"stss")]
    n_refused = 0
    for count in range(60):
        data = bytearray(source)
        where = int(generator.choice(tables)) + int(generator.integers(4, 40))
        data[where] ^= int(generator.integers(1, 256))
        path = tmp_path / f"{count}.mp4"
        path.write_bytes(data)
        try:
            fast = index_by_moov(path)
        except UserError:  # not to be opened at all
            continue
        if fast is None:
            n_refused += 1
        else:
            slow = index_by_demux(path)
            assert [d for d in _differences(fast, slow) if d != "findings"] == []
    assert n_refused > 20
    assert truth.frame_count == 600


@pytest.mark.parametrize("kind", ["b_frames", "avi_mpeg4", "truncated", "transport_stream"])
def test_the_second_time_the_sidecar_is_read(
    kinds: VideoKinds, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index_video(kinds[kind])

    def never(path: Path) -> VideoIndex:
        raise AssertionError(path)

    monkeypatch.setattr(video_index, "index_by_moov", never)
    monkeypatch.setattr(video_index, "index_by_demux", never)
    again = index_video(kinds[kind])
    assert _differences(first, again) == []


def test_a_video_that_moved_keeps_its_index_under_its_new_name(
    kinds: VideoKinds, tmp_path: Path
) -> None:
    old = Path(shutil.copy2(kinds["truncated"], tmp_path / "old.mp4"))
    before = index_video(old)
    new = old.rename(tmp_path / "new.mp4")
    sidecar = sidecar_path(new)
    assert sidecar is not None
    assert sidecar.exists()
    after = index_video(new)
    assert _differences(before, after) == ["path", "findings"]
    assert [f.message for f in after.findings] == [
        f.message.replace("old.mp4", "new.mp4") for f in before.findings
    ]
    assert after.findings[0].path == new


def test_a_changed_video_is_indexed_anew(kinds: VideoKinds, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy(kinds["b_frames"], path)
    assert index_video(path).frame_count == 600
    shutil.copy(kinds["pyramid"], path)
    assert index_video(path).frame_count == 200
    # The same size and ends, but written since: what lies between may have changed.
    before = sidecar_path(path)
    os.utime(path, (1, 1))
    assert sidecar_path(path) != before


def test_damaged_sidecars_are_ignored_and_written_anew(kinds: VideoKinds) -> None:
    path = kinds["b_frames"]
    truth = index_video(path)
    sidecar = sidecar_path(path)
    assert sidecar is not None
    sound = sidecar.read_bytes()
    generator = np.random.default_rng(9)
    for count in range(40):
        data = bytearray(sound)
        if count % 4 == 0:
            del data[int(generator.integers(len(data))) :]
        else:
            at = int(generator.integers(len(data) - 40))
            data[at : at + 40] = generator.bytes(40)
        sidecar.write_bytes(data)
        known = read_sidecar(sidecar, path)
        assert known is None or _differences(known, truth) == []
    sidecar.write_bytes(b"")
    assert _differences(index_video(path), truth) == []
    assert read_sidecar(sidecar, path) is not None


def test_where_no_sidecar_can_be_written_there_is_none(
    kinds: VideoKinds, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert index_video(kinds["b_frames"]).frame_count == 600


def test_what_is_cut_off_is_not_taken_from_its_table(kinds: VideoKinds, tmp_path: Path) -> None:
    path = truncate(kinds["pyramid"], tmp_path / "cut.mp4", 0.999)
    assert index_by_moov(path) is None


def test_whatever_bytes_of_a_sidecar_are_wrong_the_index_is_made_anew(
    kinds: VideoKinds, tmp_path: Path
) -> None:
    path = kinds["avi_mpeg4"]
    sidecar = tmp_path / "index.npz"
    write_sidecar(sidecar, index_by_demux(path))
    sound = sidecar.read_bytes()
    central = sound.index(b"PK\x01\x02")
    flags, method, needed = central + 8, central + 10, central + 6
    for where, value in ((flags, 0x01), (flags, 0x20), (method, 99), (needed, 99)):
        sidecar.write_bytes(sound[:where] + bytes([value]) + sound[where + 1 :])
        assert read_sidecar(sidecar, path) is None


def test_a_table_without_a_part_is_no_table(kinds: VideoKinds, tmp_path: Path) -> None:
    source = kinds["b_frames"].read_bytes()
    path = tmp_path / "odd.mp4"
    for name in (b"stts", b"stsz", b"stco"):
        path.write_bytes(source.replace(name, b"free"))
        assert read_table(path) is None
    at = source.index(b"stsz")  # four billion samples of one byte each
    path.write_bytes(source[: at + 8] + b"\0\0\0\1\xff\xff\xff\xff" + source[at + 16 :])
    assert read_table(path) is None
