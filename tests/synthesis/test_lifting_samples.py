"""Clips for a lifter: cameras, roots, noise, seeds."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import undistort
from pipeline.synthesis.lifting_noise import (
    DEMO_NOISE,
    NO_NOISE,
    DetectorNoise,
    disturbed,
    hidden_by_trunk,
    poorer_sets,
)
from pipeline.synthesis.lifting_samples import (
    LiftingSetting,
    draw_batch,
    draw_clips,
    held_out_setting,
)

HIP = project_skeleton().index("hip")


def test_places_and_pixels_belong_together() -> None:
    """Pixels by the pinhole formula written out, from root and relative places."""
    for clip in draw_clips(np.random.default_rng(0), 20):
        np.testing.assert_array_equal(clip.xyz[:, HIP], 0.0)
        at = clip.xyz + clip.root[:, None]
        (fx, _, cx), (_, fy, cy), _ = clip.camera.matrix
        pixels = np.stack(
            [fx * at[..., 0] / at[..., 2] + cx, fy * at[..., 1] / at[..., 2] + cy], axis=-1
        )
        np.testing.assert_allclose(clip.true_xy, pixels, atol=1e-6)
        assert clip.spine.shape == (20, 11)


def test_up_in_the_camera_points_from_feet_to_head() -> None:
    batch = draw_batch(1, 0, 30, 9)
    names = project_skeleton().names
    trunk = batch.xyz[:, :, names.index("head")] - batch.xyz[:, :, names.index("left_ankle")]
    assert (np.einsum("nti,ni->nt", trunk, batch.up) > 0).mean() > 0.9
    np.testing.assert_allclose(np.linalg.norm(batch.up, axis=1), 1.0, atol=1e-5)


def test_a_lens_that_bends_is_undone() -> None:
    clip = draw_clips(np.random.default_rng(3), 5, held_out_setting(NO_NOISE))[0]
    assert clip.camera.distortion[0] != 0.0
    np.testing.assert_array_equal(clip.xy, clip.true_xy)
    at = clip.xyz + clip.root[:, None]
    np.testing.assert_allclose(
        undistort(clip.camera, clip.xy), at[..., :2] / at[..., 2:], atol=1e-5
    )


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    one, same, next_, other = (draw_batch(*a, 6, 9) for a in ((5, 1), (5, 1), (5, 2), (6, 1)))
    for name in ("rays", "score", "up", "xyz", "spine"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(next_, name), equal_nan=True)
        assert not np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
    assert one.rays.shape == (6, 9, 37, 2)


def test_windows_of_a_clip_follow_each_other() -> None:
    noise = DetectorNoise(clean=1.0, poorer=0.0, blank=0.0)
    batch = draw_batch(2, 0, 3, 10, LiftingSetting(noise=noise, windows_per_clip=3))
    within = np.abs(np.diff(batch.rays[0], axis=0)).max()
    across = np.abs(batch.rays[1, 0] - batch.rays[0, -1]).max()
    assert across < 3.0 * within + 1e-4


def test_noise_is_as_large_as_it_is_said_to_be() -> None:
    """Root mean square error of seen points of the demo's detector: 0.4 to 0.7 % of the height."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        clip = draw_clips(rng, 40, LiftingSetting(noise=DEMO_NOISE))[0]
        height = np.median(np.ptp(clip.true_xy, axis=1).max(axis=-1))
        away = (clip.xy - clip.true_xy)[~clip.hidden] / height
        found.append(np.nanmedian(np.abs(away)) * 1.4826)
    assert 0.003 < np.median(found) < 0.008


def test_missing_points_have_neither_place_nor_score() -> None:
    rng = np.random.default_rng(1)
    noise = DetectorNoise(clean=0.0, lost=(0.2, 0.5), poorer=0.5, blank=0.5, occluder=0.5)
    missed = 0
    for clip in draw_clips(rng, 60, LiftingSetting(noise=noise, cameras_per_movement=8)):
        gone = np.isnan(clip.xy).any(axis=-1)
        np.testing.assert_array_equal(gone, clip.score == 0.0)
        assert np.isfinite(clip.true_xy).all()
        missed += gone.sum()
    assert missed > 0.1 * 8 * 60 * 37


def test_a_detector_without_a_spine_has_none() -> None:
    rng = np.random.default_rng(2)
    xy = rng.uniform(0, 500, (10, 37, 2))
    noise = DetectorNoise(clean=1.0, poorer=1.0, blank=0.0)
    placed, _ = disturbed(rng, xy, np.zeros((10, 37), bool), 50.0, noise)
    names = project_skeleton().names
    assert np.isnan(placed[:, names.index("spine_03")]).all()
    assert np.isfinite(placed[:, names.index("left_knee")]).all()
    assert all(has[names.index("right_wrist")] for has in poorer_sets())


def test_what_is_behind_the_trunk_is_hidden() -> None:
    names = project_skeleton().names
    points = np.full((1, 37, 3), [2.0, 0.0, 4.0])  # beside
    for name, x in (("left_shoulder", 0.2), ("right_shoulder", -0.2)):
        points[0, names.index(name)] = [x, -0.5, 4.0]
    for name, x in (("left_hip", 0.1), ("right_hip", -0.1)):
        points[0, names.index(name)] = [x, 0.0, 4.0]
    points[0, names.index("left_wrist")] = [0.02, -0.2, 4.3]
    points[0, names.index("right_wrist")] = [0.02, -0.2, 3.7]
    hidden = hidden_by_trunk(points)[0]
    assert hidden[names.index("left_wrist")]
    assert not hidden[names.index("right_wrist")]
    assert not hidden[names.index("nose")]


@pytest.mark.parametrize("seed", range(3))
def test_held_out_cameras_see_somebody_whole(seed: int) -> None:
    (clip,) = draw_clips(np.random.default_rng(seed), 30, held_out_setting(NO_NOISE))
    assert np.isfinite(clip.true_xy).all()
    assert (clip.xyz + clip.root[:, None])[..., 2].min() > 0.5
