"""A corrected sequence to export, and requests for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.data import edits
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from pipeline.io.export import ExportRequest
from tests.data.recordings import small_sequence

FIRST_FRAMES = (0, 12)


def corrected_sequence() -> Sequence:
    """The small recording with one correction of each kind in track 0, at keypoint = frame.

    Frame 3: placed in view 1; 4: placed in 3D; 5: occluded and placed in view 0; 6: absent in
    view 0; 7: rejected in view 0; frame 8 has nobody in view 0.
    """
    sequence = small_sequence()
    views = range(3)
    gone = [(8, 0, person) for person in range(2)]
    changes = [
        *edits.place_point(sequence, 0, 3, 1, 3, (7.25, 14.5)),
        *edits.place_point_3d(sequence, 0, 4, 4, (0.123456, -1.5, 2.25)),
        *edits.toggle_flag(sequence, 0, 6, [0], 6, Flag.ABSENT),
        *edits.delete_point(sequence, 0, 7, [0], 7),
        # No view is left to see this one from, so it has no 3D point in any of the first frames.
        *(p for f in range(*FIRST_FRAMES) for p in edits.delete_point(sequence, 0, f, views, 36)),
        sequence.patch("assignment.track", gone, -1),
    ]
    for patch in changes:
        sequence.apply(patch)
    for patch in edits.toggle_flag(sequence, 0, 5, [0], 5, Flag.OCCLUDED):
        sequence.apply(patch)
    for patch in edits.place_point(sequence, 0, 5, 0, 5, (30.5, 40.25)):
        sequence.apply(patch)
    return sequence


def request(path: Path, format: str, **changes: Any) -> ExportRequest:
    """An export of the first frames of track 0, each triangulated by itself."""
    values = {"sequence": corrected_sequence(), "track": 0, "frames": FIRST_FRAMES} | changes
    return ExportRequest(format=format, path=path, **({"stage": "triangulated"} | values))
