"""Real embeddings near the origin, forged ones far from it, and both of a pair together."""

from __future__ import annotations

from torch import Tensor
from torch.linalg import vector_norm


def coding_distance_loss(
    high: Tensor,
    low: Tensor,
    label: Tensor,
    *,
    inner_radius: float = 5.0,
    outer_radius: float = 75.0,
) -> Tensor:
    """The hinge of both branches plus the distance within pairs (Cao et al. 2021, Eq. 6).

    The paper sums over the pictures; this is the mean over the batch of each of its five terms
    (the real and the forged one of a branch make one mean), which keeps the weight independent
    of the batch's size.

    Args:
        high: (B, D) embeddings C_h of the better compressed pictures.
        low: (B, D) embeddings C_l of the same pictures, worse compressed.
        label: (B,), 1 = fake.
        inner_radius: r-, within which reals cost nothing (5 for D = 2048).
        outer_radius: r+, beyond which fakes cost nothing (75 for D = 2048).

    Returns:
        A scalar.

    >>> import torch
    >>> high, low = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0]])
    >>> coding_distance_loss(high, low, torch.tensor([1.0]), outer_radius=6.0)
    tensor(12.)
    """
    radii = {"inner_radius": inner_radius, "outer_radius": outer_radius}
    hinges = norm_hinge(high, label, **radii) + norm_hinge(low, label, **radii)
    apart: Tensor = vector_norm(high - low, dim=1)
    return hinges + apart.mean()


def norm_hinge(
    embedding: Tensor,
    label: Tensor,
    *,
    inner_radius: float = 5.0,
    outer_radius: float = 75.0,
) -> Tensor:
    """Mean of max(0, |C| - r-) over reals and max(0, r+ - |C|) over fakes: one branch of Eq. 6.

    Args:
        embedding: (B, D).
        label: (B,), 1 = fake.
        inner_radius: r-.
        outer_radius: r+.

    Returns:
        A scalar; its gradient at the origin is 0.

    >>> import torch
    >>> norm_hinge(torch.tensor([[9.0], [9.0]]), torch.tensor([0.0, 1.0]))
    tensor(35.)
    """
    norm: Tensor = vector_norm(embedding, dim=1)
    real = (norm - inner_radius).clamp(min=0)
    fake = (outer_radius - norm).clamp(min=0)
    return ((1 - label) * real + label * fake).mean()
