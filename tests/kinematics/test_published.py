"""The published formulas give the published behaviour, faults included."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.kinematics.published import (
    CHAIN,
    KNOWN,
    blend_simulation,
    filter_published,
    merge_known,
)

NAMES = (*CHAIN, "Head", "LShoulder", "RShoulder", "LLatissimus", "RLatissimus", "Nose")
# Ground positions of the published marker set in the model's default pose, hip-centre frame.
COLUMN = 1e-3 * np.array(
    [[-86, 70, 0], [-54, 135, 0], [-55, 181, 0], [-70, 240, 0], [-104, 377, 0], [-98, 500, 0],
     [-66, 574, 0], [-38, 621, 0], [-28, 661, 0]]
)  # fmt: skip
OTHERS = 1e-3 * np.array(
    [
        [-7, 837, 0],
        [-36, 528, -201],
        [-36, 528, 201],
        [-98, 438, -95],
        [-98, 438, 95],
        [112, 700, 0],
    ]
)


def body(n_frames: int = 1) -> np.ndarray:
    return np.repeat(np.concatenate([COLUMN, OTHERS])[None], n_frames, axis=0)


@pytest.mark.parametrize(
    ("hertz", "gain"), [(1, 0.964), (2, 0.869), (3, 0.744), (5, 0.500), (8, 0.259), (10, 0.167)]
)
def test_the_filter_has_the_published_gains(hertz: float, gain: float) -> None:
    time = np.arange(1000) / 50.0
    wave = 2.0 + np.sin(2 * np.pi * hertz * time + 0.3)[:, None]
    inner = (filter_published(wave, 50.0) - 2.0)[200:800, 0]
    found = 2 * np.abs(np.mean(inner * np.exp(-2j * np.pi * hertz * time[200:800])))
    assert found == pytest.approx(gain, abs=0.002)


def test_the_filter_takes_zeros_for_gaps_and_leaves_short_pieces() -> None:
    series = np.array([1.0, 3, 1, 3, 1, 3, 0, *([1.0, 3.0] * 10), np.nan, 5.0])[:, None]
    filtered = filter_published(series, 50.0)
    np.testing.assert_array_equal(filtered[:7], series[:7])
    assert np.ptp(filtered[12:22]) < 0.3
    assert np.isnan(filtered[27, 0])
    assert filtered[28, 0] == 5.0


def test_the_blend_moves_points_though_nothing_disagrees() -> None:
    measured = body()
    moved = 1e3 * np.linalg.norm(blend_simulation(NAMES, measured, measured) - measured, axis=-1)[0]
    inner = moved[1:8]
    assert max(moved[0], moved[8]) < 1e-9
    assert inner.min() > 0.5
    assert 3.0 < np.median(inner) < 9.0


def test_a_correction_of_one_inner_level_all_but_vanishes() -> None:
    still = body(41)
    corrected = still.copy()
    level = NAMES.index("Spine_03")
    corrected[20, level, 0] += 0.030
    labels = [filter_published(blend_simulation(NAMES, m, still), 50.0) for m in (still, corrected)]
    survived = (labels[1] - labels[0])[20, level, 0] / 0.030
    assert survived == pytest.approx(0.0, abs=0.02)


def test_the_column_is_held_at_hip_and_neck_and_turned_chains_are_reversed() -> None:
    measured = body()
    simulated = body() + np.array([0.3, 0.1, -0.2])
    same = blend_simulation(NAMES, measured, measured)
    chain = slice(0, len(CHAIN))
    np.testing.assert_allclose(
        blend_simulation(NAMES, measured, simulated)[:, chain], same[:, chain], atol=1e-12
    )
    upside_down = simulated.copy()
    upside_down[:, chain, 1] *= -1
    hip = blend_simulation(NAMES, measured, upside_down)[0, 0]
    np.testing.assert_allclose(hip, measured[0, 0], atol=1e-12)


def test_frames_without_a_measured_column_stay_and_missing_simulation_is_not_copied() -> None:
    measured, simulated = body(2), body(2)
    measured[0, 0] = np.nan
    simulated[1, NAMES.index("Head")] = np.nan
    out = blend_simulation(NAMES, measured, simulated)
    np.testing.assert_array_equal(out[0, :9], measured[0, :9])
    np.testing.assert_array_equal(out[1, NAMES.index("Head")], measured[1, NAMES.index("Head")])


def test_known_markers_go_over_measured_ones() -> None:
    known = np.arange(4 * 16 * 3, dtype=float).reshape(4, 16, 3)
    merged = merge_known(NAMES, body(6), known)
    assert len(merged) == 4
    np.testing.assert_array_equal(
        merged[:, NAMES.index("Spine_04")], known[:, KNOWN.index("Spine_04")]
    )
    np.testing.assert_array_equal(merged[:, NAMES.index("Head")], body(4)[:, NAMES.index("Head")])
