"""Cameras refined from a person: nearer the truth, only with proof, and never by accident."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.camera import Camera, CameraGroup
from pipeline.geometry.projection import project_views
from pipeline.geometry.refine import RefineOptions, motion, refine_cameras, refine_steps
from pipeline.geometry.refine_frames import choose_frames, usable_frames
from pipeline.geometry.refine_solver import Bundle, Prior, adjusted, aligned, posed_by
from tests.geometry.refining import disturbed, moved, seen
from tests.truth.cameras import observe, ring


def _relative(cameras: CameraGroup, truth: CameraGroup) -> float:
    """Root mean square of the pairwise errors of direction in degrees: free of any world."""
    errors = []
    for i in range(len(truth)):
        for j in range(i):
            a = cameras[i].rotation @ cameras[j].rotation.T
            b = truth[i].rotation @ truth[j].rotation.T
            cosine = (np.trace(a @ b.T) - 1.0) / 2.0
            errors.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    return float(np.sqrt(np.mean(np.square(errors))))


def test_a_disturbed_calibration_comes_back() -> None:
    truth, xy, score = seen(240)
    wrong = disturbed(truth)
    result = refine_cameras(wrong, xy, score)
    assert result.accepted
    assert result.reason == ""
    assert result.after_all < 0.55 * result.before_all
    assert (result.after < result.before).all()
    assert _relative(result.cameras, truth) < 0.65 * _relative(wrong, truth)
    assert not set(result.frames) & set(result.checked)
    assert len(result.frames) == 40
    assert result.frames[0] < 20
    assert result.frames[-1] > 220
    moved_mm, turned = motion(wrong, result.cameras)
    np.testing.assert_allclose(result.moved_mm, moved_mm)
    np.testing.assert_allclose(result.turned_deg, turned)


def test_a_good_calibration_is_left_alone() -> None:
    truth, xy, score = seen(120)
    result = refine_cameras(truth, xy, score)
    assert not result.accepted
    assert "held-out error" in result.reason
    assert result.moved_mm.max() < 5.0


def test_the_same_input_gives_the_same_bits() -> None:
    truth, xy, score = seen(60)
    first, second = (refine_cameras(disturbed(truth), xy, score) for _ in range(2))
    for a, b in zip(first.cameras, second.cameras, strict=True):
        assert a.rotation.tobytes() == b.rotation.tobytes()
        assert a.translation.tobytes() == b.translation.tobytes()


def test_the_world_stays_where_it_was() -> None:
    truth, xy, score = seen(240)
    wrong = disturbed(truth)
    result = refine_cameras(wrong, xy, score)
    centres = np.array([[c.centre for c in group] for group in (wrong, result.cameras)])
    assert np.linalg.norm(centres.mean(axis=1)[0] - centres.mean(axis=1)[1]) < 1e-9
    spread = np.sqrt(((centres - centres.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2)))
    assert spread[1] == pytest.approx(spread[0], rel=1e-3)


def test_one_camera_that_was_bumped_is_the_one_that_moves() -> None:
    truth, xy, score = seen(240, 5)
    cameras = list(truth)
    cameras[2] = moved(cameras[2], np.array([0.03, 0.0, -0.02]), 1.5, np.array([0.2, 1.0, 0.1]))
    result = refine_cameras(CameraGroup(tuple(cameras)), xy, score)
    assert result.accepted
    assert int(result.turned_deg.argmax()) == 2
    assert 0.5 < result.turned_deg[2] < 1.6
    assert result.turned_deg[2] > 3 * np.delete(result.turned_deg, 2).max()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c, xy, s: (c[:2], xy[:, :2], s[:, :2]), "three views"),
        (lambda c, xy, s: (c, xy[:6], s[:6]), "6 frames"),
        (lambda c, xy, s: (c, xy * np.nan, s), "0 frames"),
        (lambda c, xy, s: (c, xy, s * np.nan), "0 frames"),
        (lambda c, xy, s: (c, np.repeat(xy[:1], 60, 0), np.repeat(s[:1], 60, 0)), "hardly moves"),
        (lambda c, xy, s: (c, np.full_like(xy, 5.0), s), ""),
        (lambda c, xy, s: (c, np.where(xy > 0, np.inf, xy), s), "0 frames"),
    ],
)
def test_too_little_to_go_by_is_said(spoil, words: str) -> None:  # type: ignore[no-untyped-def]
    truth, xy, score = seen(60)
    cameras, xy, score = spoil(disturbed(truth).cameras, xy, score)
    result = refine_cameras(cameras, xy, score)
    assert not result.accepted
    assert words in result.reason
    assert result.reason
    for old, new in zip(cameras, result.cameras, strict=True):
        assert np.isfinite(new.rotation).all()
        if words:
            assert new is old


def test_a_person_on_the_spot_is_refused_although_detections_tremble() -> None:
    truth, xy, score = seen(120, still=True, noise=6.0)
    result = refine_cameras(disturbed(truth), xy, score)
    assert not result.accepted
    assert "hardly moves" in result.reason


def test_a_camera_that_sees_nobody_stays() -> None:
    truth, xy, score = seen(120, 5)
    wrong = disturbed(truth)
    score[:, 3] = 0.0
    result = refine_cameras(wrong, xy, score)
    assert result.accepted
    assert result.cameras[3] is wrong[3]
    assert result.moved_mm[3] == 0.0
    assert np.isnan(result.after[3])
    assert any("cam4 sees too little" in caution for caution in result.cautions)


def test_points_set_by_hand_weigh_more() -> None:
    truth, xy, score = seen(120, noise=6.0)
    wrong = disturbed(truth)
    exact = np.moveaxis(observe(truth, _points(120)).reshape(120, -1, 4, 2), 1, 2)
    manual = np.zeros(score.shape, bool)
    manual[:, :, ::3] = True
    mixed = np.where(manual[..., None], exact, xy)
    as_detected = refine_cameras(wrong, mixed, score)
    by_hand = refine_cameras(wrong, mixed, score, manual=manual)
    assert _relative(by_hand.cameras, truth) < _relative(as_detected.cameras, truth)


def _points(n_frames: int) -> np.ndarray:
    from tests.geometry.refining import walk

    return walk(n_frames)[:, 0].reshape(-1, 3)


def test_the_steps_tell_how_far_the_work_is() -> None:
    truth, xy, score = seen(60)
    fractions = [fraction for fraction, _ in refine_steps(disturbed(truth), xy, score)]
    assert len(fractions) > 5
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0.0
    assert fractions[-1] < 1.0


def test_shapes_that_do_not_fit_are_refused() -> None:
    truth, xy, score = seen(20)
    with pytest.raises(ValueError, match="xy has shape"):
        refine_cameras(truth, xy[:, :2], score)
    with pytest.raises(ValueError, match="score"):
        refine_cameras(truth, xy, score[:5])


def test_frames_are_spread_over_time_and_room() -> None:
    cameras, xy, score = seen(300)
    used = (score > 0.3) & np.isfinite(xy[..., 0])
    usable = usable_frames(used)
    chosen = choose_frames(
        cameras.cameras, xy, np.where(used, score, 0), np.zeros(score.shape, bool), usable,
        n_fit=20, n_check=50,
    )  # fmt: skip
    assert len(chosen.fit) == 20
    assert len(chosen.check) == 50
    assert not set(chosen.fit) & set(chosen.check)
    assert np.diff(chosen.fit).max() < 60
    middle = np.nanmean(chosen.xyz, axis=1)
    everywhere = _points(300).reshape(300, -1, 3).mean(axis=1)
    assert (np.ptp(middle, axis=0)[[0, 2]] > 0.9 * np.ptp(everywhere, axis=0)[[0, 2]]).all()


def test_the_derivatives_are_those_of_the_forward_model() -> None:
    """From exact pixels of moved cameras the solver finds their pictures again, to 0.001 px."""
    for lens in (4, 5, 8):
        truth = ring(4, lens)
        random = np.random.default_rng(1)
        points = random.uniform([-0.8, 0.1, -0.8], [0.8, 1.8, 0.8], (60, 3))
        pixels = observe(truth, points)
        start = disturbed(truth).cameras
        zeros = np.zeros((4, 3))
        bundle = Bundle(
            start, zeros, zeros, points + random.normal(0, 0.02, points.shape), pixels,
            np.ones((60, 4)), np.zeros((60, 4), bool),
        )  # fmt: skip
        loose = Prior(10.0, 10.0, 5.0)
        costs = list(adjusted(bundle, loose, 60))
        assert costs == sorted(costs, reverse=True)
        views = posed_by(start, bundle.turn, bundle.shift)
        assert np.abs(project_views(views, bundle.xyz) - pixels).max() < 1e-2


def test_alignment_undoes_any_similarity_of_the_world() -> None:
    cameras = ring(4).cameras
    turn = moved(cameras[0], np.zeros(3), 20.0, np.array([1.0, 2.0, 3.0])).rotation
    turn = turn @ cameras[0].rotation.T

    def elsewhere(camera: Camera) -> Camera:
        rotation = camera.rotation @ turn.T
        centre = 1.07 * turn @ camera.centre + np.array([0.3, -0.2, 0.5])
        return replace(camera, rotation=rotation, translation=-rotation @ centre)

    back = aligned(tuple(map(elsewhere, cameras)), cameras, RefineOptions().prior)
    millimetres, degrees = motion(cameras, back)
    assert millimetres.max() < 1e-6
    assert degrees.max() < 1e-5
