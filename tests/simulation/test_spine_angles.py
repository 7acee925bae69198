"""True angles of the spine are found, with 5 mm of noise, through the whole chain."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.opensim


@pytest.fixture(scope="module")
def people():  # type: ignore[no-untyped-def]
    from benchmarks.spine_angles import person

    return [person(0)]


def test_lumbar_flexion_is_found_whole(people) -> None:  # type: ignore[no-untyped-def]
    from benchmarks.spine_angles import LUMBAR, LUMBAR_GOAL, agreement

    assert LUMBAR_GOAL[0] <= agreement(people, LUMBAR).slope <= LUMBAR_GOAL[1]


def test_thorax_and_neck_are_found_and_their_errors_known(people) -> None:  # type: ignore[no-untyped-def]
    from benchmarks.spine_angles import (
        ERROR_GOAL,
        SD_GOAL,
        SLOPE_GOAL,
        TRUNK_AND_NECK,
        agreement,
    )

    for name in TRUNK_AND_NECK:
        found = agreement(people, (name,))
        assert SLOPE_GOAL[0] <= found.slope <= SLOPE_GOAL[1], name
        assert found.error <= ERROR_GOAL, name
        assert 1.0 / SD_GOAL <= found.reported <= SD_GOAL, name


def test_the_prior_alone_would_fail(people) -> None:  # type: ignore[no-untyped-def]
    from benchmarks.spine_angles import ERROR_GOAL, STANDING, TRUNK_AND_NECK

    for name in TRUNK_AND_NECK:
        true = people[0].motion.regional[name][people[0].motion.times > STANDING]
        assert np.sqrt(np.mean(true**2)) > 2.0 * ERROR_GOAL * 0.95 * true.std()


def test_a_correction_of_one_frame_is_kept(people) -> None:  # type: ignore[no-untyped-def]
    from benchmarks.spine_angles import KEPT_GOAL, kept_of_a_correction

    ours, published = kept_of_a_correction(people[0])
    assert ours >= KEPT_GOAL
    assert 0.0 < published < 0.05
