"""Pose networks: parameters, difference to mmpose, and speed beside onnxruntime and on a card.

Run from the repository: ``python benchmarks/pose_networks.py [--networks s m] [--threads 2]``;
needs onnx and onnxruntime. Weights are random, which changes neither figure. Exit code 0 if
parameters and differences are as they must be; speed is printed beside its goal, and is worth
something only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.models import PoseNetwork, load_pose_network
from pipeline.models.devices import choose_device, device_title
from pipeline.models.fused import ready
from pipeline.models.layers import folded
from tests.truth.pose_networks import (
    NETWORKS,
    differences,
    fixture_pictures,
    random_weights,
    said_by_mmpose,
)

VIEWS, RUNS = 4, 15
SPEED_GOAL, DIFFERENCE_GOAL = 0.8, 1e-3
PUBLISHED = {"s": 5.975, "m": 14.340, "l": 28.664, "x": 50.689}  # millions, 37 keypoints
CARD_BATCH, CARD_RUNS = 64, 20
# Dense half-precision peaks by the makers' data sheets, in 10¹² operations per second.
CARD_PEAKS = {"H100": 989.0, "H200": 989.0, "A100": 312.0, "L4": 121.0}


def made(name: str, folder: Path) -> PoseNetwork:
    """A network with the fixtures' weights, through a checkpoint file."""
    path = folder / f"{name}.pth"
    torch.save({"state_dict": random_weights(name)}, path)
    return load_pose_network(path)


def side_by_side(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each call, taken in turns, so that all meet the same machine."""
    for call in calls.values():
        for _ in range(3):
            call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(RUNS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - began)
    return {name: float(np.median(times)) for name, times in taken.items()}


def beside_onnxruntime(network: PoseNetwork, threads: int, folder: Path) -> tuple[float, float]:
    """Views per second of ours and of onnxruntime's, a batch of four at a time."""
    import onnxruntime

    width, height = network.spec.input_size
    pictures = torch.randn(VIEWS, 3, height, width)
    path = folder / "network.onnx"
    with warnings.catch_warnings():
        # The exporter that needs no further package says that it is the older one.
        warnings.simplefilter("ignore")
        torch.onnx.export(folded(network), (pictures,), str(path), dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: pictures.numpy()}
    ours = ready(network, torch.device("cpu"))
    fast = pictures.to(memory_format=torch.channels_last)

    def run_ours() -> None:
        with torch.inference_mode():
            ours(fast)

    seconds = side_by_side({"ours": run_ours, "theirs": lambda: session.run(None, feed)})
    return VIEWS / seconds["ours"], VIEWS / seconds["theirs"]


def on_card(network: PoseNetwork, device: torch.device) -> tuple[float, float]:
    """Pictures per second in half precision, and 10¹² operations per second."""
    from torch.utils.flop_counter import FlopCounterMode

    width, height = network.spec.input_size
    one = torch.randn(1, 3, height, width)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(one)
    fast = ready(network, device)
    pictures = one.expand(CARD_BATCH, -1, -1, -1).to(device, memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(device.type, torch.float16):
        for _ in range(5):
            fast(pictures)
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(CARD_RUNS):
            fast(pictures)
        torch.cuda.synchronize()
    rate = CARD_BATCH * CARD_RUNS / (time.perf_counter() - began)
    return rate, rate * counter.get_total_flops() / 1e12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    device = choose_device()
    name_machine()
    print(f"PyTorch {torch.__version__}, {device_title(device)}; {VIEWS} views at a time")
    right = True
    for name in chosen.networks:
        with tempfile.TemporaryDirectory() as folder:
            network = made(name, Path(folder))
            ours, theirs = beside_onnxruntime(network, chosen.threads, Path(folder))
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        with torch.inference_mode():
            out = network(fixture_pictures(name))
        worst = max(differences(name, out if isinstance(out, tuple) else (out,)))
        theirs_millions = said_by_mmpose()["networks"][name]["parameters"] / 1e6
        right &= round(millions, 3) == PUBLISHED.get(name, round(theirs_millions, 3))
        right &= worst < DIFFERENCE_GOAL
        print(
            f"{network.spec.variant:10} {millions:7.3f} M parameters (mmpose "
            f"{theirs_millions:.3f}), {len(network.state_dict())} tensors; difference to mmpose "
            f"{worst:.1e} SD (goal {DIFFERENCE_GOAL:g}); {ours:.1f} views/s, onnxruntime "
            f"{theirs:.1f}: {ours / theirs:.2f} of it (goal {SPEED_GOAL})",
            flush=True,
        )
        if device.type == "cuda":
            rate, operations = on_card(network, device)
            title = torch.cuda.get_device_name(device)
            peak = next((p for card, p in CARD_PEAKS.items() if card in title), None)
            share = f", {operations / peak:.1%} of the card's peak" if peak else ""
            print(f"{'':10} on the card {rate:.0f} pictures/s, {operations:.1f} TFLOP/s{share}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
