"""Wasserstein GAN with gradient penalty, for features that should not tell where they come from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def wasserstein_distance(first: Tensor, second: Tensor) -> Tensor:
    """How far a critic holds two sets of samples apart: mean score of one minus of the other.

    The critic maximizes it, the network that makes the samples minimizes it. In Cao et al. 2021
    the two sets are concat(V_H, V_L) and concat(V_L, V_H), and it takes the place of the
    logarithms in their Eq. 2 (section 3.3: "WGAN-GP is adopted").

    Args:
        first: (B,) scores.
        second: (B,) scores.

    Returns:
        A scalar.

    >>> wasserstein_distance(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))
    tensor(1.5000)
    """
    return first.mean() - second.mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    first: Tensor,
    second: Tensor,
    *,
    weight: float = 10.0,
    share: Tensor | None = None,
) -> Tensor:
    """Weight times the mean of (|gradient of the critic| - 1)^2 (Gulrajani et al. 2017, Eq. 3).

    The gradient is taken at one random point between each pair of samples.

    Args:
        critic: (B, ...) to scores (B,); a sample's score must depend on that sample alone, so
            there is no batch norm in it.
        first: (B, ...) samples of one kind; no gradient flows into them.
        second: (B, ...) of the other.
        weight: lambda; 10 in the paper.
        share: (B,) in 0..1, how much of ``first`` is in each point; None draws it.

    Returns:
        A scalar whose gradient moves the critic's parameters.

    >>> at_ones = torch.ones(2, 4)
    >>> gradient_penalty(lambda x: 3 * x[:, 0], at_ones, at_ones)
    tensor(40.)
    """
    if share is None:
        share = torch.rand(len(first), device=first.device, dtype=first.dtype)
    share = share.view(-1, *[1] * (first.ndim - 1))
    points = (share * first + (1 - share) * second).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    norm: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return weight * (norm - 1).square().mean()
