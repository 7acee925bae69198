"""The links whose length is kept: each once, and between two points."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.track_limbs import measured_lengths, segments


def test_no_link_joins_a_point_to_itself_or_stands_twice() -> None:
    pairs, _, _ = segments(project_skeleton())
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len({frozenset(pair) for pair in pairs.tolist()}) == len(pairs)


@pytest.mark.parametrize(("left", "right"), [("left_hip", "right_hip"), ("left_eye", "right_eye")])
def test_a_link_across_the_body_has_its_own_length(left: str, right: str) -> None:
    skeleton = project_skeleton()
    rng = np.random.default_rng(0)
    xyz = rng.normal(0.0, 1.0, (1, len(skeleton.names), 3)).repeat(5, axis=0)
    lengths = measured_lengths(skeleton, xyz, np.full(xyz.shape[:2], 2.0), 10.0)
    ends = {skeleton.index(left), skeleton.index(right)}
    place = next(k for k, pair in enumerate(lengths.pairs.tolist()) if set(pair) == ends)
    apart = np.linalg.norm(xyz[0, skeleton.index(left)] - xyz[0, skeleton.index(right)])
    assert lengths.length[place] == pytest.approx(apart)
