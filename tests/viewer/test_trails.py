"""Trails show what holds: nothing from before a change, and what was solved anew at once."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import solve_points3d
from simspine_viewer.stages import Stage
from simspine_viewer.trails import Trail
from tests.viewer.fakes import ANNOTATED, Bench, make_sequence, open_bench

pytestmark = pytest.mark.gui

KEYPOINT, FRAME, LENGTH, VIEW = 7, 6, 5, 2


@pytest.fixture
def bench(qapp) -> Bench:
    made = open_bench(make_sequence(n_frames=12, bystander=False))
    _solve(made)
    return made


def _solve(bench: Bench) -> None:
    sequence = bench.document.sequence
    frames = np.arange(sequence.n_frames)
    bench.document.land(solve_points3d(sequence, ANNOTATED, frames), frames, sequence.revision)


def _in_3d(bench: Bench) -> Trail:
    return bench.editor.trails.in_3d(KEYPOINT, FRAME, LENGTH, Stage.TRIANGULATED)


def _in_view(bench: Bench) -> Trail:
    return bench.editor.trails.in_view(VIEW, KEYPOINT, FRAME, LENGTH, Stage.TRIANGULATED)


def test_the_path_around_the_frame_is_shown(bench: Bench) -> None:
    places = bench.document.sequence.read("points3d.xyz", slice(1, 12), ANNOTATED)[:, KEYPOINT]
    np.testing.assert_array_equal(_in_3d(bench).places, places)
    assert _in_3d(bench).offset.tolist() == list(range(-5, 6))
    projected = project_views(bench.document.sequence.cameras, places.astype(float))[:, VIEW]
    np.testing.assert_allclose(_in_view(bench).places, projected)


def test_what_is_older_than_a_change_is_not_shown_and_what_is_solved_anew_is(
    bench: Bench,
) -> None:
    document = bench.document
    before = _in_3d(bench).places.copy()
    _in_view(bench)
    document.commit("Shift", edits.set_sync(document.sequence, 1, 1.0, 0.0), Place(0))
    assert np.isnan(_in_3d(bench).places).all()
    assert np.isnan(_in_view(bench).places).all()
    _solve(bench)
    now = _in_3d(bench).places
    assert np.isfinite(now).all()
    assert np.isfinite(_in_view(bench).places).all()
    assert np.abs(now - before).max() > 1e-4, "solved from pictures that were shifted"
