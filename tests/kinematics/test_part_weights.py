"""Factors of parts of the body, from names to what inverse kinematics is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.part_weights import (
    PARTS,
    part_factors,
    part_of,
    with_part_weights,
)
from pipeline.kinematics.subject import Subject, subject_bytes, subject_from, weight_factors
from tests.kinematics.puppet import puppet

MARKERS = project_skeleton().markers


def test_every_keypoint_belongs_to_one_part() -> None:
    counts = {part: sum(part_of(name) == part for name in MARKERS) for part in PARTS}
    assert counts == {"head": 6, "column": 8, "arms": 10, "pelvis": 3, "legs": 10}
    assert sum(counts.values()) == len(MARKERS)
    assert part_of("V.Sacral") is None


def test_factors_are_those_of_the_part_and_one_elsewhere() -> None:
    factors = part_factors(("LHip", "Spine_03", "LHeel", "V.Sacral"), {"pelvis": 3.0, "legs": 0.0})
    np.testing.assert_array_equal(factors, [3.0, 1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"tail": 1.0}, "tail"),
        ({"arms": -0.1}, "arms"),
        ({"arms": 10.1}, "from 0 to 10"),
        ({"arms": float("nan")}, "arms"),
        (dict.fromkeys(PARTS, 0.0), "At least one part"),
    ],
)
def test_weights_that_cannot_be_are_said(weights: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        part_factors(MARKERS, weights)


@pytest.fixture
def subject() -> Subject:
    model = puppet()
    names = ("LHip", "LKnee", "Nose", *model.marker_names[3:])
    n = len(names)
    return Subject(
        replace(model, marker_names=names), np.full(n, 0.5), np.full(n, 0.01), {}, cutoff=5.0
    )


def test_measured_points_and_labels_weigh_by_their_part(subject: Subject) -> None:
    weighed = with_part_weights(subject, {"legs": 4.0, "head": 0.0})
    for labels in (False, True):
        before = subject.ik_options(labels=labels).marker_weights
        after = weighed.ik_options(labels=labels).marker_weights
        assert after["LHip"] == before["LHip"] > 0.0
        assert after["LKnee"] == pytest.approx(4.0 * before["LKnee"])
        assert after["Nose"] == 0.0


def test_what_a_frame_is_compared_with_stays_as_it_was(subject: Subject) -> None:
    """Or the points' own SDs would take back what a person asked for."""
    weighed = with_part_weights(subject, {"legs": 4.0})
    trust = np.full(len(subject.weights), 0.012)
    np.testing.assert_array_equal(weight_factors(weighed, trust), weight_factors(subject, trust))


def test_factors_are_kept_and_replaced_not_multiplied(subject: Subject) -> None:
    weighed = with_part_weights(subject, {"legs": 4.0})
    again = subject_from(subject_bytes(weighed), Path("here"))
    assert again.factors is not None
    np.testing.assert_array_equal(again.factors, weighed.factors)
    once_more = with_part_weights(again, {"legs": 2.0})
    assert once_more.ik_options().marker_weights["LKnee"] == 1.0
    usual = subject_from(subject_bytes(subject), Path("here"))
    assert usual.ik_options().marker_weights == subject.ik_options().marker_weights
