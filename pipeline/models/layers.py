"""Blocks that several pose networks share, named as mmpose names them in its checkpoints."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

M = TypeVar("M", bound=nn.Module)


class ConvNormAct(nn.Module):
    """Convolution without bias, batch normalisation and SiLU.

    Batch normalisation has PyTorch's own epsilon, 1e-5: RTMPose's configurations replace the 1e-3
    that CSPNeXt has by default.
    """

    def __init__(
        self, n_in: int, n_out: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            n_in, n_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(n_out)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.bn(self.conv(x)))
        return out


class HeatmapHead(nn.Module):
    """Transposed convolutions that double the map, then one map per keypoint.

    Parameters
    ----------
    n_in : int
        Channels of the feature map.
    n_keypoints : int
        Maps.
    deconvolutions : tuple of int
        Output channels of each transposed convolution (4×4, stride 2); may be empty.
    """

    def __init__(self, n_in: int, n_keypoints: int, deconvolutions: tuple[int, ...] = ()) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for n_out in deconvolutions:
            steps += [
                nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(inplace=True),
            ]
            n_in = n_out
        self.deconv_layers = nn.Sequential(*steps)
        self.final_layer = nn.Conv2d(n_in, n_keypoints, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) features to (N, K, h·2ⁿ, w·2ⁿ) heatmaps."""
        out: Tensor = self.final_layer(self.deconv_layers(x))
        return out


def channels_last(network: M) -> M:
    """The same network, its convolutions' weights in the order that cards and CPUs like best."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
    return network


def folded(network: M) -> M:
    """A copy for use only, each batch normalisation multiplied into the convolution before it.

    A normalisation belongs to the convolution that its module registered just before it, which
    all modules of this package keep to.
    """
    out = copy.deepcopy(network).eval()
    with torch.no_grad():
        for parent in list(out.modules()):
            children = list(parent.named_children())
            for (name, conv), (after, norm) in pairwise(children):
                if isinstance(norm, nn.BatchNorm2d) and isinstance(
                    conv, nn.Conv2d | nn.ConvTranspose2d
                ):
                    transposed = isinstance(conv, nn.ConvTranspose2d)
                    setattr(parent, name, fuse_conv_bn_eval(conv, norm, transposed))
                    setattr(parent, after, nn.Identity())
    return out.requires_grad_(False)
