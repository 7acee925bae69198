"""Where small copies of videos (proxies) lie: one file per segment, bounded, deletable at any time.

A segment holds ``SEGMENT_FRAMES`` displayed frames of a video, one to one. It takes its place whole
or not at all, and is never needed: whatever is missing is read from the video itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from pipeline.data.errors import UserError
from pipeline.io.image_files import image_files, is_image_sequence
from pipeline.io.video_fingerprint import fingerprint
from pipeline.io.video_frames import VideoIndex

SEGMENT_FRAMES = 500
"""Displayed frames per segment: 4 to 6 s of work to make, 4 to 12 MB."""

PROXY_LONG_SIDE = 640
"""Longest side of a proxy's pictures in pixels: what one of four panes has of a full HD screen."""

DEFAULT_MAX_BYTES = 20 << 30

# A group of pictures as short as this is decoded whole in the time of a proxy's seek.
_SHORT_GROUP = 15
_FULL_HD = (1920, 1080)
# Left for others on the disk: running out of it makes other programs lose data.
_MIN_FREE_BYTES = 1 << 30
_STALE_SECONDS = 24 * 3600.0
# What is read of a video to know its content, besides its ends: under a millisecond.
_SAMPLES, _SAMPLE_BYTES = 64, 4096
# Stands for size, coding and sidecar of the segments; a new one makes old segments unknown.
_VERSION = 2
_SEGMENT = re.compile(r"(\d{5})\.mp4")


class NoRoomError(UserError):
    """There is no room for another segment; the sentence says why."""


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment on the disk: what it belongs to, its size, and when it was last read (Unix s)."""

    key: str
    number: int
    path: Path
    n_bytes: int
    read_at: float


def proxy_folder() -> Path:
    """The user's own folder for proxies; it need not exist."""
    return platformdirs.user_cache_path("simspine-viewer") / "proxies"


def proxy_key(path: Path) -> str:
    """What the proxies of a video are known by: its content, not its name.

    Raises
    ------
    OSError
        The video cannot be read.
    """
    known = fingerprint(path)
    digest = hashlib.sha256(known.sha256.encode())
    for sample in _samples(path, known.n_bytes):
        digest.update(sample)
    return f"{digest.hexdigest()[:24]}-{known.n_bytes:x}-{_VERSION}"


def _samples(path: Path, n_bytes: int) -> Iterator[bytes]:
    """Some bytes from all along a video, or from the middle of some of many pictures.

    Where all pictures take as many bytes (uncompressed, DNxHD), the ends of a video that was
    processed again may be those of the old one.
    """
    if is_image_sequence(path):
        files = image_files(path)
        for file in files[:: -(-len(files) // _SAMPLES)]:
            with file.open("rb") as handle:
                handle.seek(file.stat().st_size // 2)
                yield handle.read(_SAMPLE_BYTES)
        return
    with path.open("rb") as handle:
        for number in range(1, _SAMPLES + 1):
            handle.seek(n_bytes * number // (_SAMPLES + 1))
            yield handle.read(_SAMPLE_BYTES)


def needs_proxy(index: VideoIndex) -> bool:
    """Whether a random frame is had so slowly that a proxy is worth making.

    Not so where groups of pictures are short (up to 15 frames) and pictures no larger than
    1920 x 1080.
    """
    sides = sorted((index.width, index.height), reverse=True)
    if sides[0] > _FULL_HD[0] or sides[1] > _FULL_HD[1]:
        return True
    starts = np.append(index.key_frame, index.frame_count)
    return bool(np.max(np.diff(starts)) > _SHORT_GROUP)


def proxy_size(index: VideoIndex) -> tuple[int, int]:
    """Width and height of a proxy's pictures in pixels, even, of the displayed shape."""
    width, height = index.width, index.height
    scale = min(1.0, PROXY_LONG_SIDE / max(width, height))
    even = (max(2, round(side * scale / 2) * 2) for side in (width, height))
    return next(even), next(even)


def segment_of(frame: int) -> int:
    """Number of the segment that holds a displayed frame."""
    return frame // SEGMENT_FRAMES


def segment_range(segment: int, n_frames: int) -> tuple[int, int]:
    """First frame of a segment, and the one after its last."""
    start = segment * SEGMENT_FRAMES
    return start, min(start + SEGMENT_FRAMES, n_frames)


class ProxyStore:
    """The segments of all videos in one folder; several processes may use it at once.

    Parameters
    ----------
    folder : Path
        Made when the first segment is. By default :func:`proxy_folder`.
    max_bytes : int
        Bound on all segments together.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.folder = proxy_folder() if folder is None else folder
        self.max_bytes = max_bytes

    def segment_path(self, key: str, segment: int) -> Path:
        """Where a segment lies, whether it is there or not."""
        return self.folder / key / f"{segment:05d}.mp4"

    def has(self, key: str, segment: int) -> bool:
        """Whether a segment is there."""
        return self.segment_path(key, segment).is_file()

    def missing(self, key: str, n_frames: int, around: int = 0) -> list[int]:
        """The segments of a video of ``n_frames`` that are not there, nearest to a frame first."""
        there = {entry.path for entry in self._segments(self.folder / key)}
        here = segment_of(around)
        absent = [
            segment
            for segment in range(-(-n_frames // SEGMENT_FRAMES))
            if self.segment_path(key, segment) not in there
        ]
        # Of two as near, the later one: people watch forwards.
        return sorted(absent, key=lambda segment: (abs(segment - here), segment < here))

    def touch(self, key: str, segment: int) -> None:
        """Note that a segment was used now."""
        # It may just have been deleted; that it is gone is found out by reading it.
        with contextlib.suppress(OSError):
            os.utime(self.segment_path(key, segment))

    def used_bytes(self, key: str | None = None) -> int:
        """Size of all segments, or of those of one video."""
        return sum(entry.n_bytes for entry in self.segments(key))

    def segments(self, key: str | None = None) -> Iterator[StoredSegment]:
        """All segments, or those of one video, in no particular order."""
        if key is not None:
            yield from self._segments(self.folder / key)
            return
        for folder in _entries(self.folder):
            if folder.is_dir(follow_symlinks=False):
                yield from self._segments(Path(folder.path))

    def delete_segment(self, key: str, segment: int) -> None:
        """Delete one segment, if it is there and no other program holds it open."""
        path = self.segment_path(key, segment)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what makers that were killed left behind; what is younger than a day stays."""
        oldest = time.time() - _STALE_SECONDS
        for folder in _entries(self.folder):
            for entry in _entries(Path(folder.path)):
                with contextlib.suppress(OSError):  # gone meanwhile
                    if entry.name.startswith(".") and entry.stat().st_mtime < oldest:
                        os.unlink(entry.path)

    def delete(self, key: str) -> None:
        """Delete the segments of one video; what another program holds open stays."""
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def clear(self) -> None:
        """Delete all segments of all videos."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_room(self, n_bytes: int, in_use: Collection[str] = ()) -> None:
        """Delete the segments not used for longest until ``n_bytes`` more have room.

        Parameters
        ----------
        n_bytes : int
            Size of what is to be added.
        in_use : collection of str
            Keys of the videos whose segments must stay.

        Raises
        ------
        NoRoomError
            The disk is nearly full, or the videos in use fill what may be used.
        """
        known = list(self.segments())
        used = sum(entry.n_bytes for entry in known)
        spare = sorted((e for e in known if e.key not in in_use), key=lambda e: e.read_at)
        lacking = max(used + n_bytes - self.max_bytes, _MIN_FREE_BYTES + n_bytes - self._free())
        for entry in spare:
            if lacking <= 0:
                break
            self.delete_segment(entry.key, entry.number)
            if not entry.path.exists():  # else someone reads it right now, where files are locked
                lacking -= entry.n_bytes
        if lacking <= 0:
            return
        if used + n_bytes > self.max_bytes and self._free() > _MIN_FREE_BYTES + n_bytes:
            allowed = self.max_bytes / (1 << 30)
            raise NoRoomError(f"The proxies of the videos fill the {allowed:.3g} GB set for them.")
        raise NoRoomError(
            f"The disk of {self.folder} is nearly full, so no more proxies of the videos are made."
        )

    def _free(self) -> int:
        folder = self.folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free

    @staticmethod
    def _segments(folder: Path) -> Iterator[StoredSegment]:
        for entry in _entries(folder):
            name = _SEGMENT.fullmatch(entry.name)
            if name:
                with contextlib.suppress(OSError):  # deleted meanwhile
                    status = entry.stat()
                    path = Path(entry.path)
                    yield StoredSegment(
                        folder.name, int(name[1]), path, status.st_size, status.st_mtime
                    )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # not made yet, or deleted meanwhile: then it holds nothing
        return []
