"""The published frame selection and factors, faults included."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.kinematics.published_scaling import (
    ORDER,
    published_factors,
    published_frames,
    trimmed_length,
)

N_FRAMES = 400


@pytest.fixture
def standing() -> np.ndarray:
    """Somebody with knees bent by a few degrees, more than the limit, whose markers do not move."""
    rng = np.random.default_rng(1)
    person = rng.normal(0.0, 0.1, (len(ORDER), 3))
    for name, height in (("Neck", 1.5), ("Hip", 1.0), ("Knee", 0.5), ("Ankle", 0.1)):
        for side in ("", "R", "L"):
            if side + name in ORDER:
                person[ORDER.index(side + name)] = (0.0, height, {"R": 0.1, "L": -0.1, "": 0}[side])
    person[[ORDER.index("RKnee"), ORDER.index("LKnee")], 0] = 0.02
    return np.tile(person, (N_FRAMES, 1, 1))


def shake(xyz: np.ndarray, frames: slice, names: tuple[str, ...], metres: float) -> None:
    """Move markers to and fro from frame to frame."""
    signs = np.where(np.arange(N_FRAMES)[frames] % 2, 1.0, -1.0)
    for name in names:
        xyz[frames, ORDER.index(name), 0] += metres * signs


def test_only_what_moves_fast_is_measured(standing: np.ndarray) -> None:
    fast = slice(100, 300)
    shake(standing, fast, ORDER[:10], 0.05)
    frames = published_frames(ORDER, standing)
    assert len(frames) == 50
    assert frames.min() >= 100
    assert frames.max() <= 300


def test_the_legs_have_no_say_in_the_speed(standing: np.ndarray) -> None:
    # Of 37 markers, columns 0 to 38 are looked at: the first thirteen markers.
    shake(standing, slice(100, 300), ("RKnee", "LKnee", "RAnkle", "LAnkle"), 0.5)
    frames = published_frames(ORDER, standing)
    # As if nobody had moved: all frames are kept, and the straightest of them are taken.
    assert not ((frames >= 100) & (frames < 300)).any()


def test_fewer_frames_than_fifty_are_all_there_is(standing: np.ndarray) -> None:
    assert len(published_frames(ORDER, standing[:20])) == 16  # less the fastest fifth
    assert len(published_frames(ORDER, standing[:1])) == 1


def test_factors_are_means_of_trimmed_ratios() -> None:
    a = np.zeros((10, 3))
    b = np.zeros((10, 3))
    b[:, 0] = [0.0, 1, 1, 1, 1, 1, 1, 1, 1, 99]
    assert trimmed_length(a, b) == pytest.approx(1.0)
    names = ("LHip", "LKnee", "RHip", "RKnee")
    xyz = np.stack([a, b, a, 1.2 * b], axis=1)
    lengths = {("LHip", "LKnee"): 0.5, ("RHip", "RKnee"): 1.0}
    factors = published_factors(names, xyz, lengths)
    assert factors["thigh"] == pytest.approx((2.0 + 1.2) / 2)
    assert factors["arm"] == 1.0
    assert np.isnan(trimmed_length(a * np.nan, b))
