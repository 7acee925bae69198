"""Fused labels: variances decide, hands are obeyed, the column keeps its spacing and its order."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.source import Source
from pipeline.kinematics.labels import fuse_labels, keep_spacing, link_lengths

RATE, N_FRAMES, LEVELS = 50.0, 200, 9


def column(n_frames: int = N_FRAMES) -> np.ndarray:
    """A column that bends forward and back at half a hertz while walking on."""
    time = np.arange(n_frames) / RATE
    tilt = 0.4 * np.sin(np.pi * time)[:, None] * np.linspace(0, 1, LEVELS - 1)
    steps = 0.07 * np.stack([np.sin(tilt), np.cos(tilt), np.zeros_like(tilt)], axis=-1)
    points = np.concatenate([np.zeros((n_frames, 1, 3)), np.cumsum(steps, axis=1)], axis=1)
    points[..., 0] += time[:, None]
    return points


def out_of_order(chain: np.ndarray) -> np.ndarray:
    """Whether inner points turn back on their neighbours."""
    steps = np.diff(chain, axis=1)
    return np.einsum("tli,tli->tl", steps[:, :-1], steps[:, 1:]) < 0.0


def flat(value: float, shape: tuple[int, ...] = (N_FRAMES, LEVELS)) -> np.ndarray:
    return np.full(shape, value)


def nothing_manual() -> np.ndarray:
    return np.zeros((N_FRAMES, LEVELS), np.uint8)


def fused(measured, simulated, sigmas=(0.01, 0.01), manual=None):  # type: ignore[no-untyped-def]
    manual = nothing_manual() if manual is None else manual
    return fuse_labels(
        measured, flat(sigmas[0]), simulated, flat(sigmas[1]), manual, RATE,
        chain=tuple(range(LEVELS)),
    )  # fmt: skip


def test_the_more_precise_one_decides_and_both_are_better_than_either() -> None:
    rng = np.random.default_rng(1)
    truth = column()
    measured = truth + rng.normal(0, 0.012, truth.shape)
    simulated = truth + rng.normal(0, 0.006, truth.shape)
    rms = [
        np.sqrt(np.mean((fused(measured, simulated, sigmas).xyz - truth) ** 2))
        for sigmas in ((0.012, 0.006), (0.012, 1.0), (1.0, 0.006))
    ]
    assert rms[0] < min(rms[1:])


def test_where_both_agree_nothing_moves() -> None:
    truth = column()
    assert np.abs(fused(truth, truth).xyz - truth).max() < 1e-3


@pytest.mark.parametrize("source", [Source.MANUAL_2D, Source.MANUAL_3D])
def test_a_correction_of_one_frame_stays(source: Source) -> None:
    rng = np.random.default_rng(2)
    truth = column()
    measured = truth + rng.normal(0, 0.008, truth.shape)
    before = fused(measured, truth).xyz
    manual = nothing_manual()
    corrected = measured.copy()
    corrected[100, 4] = before[100, 4] + (0.0, 0.0, 0.030)
    manual[100, 4] = source
    after = fused(corrected, truth, manual=manual)
    survived = (after.xyz - before)[100, 4] @ (0, 0, 1) / 0.030
    assert survived >= 0.95
    assert after.source[100, 4] == source
    far = np.abs(after.xyz - before)[np.r_[0:80, 120:N_FRAMES]]
    assert far.max() < 1e-3


def test_sources_say_what_went_in_and_gaps_that_time_filled() -> None:
    truth = column()
    measured, simulated = truth.copy(), truth.copy()
    measured[10:20, 3] = np.nan
    simulated[30:40, 3] = np.nan
    measured[50:55, 3] = simulated[50:55, 3] = np.nan
    measured[:, 5] = simulated[:, 5] = np.nan
    labels = fused(measured, simulated)
    assert (labels.source[10:20, 3] == Source.SIMULATED).all()
    assert (labels.source[30:40, 3] == Source.TRIANGULATED).all()
    assert (labels.source[50:55, 3] == Source.INTERPOLATED).all()
    assert np.isnan(labels.sigma[50:55, 3]).all()
    assert np.isfinite(labels.xyz[50:55, 3]).all()
    assert (labels.source[:, 5] == Source.NONE).all()
    assert np.isnan(labels.xyz[:, 5]).all()
    assert (labels.source[0, 3], labels.sigma[0, 3]) == (
        Source.BLENDED,
        pytest.approx(0.01 / 2**0.5),
    )


def test_levels_keep_the_subjects_spacing_and_order() -> None:
    rng = np.random.default_rng(4)
    truth = column()
    measured = truth + rng.normal(0, 0.015, (1, LEVELS, 3))  # offsets that no filter removes
    labels = fused(measured, truth, (0.01, 0.02))
    wrong = np.abs(link_lengths(labels.xyz) - 0.07)
    assert np.abs(link_lengths(measured) - 0.07).max() > 0.02
    assert wrong.max() < 0.002
    assert not out_of_order(labels.xyz).any()
    assert out_of_order(truth[:, ::-1][:, [0, 2, 1, 3]]).any()


def test_a_point_that_may_go_anywhere_follows_its_links_and_held_ones_stay() -> None:
    chain = column(1)
    pulled = chain.copy()
    pulled[0, 4] += (0.02, 0.0, 0.01)
    sigma = np.full((1, LEVELS), 1e-4)
    sigma[0, 4] = np.inf
    back = keep_spacing(pulled, sigma, link_lengths(chain))
    np.testing.assert_allclose(link_lengths(back), link_lengths(chain), atol=2e-4)
    assert np.abs(back - pulled)[0, [0, 1, 2, 3, 5, 6, 7, 8]].max() < 2e-4


def test_levels_between_placed_ones_do_not_buckle_where_the_model_is_too_long() -> None:
    """Two levels placed by hand, the links of the model 10 % longer than the way between them."""
    truth = column()
    manual = nothing_manual()
    manual[100, [2, 5]] = Source.MANUAL_3D
    longer = truth[:, :1] + 1.1 * (truth - truth[:, :1])
    labels = fused(truth, longer, (np.inf, 0.02), manual=manual)
    np.testing.assert_allclose(labels.xyz[100, [2, 5]], truth[100, [2, 5]], atol=1e-6)
    low, high = truth[100, 2], truth[100, 5]
    along = (high - low) / np.linalg.norm(high - low)
    between = labels.xyz[100, 3:5] - low
    away = between - (between @ along)[:, None] * along
    assert np.linalg.norm(away, axis=-1).max() < 0.03
    assert np.all(np.diff([0.0, *(between @ along), np.linalg.norm(high - low)]) > 0.0)


def test_distances_that_are_given_are_kept_instead_of_the_simulated_ones() -> None:
    truth = column()
    wider = np.full((N_FRAMES, LEVELS - 1), 0.07)
    wider[:, 3:5] = 0.075
    sigmas = flat(0.02)
    labels = fuse_labels(
        truth, sigmas, truth, sigmas, nothing_manual(), RATE,
        chain=tuple(range(LEVELS)), lengths=wider,
    )  # fmt: skip
    np.testing.assert_allclose(link_lengths(labels.xyz), wider, atol=5e-4)


def test_firm_points_are_not_smoothed_back() -> None:
    truth = column()
    simulated = truth.copy()
    simulated[100] += (0.0, 0.0, 0.030)
    nowhere = np.full_like(truth, np.nan)
    firm = np.zeros((N_FRAMES, LEVELS), bool)
    firm[100, 2:7] = True
    labels = fuse_labels(
        nowhere, flat(np.nan), simulated, flat(0.02), nothing_manual(), RATE, firm=firm
    )
    moved = (labels.xyz - truth)[100, :, 2]
    assert moved[2:7].min() > 0.029
    assert max(moved[:2].max(), moved[7:].max()) < 0.020
    assert (labels.source[100] == Source.SIMULATED).all()
