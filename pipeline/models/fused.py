"""Convolution and SiLU in one pass over memory, on CPUs that oneDNN knows."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from pipeline.models.layers import ConvNormAct, channels_last, folded
from pipeline.models.network import PoseNetwork

_VIEWS = 4  # the batch that weights are packed for; others run too


class _Fused(nn.Module):
    """What a folded ``ConvNormAct`` computes, by the operator that PyTorch's compiler emits.

    The compiler itself needs a C++ compiler on the user's machine.
    """

    def __init__(self, plain: ConvNormAct, size: torch.Size) -> None:
        super().__init__()
        conv = plain.conv
        self.bias = conv.bias
        self.how = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        weight = conv.weight.data.contiguous(memory_format=torch.channels_last)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(weight, *self.how, list(size))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.how, "swish", [], ""
        )
        return out


def ready(network: PoseNetwork, device: torch.device) -> PoseNetwork:
    """A copy for use only, in the form that runs fastest on a device."""
    fast = channels_last(folded(network).to(device))
    return fused(fast) if device.type == "cpu" else fast


def can_fuse() -> bool:
    """Whether this PyTorch has the operators, which are no part of its public interface."""
    return all(
        hasattr(torch.ops.mkldnn, name)
        for name in ("_reorder_convolution_weight", "_convolution_pointwise")
    )


def fused(plain: PoseNetwork) -> PoseNetwork:
    """A folded network whose convolutions do their SiLU; the same one where that cannot be."""
    if not can_fuse() or not any(isinstance(m, ConvNormAct) for m in plain.modules()):
        return plain
    network = copy.deepcopy(plain)
    sizes: dict[nn.Module, torch.Size] = {}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        sizes[module] = given[0].shape

    hooks = [
        module.register_forward_pre_hook(note)
        for module in network.modules()
        if isinstance(module, ConvNormAct)
    ]
    width, height = network.spec.input_size
    with torch.inference_mode():
        network(torch.zeros(_VIEWS, 3, height, width))
    for hook in hooks:
        hook.remove()
    try:
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, ConvNormAct):
                    setattr(parent, name, _Fused(child, sizes[child]))
    except RuntimeError:
        # oneDNN refuses what it has no packing for, and nothing but speed is lost.
        return plain
    return network
