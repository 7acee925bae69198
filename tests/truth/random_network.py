"""Random weights and pictures for a network, the same wherever numpy makes them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def random_state(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, NDArray]:
    """Values for every tensor of a state dict, drawn in the order of the sorted names.

    Variances are positive and every layer changes the output, so that a layer that is missing,
    swapped or of another epsilon shows.
    """
    rng = np.random.default_rng(seed)
    state: dict[str, NDArray] = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if name.endswith("num_batches_tracked"):
            state[name] = np.zeros(shape, np.int64)
            continue
        if name.endswith("running_var"):
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) >= 2 and not name.endswith(("gamma", "beta", "pos_embed")):
            value = rng.standard_normal(shape, np.float32) * np.sqrt(1.5 / np.prod(shape[1:]))
        elif name.endswith(("bias", "beta", "running_mean", "pos_embed")):
            value = 0.1 * rng.standard_normal(shape)
        else:
            value = 1 + 0.1 * rng.standard_normal(shape)
        state[name] = value.astype(np.float32)
    return state


def random_pictures(n: int, size: tuple[int, int], seed: int) -> FloatArray:
    """(n, 3, h, w) normalised pictures: coarse blots and noise."""
    rng = np.random.default_rng(seed)
    width, height = size
    blots = rng.standard_normal((n, 3, height // 32, width // 32)).repeat(32, 2).repeat(32, 3)
    return (blots + 0.3 * rng.standard_normal((n, 3, height, width))).astype(np.float32)


def names_digest(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """SHA-256 of all names and shapes, sorted."""
    return digest(f"{name} {tuple(shapes[name])}" for name in sorted(shapes))


def digest(lines: Iterable[str]) -> str:
    """SHA-256 of lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
