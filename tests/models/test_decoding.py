"""Places, scores and widths of peaks that were drawn, beside the truth and mmpose's codecs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.models.decode import Decoded, decode_heatmaps, decode_simcc
from tests.truth.drawn_peaks import (
    HEAT_SIGMA,
    INPUT,
    SIMCC_SIGMA,
    bump_rows,
    cells_of,
    heat_pictures,
    sample_places,
)
from tests.truth.pose_networks import FIXTURES

CODECS = ("msra", "udp")


def _mmpose(name: str) -> NDArray[np.float32]:
    """(60, 3): x, y, score, where mmpose's codec finds the places of ``sample_places``."""
    with np.load(FIXTURES / "mmpose.npz") as arrays:
        found: NDArray[np.float32] = arrays[f"decoded_{name}"]
    return found


def _simcc(places: NDArray, refine: str = "subbin", noise: float = 0.0) -> Decoded:
    x, y = bump_rows(places, noise)
    return decode_simcc(x[None], y[None], refine)  # type: ignore[arg-type]


def _heat(places: NDArray, codec: str, refine: str = "subbin") -> Decoded:
    return decode_heatmaps(heat_pictures(places, codec)[None], codec, INPUT, refine)  # type: ignore[arg-type]


def test_simcc_finds_drawn_places_between_bins() -> None:
    places = sample_places(400)
    found = _simcc(places)
    assert np.abs(found.points[0] - places).max() < 0.01
    assert np.abs(_simcc(places, "mmpose").points[0] - places).max() > 0.2
    np.testing.assert_allclose(found.scores[0], 0.9, atol=0.01)


def test_noise_moves_simcc_less_than_a_bin_does() -> None:
    places = sample_places(400)
    fine, coarse = (
        np.sqrt(np.mean((_simcc(places, refine, 0.01).points[0] - places) ** 2))
        for refine in ("subbin", "mmpose")
    )
    assert fine < 0.6 * coarse


@pytest.mark.parametrize("codec", CODECS)
def test_heatmaps_find_drawn_places_between_cells(codec: str) -> None:
    places = sample_places(400)
    found = _heat(places, codec)
    assert np.abs(found.points[0] - places).max() < 0.1
    assert (found.scores[0] <= 0.8).all()
    assert (found.scores[0] > 0.74).all()


def test_without_refinement_the_codecs_agree_with_mmpose() -> None:
    places = sample_places()
    simcc, msra = _simcc(places, "mmpose"), _heat(places, "msra", "mmpose")
    for ours, theirs in ((simcc, _mmpose("simcc")), (msra, _mmpose("msra"))):
        np.testing.assert_array_equal(ours.points[0], theirs[:, :2])
        np.testing.assert_array_equal(ours.scores[0], theirs[:, 2])


def test_dark_agrees_with_mmpose() -> None:
    places = sample_places()
    np.testing.assert_allclose(
        _heat(places, "msra").points[0], _mmpose("msra_dark")[:, :2], atol=0.1
    )
    # mmpose spreads corner cells over the whole input and takes that back with the crop.
    whole = np.array(INPUT) / (np.array(INPUT) - 1)
    np.testing.assert_allclose(
        _heat(places, "udp").points[0] * whole, _mmpose("udp")[:, :2], atol=0.1
    )


def test_the_score_of_simcc_is_the_lower_of_the_two() -> None:
    x, y = bump_rows(sample_places(5))
    found = decode_simcc(0.5 * x[None], y[None])
    np.testing.assert_allclose(found.scores, 0.45, atol=0.01)


def test_where_there_is_no_peak_there_is_no_point() -> None:
    flat = decode_simcc(np.full((1, 2, 384), -0.1), np.full((1, 2, 512), -0.1))
    assert np.isnan(flat.points).all()
    assert (flat.scores < 0).all()
    empty = decode_heatmaps(np.zeros((1, 2, 64, 48), np.float32), "msra", INPUT)
    assert np.isnan(empty.points).all()
    assert np.isnan(empty.sd).all()


@pytest.mark.parametrize("place", [(0.0, 0.0), (191.0, 255.0), (0.4, 254.0)])
def test_places_on_the_border(place: tuple[float, float]) -> None:
    at = np.array([place])
    assert np.abs(_simcc(at).points[0] - at).max() < 0.3
    for codec in CODECS:
        heat = heat_pictures(at, codec)[None]
        assert np.abs(decode_heatmaps(heat, codec, INPUT).points[0] - at).max() < 4.5


@pytest.mark.parametrize("spread", [1.5, 3.0, 6.0])
def test_the_width_of_a_simcc_peak_is_the_spread_of_the_places(spread: float) -> None:
    """What training converges to: the mean of softmax(10·label) over places that are possible."""
    rng = np.random.default_rng(0)
    rows = []
    for axis in (0, 1):
        bins = np.arange(2 * INPUT[axis])
        centres = np.round(INPUT[axis] + spread * rng.standard_normal(4000))[:, None]
        labels = np.exp(10 * np.exp(-(((bins - centres) / SIMCC_SIGMA[axis]) ** 2) / 2))
        mean = (labels / labels.sum(axis=1, keepdims=True)).mean(axis=0)
        rows.append((np.log(mean) - np.log(mean.min())) / 10)
    found = decode_simcc(rows[0][None, None], rows[1][None, None])
    np.testing.assert_allclose(found.sd[0, 0], spread / 2, rtol=0.15)


@pytest.mark.parametrize("spread", [0.7, 1.5])
@pytest.mark.parametrize("codec", CODECS)
def test_the_width_of_a_heatmap_is_the_spread_of_the_places(codec: str, spread: float) -> None:
    """What training converges to: the mean of the heatmaps of all places that are possible."""
    rng = np.random.default_rng(0)
    middle = np.array(INPUT) / 2
    cell = 1 / (cells_of(middle + 1, codec) - cells_of(middle, codec))
    places = middle + spread * cell * [1, 0.5] * rng.standard_normal((3000, 2))
    heat = heat_pictures(places, codec).mean(axis=0)
    found = decode_heatmaps(heat[None, None], codec, INPUT)
    np.testing.assert_allclose(found.sd[0, 0], spread * cell * [1, 0.5], rtol=0.15)


def test_a_sharp_peak_is_known_within_a_bin_or_cell() -> None:
    places = sample_places(50)
    labels_own = SIMCC_SIGMA[0] / 2, 4 * HEAT_SIGMA
    assert (_simcc(places).sd < 0.2 * labels_own[0]).all()
    assert (_heat(places, "msra").sd < 0.2 * labels_own[1]).all()
