"""A pose network small enough to be run often, with random weights, as a checkpoint and as ONNX."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from pipeline.models.cspnext import CspNext
from pipeline.models.network import PoseNetwork
from pipeline.models.rtmcc import RtmccHead
from pipeline.models.variants import NetworkSpec
from tests.truth.random_network import random_state

SIZE = (64, 96)
WIDTH = 8


def tiny_network(n_keypoints: int = 37, seed: int = 5) -> PoseNetwork:
    """Random weights, for use."""
    width, height = SIZE
    cells = width * height // 32**2
    network = PoseNetwork(
        NetworkSpec("RTMPose of width 8", n_keypoints, SIZE, "simcc"),
        CspNext(WIDTH, (1, 1, 1, 1)),
        RtmccHead(16 * WIDTH, n_keypoints, cells, (2 * width, 2 * height), 16, 32, 8),
    )
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    state = {name: torch.from_numpy(v) for name, v in random_state(shapes, seed).items()}
    network.load_state_dict(state)
    return network.eval()


def tiny_checkpoint(path: Path, n_keypoints: int = 37, seed: int = 5) -> Path:
    """The network as mmpose would have saved it."""
    torch.save({"meta": {}, "state_dict": tiny_network(n_keypoints, seed).state_dict()}, path)
    return path


def exported(
    network: nn.Module, path: Path, batch: int | None = None, names: tuple[str, ...] = ("x", "y")
) -> Path:
    """A network as an ONNX file that takes any number of pictures, or ``batch``."""
    width, height = SIZE
    any_number = {name: {0: "n"} for name in ("pictures", *names)}
    torch.onnx.export(
        network,
        (torch.zeros(batch or 1, 3, height, width),),
        str(path),
        dynamo=False,
        input_names=["pictures"],
        output_names=list(names),
        dynamic_axes=None if batch else any_number,
    )
    return path
