"""The published weights crush the flexion of the lumbar spine; without the pull it is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.published import PULL
from tests.truth.lumbar_flexion import flexion_found, published_model

pytestmark = [pytest.mark.opensim, pytest.mark.realdata]


@pytest.fixture(scope="module")
def model(pose2sim_model: Path) -> KinematicModel:
    return published_model(pose2sim_model)


def test_the_published_pull_leaves_a_twentieth_and_ours_all_of_the_flexion(
    model: KinematicModel,
) -> None:
    assert 0.0 < flexion_found(model, PULL) < 0.08
    assert flexion_found(model, 1e-3) == pytest.approx(1.0, abs=0.05)
    assert flexion_found(model, 0.0) == pytest.approx(1.0, abs=0.05)
