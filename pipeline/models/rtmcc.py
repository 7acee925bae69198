"""RTMPose's head: keypoints as tokens, and each coordinate as a row of bins (SimCC)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class _ScaleNorm(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1))
        self.root = math.sqrt(size)

    def forward(self, x: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True) / self.root
        out: Tensor = x / norm.clamp(min=1e-5) * self.g
        return out


class _Scale(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class _GatedAttention(nn.Module):
    """A gated attention unit over the keypoints (Hua et al. 2022) with a scaled shortcut."""

    def __init__(self, size: int, expanded: int, key: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(2, key))
        self.beta = nn.Parameter(torch.zeros(2, key))
        self.o = nn.Linear(expanded, size, bias=False)
        self.uv = nn.Linear(size, 2 * expanded + key, bias=False)
        self.ln = _ScaleNorm(size)
        self.res_scale = _Scale(size)
        self.parts = [expanded, expanded, key]

    def forward(self, x: Tensor) -> Tensor:
        gate, value, base = torch.split(functional.silu(self.uv(self.ln(x))), self.parts, dim=-1)
        query = base * self.gamma[0] + self.beta[0]
        key = base * self.gamma[1] + self.beta[1]
        weights = functional.relu(query @ key.transpose(-1, -2) / math.sqrt(self.parts[2]))
        out: Tensor = self.res_scale(x) + self.o(gate * (weights.square() @ value))
        return out


class RtmccHead(nn.Module):
    """Logits over the bins of x and of y for each keypoint.

    Parameters
    ----------
    n_in : int
        Channels of the feature map.
    n_keypoints : int
        Keypoints.
    n_cells : int
        Cells of the feature map, h·w.
    bins : tuple of int
        Bins of x and of y.
    hidden, expanded, key : int
        Sizes of a token, of its gated form and of its key.
    """

    def __init__(
        self,
        n_in: int,
        n_keypoints: int,
        n_cells: int,
        bins: tuple[int, int],
        hidden: int = 256,
        expanded: int = 512,
        key: int = 128,
    ) -> None:
        super().__init__()
        self.final_layer = nn.Conv2d(n_in, n_keypoints, 7, padding=3)
        self.mlp = nn.Sequential(_ScaleNorm(n_cells), nn.Linear(n_cells, hidden, bias=False))
        self.gau = _GatedAttention(hidden, expanded, key)
        self.cls_x = nn.Linear(hidden, bins[0], bias=False)
        self.cls_y = nn.Linear(hidden, bins[1], bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, h, w) features to (N, K, bins of x) and (N, K, bins of y) logits."""
        tokens = self.gau(self.mlp(self.final_layer(x).flatten(2)))
        return self.cls_x(tokens), self.cls_y(tokens)
