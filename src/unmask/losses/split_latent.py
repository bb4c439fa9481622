"""The loss of detectors whose latent halves answer to forged and to real pictures."""

from __future__ import annotations

from torch import Tensor


def activation_loss(forged: Tensor, real: Tensor, label: Tensor) -> Tensor:
    """Mean of |a_forged - y| + |a_real - (1 - y)|: one half at 1, the other one at 0.

    Cozzolino et al. 2018 (ForensicTransfer); Nguyen et al. 2019 take the same.

    Args:
        forged: (B,), activation of the half for forged pictures, at least 0.
        real: (B,), of the other half.
        label: (B,), y: 1 = fake.

    Returns:
        A scalar.

    >>> import torch
    >>> activation_loss(torch.tensor([0.25]), torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(1.2500)
    """
    return ((forged - label).abs() + (real - (1 - label)).abs()).mean()
