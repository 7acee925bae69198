"""What proxies cost and give: time and size to make, random access beside the original's.

Usage: ``python benchmarks/proxies.py [VIDEO ...] [--frames 500] [--gets 300]``. Without a video one
of 1000 x 1000 pixels, 50 frames per second, H.264 with B frames and a keyframe every 250 frames is
made with the ffmpeg command line. Times are of this process on the processor; original and proxy
take turns, so that their ratio holds on a busy machine, too.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.io.proxy_encode import encode_segment
from pipeline.io.proxy_reader import ProxyReader
from pipeline.io.proxy_store import SEGMENT_FRAMES, ProxyStore, needs_proxy, proxy_size
from pipeline.io.video import VideoReader
from pipeline.io.video_index import index_video


def make_video(path: Path, n_frames: int) -> None:
    """Moving shapes under noise, so that there is as much to code as in a laboratory's video."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise SystemExit("The ffmpeg command line is needed to make a video; or give one.")
    source = "testsrc2=size=1000x1000:rate=50,noise=alls=3:allf=t"
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M", "-bf", "3", "-g", "250"]
    coding += ["-keyint_min", "250", "-sc_threshold", "0", "-pix_fmt", "yuv420p"]
    command = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", str(n_frames)]
    subprocess.run([*command, *coding, str(path)], check=True)


def timed_ms(call: Callable[[], object]) -> float:
    """Milliseconds of processor time of one call."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1e3


def measure(path: Path, n_frames: int, n_gets: int, folder: Path) -> None:
    """Print one video's figures."""
    index = index_video(path)
    again = timed_ms(lambda: index_video(path))
    count = min(n_frames, index.frame_count)
    store = ProxyStore(folder)
    began, wall = time.process_time(), time.perf_counter()
    for start in range(0, count, SEGMENT_FRAMES):
        stop = min(start + SEGMENT_FRAMES, index.frame_count)
        out = store.segment_path(path.name, start // SEGMENT_FRAMES)
        for _ in encode_segment(path, index, start, stop, out):
            pass
        count = max(count, stop)
    made = (time.process_time() - began) * 1e3 / count
    waited = (time.perf_counter() - wall) * 1e3 / count
    per_hour = store.used_bytes() / count * index.fps * 3600 / 1e9
    proxy = ProxyReader(store, path.name, index)
    generator = random.Random(1)
    small, large, back, snap = [], [], [], []
    with VideoReader(path, index, keep_bytes=1) as reader:
        for number in range(n_gets):
            frame = generator.randrange(count)
            small.append(timed_ms(lambda frame=frame: proxy.get(frame)))
            back.append(timed_ms(lambda frame=frame: proxy.get(max(frame - 1, 0))))
            if number % 5 == 0:
                large.append(timed_ms(lambda frame=frame: reader.get(frame)))
                snap.append(timed_ms(lambda frame=frame: reader.keyframe(frame)))
    width, height = proxy_size(index)
    print(f"{path.name}: {index.width} x {index.height} {index.codec}, {count} frames,", end=" ")
    print(f"{len(index.key_frame)} keyframes, needs a proxy: {needs_proxy(index)}")
    print(f"  index from its sidecar        {again:8.1f} ms")
    print(f"  making {width} x {height}        {made:8.1f} ms per frame (wall {waited:.1f})")
    print(f"  size                          {per_hour:8.2f} GB per hour")
    for name, times in (
        ("random get, proxy", small),
        ("step back, proxy", back),
        ("random get, original", large),
        ("keyframe, original", snap),
    ):
        median, p95 = np.percentile(times, [50, 95])
        print(f"  {name:<29} {median:8.1f} ms median, {p95:.1f} p95")
    print(f"  original / proxy, random get  {np.median(large) / np.median(small):8.1f} times")


def main() -> None:
    """Measure the given videos, or one that is made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--gets", type=int, default=300)
    options = parser.parse_args()
    name_machine()
    with tempfile.TemporaryDirectory() as name:
        videos = options.videos
        if not videos:
            videos = [Path(name) / "made.mp4"]
            make_video(videos[0], options.frames)
        for path in videos:
            measure(path, options.frames, options.gets, Path(name) / "proxies" / path.name)


if __name__ == "__main__":
    main()
