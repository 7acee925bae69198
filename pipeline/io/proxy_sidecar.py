"""What is written beside a proxy's segment: its frames, and which of them not to trust."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """One segment of a proxy.

    Parameters
    ----------
    start, stop : int
        First displayed frame of the video, and the one after the last.
    codec : str
        FFmpeg's name of the segment's coding.
    group : int
        A keyframe every this many frames.
    missing : tuple of int
        Frames without a picture in the video; the segment repeats another one in their place.
    suspect : tuple of int
        Frames that may show wrong content in the video, so here, too.
    """

    start: int
    stop: int
    codec: str
    group: int
    missing: tuple[int, ...] = ()
    suspect: tuple[int, ...] = ()


def sidecar_of(segment: Path) -> Path:
    """Where the facts of a segment lie."""
    return segment.with_suffix(".json")


def read_facts(segment: Path) -> SegmentFacts:
    """The facts of a segment.

    Raises
    ------
    OSError, ValueError
        They are missing or damaged; the segment is then of no use.
    """
    try:
        stored = json.loads(sidecar_of(segment).read_text(encoding="ascii"))
        return SegmentFacts(
            int(stored["start"]),
            int(stored["stop"]),
            str(stored["codec"]),
            int(stored["group"]),
            tuple(int(frame) for frame in stored["missing"]),
            tuple(int(frame) for frame in stored["suspect"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{sidecar_of(segment)} is damaged") from error


def facts_as_text(facts: SegmentFacts) -> str:
    """The facts as they are stored."""
    return json.dumps(asdict(facts))
