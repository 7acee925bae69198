"""Clips become what a network is taught with: some mirrored, the vertical hidden in some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.models.lifter_config import LifterTraining
from pipeline.models.lifter_input import lifter_input
from pipeline.models.lifter_mirror import mirrored

Floats = NDArray[np.float32]

# Keeps these draws apart from those of the same seed that made the clips.
_STREAM = 7


class Clips(Protocol):
    """Rays, scores, verticals and truth, as ``pipeline.synthesis.lifting_samples`` describes."""

    @property
    def rays(self) -> Floats: ...
    @property
    def score(self) -> Floats: ...
    @property
    def up(self) -> Floats: ...
    @property
    def xyz(self) -> Floats: ...
    @property
    def spine(self) -> Floats: ...


@dataclass(frozen=True, slots=True, eq=False)
class LifterBatch:
    """Windows as the network takes them, and the truth in the axes of the turned cameras."""

    features: Tensor
    size: Tensor
    xyz: Tensor
    angles: Tensor


def batch_of(clips: Clips, training: LifterTraining, number: int) -> LifterBatch:
    """Batch ``number`` made of ``clips``; nothing is mirrored below 0, where validations are."""
    rng = np.random.default_rng([training.seed, _STREAM, abs(number), int(number < 0)])
    told = rng.random(len(clips.up)) < training.upright
    flipped = rng.random(len(clips.up)) < 0.5
    up = np.where(told[:, None], clips.up, np.nan).astype(np.float32)
    rays, score, xyz, angles = (
        np.array(values) for values in (clips.rays, clips.score, clips.xyz, clips.spine)
    )
    if number >= 0 and flipped.any():
        rays[flipped], score[flipped], up[flipped], xyz[flipped], angles[flipped] = mirrored(
            rays[flipped], score[flipped], up[flipped], xyz[flipped], angles[flipped]
        )
    if not training.temporal:  # every frame is a window of its own
        up = up.repeat(rays.shape[1], axis=0)
        rays, score, xyz, angles = (
            values.reshape(-1, 1, *values.shape[2:]) for values in (rays, score, xyz, angles)
        )
    given = lifter_input(rays, score, up)
    local = np.einsum("nji,ntkj->ntki", given.camera_from_view, xyz)
    return LifterBatch(
        torch.from_numpy(given.features),
        torch.from_numpy(given.size),
        torch.from_numpy(np.ascontiguousarray(local, dtype=np.float32)),
        torch.from_numpy(angles),
    )
