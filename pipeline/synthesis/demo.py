"""The built-in demo: a four-camera recording of a person whose every keypoint is known.

The folder has Pose2Sim's layout (videos, calibration, pose) and, beside it, the truth. It appears
under its name only when it is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from pipeline.synthesis.cameras import ring_of_cameras
from pipeline.synthesis.clips import Set, grounded
from pipeline.synthesis.demo_scene import scene
from pipeline.synthesis.looks import Person, make_look, make_person
from pipeline.synthesis.made_recording import (
    MadeRecording,
    RecordingTruth,
    Script,
    check_target,
    load_truth,
    make_recording,
)
from pipeline.synthesis.people import plain_model
from pipeline.synthesis.physique import BodyRange, draw_build
from pipeline.synthesis.recording import Report
from pipeline.synthesis.rooms import make_room
from pipeline.synthesis.stage import CameraTraits

DemoRecording: TypeAlias = MadeRecording
DemoTruth: TypeAlias = RecordingTruth

# Somebody of about the model's size, of other proportions; points lie where the model has them
# but for a few millimetres.
_BODIES = BodyRange((1.74, 1.76), 0.02, 0.004, (22.5, 23.0), 0.004)
_PERSON_SEED = 11


def demo_person() -> Person:
    """The person of the demo: always the same."""
    rng = np.random.default_rng(_PERSON_SEED)
    look = make_look(
        sex="man", skin=(228, 186, 158), hair=(74, 52, 38), eyes=(92, 116, 138),
        bottom=(0, (44, 62, 104), (60, 60, 60)), waist=0.962, thickness=0.011, seed=3.0,
        shoes=(92, 104, 126),
    )  # fmt: skip
    return make_person(rng, _BODIES, draw_build(plain_model(), rng, _BODIES), look)


def make_demo(
    folder: Path,
    *,
    n_frames: int = 240,
    fps: float = 30,
    size: tuple[int, int] = (640, 640),
    seed: int = 7,
    n_views: int = 4,
    render: bool = True,
    progress: Report | None = None,
) -> DemoRecording:
    """Write a synthetic recording with known truth; the same arguments give the same files.

    Parameters
    ----------
    folder : Path
        Where the recording appears, all at once; it must not exist or be empty.
    n_frames : int
        Frames at ``fps``. The scene lasts 8 s; longer recordings play it to and fro.
    size : (int, int)
        Width and height of the videos, even numbers.
    seed : int
        For the detector's noise; the motion is always the same.
    n_views : int
        1 to 8 cameras.
    render : bool
        False: plain pictures with the skeleton only, made many times faster.
    progress : callable, optional
        Called with a fraction 0..1 and a few words; what it raises stops the work.

    Raises
    ------
    UserError
        If the folder exists and is not empty, or cannot be written.
    ValueError
        If a number is out of range.
    """
    check_target(folder, n_frames, size, "the demo")
    report: Report = progress if progress is not None else (lambda fraction, text: None)
    cameras, person = ring_of_cameras(n_views, size), demo_person()
    coordinates = grounded(person, scene(person.model, np.arange(n_frames) / fps))
    script = Script(
        "demo",
        person,
        coordinates,
        cameras,
        Set(make_room(bright=1.1), traits=CameraTraits(noise=0.5)),
        fps,
        seed,
        render,
        planted=True,
    )
    return make_recording(folder, script, report)


__all__ = ["DemoRecording", "DemoTruth", "demo_person", "load_truth", "make_demo"]
