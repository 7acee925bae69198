"""A pose network made from a checkpoint alone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.data.errors import UserError
from pipeline.models.checkpoint import read_checkpoint
from pipeline.models.variants import NetworkSpec, UnknownArchitectureError, describe

Output = tuple[Tensor, Tensor] | Tensor


class PoseNetwork(nn.Module):
    """Backbone and head, with the names of mmpose's checkpoints, and ``spec``: what it is."""

    def __init__(self, spec: NetworkSpec, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.spec = spec
        self.backbone = backbone
        self.head = head

    def forward(self, pictures: Tensor) -> Output:
        """Keypoints in normalised pictures.

        Parameters
        ----------
        pictures : Tensor (N, 3, h, w)
            RGB, mean and standard deviation removed (see :mod:`pipeline.models.crop`), of
            ``spec.input_size``.

        Returns
        -------
        tuple of Tensor (N, K, 2w) and (N, K, 2h)
            Logits over the bins of x and y, if ``spec.codec`` is ``simcc``.
        Tensor (N, K, h/4, w/4)
            Heatmaps otherwise.
        """
        out: Output = self.head(self.backbone(pictures))
        return out


def load_pose_network(checkpoint: Path | str, n_keypoints: int | None = None) -> PoseNetwork:
    """SpinePose and RTMPose (s, m, l, x), HRNet-w32 or ViTPose-b from mmpose's checkpoint.

    Nothing in the file is run (``weights_only``); variant and keypoints are told from the
    tensors' shapes.

    Parameters
    ----------
    checkpoint : path
        ``.pth`` file with ``state_dict``, or a state dict by itself.
    n_keypoints : int, optional
        Keypoints it must have.

    Returns
    -------
    PoseNetwork
        For use (``eval``), on the CPU, float32.

    Raises
    ------
    UserError
        If the file cannot be used; names it and the cause.
    """
    path = Path(checkpoint)
    content = read_checkpoint(path)
    try:
        with torch.device("meta"):
            network = PoseNetwork(*describe(content.state, content.configuration))
    except UnknownArchitectureError as error:
        raise UserError(f"{path} holds a network that is not known here: {error}.") from error
    spec = network.spec
    if n_keypoints is not None and spec.n_keypoints != n_keypoints:
        raise UserError(
            f"{path} finds {spec.n_keypoints} keypoints, but {n_keypoints} are needed here."
        )
    wanted = network.state_dict()
    for name, tensor in wanted.items():
        there = content.state.get(name)
        if there is None:
            raise UserError(f"{path} is no complete {spec.variant}: {name} is missing.")
        if there.shape != tensor.shape:
            raise UserError(
                f"{path} is no {spec.variant}: {name} is of shape {tuple(there.shape)} instead of "
                f"{tuple(tensor.shape)}."
            )
    surplus = [name for name in content.state if name not in wanted]
    if surplus:
        raise UserError(f"{path} is no {spec.variant}: that has no {surplus[0]}.")
    network.load_state_dict(dict(content.state), assign=True)
    return network.eval()
