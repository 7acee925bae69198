"""Training a detector: it learns, it goes on where it stopped, its weights are read as others'."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.models.crop import input_from_image
from pipeline.models.decode import decode_simcc
from pipeline.models.detector import PoseDetector, mirror_partners
from pipeline.models.detector_batches import plain_batch, taught_batch
from pipeline.models.detector_config import DetectorTraining, read_detector_training
from pipeline.models.network import load_pose_network
from pipeline.models.simcc_loss import simcc_loss
from pipeline.models.state_files import read_card
from pipeline.models.train_detector import WEIGHTS, begun, save_detector, train_detector
from pipeline.models.training import HISTORY, STATE
from tests.models.made_pictures import MadePictures
from tests.truth.tiny_pose_network import tiny_checkpoint

SIZE = (192, 256)
TINY = DetectorTraining(
    seed=3, steps=4, batch=2, width=4, features=8, warm_up=2, validate_every=2, half=False
)
PICTURES, KEPT = MadePictures(5), MadePictures(3, seed=9)


def _trained(folder: Path, stops: tuple[int, ...] = ()) -> dict[str, torch.Tensor]:
    for stop in stops:
        run = train_detector(TINY, PICTURES, KEPT, folder, device="cpu")
        assert len(list(itertools.islice(run, stop))) == stop
        run.close()
    states = list(train_detector(TINY, PICTURES, KEPT, folder, {"name": "tiny"}, "cpu"))
    assert states[-1].step == TINY.steps
    return torch.load(folder / STATE, weights_only=True)["average"]


def test_a_training_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, parts = _trained(tmp_path / "whole"), _trained(tmp_path / "parts", (3,))
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name
    assert (tmp_path / "whole" / HISTORY).read_text() == (tmp_path / "parts" / HISTORY).read_text()


def test_weights_are_read_as_those_of_others(tmp_path: Path) -> None:
    average = _trained(tmp_path)
    network = load_pose_network(tmp_path / WEIGHTS, 17)
    assert (network.spec.codec, network.spec.input_size) == ("simcc", SIZE)
    card = read_card(tmp_path / WEIGHTS)
    assert (card["name"], card["settings"]["seed"]) == ("tiny", 3)
    assert card["error_px"] > 0.0
    if card["step"] == TINY.steps:
        for name, value in network.state_dict().items():
            torch.testing.assert_close(value, average[name].half().to(value.dtype))
    x, y = network(torch.zeros(1, 3, 256, 192))
    assert (x.shape, y.shape) == ((1, 17, 384), (1, 17, 512))


def test_it_learns_and_is_judged_as_users_see_it(tmp_path: Path) -> None:
    """On the same few pictures, the loss falls; the figure is what the detector users run gives."""
    settings = replace(
        TINY, steps=30, batch=4, width=8, features=16, validate_every=30, average=0.8,
        turn=0.0, zoom=0.0, shift=0.0, colours=0.0, hide=0.0, wide=0.0, learning_rate=3e-3,
    )  # fmt: skip
    teach = MadePictures(4)
    steps = list(train_detector(settings, teach, KEPT, tmp_path, device="cpu"))
    losses = [step.loss for step in steps]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    network = load_pose_network(tmp_path / WEIGHTS)
    detector = PoseDetector(network, KEPT.skeleton, "cpu")
    found = detector.detect((KEPT.picture(i), KEPT.boxes[i]) for i in range(len(KEPT)))
    away = np.linalg.norm(found.points - KEPT.xy, axis=-1)
    ways = [input_from_image(box, SIZE, "simcc")[0, 0] for box in KEPT.boxes]
    inner = away * np.array(ways)[:, None]
    assert inner.mean() == pytest.approx(steps[-1].validated["error_px"], rel=0.02)


def test_mirrored_and_turned_crops_still_show_the_discs() -> None:
    """The colour at every labelled place of a batch is that of the keypoint, or of its partner."""
    plain = replace(TINY, batch=8, colours=0.0, hide=0.0, turn=20.0)
    pictures = MadePictures(8, size=400)
    batch = taught_batch(pictures, plain, SIZE, 0)
    colours = np.array(pictures._colours)
    partners = mirror_partners(pictures.skeleton)
    straight = mirrored = 0
    for crop, xy, weight in zip(batch.crops, batch.xy, batch.weight, strict=True):
        places = np.round(xy).astype(int)
        inside = weight > 0
        inside &= ((places >= 0) & (places < np.array(SIZE))).all(axis=1)
        seen = crop[places[inside, 1], places[inside, 0]].astype(float)
        for order in (np.arange(17), partners):
            close = np.abs(seen - colours[order][inside]).max(axis=1) < 60.0
            if order is partners:
                mirrored += close.mean() > 0.7
            else:
                straight += close.mean() > 0.7
    assert straight >= 1
    assert mirrored >= 1
    assert straight + mirrored >= 8


def test_every_picture_is_used_before_any_again() -> None:
    plain = replace(TINY, batch=2)
    seen = [
        tuple(crop.astype(int).sum(axis=(0, 1)))
        for number in range(5)
        for crop in taught_batch(PICTURES, plain, SIZE, number).crops
    ]
    again = [
        tuple(crop.astype(int).sum(axis=(0, 1)))
        for number in range(5)
        for crop in taught_batch(PICTURES, plain, SIZE, number).crops
    ]
    assert seen == again
    assert len(set(seen)) == 10  # each twice, cut out anew


def test_the_loss_is_least_at_the_truth_and_counts_labelled_points() -> None:
    xy = torch.tensor([[[50.0, 80.0], [20.0, 30.0]]])
    weight = torch.tensor([[1.0, 0.0]])

    def rows(shift: float) -> tuple[torch.Tensor, torch.Tensor]:
        out = []
        for axis, bins in ((0, 384), (1, 512)):
            away = torch.arange(bins) - 2.0 * (xy[..., axis, None] + shift)
            out.append(torch.exp(-0.5 * away.square() / (bins / 16)))
        return out[0], out[1]

    right, wrong = simcc_loss(rows(0.0), xy, weight), simcc_loss(rows(3.0), xy, weight)
    assert right.item() == pytest.approx(0.0, abs=1e-4)
    assert wrong.item() > 1.0
    decoded = decode_simcc(*(part.numpy() for part in rows(0.0)))
    np.testing.assert_allclose(decoded.points[0], xy[0].numpy(), atol=0.05)
    elsewhere = xy.clone()
    elsewhere[0, 1] += 40.0
    assert simcc_loss(rows(0.0), elsewhere, weight).item() == pytest.approx(0.0, abs=1e-4)


def test_scores_of_the_shipped_detector_tell_people_from_nothing() -> None:
    """Of a drawn person most points are sure; of noise none is."""
    from pipeline.data.skeleton import project_skeleton
    from pipeline.synthesis.picture_sets import teaching_pictures
    from pipeline.synthesis.pictures import draw_pictures

    network = load_pose_network(resource_path("models", "simspine_detector.pt"), 37)
    detector = PoseDetector(network, project_skeleton(), "cpu")
    rng = np.random.default_rng(99)
    drawn = list(draw_pictures(rng, 4, teaching_pictures(1)))
    boxes = [np.concatenate([p.xy.min(axis=0), p.xy.max(axis=0)]) for p in drawn]
    found = detector.detect((p.image, box) for p, box in zip(drawn, boxes, strict=True))
    away = np.linalg.norm(found.points - np.stack([p.xy for p in drawn]), axis=-1)
    assert np.median(away) < 6.0
    assert np.median(found.scores) > 0.7
    noise = rng.integers(100, 140, (300, 200, 3)).astype(np.uint8)
    nothing = detector.detect([(noise, np.array([20.0, 20.0, 180.0, 280.0]))])
    assert np.percentile(nothing.scores, 90) < 0.3


@pytest.mark.parametrize("name", ["pyramid", "t"])
def test_networks_from_nothing_are_told_by_their_tensors(tmp_path: Path, name: str) -> None:
    network = begun(replace(TINY, network=name), 17)
    save_detector(network, tmp_path / "x.pt", {})
    read = load_pose_network(tmp_path / "x.pt")
    assert read.spec.n_keypoints == 17
    assert read.spec.variant == network.spec.variant
    batch = plain_batch(KEPT, np.arange(2), SIZE, "simcc")
    assert batch.crops.shape == (2, 256, 192, 3)


def test_a_training_goes_on_from_published_weights(tmp_path: Path) -> None:
    begin = tiny_checkpoint(tmp_path / "Tiny.pth")
    count = load_pose_network(begin).spec.n_keypoints
    network = begun(replace(TINY, begin=str(begin)), count)
    assert all(p.requires_grad for p in network.parameters())
    with pytest.raises(UserError, match=f"finds {count} keypoints, but 5 are needed"):
        begun(replace(TINY, begin=str(begin)), 5)


def test_frozen_statistics_stay(tmp_path: Path) -> None:
    frozen = replace(TINY, steps=1, frozen=True)
    list(train_detector(frozen, PICTURES, KEPT, tmp_path, device="cpu"))
    state = torch.load(tmp_path / STATE, weights_only=True)["network"]
    assert (state["backbone.stem.bn.running_mean"] == 0.0).all()
    list(
        train_detector(replace(frozen, frozen=False), PICTURES, KEPT, tmp_path / "b", device="cpu")
    )
    state = torch.load(tmp_path / "b" / STATE, weights_only=True)["network"]
    assert (state["backbone.stem.bn.running_mean"] != 0.0).any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lifter]", "has no table [detector]"),
        ("[detector]\nnetwork = 'hrnet'", "network must be one of pyramid, t, s, m, l, x"),
        ("[detector]\nbatch = 1", "batch must be a whole number from 2 on, not 1"),
        ("[detector]\nwide = 2.0", "wide must be from 0 to 1, not 2.0"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        read_detector_training(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_shipped_settings_are_read() -> None:
    training = read_detector_training(resource_path("training", "detector.toml"))
    assert training.network == "pyramid"
