"""From pixels to places: what goes in, what comes out, and how well the shipped lifter does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.data.camera import Camera, rotation_matrix
from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.models.lifter import SPINE_ANGLES, Lifted, lift, load_lifter, shipped_lifter
from pipeline.models.lifter_files import read_lifter, save_lifter
from pipeline.models.lifter_input import lifter_input
from pipeline.models.lifter_mirror import partners
from pipeline.models.lifter_network import LifterNetwork, LifterSpec
from pipeline.models.state_files import read_card
from pipeline.quality.procrustes import aligned_errors
from pipeline.synthesis.lifting_noise import DEMO_NOISE, NO_NOISE
from pipeline.synthesis.lifting_samples import LiftingClip, draw_clips, held_out_setting
from pipeline.synthesis.motions import spine_coordinates

SMALL = LifterSpec(frames=9, width=16, blocks=1)
COLUMN = list(project_skeleton().column)
LOOSE_MM = 30.0


@pytest.fixture(scope="module")
def clips() -> list[LiftingClip]:
    rng = np.random.default_rng(11)
    return [draw_clips(rng, 60, held_out_setting(NO_NOISE))[0] for _ in range(12)]


@pytest.fixture(scope="module")
def shipped() -> LifterNetwork:
    return load_lifter()


def _small(seed: int = 0, **changes: int) -> LifterNetwork:
    torch.manual_seed(seed)
    network = LifterNetwork(replace(SMALL, **changes))
    with torch.no_grad():
        network.leave.weight.mul_(20.0)  # an untrained one says next to nothing
    return network.eval().requires_grad_(False)


def _lifted(network: LifterNetwork, clip: LiftingClip, **changes: bool) -> Lifted:
    return lift(network, clip.xy, clip.score, clip.camera, **changes)


def test_coordinates_of_the_spine_are_the_models() -> None:
    assert spine_coordinates() == SPINE_ANGLES


def test_every_point_has_its_partner() -> None:
    names = project_skeleton().names
    for k, other in enumerate(partners()):
        assert partners()[other] == k
        swapped = names[k].replace("left", "?").replace("right", "left").replace("?", "right")
        assert names[other] == swapped


def test_where_the_camera_looks_makes_no_difference(clips: list[LiftingClip]) -> None:
    """A camera that is turned away from somebody straight ahead gives the same answer, turned."""
    network, clip = _small(), clips[0]
    turn = rotation_matrix(np.array([0.2, -0.3, 0.0]))
    old = Camera("a", (1000, 1000), np.diag([1.0, 1.0, 1.0]), np.zeros(4), np.eye(3), np.zeros(3))
    at = clip.xyz - np.median(clip.xyz, axis=(0, 1)) + [0.0, 0.0, 4.0]
    turned_at = at @ turn.T
    views = [(old, at), (replace(old, rotation=turn), turned_at)]
    found = [
        lift(network, local[..., :2] / local[..., 2:], clip.score, camera)
        for camera, local in views
    ]
    # The medians of directions before and after are not quite the same direction.
    np.testing.assert_allclose(found[1].xyz, found[0].xyz @ turn.T, atol=0.03)
    assert np.abs(found[1].xyz - found[0].xyz).max() > 0.1


def test_the_lens_makes_no_difference(clips: list[LiftingClip]) -> None:
    network, clip = _small(), clips[1]
    at = clip.xyz + clip.root[:, None]
    found = []
    for focal in (500.0, 3000.0):
        matrix = np.array([[focal, 0.0, 7.0], [0.0, focal, -9.0], [0.0, 0.0, 1.0]])
        camera = Camera("a", (10, 10), matrix, np.zeros(4), np.eye(3), np.zeros(3))
        pixels = focal * at[..., :2] / at[..., 2:] + [7.0, -9.0]
        found.append(lift(network, pixels, clip.score, camera))
    np.testing.assert_allclose(found[0].xyz, found[1].xyz, atol=1e-4)


def test_a_mirror_image_is_lifted_to_a_mirror_image(clips: list[LiftingClip]) -> None:
    network, clip = _small(), clips[2]
    matrix = np.diag([800.0, 800.0, 1.0])
    camera = Camera("a", (10, 10), matrix, np.zeros(4), np.eye(3), np.zeros(3))
    at = clip.xyz + clip.root[:, None]
    pixels = 800.0 * at[..., :2] / at[..., 2:]
    order = list(partners())
    straight = lift(network, pixels, clip.score, camera)
    mirror = lift(network, pixels[:, order] * [-1.0, 1.0], clip.score[:, order], camera)
    np.testing.assert_allclose(mirror.xyz, straight.xyz[:, order] * [-1.0, 1.0, 1.0], atol=1e-5)
    np.testing.assert_allclose(mirror.angles[:, 0], straight.angles[:, 0], atol=1e-5)
    twist = SPINE_ANGLES.index("trunk_twist")
    np.testing.assert_allclose(mirror.angles[:, twist], -straight.angles[:, twist], atol=1e-5)


def test_what_is_missing_is_not_looked_at(clips: list[LiftingClip]) -> None:
    network, clip = _small(), clips[3]
    xy, score = clip.xy.copy(), clip.score.copy()
    score[10:14, 5] = 0.0
    without = lift(network, xy, score, clip.camera)
    xy[10:14, 5] = 1e5
    np.testing.assert_array_equal(lift(network, xy, score, clip.camera).xyz, without.xyz)
    xy[10:14, 5] = np.nan
    score[10:14, 5] = 0.9
    np.testing.assert_array_equal(lift(network, xy, score, clip.camera).xyz, without.xyz)
    assert np.isfinite(without.xyz).all()
    assert not np.array_equal(without.xyz[12], _lifted(network, clip).xyz[12])


def test_frames_far_from_anybody_are_not_known(clips: list[LiftingClip]) -> None:
    network, clip = _small(), clips[4]
    xy = clip.xy.copy()
    xy[20:45] = np.nan
    found = lift(network, xy, clip.score, clip.camera)
    assert np.isnan(found.xyz[32]).all()
    assert np.isnan(found.sigma[32]).all()
    assert np.isfinite(found.xyz[[0, 19, 45, 59]]).all()
    nobody = lift(network, np.full_like(xy, np.nan), clip.score, clip.camera)
    assert np.isnan(nobody.xyz).all()
    assert np.isnan(nobody.angles).all()


@pytest.mark.parametrize("frames", [0, 1, 5, 9, 10, 47])
def test_any_length_is_lifted(clips: list[LiftingClip], frames: int) -> None:
    clip = clips[5]
    found = lift(_small(), clip.xy[:frames], clip.score[:frames], clip.camera)
    assert found.xyz.shape == (frames, 37, 3)
    assert found.sigma.shape == (frames, 37)
    assert found.angles.shape == found.angle_sigma.shape == (frames, 11)
    assert np.isfinite(found.xyz).all()
    assert (found.sigma > 0.0).all()
    np.testing.assert_allclose(found.xyz[:, project_skeleton().index("hip")], 0.0, atol=1e-6)


def test_a_vertical_that_is_not_known_is_not_used(clips: list[LiftingClip]) -> None:
    network, clip = _small(), clips[6]
    turned = replace(clip.camera, rotation=clip.camera.rotation @ rotation_matrix(np.ones(3)))
    known, other = (lift(network, clip.xy, clip.score, c).xyz for c in (clip.camera, turned))
    assert not np.allclose(known, other)
    unknown, same = (
        lift(network, clip.xy, clip.score, c, upright=False).xyz for c in (clip.camera, turned)
    )
    np.testing.assert_array_equal(unknown, same)


def test_input_of_other_shapes_is_refused(clips: list[LiftingClip]) -> None:
    clip = clips[0]
    with pytest.raises(ValueError, match="points of shape"):
        lift(_small(), clip.xy[:, :25], clip.score[:, :25], clip.camera)
    with pytest.raises(ValueError, match="points of shape"):
        lift(_small(), clip.xy, clip.score[:-1], clip.camera)


def test_a_person_is_of_the_same_size_near_and_far() -> None:
    rng = np.random.default_rng(0)
    rays = rng.normal(0.0, 0.05, (1, 4, 37, 2)).astype(np.float32)
    score = np.full((1, 4, 37), 0.8, np.float32)
    near, far = lifter_input(2.0 * rays, score, None), lifter_input(rays, score, None)
    np.testing.assert_allclose(near.features[..., :74], far.features[..., :74], atol=0.02)
    assert near.size == pytest.approx(2.0 * far.size, rel=0.02)
    assert not near.features[..., -1].any()  # the vertical is not known


def test_weights_come_back_from_a_file(tmp_path, clips: list[LiftingClip]) -> None:
    network = _small()
    save_lifter(network, tmp_path / "one.pt", {"seed": 3})
    again = read_lifter(tmp_path / "one.pt")
    assert again.spec == network.spec
    assert read_card(tmp_path / "one.pt") == {"seed": 3}
    # In half precision: a millimetre.
    np.testing.assert_allclose(
        _lifted(again, clips[0]).xyz, _lifted(network, clips[0]).xyz, atol=0.005
    )
    single = _small(temporal=False, frames=1)
    save_lifter(single, tmp_path / "two.pt", {})
    assert read_lifter(tmp_path / "two.pt").spec == single.spec


def test_files_that_hold_no_lifter_are_refused(tmp_path) -> None:
    path = tmp_path / "weights.pt"
    with pytest.raises(UserError, match=r"weights\.pt cannot be read: No such file"):
        read_lifter(path)
    torch.save({"state_dict": {"a": torch.zeros(3)}}, path)
    with pytest.raises(UserError, match=r"weights\.pt holds no lifter"):
        read_lifter(path)
    save_lifter(_small(), path, {})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"weights\.pt is cut off or damaged"):
        read_lifter(path)


def _errors(network: LifterNetwork, clips: list[LiftingClip]) -> float:
    found = [aligned_errors(_lifted(network, clip).xyz, clip.xyz)[:, COLUMN] for clip in clips]
    return 1000.0 * float(np.mean(found))


def test_the_shipped_lifter_reaches_a_loose_bar(
    shipped: LifterNetwork, clips: list[LiftingClip]
) -> None:
    """Movements, bodies and cameras it was not taught with; figures: benchmarks/lifter.py."""
    assert shipped_lifter().stat().st_size < 10e6
    assert _errors(shipped, clips) < LOOSE_MM
    # The bar is one that can be missed: with the order of the blocks' weights changed, it is.
    torch.manual_seed(0)
    spoilt = load_lifter()
    for value in spoilt.blocks[0].state_dict().values():
        value.copy_(value.flatten()[torch.randperm(value.numel())].reshape(value.shape))
    assert _errors(spoilt, clips) > LOOSE_MM


def test_its_sigma_is_of_the_size_of_its_errors(shipped: LifterNetwork) -> None:
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(12):
        clip = draw_clips(rng, 60, held_out_setting(DEMO_NOISE))[0]
        found = _lifted(shipped, clip)
        error = np.linalg.norm(found.xyz - clip.xyz, axis=-1) / np.sqrt(3.0)
        moving = found.sigma > 1e-3
        ratios.append(error[moving] / found.sigma[moving])
    assert 0.3 < np.median(np.concatenate(ratios)) < 1.7
