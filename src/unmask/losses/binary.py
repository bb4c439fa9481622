"""Binary cross entropy: the loss of detectors that learn from labels alone."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def binary_loss(logit: Tensor, label: Tensor) -> Tensor:
    """Mean of log(1 + exp(-logit)) over fakes and log(1 + exp(logit)) over reals.

    With ``logit = z_fake - z_real`` this is the cross entropy of a softmax over two classes.

    Args:
        logit: (B,), above 0 = fake.
        label: (B,), 1 = fake.

    Returns:
        A scalar.

    >>> import torch
    >>> binary_loss(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    return functional.binary_cross_entropy_with_logits(logit, label)
