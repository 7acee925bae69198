"""Unmeasured levels come along with measured ones, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.source import Source
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.measured import Measured
from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.published import CHAIN
from pipeline.kinematics.unmeasured import Column, column_of
from tests.kinematics.puppet import BODIES, COORDINATES, puppet

RATE, N_FRAMES, REACH = 50.0, 200, 1.0
LEVELS, HELD = len(CHAIN), 4
MODEL_SIGMA = 0.030
# Three levels on each body of the back, 70 mm apart; the bodies' places are the puppet's.
_BODY = np.repeat([BODIES.index("pelvis"), BODIES.index("low"), BODIES.index("high")], 3)
_HEIGHT = np.array([-0.11, -0.04, 0.03, 0.0, 0.07, 0.14, 0.01, 0.08, 0.15])
_FORWARD = np.repeat([-0.05, 0.0, 0.0], 3)


@pytest.fixture(scope="module")
def model() -> KinematicModel:
    places = np.stack([_FORWARD, _HEIGHT, np.zeros(LEVELS)], axis=-1)
    return replace(puppet(), marker_names=CHAIN, marker_bodies=_BODY, marker_locations=places)


@pytest.fixture(scope="module")
def motion() -> np.ndarray:
    """Turning by 180 degrees while bending."""
    time = np.arange(N_FRAMES) / RATE
    q = np.tile(puppet().default, (N_FRAMES, 1))
    q[:, COORDINATES.index("root_turn")] = np.pi * time / time[-1]
    q[:, COORDINATES.index("back_flex")] = 0.2 * np.sin(2.0 * time)
    return q


def placed(
    model: KinematicModel, motion: np.ndarray, off: np.ndarray, there: np.ndarray
) -> Measured:
    """Levels placed by hand where ``there`` (T, L), ``off`` (L, 3) metres in their own bones."""
    person = replace(model, marker_locations=model.marker_locations + off)
    xyz = np.where(there[..., None], marker_positions(person, motion), np.nan)
    return Measured(
        CHAIN, np.arange(N_FRAMES) / RATE, xyz, np.where(there, 0.003, np.nan),
        np.where(there, Source.MANUAL_3D, Source.NONE).astype(np.uint8), RATE,
    )  # fmt: skip


def moved(model: KinematicModel, motion: np.ndarray, measured: Measured) -> Column:
    virtual = marker_positions(model, motion)
    return column_of(model, measured, motion, virtual, np.full(LEVELS, MODEL_SIGMA), REACH)


def everywhere() -> np.ndarray:
    return np.ones((N_FRAMES, LEVELS), bool)


def test_a_level_comes_along_with_its_neighbours_and_turns_with_the_body(model, motion) -> None:
    off = np.tile([0.025, 0.0, 0.010], (LEVELS, 1))
    there = everywhere()
    there[:, HELD] = False
    column = moved(model, motion, placed(model, motion, off, there))
    truth = marker_positions(
        replace(model, marker_locations=model.marker_locations + off), motion
    )[:, HELD]  # fmt: skip
    before = np.linalg.norm(marker_positions(model, motion)[:, HELD] - truth, axis=-1)
    after = np.linalg.norm(column.xyz[:, HELD] - truth, axis=-1)
    assert before.min() > 0.025
    assert after.max() < 0.2 * before.min()
    assert (column.sigma[:, HELD] < 0.75 * MODEL_SIGMA).all()


def test_what_was_measured_stays_with_the_model(model, motion) -> None:
    """Fusing puts measurement and model together; the model's part of it is the model's."""
    off = np.random.default_rng(0).normal(0.0, 0.02, (LEVELS, 3))
    there = everywhere()
    there[:, HELD] = False
    column = moved(model, motion, placed(model, motion, off, there))
    virtual, rest = marker_positions(model, motion), np.arange(LEVELS) != HELD
    np.testing.assert_array_equal(column.xyz[:, rest], virtual[:, rest])
    assert (column.sigma[:, rest] == MODEL_SIGMA).all()
    links = np.linalg.norm(np.diff(virtual, axis=1), axis=-1)
    far = np.array([HELD not in (low, low + 1) for low in range(LEVELS - 1)])
    np.testing.assert_allclose(column.lengths[:, far], links[:, far])


@pytest.mark.parametrize("levels", [[], [6], list(range(LEVELS))])
def test_nothing_moves_where_all_were_measured_or_fewer_than_two(model, motion, levels) -> None:
    off = np.tile([0.03, 0.02, 0.0], (LEVELS, 1))
    there = ~everywhere()
    there[:, levels] = True
    column = moved(model, motion, placed(model, motion, off, there))
    virtual = marker_positions(model, motion)
    np.testing.assert_allclose(column.xyz, virtual, atol=1e-6)
    np.testing.assert_allclose(column.sigma, MODEL_SIGMA, rtol=1e-6)
    links = np.linalg.norm(np.diff(virtual, axis=1), axis=-1)
    np.testing.assert_allclose(column.lengths, links, atol=1e-6)


def test_far_levels_stay_where_the_model_has_them(model, motion) -> None:
    there = ~everywhere()
    there[:, :2] = True
    off = np.tile([0.03, 0.0, 0.0], (LEVELS, 1))
    column = moved(model, motion, placed(model, motion, off, there))
    virtual = marker_positions(model, motion)
    gap = np.linalg.norm(column.xyz - virtual, axis=-1)
    assert gap[:, 2].min() > 0.015
    assert (np.diff(gap[:, 2:], axis=1) < 0.0).all(), "less and less"
    assert gap[:, 7:].max() < 0.001
    np.testing.assert_allclose(column.sigma[:, 7:], MODEL_SIGMA, rtol=0.01)


def test_a_level_brings_its_own_offset_from_other_frames_near_in_time(model, motion) -> None:
    off = np.zeros((LEVELS, 3))
    off[HELD] = 0.020, 0.0, 0.0  # its own: the neighbours agree with the model
    there = everywhere()
    there[100:, HELD] = False
    column = moved(model, motion, placed(model, motion, off, there))
    gap = np.linalg.norm(column.xyz - marker_positions(model, motion), axis=-1)[:, HELD]
    assert gap[100] > 0.015
    assert (np.diff(gap[100:151]) < 1e-9).all()
    assert np.abs(np.diff(gap[100:])).max() < 0.002, "it fades, without a step"
    assert gap[151:].max() < 0.002
    assert column.sigma[100, HELD] < 0.5 * column.sigma[160, HELD]


def test_a_level_placed_in_one_frame_is_felt_around_it_and_nothing_jumps(model, motion) -> None:
    there = ~everywhere()
    there[:, 6] = True
    there[100, HELD] = True
    off = np.tile([0.03, 0.0, 0.0], (LEVELS, 1))
    column = moved(model, motion, placed(model, motion, off, there))
    gap = np.linalg.norm(column.xyz - marker_positions(model, motion), axis=-1)
    assert gap[[99, 101], HELD].min() > 0.025
    assert gap[100, [HELD - 1, HELD + 1]].min() > 0.015
    assert gap[np.r_[:49, 152:N_FRAMES]].max() < 1e-6
    rest = np.arange(LEVELS) != HELD  # it stays with the model in the frame itself
    assert np.abs(np.diff(gap[:, rest], axis=0)).max() < 0.003


def test_levels_between_placed_ones_are_known(model, motion) -> None:
    there = ~everywhere()
    there[100, [2, 5, 7]] = True
    off = np.zeros((LEVELS, 3))
    by_hand = placed(model, motion, off, there)
    between = moved(model, motion, by_hand).between
    assert np.argwhere(between).tolist() == [[100, 3], [100, 4], [100, 6]]
    detected = replace(by_hand, manual=np.zeros_like(by_hand.manual))
    assert not moved(model, motion, detected).between.any()


def test_the_moved_column_says_how_far_levels_are_apart(model, motion) -> None:
    longer = np.zeros((LEVELS, 3))
    longer[:, 1] = 0.15 * _HEIGHT
    there = everywhere()
    there[:, HELD] = False
    column = moved(model, motion, placed(model, motion, longer, there))
    truth = 1.15 * 0.07  # both neighbours are on its own bone
    between = slice(HELD - 1, HELD + 1)
    before = np.abs(np.diff(_HEIGHT)[between] - truth).sum()
    assert np.abs(column.lengths[:, between] - truth).sum(axis=1).max() < 0.6 * before
    np.testing.assert_allclose(
        column.lengths[:, between].sum(axis=1), 2.0 * truth, atol=0.002
    )  # the two links reach from neighbour to neighbour


def test_a_recording_may_be_shorter_than_the_reach(model, motion) -> None:
    there = everywhere()
    there[:, HELD] = False
    off = np.tile([0.02, 0.0, 0.0], (LEVELS, 1))
    whole = placed(model, motion, off, there)
    short = replace(
        whole, times=whole.times[:5], xyz=whole.xyz[:5], sigma=whole.sigma[:5],
        manual=whole.manual[:5],
    )  # fmt: skip
    np.testing.assert_allclose(
        moved(model, motion[:5], short).xyz, moved(model, motion, whole).xyz[:5]
    )


def test_frames_without_coordinates_are_left_out(model, motion) -> None:
    there = everywhere()
    there[:, HELD] = False
    broken = motion.copy()
    broken[50] = np.nan
    off = np.tile([0.02, 0.0, 0.0], (LEVELS, 1))
    column = moved(model, broken, placed(model, motion, off, there))
    assert np.isnan(column.xyz[50]).all()
    others = np.arange(N_FRAMES) != 50
    assert np.isfinite(column.xyz[others]).all()


def test_detected_levels_count_less_than_placed_ones(model, motion) -> None:
    there = everywhere()
    there[:, HELD] = False
    off = np.tile([0.02, 0.0, 0.0], (LEVELS, 1))
    by_hand = placed(model, motion, off, there)
    detected = replace(by_hand, manual=np.zeros_like(by_hand.manual))
    virtual = marker_positions(model, motion)[:, HELD]
    gaps = [
        np.linalg.norm(moved(model, motion, one).xyz[:, HELD] - virtual, axis=-1)
        for one in (by_hand, detected)
    ]
    assert (gaps[1] < gaps[0]).all()
    assert gaps[1].min() > 0.005
