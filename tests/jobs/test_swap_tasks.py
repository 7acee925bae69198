"""Looking for swaps as a job: it reads the project, says where, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.io.project import Project
from pipeline.jobs.messages import Done, Job, Progress
from pipeline.jobs.tasks import TASKS
from tests.viewer.small import small_project

pytestmark = pytest.mark.gui


def test_the_ranges_come_as_plain_values_and_nothing_is_written(tmp_path: Path) -> None:
    path = small_project(tmp_path)
    before = path.read_bytes()
    first, *_, last = TASKS["find_swaps"](Job(4, "find_swaps", {"project": str(path), "track": 0}))
    assert isinstance(first, Progress)
    assert isinstance(last, Done)
    with Project.open(path, read_only=True) as project:
        n_frames, n_views = project.sequence.n_frames, project.sequence.n_views
    for one in last.result["ranges"]:
        assert 0 <= one["start"] < one["stop"] <= n_frames
        assert 0 <= one["view"] < n_views
        assert one["chain"] in ("arms", "legs")
        assert np.isfinite(one["gain_px"])
    assert path.read_bytes() == before
