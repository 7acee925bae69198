"""A camera that is off is told from points that are wrong one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.camera import CameraGroup
from pipeline.data.observations import observations
from pipeline.geometry.refine import refine_cameras
from pipeline.io.opening import open_in_memory
from pipeline.io.recording import recognise
from pipeline.quality.calibration_alarm import calibration_alarm
from pipeline.quality.heldout import heldout_block
from tests.truth.cameras import ring

CAMERAS = ring(4)


def _errors(seed: int = 0) -> np.ndarray:
    """Held-out errors of a good calibration: (T, V, K) of about 12 px."""
    return np.abs(np.random.default_rng(seed).normal(0, 12, (80, 4, 20)))


def test_a_good_calibration_gives_no_alarm() -> None:
    alarm = calibration_alarm(CAMERAS, _errors())
    assert [view.verdict for view in alarm.views] == ["single"] * 4
    assert alarm.sentence == ""


def test_a_camera_far_off_everywhere_is_an_alarm() -> None:
    errors = _errors()
    errors[:, 2] += 25.0
    alarm = calibration_alarm(CAMERAS, errors)
    assert [view.verdict for view in alarm.views] == ["single", "single", "calibration", "single"]
    assert alarm.alarmed[0].camera == "cam3"
    assert alarm.views[2].share == pytest.approx((errors[:, 2] > 30).mean())
    assert "cam3" in alarm.sentence
    assert "calibration" in alarm.sentence
    assert not any(name in alarm.sentence for name in ("cam1", "cam2", "cam4"))


def test_a_keypoint_or_a_while_is_not_the_calibration() -> None:
    points = _errors()
    points[:, 1, :5] += 200.0  # a quarter of the keypoints, all the time
    frames = _errors()
    frames[:25, 1] += 200.0  # all keypoints for a while: the legs were swapped
    single = _errors()
    single[np.random.default_rng(1).random(single.shape) < 0.1] = 300.0
    for errors in (points, frames, single):
        alarm = calibration_alarm(CAMERAS, errors)
        assert not alarm.alarmed
        assert alarm.sentence == ""
    assert calibration_alarm(CAMERAS, points).views[1].share > 0.2


def test_the_worst_camera_is_named_first() -> None:
    errors = _errors()
    errors[:, 1] += 22.0
    errors[:, 3] += 60.0
    alarm = calibration_alarm(CAMERAS, errors)
    assert [view.camera for view in alarm.alarmed] == ["cam4", "cam2"]
    assert alarm.sentence.index("cam4") < alarm.sentence.index("cam2")


def test_far_is_measured_by_the_size_of_the_picture() -> None:
    small = CameraGroup(tuple(replace(camera, size=(640, 360)) for camera in CAMERAS))
    errors = 0.4 * _errors()
    errors[:, 0] += 12.0
    assert not calibration_alarm(CAMERAS, errors).alarmed
    alarm = calibration_alarm(small, errors)
    assert [view.camera for view in alarm.alarmed] == ["cam1"]
    assert alarm.views[0].limit_px == 10.0


def test_without_points_nothing_is_said() -> None:
    errors = np.full((80, 4, 20), np.nan)
    errors[0, 0] = 500.0
    alarm = calibration_alarm(CAMERAS, errors)
    assert [view.verdict for view in alarm.views] == ["unknown"] * 4
    assert alarm.sentence == ""


def test_a_prediction_behind_the_camera_is_far() -> None:
    errors = _errors()
    errors[:, 0] = np.inf
    assert calibration_alarm(CAMERAS, errors).views[0].verdict == "calibration"


@pytest.mark.realdata
def test_the_real_recording_alarms_until_it_is_refined(balancing: Path) -> None:
    sequence, _ = open_in_memory(recognise(balancing))
    frames = np.arange(sequence.n_frames)
    alarm = calibration_alarm(sequence.cameras, heldout_block(sequence, 0, frames))
    assert [view.camera for view in alarm.alarmed] == ["cam_03", "cam_01"]
    seen = observations(sequence, 0, frames)
    refined = refine_cameras(sequence.cameras, seen.xy, seen.score, manual=seen.manual)
    for patch in edits.set_cameras(sequence, refined.cameras):
        sequence.apply(patch)
    assert not calibration_alarm(sequence.cameras, heldout_block(sequence, 0, frames)).alarmed
