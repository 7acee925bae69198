"""Fixtures of the tests that read and write files."""

from __future__ import annotations

import pytest

from tests.truth.video import require_ffmpeg
from tests.truth.video_kinds import VideoKinds


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> VideoKinds:
    """Bar-coded videos by kind; read only, copy before changing one."""
    require_ffmpeg()
    return VideoKinds(tmp_path_factory.mktemp("videos"))
