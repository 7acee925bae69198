"""A plain vision transformer, the backbone of ViTPose."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# mmpretrain's layer normalisation; PyTorch's default is 1e-5.
_EPSILON = 1e-6


class _Attention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(size, 3 * size)
        self.proj = nn.Linear(size, size)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, size = x.shape
        parts = self.qkv(x).reshape(n, tokens, 3, self.heads, size // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(seen.transpose(1, 2).reshape(n, tokens, size))
        return out


class _FeedForward(nn.Module):
    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Sequential(nn.Linear(size, hidden), nn.GELU()), nn.Linear(hidden, size)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class _Layer(nn.Module):
    def __init__(self, size: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(size, eps=_EPSILON)
        self.attn = _Attention(size, heads)
        self.ln2 = nn.LayerNorm(size, eps=_EPSILON)
        self.ffn = _FeedForward(size, hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln1(x))
        out: Tensor = x + self.ffn(self.ln2(x))
        return out


class _Patches(nn.Module):
    def __init__(self, size: int, patch: int, padding: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(3, size, patch, stride=patch, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.projection(x)
        return out


class VisionTransformer(nn.Module):
    """Patches as tokens with learned places, without a class token.

    Parameters
    ----------
    grid : tuple of int
        Columns and rows of patches.
    size, layers, heads, hidden : int
        Size of a token, layers, attention heads, width of the feed-forward part.
    patch, padding : int
        Side of a patch and padding of the picture, pixels.
    """

    def __init__(
        self,
        grid: tuple[int, int],
        size: int = 768,
        layers: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        patch: int = 16,
        padding: int = 2,
    ) -> None:
        super().__init__()
        self.patch_embed = _Patches(size, patch, padding)
        self.pos_embed = nn.Parameter(torch.zeros(1, grid[0] * grid[1], size))
        self.layers = nn.Sequential(*(_Layer(size, heads, hidden) for _ in range(layers)))
        self.ln1 = nn.LayerNorm(size, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) pictures to (N, size, rows, columns) features."""
        x = self.patch_embed(x)
        rows, columns = x.shape[2:]
        tokens = self.ln1(self.layers(x.flatten(2).transpose(1, 2) + self.pos_embed))
        out: Tensor = tokens.transpose(1, 2).unflatten(2, (rows, columns))
        return out
