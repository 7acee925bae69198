"""Which stored row of a view belongs to which frame, once a view's time axis was corrected.

Detections and placed points belong to pictures, but are stored by the frame at which their picture
was shown when the recording was imported. A corrected time axis shows the picture at another
frame, and everything stored with it must be read and written there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import SyncMap

Index = NDArray[np.intp]


def rows_of_pictures(imported: SyncMap, now: SyncMap, n_frames: int) -> Index:
    """(T,) row that holds what belongs to the picture shown at each frame, ascending.

    It may lie before the first or after the last row. Where a slow video shows one picture at
    several frames, they keep their order; where a fast one shows a picture that no frame showed
    when the recording was imported, it is the nearest row.
    """
    frames = np.arange(n_frames)
    picture = now.video_frames(frames)
    exact = frames * (now.rate + now.drift) + (now.offset - imported.offset)
    nearest = np.floor(exact / (imported.rate + imported.drift) + 0.5).astype(np.intp)
    first = _first_row(imported, picture)
    last = _first_row(imported, picture + 1) - 1
    return np.asarray(np.where(first <= last, np.clip(nearest, first, last), nearest), np.intp)


def _first_row(sync: SyncMap, picture: Index) -> Index:
    """The first row, of any sign, whose picture is not before ``picture``."""
    row = np.ceil((picture - sync.offset - 0.5) / (sync.rate + sync.drift)).astype(np.intp)
    # Rounding errors may have moved a tie by one row.
    row = np.where(sync.video_frames(row - 1) >= picture, row - 1, row)
    return np.asarray(np.where(sync.video_frames(row) < picture, row + 1, row), np.intp)


def frames_of_rows(rows_at: Index, rows: Index) -> Index:
    """Sorted frames at which any of ``rows`` is read, by the ascending (T,) map ``rows_at``."""
    first = np.searchsorted(rows_at, rows, "left")
    last = np.searchsorted(rows_at, rows, "right")
    if not len(rows) or int((last - first).max()) <= 1:
        return np.asarray(np.unique(first[last > first]), np.intp)
    return np.unique(np.concatenate([np.arange(*pair) for pair in zip(first, last, strict=True)]))
