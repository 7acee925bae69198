"""Orthogonal steps."""

from __future__ import annotations

import pytest
import torch

from pipeline.models.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (32, 12), (12, 32)])
def test_singular_values_come_near_one_and_vectors_stay(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    found = orthogonal(matrix)
    assert found.shape == matrix.shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.6
    assert values.max() < 1.3
    u, _, vt = torch.linalg.svd(matrix, full_matrices=False)
    inner = u.T @ found @ vt.T
    assert (inner - torch.diag(inner.diagonal())).abs().max() < 0.02


def test_it_finds_the_least_of_a_plain_function() -> None:
    torch.manual_seed(2)
    goal, weight = torch.randn(6, 9), torch.nn.Parameter(torch.zeros(6, 9))
    idle = torch.nn.Parameter(torch.ones(3, 3))
    optimiser = Muon([weight, idle], lr=0.05)
    for step in range(300):
        for group in optimiser.param_groups:
            group["lr"] = 0.05 * (1.0 - step / 300)
        optimiser.zero_grad()
        torch.autograd.backward(((weight - goal) ** 2).sum())
        optimiser.step()
    assert (weight - goal).abs().max() < 0.05
    assert torch.equal(idle, torch.ones(3, 3))  # without a gradient there is no step


def test_decay_takes_a_part_of_the_weights() -> None:
    weight = torch.nn.Parameter(torch.full((4, 4), 2.0))
    optimiser = Muon([weight], lr=0.1, weight_decay=0.5)
    weight.grad = torch.zeros(4, 4)
    optimiser.step()
    torch.testing.assert_close(weight.detach(), torch.full((4, 4), 1.9))
