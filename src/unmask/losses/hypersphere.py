"""Embeddings on a sphere: spread over it, those of one class close together.

Wang & Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity
on the Hypersphere" (ICML 2020); weighted 0.5 and 0.1 by GenD (Yermakov et al., WACV 2026).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def uniformity_loss(embedding: Tensor) -> Tensor:
    """Logarithm of the mean of exp(-2 d^2) over all pairs; d is their distance on the sphere.

    Args:
        embedding: (B, D), of any length.

    Returns:
        A scalar, 0 at most; 0 where there are fewer than two.

    >>> round(float(uniformity_loss(torch.tensor([[3.0, 0.0], [0.0, 1.0]]))), 4)
    -4.0
    """
    if len(embedding) < 2:
        return embedding.sum() * 0
    distances = torch.pdist(functional.normalize(embedding, dim=1))
    return distances.square().mul(-2).exp().mean().log()


def alignment_loss(embedding: Tensor, label: Tensor) -> Tensor:
    """Mean squared distance on the sphere of two of one class, the mean of both classes.

    Args:
        embedding: (B, D), of any length.
        label: (B,), 1 = fake.

    Returns:
        A scalar; a class of fewer than two counts 0.

    >>> embedding = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [1.0, 1.0]])
    >>> round(float(alignment_loss(embedding, torch.tensor([0.0, 0.0, 1.0, 1.0]))), 4)
    1.0
    """
    on_sphere = functional.normalize(embedding, dim=1)
    parts = []
    for value in (0, 1):
        group = on_sphere[label == value]
        parts.append(torch.pdist(group).square().mean() if len(group) > 1 else group.sum() * 0)
    return torch.stack(parts).mean()
