"""What detectors with rows of bins are taught by."""

from __future__ import annotations

import torch
from torch import Tensor

# As in RTMPose's training, and in how rows are decoded (see :mod:`pipeline.models.decode`).
_BETA = 10.0
_BINS_PER_PIXEL = 2
_SIGMA_DIVISOR = 8


def simcc_loss(out: tuple[Tensor, Tensor], xy: Tensor, weight: Tensor) -> Tensor:
    """Divergence of what the bins say from Gaussians about the truth, mean of labelled points.

    Parameters
    ----------
    out : Tensor (N, K, 2w) and (N, K, 2h)
        Logits.
    xy : Tensor (N, K, 2)
        Pixels of the crop.
    weight : Tensor (N, K)

    Returns
    -------
    Tensor
        Scalar, nats: the Kullback-Leibler divergence of mmpose's ``KLDiscretLoss`` (beta and
        softmax of the label as in RTMPose), summed over bins and averaged over x and y.
    """
    each = [_divergence(rows, xy[..., axis]) for axis, rows in enumerate(out)]
    total = weight.sum().clamp(min=1.0)
    return (0.5 * (each[0] + each[1]) * weight).sum() / total


def _divergence(rows: Tensor, place: Tensor) -> Tensor:
    """(N, K) nats of rows (N, K, B) from labels at places (N, K), pixels."""
    bins = torch.arange(rows.shape[-1], device=rows.device, dtype=torch.float32)
    sigma = (rows.shape[-1] / _BINS_PER_PIXEL / _SIGMA_DIVISOR) ** 0.5
    away = (bins - _BINS_PER_PIXEL * place[..., None]) / sigma
    label = (_BETA * torch.exp(-0.5 * away.square())).log_softmax(dim=-1)
    said = (_BETA * rows.float()).log_softmax(dim=-1)
    return (label.exp() * (label - said)).sum(dim=-1)
