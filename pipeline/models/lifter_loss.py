"""What a lifter is taught by: distances, and how well it knows them itself."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.data.skeleton import project_skeleton
from pipeline.models.lifter_network import LifterOutput

# Points of the spine count this much more than others.
_SPINE_WEIGHT = 2.0
_SPINE = ("spine", "neck", "hip", "clavicle", "latissimus", "head")
_ANGLE_WEIGHT, _SIGMA_WEIGHT, _SPEED_WEIGHT = 0.3, 0.003, 0.5
_LEAST = 1e-4  # m; a distance has no slope at 0


def point_weights() -> Tensor:
    """(37,) how much each point counts, 1 on average."""
    names = project_skeleton().names
    chosen = [
        any(part in name for part in _SPINE) and name not in ("left_hip", "right_hip")
        for name in names
    ]
    weights = torch.where(torch.tensor(chosen), _SPINE_WEIGHT, 1.0)
    return weights / weights.mean()


def lifter_loss(out: LifterOutput, xyz: Tensor, angles: Tensor, weights: Tensor) -> Tensor:
    """Scalar loss of N windows of T frames against the truth in the turned camera's axes.

    Half of the distances are taken as they are, half once each frame has the true size, which one
    view cannot tell. The spread of each point's errors is learnt as of a density that falls off
    exponentially with distance in space (3 log s + d / s); it does not move the points.
    """
    distance = _norm(out.xyz - xyz)
    scale = (out.xyz * xyz).sum(dim=(-1, -2)) / (out.xyz**2).sum(dim=(-1, -2)).clamp_min(1e-3)
    sized = _norm(out.xyz * scale.clamp(0.5, 2.0)[..., None, None] - xyz)
    points = ((0.5 * distance + sized) * weights).mean()
    # Along an axis, the standard deviation of that density is 2 s.
    log_s = out.log_sigma - torch.log(torch.tensor(2.0))
    spread = (3.0 * log_s + distance.detach() * torch.exp(-log_s)).mean()
    error = out.angles - angles
    log_b = out.log_angle_sigma - 0.5 * torch.log(torch.tensor(2.0))
    angle_spread = (log_b + error.detach().abs() * torch.exp(-log_b)).mean()
    loss = points + _ANGLE_WEIGHT * error.abs().mean() + _SIGMA_WEIGHT * (spread + angle_spread)
    if xyz.shape[1] > 1:
        speed = _norm(out.xyz.diff(dim=1) - xyz.diff(dim=1))
        loss = loss + _SPEED_WEIGHT * speed.mean()
    return loss


def _norm(x: Tensor) -> Tensor:
    return (x**2).sum(dim=-1).add(_LEAST**2).sqrt()
