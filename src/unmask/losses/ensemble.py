"""The loss of an ensemble whose branches learn side by side on shared layers."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def ensemble_loss(logits: Tensor, number: Tensor) -> Tensor:
    """Sum over branches of their cross entropies, mean over the batch (EMD, Eq. 1).

    Args:
        logits: (B, branches, classes).
        number: (B,) int64, the right class.

    Returns:
        A scalar.

    >>> import torch
    >>> ensemble_loss(torch.zeros(1, 2, 4), torch.tensor([3]))
    tensor(2.7726)
    """
    branches = logits.shape[1]
    every = functional.cross_entropy(
        logits.flatten(0, 1), number.repeat_interleave(branches), reduction="sum"
    )
    return every / len(logits)
