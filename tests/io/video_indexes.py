"""Indexes of videos that there are not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from pipeline.io.video_frames import VideoIndex


def index_of(width: int, height: int, group: int, n_frames: int = 600) -> VideoIndex:
    """Of a plain video with a keyframe every ``group`` frames, 50 per second."""
    pts = np.arange(n_frames, dtype=np.int64)
    keys = pts[::group]
    return VideoIndex(
        path=Path("none.mp4"),
        codec="h264",
        mode="pts",
        time_base=Fraction(1, 50),
        pts=pts,
        key_pts=keys,
        key_dts=keys,
        key_frame=keys,
        key_packet=keys,
        key_is_clean=np.ones(len(keys), np.bool_),
        key_lead=np.zeros(len(keys), np.int64),
        width=width,
        height=height,
    )
