"""Our networks beside mmpose's own: names, parameters, and what they give."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline.models import load_pose_network
from pipeline.models.fused import can_fuse, ready
from pipeline.models.layers import ConvNormAct, HeatmapHead, folded
from tests.truth.pose_networks import (
    NETWORKS,
    differences,
    fixture_pictures,
    random_weights,
    said_by_mmpose,
    shapes_of,
)
from tests.truth.random_network import names_digest

# simspine_facts §8: parameters in millions and tensors of the state dict.
PUBLISHED = {"s": (5.975, 254), "m": (14.340, 362), "l": (28.664, 470), "x": (50.689, 578)}
TITLES = {"hrnet": ("HRNet-w32", "msra"), "vitpose": ("ViTPose-b", "udp")}
# The goal is 1e-3; the same sums in another order give 3e-6.
TOLERANCE = 5e-5


@pytest.mark.parametrize("name", NETWORKS)
def test_a_checkpoint_gives_what_mmpose_gives(name: str, tmp_path: Path) -> None:
    facts = said_by_mmpose()["networks"][name]
    path = tmp_path / "weights.pth"
    torch.save({"meta": {"epoch": 10}, "state_dict": random_weights(name)}, path)
    network = load_pose_network(path)
    title, codec = TITLES.get(name, (f"RTMPose-{name}", "simcc"))
    assert (network.spec.variant, network.spec.codec) == (title, codec)
    assert network.spec.n_keypoints == 37
    assert network.spec.input_size == tuple(facts["input_size"])
    with torch.inference_mode():
        out = network(fixture_pictures(name))
    parts = out if isinstance(out, tuple) else (out,)
    assert [list(p.shape) for p in parts] == [o["shape"] for o in facts["outputs"]]
    assert max(differences(name, parts)) < TOLERANCE


@pytest.mark.parametrize("name", ["s", "hrnet"])
def test_folding_the_normalisation_in_changes_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(random_weights(name), path)
    network = load_pose_network(path)
    fast = folded(network)
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in fast.modules())
    with torch.inference_mode():
        out = fast(fixture_pictures(name))
    assert max(differences(name, out if isinstance(out, tuple) else (out,))) < TOLERANCE


def test_fusing_the_activation_in_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(random_weights("s"), path)
    network = load_pose_network(path)
    with torch.inference_mode():
        for there in {can_fuse(), False}:
            monkeypatch.setattr("pipeline.models.fused.can_fuse", lambda there=there: there)
            fast = ready(network, torch.device("cpu"))
            assert any(isinstance(m, ConvNormAct) for m in fast.modules()) != there
            assert max(differences("s", fast(fixture_pictures("s")))) < TOLERANCE
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


def test_folding_reaches_transposed_convolutions() -> None:
    torch.manual_seed(0)
    head = HeatmapHead(6, 3, (5, 4)).eval()
    for module in head.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.normal_(module.running_mean)
    picture = torch.randn(2, 6, 4, 3)
    fast = folded(head)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in fast.modules())
    torch.testing.assert_close(fast(picture), head(picture), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_names_shapes_and_parameters_are_mmposes(name: str) -> None:
    facts = said_by_mmpose()["networks"][name]
    shapes = shapes_of(name)
    assert names_digest(shapes) == facts["names"]
    assert len(shapes) == facts["tensors"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_are_the_published_ones(name: str) -> None:
    millions, tensors = PUBLISHED[name]
    shapes = shapes_of(name)
    numbers = sum(
        torch.Size(shape).numel()
        for key, shape in shapes.items()
        if not key.endswith(("running_mean", "running_var", "num_batches_tracked"))
    )
    assert round(numbers / 1e6, 3) == millions
    assert len(shapes) == tensors


def test_names_are_those_of_the_published_checkpoints() -> None:
    """simspine_facts §8, each name written out by hand."""
    shapes = shapes_of("s")
    expected = {
        "backbone.stem.0.conv.weight": (16, 3, 3, 3),
        "backbone.stem.2.bn.running_var": (32,),
        "backbone.stage1.0.conv.weight": (64, 32, 3, 3),
        "backbone.stage1.1.main_conv.conv.weight": (32, 64, 1, 1),
        "backbone.stage2.1.blocks.1.conv2.depthwise_conv.conv.weight": (64, 1, 5, 5),
        "backbone.stage2.1.blocks.1.conv2.pointwise_conv.bn.weight": (64,),
        "backbone.stage3.1.attention.fc.bias": (256,),
        "backbone.stage4.1.conv2.conv.weight": (512, 1024, 1, 1),
        "backbone.stage4.2.short_conv.bn.num_batches_tracked": (),
        "backbone.stage4.2.final_conv.conv.weight": (512, 512, 1, 1),
        "head.final_layer.weight": (37, 512, 7, 7),
        "head.final_layer.bias": (37,),
        "head.mlp.0.g": (1,),
        "head.mlp.1.weight": (256, 48),
        "head.gau.gamma": (2, 128),
        "head.gau.beta": (2, 128),
        "head.gau.o.weight": (256, 512),
        "head.gau.uv.weight": (1152, 256),
        "head.gau.ln.g": (1,),
        "head.gau.res_scale.scale": (256,),
        "head.cls_x.weight": (384, 256),
        "head.cls_y.weight": (512, 256),
    }
    assert {name: shapes.get(name) for name in expected} == expected


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """CSPNeXt's own epsilon, which RTMPose's configurations replace, is seen."""
    path = tmp_path / "weights.pth"
    torch.save(random_weights("s"), path)
    network = load_pose_network(path)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1e-3
    with torch.inference_mode():
        assert max(differences("s", network(fixture_pictures("s")))) > 1e-3
