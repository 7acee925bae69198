"""The network of our own detector: a residual pyramid, and a head that reads rows off a map.

SimCC's own head flattens the coarsest map and learns from some hundred thousand people where a
keypoint lies in it. This one is convolutional to the end: it says the same, with the same bins and
loss, and learns it from some ten thousand pictures (decision 012).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.layers import ConvNormAct

# As in SimCC's loss: what the bins say is the softmax of ten times the output.
_BETA = 10.0
_BINS_PER_PIXEL = 2
STRIDE = 4
_LEAST = 1e-9
# Neighbours of a cell that say where in it a keypoint lies.
_KERNEL = 5


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(channels, channels, 3)
        self.conv2 = ConvNormAct(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv2(self.conv1(x))
        return out


class PyramidBackbone(nn.Module):
    """Features at a quarter of the input's size that know the whole picture.

    Parameters
    ----------
    width : int
        Channels of the first map, at half the input's size; doubled with each halving after it.
    blocks : tuple of int
        Residual blocks at a 4th, 8th, 16th and 32nd of the input's size.
    n_out : int
        Channels of the features.
    """

    def __init__(self, width: int, blocks: tuple[int, ...], n_out: int) -> None:
        super().__init__()
        self.stem = ConvNormAct(3, width, 3, 2)
        channels = [width * 2 ** (1 + i) for i in range(len(blocks))]
        before = [width, *channels[:-1]]
        self.stages = nn.ModuleList(
            nn.Sequential(ConvNormAct(n_in, n, 3, 2), *(_Residual(n) for _ in range(count)))
            for n_in, n, count in zip(before, channels, blocks, strict=True)
        )
        self.sides = nn.ModuleList(ConvNormAct(n, n_out) for n in channels)
        self.joins = nn.ModuleList(ConvNormAct(n_out, n_out, 3) for _ in channels[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) pictures to (N, C, H/4, W/4) features."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        out: Tensor = self.sides[-1](maps[-1])
        for i in range(len(maps) - 2, -1, -1):
            wide = functional.interpolate(out, scale_factor=2.0, mode="nearest")
            out = self.joins[i](self.sides[i](maps[i]) + wide)
        return out


class RowsHead(nn.Module):
    """Logits over the bins of x and of y for each keypoint, read off one map per keypoint.

    A map says how well each cell fits as the keypoint's. The logarithms of its exponentials' sums
    along columns and rows are the logits of the cells of x and of y, and a learnt kernel spreads
    these over the bins of each cell.

    Parameters
    ----------
    n_in : int
        Channels of the features.
    n_keypoints : int
    """

    def __init__(self, n_in: int, n_keypoints: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(n_in, n_keypoints, 1)
        start = _smooth(STRIDE * _BINS_PER_PIXEL).repeat(n_keypoints, 1, 1)
        self.spread_x, self.spread_y = nn.Parameter(start), nn.Parameter(start.clone())

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, h, w) features to (N, K, 8w) and (N, K, 8h) logits."""
        maps = self.maps(features).float().contiguous()
        # What lies below the highest cell by more than this counts as impossible everywhere.
        raised = (maps - maps.detach().amax(dim=(2, 3), keepdim=True)).exp() + _LEAST
        x = _bins(raised.sum(dim=2).log(), self.spread_x)
        return x, _bins(raised.sum(dim=3).log(), self.spread_y)


def _bins(cells: Tensor, spread: Tensor) -> Tensor:
    """(N, K, n) logits of cells to (N, K, 8n), by weights (K, 5, 8) of a cell's neighbours.

    The loss does not see what all bins share. It is taken away, so that the height of a peak,
    which is a point's score, is 0 where nothing was found and about 1 where a point is sure.
    """
    near = functional.pad(cells, (_KERNEL // 2, _KERNEL // 2), mode="replicate")
    near = near.unfold(2, _KERNEL, 1)
    bins = torch.einsum("nkid,kdb->nkib", near, spread).flatten(2) / _BETA
    return bins - bins.mean(dim=-1, keepdim=True)


def _smooth(per_cell: int) -> Tensor:
    """(1, 5, 8) weights that put a smooth curve through cells' values (cubic, Keys 1981).

    The middle of a cell is its first bin: a convolution of stride 2 looks at every other pixel.
    """
    away = torch.arange(per_cell) / per_cell
    at = (torch.arange(_KERNEL) - _KERNEL // 2)[:, None] - away[None]
    d = at.abs()
    near = 1.5 * d**3 - 2.5 * d**2 + 1.0
    far = -0.5 * d**3 + 2.5 * d**2 - 4.0 * d + 2.0
    return torch.where(d <= 1.0, near, torch.where(d < 2.0, far, 0.0))[None]
