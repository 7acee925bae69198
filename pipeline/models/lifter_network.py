"""The network that tells depth from how points move: a mixer over time and over points.

What it says is bound to the lines of sight: a point seen is placed on its line at the depth that
the network gives it, plus what the network corrects; only a point not seen comes from the network
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.models.lifter_input import EXTRA, PER_POINT

# Distance from the person's middle within which 80 % of the points usually are, metres.
_USUAL_REACH = 0.6
# Neither smaller nor greater than exp(-7) to exp(1) metres, or radians.
_SIGMA_RANGE = (-7.0, 1.0)


@dataclass(frozen=True, slots=True)
class LifterSpec:
    """Shape of a lifter.

    Parameters
    ----------
    points, angles : int
        Keypoints and coordinates of the spine.
    root : int
        The keypoint that others are placed from.
    frames : int
        Length of the window.
    width, blocks, widening : int
        Channels, number of blocks, and how much wider a block is inside.
    temporal : bool
        Whether frames see each other.
    """

    points: int = 37
    angles: int = 11
    root: int = 19
    frames: int = 27
    width: int = 256
    blocks: int = 5
    widening: int = 2
    temporal: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class LifterOutput:
    """What the network says of N windows of T frames, in the axes of the turned camera.

    Attributes
    ----------
    xyz : (N, T, K, 3) tensor
        Metres from the root.
    log_sigma : (N, T, K) tensor
        Logarithm of the standard deviation in metres along each axis.
    angles, log_angle_sigma : (N, T, A) tensors
        Radians, and the logarithm of their standard deviation.
    """

    xyz: Tensor
    log_sigma: Tensor
    angles: Tensor
    log_angle_sigma: Tensor


class LifterNetwork(nn.Module):
    """Windows of points in, windows of places, uncertainties and angles out."""

    def __init__(self, spec: LifterSpec) -> None:
        super().__init__()
        self.spec = spec
        self.enter = nn.Linear(PER_POINT * spec.points + EXTRA, spec.width)
        self.blocks = nn.ModuleList(_Block(spec) for _ in range(spec.blocks))
        self.norm = nn.LayerNorm(spec.width)
        outputs = 1 + 4 * spec.points + 2 * spec.angles
        self.leave = nn.Linear(spec.width, outputs)
        with torch.no_grad():
            self.leave.weight.mul_(0.1)
            self.leave.bias.zero_()
            log_sigma = self.leave.bias[-spec.points - 2 * spec.angles :]
            log_sigma[: spec.points] = log_sigma[-spec.angles :] = -3.0

    def forward(self, features: Tensor, size: Tensor) -> LifterOutput:
        """Lift ``features`` (N, T, 3 K + 5) of persons of ``size`` (N, 1, 1)."""
        k, a = self.spec.points, self.spec.angles
        x = self.enter(features)
        for block in self.blocks:
            x = block(x)
        out = self.leave(self.norm(x))
        reach, depth, moved, log_sigma, angles, log_angle_sigma = out.split(
            [1, k, 2 * k, k, a, a], dim=-1
        )
        seen = features[..., : 2 * k].reshape(*features.shape[:-1], k, 2)
        scale = _USUAL_REACH * torch.exp(reach.clamp(-3.0, 3.0)) + size * depth
        across = seen * scale[..., None] + moved.reshape(seen.shape)
        xyz = torch.cat([across, depth[..., None]], dim=-1)
        return LifterOutput(
            xyz - xyz[..., self.spec.root : self.spec.root + 1, :],
            log_sigma.clamp(*_SIGMA_RANGE),
            angles,
            log_angle_sigma.clamp(*_SIGMA_RANGE),
        )


class _Block(nn.Module):
    """Frames see each other, channel by channel; then channels see each other, frame by frame."""

    def __init__(self, spec: LifterSpec) -> None:
        super().__init__()
        self.over_time = _OverTime(spec) if spec.temporal else None
        self.norm = nn.LayerNorm(spec.width)
        self.widen = nn.Linear(spec.width, spec.widening * spec.width)
        self.narrow = nn.Linear(spec.widening * spec.width, spec.width)

    def forward(self, x: Tensor) -> Tensor:
        if self.over_time is not None:
            x = x + self.over_time(x)
        changed: Tensor = self.narrow(torch.relu(self.widen(self.norm(x))))
        return x + changed


class _OverTime(nn.Module):
    """Every frame of a window is a sum of all frames, with weights for groups of channels."""

    def __init__(self, spec: LifterSpec, groups: int = 8) -> None:
        super().__init__()
        self.groups = groups
        self.norm = nn.LayerNorm(spec.width)
        self.mix = nn.Parameter(torch.randn(groups, spec.frames, spec.frames) * 0.02)
        self.join = nn.Linear(spec.width, spec.width)

    def forward(self, x: Tensor) -> Tensor:
        n, frames, width = x.shape
        parts = self.norm(x).reshape(n, frames, self.groups, width // self.groups)
        mixed = torch.einsum("gst,ntgc->nsgc", self.mix, parts)
        joined: Tensor = self.join(mixed.reshape(n, frames, width))
        return joined
