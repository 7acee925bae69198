"""Keypoints of people in pictures by a PyTorch network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.data.skeleton import Skeleton
from pipeline.models.batches import (
    BATCH,
    Detections,
    Detector,
    FloatArray,
    Picture,
    whole_picture,
)
from pipeline.models.crop import normalised
from pipeline.models.decode import Refinement
from pipeline.models.devices import choose_device, device_title, is_out_of_memory
from pipeline.models.fused import ready
from pipeline.models.network import Output, PoseNetwork

__all__ = ["Detections", "PoseDetector", "whole_picture"]


class PoseDetector(Detector):
    """A PyTorch network on ``device``."""

    def __init__(
        self,
        network: PoseNetwork,
        skeleton: Skeleton,
        device: str = "auto",
        *,
        batch: int | None = None,
        flip: bool = False,
        refine: Refinement = "subbin",
    ) -> None:
        """Move a network to a device.

        Parameters
        ----------
        network : PoseNetwork
            Left as it is; a copy runs.
        skeleton : Skeleton
            Its keypoints in the network's order.
        device : str
            ``auto``, ``cuda``, ``mps`` or ``cpu``.
        batch : int, optional
            Crops at once.
        flip : bool
            See each crop mirrored too and average, as mmpose does when it evaluates.
        refine : str
            See :mod:`pipeline.models.decode`.

        Raises
        ------
        UserError
            If the network has other keypoints or the device is not there.
        """
        self.device = choose_device(device)
        title = device_title(self.device)
        super().__init__(network.spec, skeleton, title, batch or BATCH[self.device.type], refine)
        self._partners = torch.from_numpy(mirror_partners(skeleton)) if flip else None
        self._network = ready(network, self.device)

    def _is_out_of_memory(self, error: BaseException) -> bool:
        return is_out_of_memory(error)

    def _let_go(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _forward(self, crops: Picture) -> tuple[FloatArray, ...]:
        pictures = normalised(torch.from_numpy(crops).to(self.device)).to(
            memory_format=torch.channels_last
        )
        with torch.inference_mode():
            out = self._run(pictures)
            if self._partners is not None:
                mirrored = self._run(mirrored_pictures(pictures, self.spec.codec))
                back = mirrored_back(mirrored, self._partners.to(self.device))
                out = tuple((a + b) / 2 for a, b in zip(out, back, strict=True))
        return tuple(part.cpu().numpy() for part in out)

    def _run(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """One pass; on CUDA in half precision, but for the head of SimCC.

        That head squares its attention, which half precision may not hold, and its peaks would be
        rounded; it is a few percent of the work.
        """
        half = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.float16, enabled=half):
            features = self._network.backbone(pictures)
        sharp = self.spec.codec == "simcc"
        with torch.autocast(self.device.type, torch.float16, enabled=half and not sharp):
            out: Output = self._network.head(features.float())
        parts = out if isinstance(out, tuple) else (out,)
        return tuple(part.float() for part in parts)


def mirror_partners(skeleton: Skeleton) -> NDArray[np.intp]:
    """(K,) index of each keypoint's partner on the other side, of a middle one its own."""
    other = {"left": "right", "right": "left"}
    return np.array(
        [
            skeleton.index(k.name.replace(k.side, other[k.side], 1)) if k.side in other else i
            for i, k in enumerate(skeleton.keypoints)
        ],
        dtype=np.intp,
    )


def mirrored_pictures(pictures: Tensor, codec: str) -> Tensor:
    """Pictures (N, 3, h, w) mirrored so that the mirrored cells lie on the cells.

    Cell i of an ``msra`` heatmap lies at 4·i pixels, so a picture mirrored about its own middle
    is three pixels off, which are moved here. mmpose moves the heatmap by a whole cell instead.
    """
    flipped = pictures.flip(-1)
    if codec != "msra":
        return flipped
    return torch.cat((flipped[..., 3:], flipped[..., -1:].expand(-1, -1, -1, 3)), dim=-1)


def mirrored_back(outputs: Sequence[Tensor], partners: Tensor) -> tuple[Tensor, ...]:
    """What was seen in mirrored pictures, as if seen in the pictures themselves.

    Bin b lies at b/2 pixels, so mirrored rows of bins are one bin off: x lands on bin 2x+1. It is
    moved back here, which mmpose leaves undone; an average with it is a quarter pixel off.
    """
    first = outputs[0].flip(-1)
    if len(outputs) == 2:
        first = torch.cat((first[..., 1:], first[..., -1:]), dim=-1)
    return tuple(part[:, partners] for part in (first, *outputs[1:]))
