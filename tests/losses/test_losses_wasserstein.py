from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from unmask.losses import gradient_penalty, wasserstein_distance


def test_the_distance_is_the_difference_of_the_means():
    first = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64, requires_grad=True)
    second = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    assert wasserstein_distance(first, second).item() == pytest.approx(1.5 / 3 - 0.5)
    assert torch.autograd.gradcheck(wasserstein_distance, (first, second))


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_follows_from_its_norm(norm: float):
    direction = torch.tensor([2.0, -1.0, 2.0], dtype=torch.float64) / 3
    first, second = torch.randn(2, 5, 3, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: x @ (norm * direction), first, second)
    assert penalty.item() == pytest.approx(10 * (norm - 1) ** 2)


def test_the_norm_is_that_of_a_whole_sample():
    first, second = torch.randn(2, 3, 2, 4, 4, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: x.sum(dim=(1, 2, 3)), first, second, weight=1)
    assert penalty.item() == pytest.approx((math.sqrt(32) - 1) ** 2)


def test_the_gradient_is_taken_between_the_samples():
    # |gradient| of |x|^2 is 2 |x|, at 0.25 * 4 + 0.75 * 8 = 7 and at 0.5 * 4 + 0.5 * 8 = 6.
    first, second = torch.full((2, 1), 4.0), torch.full((2, 1), 8.0)
    share = torch.tensor([0.25, 0.5])
    penalty = gradient_penalty(lambda x: x.square().sum(1), first, second, share=share)
    assert penalty.item() == pytest.approx(10 * (13**2 + 11**2) / 2)


def test_points_are_drawn_anew_for_each_sample():
    seen: list[torch.Tensor] = []

    def critic(points: torch.Tensor) -> torch.Tensor:
        seen.append(points.detach().clone())
        return points.sum(1)

    torch.manual_seed(0)
    for _ in range(2):
        gradient_penalty(critic, torch.zeros(64, 2), torch.ones(64, 2))
    drawn = torch.cat(seen)
    assert torch.equal(drawn[:, 0], drawn[:, 1])
    assert len(drawn[:, 0].unique()) > 100
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_its_gradient_with_respect_to_the_critic_is_right():
    first, second = torch.randn(2, 4, 3, dtype=torch.float64)
    share = torch.rand(4, dtype=torch.float64)

    def penalty(weight: torch.Tensor) -> torch.Tensor:
        critic = lambda x: (x @ weight).tanh().sum(1)  # noqa: E731
        return gradient_penalty(critic, first, second, share=share)

    weight = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(penalty, (weight,))


def test_it_moves_the_critic_and_not_the_samples():
    critic = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1), nn.Flatten(0))
    first, second = torch.randn(5, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    gradient_penalty(critic, first, second).backward()
    assert first.grad is None
    assert second.grad is None
    assert critic[0].weight.grad.abs().sum() > 0


def test_a_critic_that_says_nothing_has_a_finite_gradient():
    weight = torch.zeros(3, requires_grad=True)
    penalty = gradient_penalty(lambda x: x @ weight, torch.ones(2, 3), torch.zeros(2, 3))
    penalty.backward()
    assert penalty.item() == 10
    assert weight.grad.isfinite().all()
