"""Where somebody was is kept while they work, not only when they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.io.project import Project
from simspine_viewer import remembered_place
from tests.viewer.small import small_project
from tests.viewer.window import main_window, open_and_settle, wait_until

pytestmark = pytest.mark.gui


def test_the_place_is_written_while_the_program_runs(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered_place, "KEEP_MS", 100)
    path = small_project(tmp_path)
    with main_window() as window:
        open_and_settle(window, path)
        window.time.set_frame(3)
        window.selection.set(keypoint=5)

        def kept() -> bool:
            with Project.open(path, read_only=True) as seen:
                return (seen.state("frame", 0), seen.state("keypoint", -1)) == (3, 5)

        assert not kept()
        wait_until(kept)
