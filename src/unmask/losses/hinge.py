"""Hinge loss: that of support vector machines."""

from __future__ import annotations

from torch import Tensor


def hinge_loss(logit: Tensor, label: Tensor) -> Tensor:
    """Mean of max(0, 1 - logit) over fakes and max(0, 1 + logit) over reals.

    Args:
        logit: (B,), above 0 = fake.
        label: (B,), 1 = fake.

    Returns:
        A scalar.

    >>> import torch
    >>> hinge_loss(torch.tensor([2.0, -0.5]), torch.tensor([1.0, 0.0]))
    tensor(0.2500)
    """
    return (1 - (2 * label - 1) * logit).relu().mean()
