"""Offsets in time found together with the cameras, and admitted not to be known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.geometry.offsets import (
    MARGIN,
    REACH,
    OffsetEstimates,
    estimate_offsets,
    instants,
    offset_steps,
    windows,
)
from tests.geometry.refining import disturbed, seen


def _found(
    n_frames: int, n_cameras: int, late: tuple[int, ...], reach: int = REACH, **how
) -> OffsetEstimates:  # type: ignore[no-untyped-def]
    truth, xy, score = seen(n_frames, n_cameras, late=late, **how)
    at, allowed = instants(np.arange(n_frames), n_frames, reach)
    assert allowed == reach
    return estimate_offsets(
        disturbed(truth), *windows(lambda rows: (xy[rows], score[rows]), at, reach)
    )


@pytest.mark.parametrize("late", [(0, 3, 0, 0), (7, 0, 0, -2)])
def test_injected_offsets_are_found_although_the_cameras_are_off(late: tuple[int, ...]) -> None:
    found = _found(120, 4, late)
    assert tuple(found.frames) == late
    assert found.verdicts == ("clear",) * 4
    assert np.abs(found.exact - late).max() < 0.3
    at_zero = found.tried == 0
    assert (found.curves[:, at_zero] == 1.0).all()
    assert (np.nanmin(found.curves, axis=1) == 1.0).all()


def test_a_person_on_the_spot_says_nothing_of_time() -> None:
    found = _found(60, 3, (0, 3, 0), reach=4, still=True)
    assert found.verdicts == ("none",) * 3
    assert not found.frames.any()
    assert not found.exact.any()


def test_a_camera_that_sees_nobody_is_not_judged() -> None:
    truth, xy, score = seen(60, 4, late=(0, 0, 0, 2))
    score[:, 1] = 0.0
    at, reach = instants(np.arange(60), 60, 5)
    found = estimate_offsets(truth, *windows(lambda rows: (xy[rows], score[rows]), at, reach))
    assert found.verdicts == ("clear", "none", "clear", "clear")
    assert tuple(found.frames) == (0, 0, 0, 2)


def test_two_cameras_are_too_few() -> None:
    truth, xy, score = seen(120, 2)
    at, reach = instants(np.arange(120), 120)
    found = estimate_offsets(truth, *windows(lambda rows: (xy[rows], score[rows]), at, reach))
    assert found.verdicts == ("none", "none")


def test_windows_lie_in_the_recording() -> None:
    for n_frames in (0, 5, 20, 30, 60, 100, 5000):
        at, reach = instants(np.arange(n_frames), n_frames)
        assert 0 <= reach <= REACH
        half = reach + MARGIN
        assert (at >= half).all()
        assert (at < n_frames - half).all()
        xy = np.arange(n_frames, dtype=float)[:, None, None, None] * np.ones((1, 2, 3, 2))
        rows, score = windows(lambda frames, xy=xy: (xy[frames], xy[frames, ..., 0]), at, reach)
        assert rows.shape == (len(at), 2 * half + 1, 2, 3, 2)
        assert score.shape == rows.shape[:-1]
        np.testing.assert_array_equal(rows[:, half, 0, 0, 0], at)


def test_a_short_recording_is_not_judged() -> None:
    truth, xy, score = seen(14, 4)
    at, reach = instants(np.arange(14), 14)
    found = estimate_offsets(truth, *windows(lambda rows: (xy[rows], score[rows]), at, reach))
    assert found.verdicts == ("none",) * 4


def test_the_steps_tell_how_far_the_work_is() -> None:
    truth, xy, score = seen(60, 3)
    at, reach = instants(np.arange(60), 60, 3)
    steps = offset_steps(truth, *windows(lambda rows: (xy[rows], score[rows]), at, reach))
    fractions = [fraction for fraction, _ in steps]
    assert len(fractions) > 20
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1.0
