"""Pose networks with random weights, and what mmpose itself says of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.models.cspnext import CspNext
from pipeline.models.hrnet import HrNet
from pipeline.models.layers import HeatmapHead
from pipeline.models.network import PoseNetwork
from pipeline.models.rtmcc import RtmccHead
from pipeline.models.variants import NetworkSpec
from pipeline.models.vit import VisionTransformer
from tests.truth.random_network import random_pictures, random_state

FIXTURES = Path(__file__).resolve().parents[1] / "data" / "pose_networks"
RTMPOSE: dict[str, tuple[int, tuple[int, int, int, int]]] = {
    "s": (32, (1, 2, 2, 1)),
    "m": (48, (2, 4, 4, 2)),
    "l": (64, (3, 6, 6, 3)),
    "x": (80, (4, 8, 8, 4)),
}
NETWORKS = (*RTMPOSE, "hrnet", "vitpose")


@cache
def said_by_mmpose() -> dict[str, Any]:
    """Parameters, digests of names, shapes and statistics of the fixtures."""
    facts: dict[str, Any] = json.loads((FIXTURES / "mmpose.json").read_text())
    return facts


def values_of_mmpose(name: str, output: int) -> NDArray[np.float32]:
    """The 400 values of an output that the fixtures hold."""
    with np.load(FIXTURES / "mmpose.npz") as arrays:
        values: NDArray[np.float32] = arrays[f"{name}_{output}"]
    return values


def shapes_of(name: str, n_keypoints: int = 37) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a network's tensors; no memory is taken."""
    return {key: tuple(value.shape) for key, value in _empty(name, n_keypoints).items()}


def random_weights(name: str, n_keypoints: int = 37) -> dict[str, Tensor]:
    """A state dict with the fixtures' weights."""
    state = random_state(shapes_of(name, n_keypoints), said_by_mmpose()["seed"])
    return {key: torch.from_numpy(value) for key, value in state.items()}


def fixture_pictures(name: str) -> Tensor:
    """The fixtures' pictures for a network."""
    facts = said_by_mmpose()
    width, height = facts["networks"][name]["input_size"]
    return torch.from_numpy(random_pictures(facts["pictures"], (width, height), facts["seed"]))


def differences(name: str, outputs: tuple[Tensor, ...]) -> list[float]:
    """Largest difference of each output to mmpose's, in standard deviations of that output."""
    facts = said_by_mmpose()
    found = []
    for i, part in enumerate(outputs):
        theirs = values_of_mmpose(name, i)
        rng = np.random.default_rng(facts["seed"] + i)
        ours = part.numpy().ravel()[rng.choice(part.numel(), len(theirs), replace=False)]
        spread = facts["networks"][name]["outputs"][i]["sd"]
        found.append(float(np.abs(ours - theirs).max()) / spread)
    return found


def _empty(name: str, n_keypoints: int) -> dict[str, Tensor]:
    with torch.device("meta"):
        if name in RTMPOSE:
            width, blocks = RTMPOSE[name]
            size = (288, 384) if name == "x" else (192, 256)
            head = RtmccHead(
                16 * width, n_keypoints, size[0] * size[1] // 1024, (2 * size[0], 2 * size[1])
            )
            parts: tuple[Any, Any] = CspNext(width, blocks), head
        elif name == "hrnet":
            parts = HrNet(32), HeatmapHead(32, n_keypoints)
        else:
            parts = VisionTransformer((12, 16)), HeatmapHead(768, n_keypoints, (256, 256))
        spec = NetworkSpec(name, n_keypoints, (192, 256), "simcc")
        return PoseNetwork(spec, *parts).state_dict()
