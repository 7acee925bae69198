"""CSPNeXt, the backbone of RTMPose and SpinePose."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.layers import ConvNormAct


class _Depthwise(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise_conv = ConvNormAct(channels, channels, 5, groups=channels)
        self.pointwise_conv = ConvNormAct(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.pointwise_conv(self.depthwise_conv(x))
        return out


class _Block(nn.Module):
    def __init__(self, channels: int, residual: bool) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(channels, channels, 3)
        self.conv2 = _Depthwise(channels)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv2(self.conv1(x))
        return out + x if self.residual else out


class _ChannelAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.fc(functional.adaptive_avg_pool2d(x, 1))
        return x * functional.hardsigmoid(gate)


class _CspLayer(nn.Module):
    def __init__(self, channels: int, blocks: int, residual: bool) -> None:
        super().__init__()
        half = channels // 2
        self.main_conv = ConvNormAct(channels, half)
        self.short_conv = ConvNormAct(channels, half)
        self.blocks = nn.Sequential(*(_Block(half, residual) for _ in range(blocks)))
        self.attention = _ChannelAttention(2 * half)
        self.final_conv = ConvNormAct(2 * half, channels)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat((self.blocks(self.main_conv(x)), self.short_conv(x)), dim=1)
        out: Tensor = self.final_conv(self.attention(both))
        return out


class _PyramidPooling(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(channels, channels // 2)
        self.conv2 = ConvNormAct(channels // 2 * 4, channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        pooled = [functional.max_pool2d(x, size, 1, size // 2) for size in (5, 9, 13)]
        out: Tensor = self.conv2(torch.cat((x, *pooled), dim=1))
        return out


class CspNext(nn.Module):
    """Four stages, each at half the size of the one before; the last one is the output.

    Parameters
    ----------
    width : int
        Channels after the stem: 32, 48, 64, 80 for s, m, l, x.
    blocks : tuple of four int
        Blocks of each stage: 1, 2, 2, 1 for s up to 4, 8, 8, 4 for x.
    """

    def __init__(self, width: int, blocks: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvNormAct(3, width // 2, 3, 2),
            ConvNormAct(width // 2, width // 2, 3),
            ConvNormAct(width // 2, width, 3),
        )
        self.stage1 = self._stage(2 * width, blocks[0])
        self.stage2 = self._stage(4 * width, blocks[1])
        self.stage3 = self._stage(8 * width, blocks[2])
        self.stage4 = self._stage(16 * width, blocks[3], last=True)

    @staticmethod
    def _stage(channels: int, blocks: int, last: bool = False) -> nn.Sequential:
        pooling = [_PyramidPooling(channels)] if last else []
        return nn.Sequential(
            ConvNormAct(channels // 2, channels, 3, 2),
            *pooling,
            _CspLayer(channels, blocks, residual=not last),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) pictures to (N, 16·width, H/32, W/32) features."""
        out: Tensor = self.stage4(self.stage3(self.stage2(self.stage1(self.stem(x)))))
        return out
