"""A recording, and a project of it, for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.opening import create_project
from pipeline.io.recording import recognise
from pipeline.synthesis.demo import DemoRecording, make_demo
from tests.cli.helpers import N_FRAMES


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRecording:
    folder = tmp_path_factory.mktemp("recordings") / "walk"
    return make_demo(folder, n_frames=N_FRAMES, size=(320, 320), render=False)


@pytest.fixture
def project(demo: DemoRecording, tmp_path: Path) -> Path:
    """A project of the demo whose person has a shoulder far from where it was detected."""
    path = tmp_path / "edited.simspine"
    with create_project(recognise(demo.folder), path, "Ada") as project:
        keypoint = project.sequence.info.skeleton.index("LShoulder")
        for view in range(2):
            patches = edits.place_point(project.sequence, 0, 3, view, keypoint, (100.0, 100.0))
            project.commit("Place point", patches, Place(3, view, keypoint, 0))
    return path
