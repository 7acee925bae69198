"""A recording of many frames without a single detection: it costs nothing to make."""

from __future__ import annotations

import numpy as np

from pipeline.data.camera import SyncMap
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from tests.viewer.fakes import ANNOTATED, SIZE, ring_of_cameras


def empty_sequence(n_frames: int, n_views: int = 2, *, solved: bool = True) -> Sequence:
    """``n_frames`` frames at 50 fps in which nobody is seen; ``solved``: nothing waits for 3D."""
    info = RecordingInfo(
        "long",
        50.0,
        n_frames,
        ring_of_cameras(n_views),
        tuple(VideoRef(None, SIZE, 0) for _ in range(n_views)),
        tuple(SyncMap(n_frames=0) for _ in range(n_views)),
        project_skeleton(),
        1,
    )
    sequence = Sequence(info)
    if solved:
        sequence.stamps.computed("points3d", ANNOTATED, np.arange(n_frames), 0)
    return sequence
