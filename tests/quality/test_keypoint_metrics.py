"""Figures for 2D keypoints, against mmpose's definition worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.keypoint_metrics import keypoint_auc


def test_nothing_is_nearer_than_nothing() -> None:
    assert keypoint_auc(np.zeros((5, 3))) == pytest.approx(0.95)


def test_far_points_count_nothing() -> None:
    assert keypoint_auc(np.full((5, 3), 28.6)) == 0.0


@pytest.mark.parametrize(
    ("distance", "area"), [(1.4, 0.95), (1.6, 0.90), (14.9, 0.5), (15.1, 0.45)]
)
def test_a_distance_counts_for_the_thresholds_above_it(distance: float, area: float) -> None:
    assert keypoint_auc(np.full((2, 2), distance)) == pytest.approx(area)


def test_keypoints_count_alike_however_often_they_are_labelled() -> None:
    away = np.full((4, 2), np.nan)
    away[:, 0] = 0.0
    away[0, 1] = 100.0
    assert keypoint_auc(away) == pytest.approx(0.95 / 2)
    assert np.isnan(keypoint_auc(np.full((2, 2), np.nan)))
