"""What refining reaches on the real recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.geometry.association import associate
from pipeline.geometry.offsets import estimate_offsets, instants, windows
from pipeline.geometry.refine import COUNTED_SCORE, refine_cameras
from pipeline.geometry.refine_frames import usable_frames
from pipeline.io.recording import LoadedRecording, load_recording, recognise


def _person(recording: LoadedRecording) -> tuple[np.ndarray, np.ndarray]:
    tracks = associate(recording.cameras, recording.instances_xy, recording.instances_score)
    frame, view, person = np.nonzero(tracks == 0)
    n_frames, n_views, _, n_points = recording.instances_score.shape
    xy = np.full((n_frames, n_views, n_points, 2), np.nan)
    score = np.zeros((n_frames, n_views, n_points))
    xy[frame, view] = recording.instances_xy[frame, view, person]
    score[frame, view] = recording.instances_score[frame, view, person]
    return xy, score


@pytest.mark.realdata
def test_heldout_error_falls_to_what_the_peers_reach(balancing: Path) -> None:
    recording = load_recording(recognise(balancing))
    result = refine_cameras(recording.cameras, *_person(recording))
    assert result.accepted
    assert result.before_all > 22.0
    assert result.after_all <= 13.1
    assert (result.after < result.before).all()
    # Half of what an unrestrained adjustment moves (47 mm and 0.9 degrees).
    assert result.moved_mm.max() < 35.0
    assert result.turned_deg.max() < 0.9


@pytest.mark.realdata
@pytest.mark.parametrize("late", [(0, 0, 0, 0), (0, 0, -3, 0)])
def test_offsets_of_the_real_recording(balancing: Path, late: tuple[int, ...]) -> None:
    recording = load_recording(recognise(balancing))
    xy, score = _person(recording)
    frames = np.arange(3, 97)
    xy = np.stack([xy[frames - by, view] for view, by in enumerate(late)], axis=1)
    score = np.stack([score[frames - by, view] for view, by in enumerate(late)], axis=1)
    at, reach = instants(usable_frames(score > COUNTED_SCORE), len(xy))
    found = estimate_offsets(
        recording.cameras, *windows(lambda rows: (xy[rows], score[rows]), at, reach)
    )
    assert tuple(found.frames) == late
    assert found.verdicts == ("clear",) * 4
    assert np.abs(found.exact - late).max() < 0.25
