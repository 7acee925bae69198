"""How many wrong frames the reader and the proxy show, over all kinds of video: it must be none.

Usage: ``python benchmarks/video_accuracy.py [KIND ...] [--seeks 150]``. Each kind is made with the
ffmpeg command line, every frame carrying its own number as a bar code, and is read by random
seeks, in order, backwards (with and without decoding ahead), by its index from the table of frames
where there is one, and through its proxy. OpenCV's own seeks stand beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"  # read at import: OpenCV is loud

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.io.proxy_encode import encode_segment
from pipeline.io.proxy_reader import ProxyReader
from pipeline.io.proxy_store import SEGMENT_FRAMES, ProxyStore, segment_range
from pipeline.io.video import VideoReader
from pipeline.io.video_demux import index_by_demux
from pipeline.io.video_moov import index_by_moov
from tests.truth.video import read_code
from tests.truth.video_kinds import SHOWN, VideoKinds


def code_of(image: np.ndarray | None) -> int | None:
    """The number in a picture; None where there is no picture or no number."""
    return None if image is None else read_code(image)


def wrong_in(kinds: VideoKinds, kind: str, n_seeks: int, folder: Path) -> dict[str, int]:
    """Wrong frames of one kind by way of reading."""
    shown = list(SHOWN[kind])
    path = kinds[kind]
    index = index_by_demux(path)
    wrong = {"count": abs(index.frame_count - len(shown)) + (kinds.codes(kind) != shown)}
    seeks = random.Random(kind).choices(range(len(shown)), k=n_seeks)
    fast = index_by_moov(path)
    with VideoReader(path, index if fast is None else fast) as reader:
        wrong["random"] = sum(code_of(reader.get(f)) != shown[f] for f in seeks)
    with VideoReader(path, index) as reader:
        wrong["in order"] = sum(code_of(reader.get(f)) != shown[f] for f in range(len(shown)))
        wrong["backwards"] = sum(
            code_of(reader.get(f)) != shown[f] for f in range(len(shown))[::-1]
        )
    with VideoReader(path, index, keep_bytes=1 << 20) as reader:
        wrong["ahead"] = 0
        for frame in range(len(shown) - 1, max(-1, len(shown) - 150), -1):
            wrong["ahead"] += code_of(reader.get(frame)) != shown[frame]
            reader.prefetch_before(frame)
        wrong["keyframe"] = 0
        for frame in seeks[:40]:
            snap = reader.keyframe(frame)
            wrong["keyframe"] += snap is not None and code_of(snap[1]) != shown[snap[0]]
    store = ProxyStore(folder / "proxies")
    for segment in range(-(-len(shown) // SEGMENT_FRAMES)):
        start, stop = segment_range(segment, len(shown))
        for _ in encode_segment(path, index, start, stop, store.segment_path(kind, segment)):
            pass
    proxy = ProxyReader(store, kind, index)
    wrong["proxy"] = sum(code_of(proxy.get(f)) != shown[f] for f in [*seeks, *range(len(shown))])
    wrong["suspect"] = sum(reader.suspect(f) or proxy.suspect(f) for f in range(len(shown)))
    wrong["OpenCV"] = _opencv(path, seeks, shown)
    return wrong


def _opencv(path: Path, seeks: list[int], shown: list[int]) -> int:
    capture = cv2.VideoCapture(str(path))
    wrong = 0
    for frame in seeks:
        capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
        ok, image = capture.read()
        wrong += code_of(image if ok else None) != shown[frame]
    capture.release()
    return wrong


def main() -> int:
    """Print wrong frames per kind; 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(SHOWN))
    parser.add_argument("--seeks", type=int, default=150)
    options = parser.parse_args()
    name_machine()
    total = 0
    with tempfile.TemporaryDirectory() as name:
        kinds = VideoKinds(Path(name))
        for number, kind in enumerate(options.kinds):
            began = time.perf_counter()
            wrong = wrong_in(kinds, kind, options.seeks, Path(name))
            if number == 0:
                print(f"{'wrong frames of':<18}", *(f"{way:>10}" for way in wrong))
            seconds = time.perf_counter() - began
            print(f"{kind:<18}", *(f"{n:>10}" for n in wrong.values()), f"{seconds:7.1f} s")
            wrong.pop("OpenCV")
            total += sum(wrong.values())
    print(f"{total} wrong in all, OpenCV left out")
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
