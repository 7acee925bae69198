"""A project of the demo in which a person placed one point in every frame."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.edits import place_point
from pipeline.data.history import Place
from pipeline.io.opening import create_project
from pipeline.io.recording import recognise
from pipeline.synthesis.demo import DemoRecording

KEYPOINT, VIEW = 5, 1


def corrected_project(demo: DemoRecording, path: Path) -> Path:
    """Make the project at ``path``; the point is put where it truly is."""
    truth = demo.truth.xy[:, VIEW, KEYPOINT]
    with create_project(recognise(demo.folder), path, "somebody") as project:
        for frame, xy in enumerate(truth):
            patches = place_point(project.sequence, 0, frame, VIEW, KEYPOINT, xy)
            project.commit("Place", patches, Place(frame, VIEW, KEYPOINT, 0))
    return path
