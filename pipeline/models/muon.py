"""Steps along orthogonal matrices: small networks learn in half as many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

# A quintic whose repetition drives all singular values near 1, and how often it is applied;
# values of K. Jordan and others (2024), "Muon: an optimizer for hidden layers in neural networks".
_QUINTIC, _ROUNDS = (3.4445, -4.7750, 2.0315), 5


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are brought to orthogonal matrices; for weights of hidden layers only.

    Parameters
    ----------
    params : iterable of Parameter
        Matrices, and kernels of convolutions: (outputs, inputs · cells).
    lr : float
        Size of a step, of the spectral norm of a square matrix.
    momentum : float
        Part of the old mean of gradients that is kept; steps look ahead of it (Nesterov).
    weight_decay : float
        Part of the weights that is taken away in a step of size 1.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(list(params), defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step along the gradients there are; ``closure`` is not used."""
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "mean" not in state:
                    state["mean"] = torch.zeros_like(weight)
                mean = state["mean"].lerp_(weight.grad, 1.0 - momentum)
                ahead = weight.grad.lerp(mean, momentum).flatten(1)
                rows, columns = ahead.shape
                along = orthogonal(ahead).reshape(weight.shape)
                weight.mul_(1.0 - lr * group["weight_decay"])
                weight.add_(along, alpha=-lr * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with the singular vectors of ``matrix`` and singular values of 0.7 to 1.2."""
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    found: Tensor = x.T if tall else x
    return found
