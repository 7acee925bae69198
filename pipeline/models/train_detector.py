"""Trains a detector on pictures that somebody else drew or corrected."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.data.errors import UserError
from pipeline.models.crop import input_from_image, normalised
from pipeline.models.cspnext import CspNext
from pipeline.models.decode import decode_simcc
from pipeline.models.detector_batches import DetectorBatch, Pictures, plain_batch, taught_batch
from pipeline.models.detector_config import DetectorTraining
from pipeline.models.devices import choose_device
from pipeline.models.layers import channels_last
from pipeline.models.network import PoseNetwork, load_pose_network
from pipeline.models.pyramid import PyramidBackbone, RowsHead
from pipeline.models.rtmcc import RtmccHead
from pipeline.models.simcc_loss import simcc_loss
from pipeline.models.state_files import write_state
from pipeline.models.training import Lesson, TrainingStep, train
from pipeline.models.training_config import as_table
from pipeline.models.variants import BLOCKS_OF_PYRAMID, RTMPOSE_SIZES, NetworkSpec
from pipeline.quality.keypoint_metrics import keypoint_auc

WEIGHTS = "detector.pt"
INPUT_SIZE = (192, 256)
# Pictures that go through the network at once in a validation.
_TOGETHER = 32


def train_detector(
    training: DetectorTraining,
    pictures: Pictures,
    validation: Pictures,
    folder: Path,
    card: dict[str, Any] | None = None,
    device: str = "auto",
) -> Generator[TrainingStep, None, Path]:
    """Train a detector in ``folder``; see :func:`pipeline.models.training.train`.

    Parameters
    ----------
    training : DetectorTraining
    pictures, validation : Pictures
        To teach, and to judge, of the same skeleton.
    folder : path
    card : dict
        Written into the weights.
    device : str
        ``auto``, ``cuda``, ``mps`` or ``cpu``.

    A validation says ``error_px``, the mean distance from the truth in pixels of the network's
    input, and ``auc`` (see :func:`pipeline.quality.keypoint_metrics.keypoint_auc`) in pixels of
    the pictures.

    Raises
    ------
    UserError
        As ``train``; also if the weights to begin with find other keypoints or are of a kind that
        cannot be trained here.
    """
    lesson = _DetectorLesson(training, pictures, validation, card or {}, device)
    return (yield from train(lesson, folder))


class _DetectorLesson(Lesson[DetectorBatch]):
    def __init__(
        self,
        training: DetectorTraining,
        pictures: Pictures,
        validation: Pictures,
        card: dict[str, Any],
        device: str,
    ) -> None:
        self.device = choose_device(device)
        network = channels_last(begun(training, len(pictures.skeleton))).to(self.device)
        average = channels_last(begun(training, len(pictures.skeleton))).to(self.device)
        average.load_state_dict(network.state_dict())
        kernels = [
            weight
            for name, weight in network.backbone.named_parameters()
            if weight.ndim == 4 and weight.shape[1] > 3 and not name.startswith("stem")
        ]
        super().__init__(
            network, average, kernels, training, as_table(training), WEIGHTS, "error_px"
        )
        self.network: PoseNetwork = network
        self.average: PoseNetwork = average
        self.training, self.card = training, card
        self.pictures, self.validation = pictures, validation
        self.size = network.spec.input_size

    def batch(self, number: int) -> DetectorBatch:
        return taught_batch(self.pictures, self.training, self.size, number)

    def loss(self, batch: DetectorBatch) -> Tensor:
        if self.training.frozen:
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        half = self.training.half and halves(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            features = self.network.backbone(self._seen(batch.crops))
        out = self.network.head(features.float())
        xy = torch.from_numpy(batch.xy.astype(np.float32)).to(self.device)
        return simcc_loss(out, xy, torch.from_numpy(batch.weight).to(self.device))

    def _seen(self, crops: NDArray[np.uint8]) -> Tensor:
        return normalised(torch.from_numpy(crops).to(self.device)).to(
            memory_format=torch.channels_last
        )

    def validate(self) -> dict[str, float]:
        network = self.average.eval()
        near, far = [], []
        for start in range(0, len(self.validation), _TOGETHER):
            chosen = np.arange(start, min(start + _TOGETHER, len(self.validation)))
            batch = plain_batch(self.validation, chosen, self.size, network.spec.codec)
            with torch.inference_mode():
                x, y = network(self._seen(batch.crops))
            found = decode_simcc(x.cpu().numpy(), y.cpu().numpy()).points
            away = np.linalg.norm(found - batch.xy, axis=-1)
            away = np.where(batch.weight > 0, away, np.nan)
            ways = [
                input_from_image(self.validation.boxes[i], self.size, network.spec.codec)
                for i in chosen.tolist()
            ]
            near.append(away)
            far.append(away / np.array([way[0, 0] for way in ways])[:, None])
        return {
            "error_px": round(float(np.nanmean(np.concatenate(near))), 4),
            "auc": round(keypoint_auc(np.concatenate(far)), 4),
        }

    def write(self, path: Path, facts: dict[str, Any]) -> None:
        save_detector(self.average, path, {**self.card, **facts})


def begun(training: DetectorTraining, n_keypoints: int) -> PoseNetwork:
    """The network that a training begins with, for ``n_keypoints`` keypoints.

    Raises
    ------
    UserError
        If the weights to begin with cannot be used, find other keypoints or are of a kind that
        cannot be trained here.
    """
    if training.begin:
        network = load_pose_network(Path(training.begin), n_keypoints)
        if network.spec.codec != "simcc":
            raise UserError(
                f"{training.begin} holds a {network.spec.variant}, which says where keypoints are "
                "by heatmaps; only networks with rows of bins (SimCC) are trained here."
            )
        return network.requires_grad_(True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        if training.network == "pyramid":
            spec = NetworkSpec("Pyramid", n_keypoints, INPUT_SIZE, "simcc")
            backbone: nn.Module = PyramidBackbone(
                training.width, BLOCKS_OF_PYRAMID, training.features
            )
            return PoseNetwork(spec, backbone, RowsHead(training.features, n_keypoints))
        width, blocks = RTMPOSE_SIZES[training.network]
        spec = NetworkSpec(f"RTMPose-{training.network}", n_keypoints, INPUT_SIZE, "simcc")
        cells = INPUT_SIZE[0] * INPUT_SIZE[1] // 32**2
        bins = 2 * INPUT_SIZE[0], 2 * INPUT_SIZE[1]
        return PoseNetwork(
            spec, CspNext(width, blocks), RtmccHead(16 * width, n_keypoints, cells, bins)
        )


def save_detector(network: PoseNetwork, path: Path, card: dict[str, Any]) -> None:
    """Write weights in half precision and ``card``, plain values about their making.

    :func:`pipeline.models.network.load_pose_network` reads them.
    """
    tensors = {
        name: value.cpu().half() if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
    }
    width, height = network.spec.input_size
    meta = {"cfg": f"input_size=({width}, {height})"}
    write_state(path, {"meta": meta, "card": card, "state_dict": tensors})


def halves(device: torch.device) -> bool:
    """Whether a device computes faster in 16 bits."""
    if device.type != "cpu":
        return device.type == "cuda"
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(asked and asked())
