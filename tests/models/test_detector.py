"""From pictures and boxes to points in the pictures: crops, mirrors, batches, devices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton, load_skeleton, project_skeleton
from pipeline.models.crop import MEAN, STD, crop, input_from_image, normalised, to_image
from pipeline.models.detector import (
    PoseDetector,
    mirror_partners,
    mirrored_back,
    mirrored_pictures,
    whole_picture,
)
from pipeline.models.devices import choose_device, device_title, is_out_of_memory
from pipeline.models.network import PoseNetwork
from pipeline.models.variants import Codec, NetworkSpec
from tests.truth.drawn_peaks import CELLS, INPUT, bump_rows, cells_of, heat_pictures

BOX = np.array((210.0, 90.0, 330.0, 420.0))


def _blob(place: tuple[float, float], size: tuple[int, int] = (640, 480)) -> NDArray[np.uint8]:
    """A picture that is dark but for a red blob at a place."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    bright = np.exp(-((columns - place[0]) ** 2 + (rows - place[1]) ** 2) / (2 * 8.0**2))
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[..., 0] = np.round(255 * bright)
    return picture


class _Bright(nn.Module):
    """Rows of bins with their peak at the middle of what is red in a picture."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        red = x[:, 0] * STD[0] + MEAN[0]
        parts = []
        for axis in (1, 2):
            line = red.sum(axis)
            at = (line * torch.arange(line.shape[1])).sum(1, keepdim=True) / line.sum(1, True)
            away = (torch.arange(2 * line.shape[1]) - 2 * at) / 5
            parts.append(torch.exp(-away.square() / 2)[:, None])
        return parts[0], parts[1]


def _skeleton(n: int = 1) -> Skeleton:
    whole = project_skeleton()
    return Skeleton("nose", "Nose", whole.keypoints[:n], ())


def _detector(head: nn.Module | None = None, **options: object) -> PoseDetector:
    network = PoseNetwork(
        NetworkSpec("a test", 1, INPUT, "simcc"), nn.Identity(), head or _Bright()
    )
    return PoseDetector(network, _skeleton(), "cpu", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", ["simcc", "udp"])
def test_a_box_is_padded_grown_and_put_in_the_middle(codec: Codec) -> None:
    last = 1 if codec == "udp" else 0
    way = input_from_image(BOX, INPUT, codec)
    # 330 px high, 1.25 times that is 412.5 px, which is 3/4 as wide.
    corners = np.array((270.0, 255.0)) + np.array((412.5 * 0.75, 412.5)) * [[-0.5], [0.5]]
    there = corners @ way[:, :2].T + way[:, 2]
    np.testing.assert_allclose(there, [[0, 0], np.array(INPUT) - last], atol=1e-9)
    np.testing.assert_allclose(to_image(there, way), corners)


def test_a_crop_holds_the_picture_and_black_beyond_it() -> None:
    box = np.array((-100.0, 300.0, 60.0, 470.0))
    way = input_from_image(box, INPUT, "simcc")
    cut = crop(_blob((20.0, 400.0)), way, INPUT)
    row, column = np.unravel_index(cut[..., 0].argmax(), cut.shape[:2])
    place = to_image(np.array((float(column), float(row))), way)
    np.testing.assert_allclose(place, (20.0, 400.0), atol=1.5)
    assert cut.shape == (256, 192, 3)
    assert not cut[:, :60].any()


def test_colours_are_red_green_blue_and_normalised() -> None:
    colours = torch.tensor([124, 57, 219], dtype=torch.uint8).expand(1, 2, 3, 3)
    seen = normalised(colours)
    assert seen.shape == (1, 3, 2, 3)
    np.testing.assert_allclose(
        seen[0, :, 0, 0].numpy(),
        [(124 - 123.675) / 58.395, (57 - 116.28) / 57.12, (219 - 103.53) / 57.375],
        rtol=1e-5,
    )


@pytest.mark.parametrize("flip", [False, True])
def test_a_point_is_found_where_it_was_painted(flip: bool) -> None:
    places = [(251.3, 201.8), (300.0, 150.5), (233.7, 333.2)]
    found = _detector(flip=flip).detect([(_blob(p), BOX) for p in places])
    assert found.points.shape == (3, 1, 2)
    np.testing.assert_allclose(found.points[:, 0], places, atol=0.05)
    assert (found.scores > 0.9).all()
    assert found.sd.shape == (3, 1, 2)


def test_the_whole_picture_serves_without_a_box() -> None:
    picture = _blob((400.0, 300.0))
    found = _detector().detect([(picture, whole_picture(picture))])
    np.testing.assert_allclose(found.points[0, 0], (400.0, 300.0), atol=0.1)


def test_uncertainty_is_in_pixels_of_the_picture() -> None:
    near = _detector().detect([(_blob((270.0, 255.0)), BOX)])
    far = _detector().detect([(_blob((540.0, 510.0), (1280, 960)), 2 * BOX)])
    np.testing.assert_allclose(far.sd, 2 * near.sd, rtol=0.02)


def test_partners_are_the_published_swaps() -> None:
    """simspine_facts §1.1."""
    partners = mirror_partners(project_skeleton())
    pairs = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]
    pairs += [(20, 21), (22, 23), (24, 25), (31, 32), (33, 34)]
    expected = np.arange(37)
    for a, b in pairs:
        expected[a], expected[b] = b, a
    np.testing.assert_array_equal(partners, expected)
    np.testing.assert_array_equal(mirror_partners(load_skeleton("coco_17"))[:3], [0, 2, 1])


def test_a_mirrored_picture_says_the_same() -> None:
    """What a perfect network gives for a picture and for its mirror image, drawn by hand."""
    x = 71.3
    partners = torch.tensor([1, 0])
    swapped = torch.tensor([[x, 100.0], [150.0, 40.0]]).numpy().astype(float)
    straight = [torch.from_numpy(r)[None] for r in bump_rows(swapped)]
    mirror = np.column_stack((INPUT[0] - 1 - swapped[::-1, 0], swapped[::-1, 1]))
    mirrored = [torch.from_numpy(r)[None] for r in bump_rows(mirror)]
    back = mirrored_back(mirrored, partners)
    for ours, there in zip(back, straight, strict=True):
        torch.testing.assert_close(ours[..., :-1], there[..., :-1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("codec", ["msra", "udp"])
def test_a_mirrored_picture_gives_the_same_heatmap(codec: Codec) -> None:
    place = np.array([[71.0, 100.0]])
    columns = torch.arange(INPUT[0])
    picture = (columns == 71).float().expand(1, 3, 4, -1)
    seen = mirrored_pictures(picture, codec)[0, 0, 0].nonzero().item()
    heat = torch.from_numpy(heat_pictures(np.array([[float(seen), 100.0]]), codec))[None]
    back = mirrored_back([heat], torch.tensor([0]))[0]
    there = torch.from_numpy(heat_pictures(place, codec))[None]
    torch.testing.assert_close(back, there, atol=1e-5, rtol=0)
    assert cells_of(place, codec)[0, 0] < CELLS[0]


class _Small(nn.Module):
    """Holds ``room`` pictures at once; more raise what a device raises."""

    def __init__(self, room: int, error: Exception) -> None:
        super().__init__()
        self.room, self.error = room, error
        self.inner = _Bright()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if len(x) > self.room:
            raise self.error
        out: tuple[Tensor, Tensor] = self.inner(x)
        return out


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
        MemoryError(),
    ],
    ids=["cuda", "mps", "cpu", "python"],
)
def test_too_little_memory_halves_the_batch_and_is_told(error: Exception) -> None:
    detector = _detector(_Small(3, error), batch=8)
    places = [(230.0 + 5 * i, 200.0 + 7 * i) for i in range(11)]
    found = detector.detect((_blob(p), BOX) for p in places)
    np.testing.assert_allclose(found.points[:, 0], places, atol=0.05)
    assert detector.batch == 2
    assert len(detector.notes) == 2
    assert detector.notes[0] == (
        f"The memory of {device_title(detector.device)} was too small for 8 pictures at a time; "
        "going on with 4."
    )


def test_no_memory_at_all_is_one_sentence_and_other_errors_stay() -> None:
    with pytest.raises(UserError, match="not even with one picture at a time"):
        _detector(_Small(0, torch.OutOfMemoryError())).detect([(_blob((270, 255)), BOX)])
    with pytest.raises(RuntimeError, match="shapes"):
        _detector(_Small(0, RuntimeError("shapes"))).detect([(_blob((270, 255)), BOX)])
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_people_are_taken_one_batch_at_a_time() -> None:
    taken = []

    def people() -> object:
        for i in range(10):
            taken.append(i)
            yield _blob((270, 255)), BOX

    parts = _detector(batch=4).batches(people())  # type: ignore[arg-type]
    assert len(next(parts).points) == 4
    assert len(taken) == 4
    assert [len(p.points) for p in parts] == [4, 2]


def test_nobody_is_an_empty_answer() -> None:
    found = _detector().detect([])
    assert (found.points.shape, found.scores.shape) == ((0, 1, 2), (0, 1))


def test_a_network_of_other_keypoints_is_refused() -> None:
    network = PoseNetwork(NetworkSpec("a test", 1, INPUT, "simcc"), nn.Identity(), _Bright())
    with pytest.raises(UserError, match="This a test finds 1 keypoints, but Nose has 2"):
        PoseDetector(network, _skeleton(2), "cpu")


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type in ("cuda", "mps", "cpu")
    assert device_title(torch.device("cpu")).startswith("CPU, ")
    with pytest.raises(UserError, match="“gpu” is no device; there are auto, cuda, mps, cpu"):
        choose_device("gpu")
    for kind, there in (
        ("cuda", torch.cuda.is_available()),
        ("mps", torch.backends.mps.is_available()),
    ):
        if not there:
            with pytest.raises(UserError, match=f"no {kind.upper()} device"):
                choose_device(kind)


def test_every_published_network_runs_through(tmp_path: Path) -> None:
    """Random weights say nothing, but in the right shapes."""
    from pipeline.models import load_pose_network
    from tests.truth.pose_networks import random_weights

    for name in ("s", "hrnet"):
        path = tmp_path / f"{name}.pth"
        torch.save(random_weights(name), path)
        detector = PoseDetector(load_pose_network(path), project_skeleton(), "cpu")
        found = detector.detect([(_blob((270, 255)), BOX)] * 2)
        assert found.points.shape == (2, 37, 2)
        assert np.isfinite(found.scores).all()
        assert not detector.notes
