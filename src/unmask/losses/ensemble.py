"""The loss of an ensemble whose branches learn side by side on shared layers."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def ensemble_loss(logits: Tensor, number: Tensor, teacher_logits: Tensor | None = None) -> Tensor:
    """Sum over branches of their cross entropies, mean over the batch (EMD, Eq. 1).

    A teacher adds KL(teacher || student) of every branch, as in ``lip_reading_loss``; it gets no
    gradient. No paper does so with this network.

    Args:
        logits: (B, branches, classes).
        number: (B,) int64, the right class.
        teacher_logits: (B, branches, classes) of a network of the same layout, or None.

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
    if teacher_logits is not None:
        every = every + functional.kl_div(
            logits.log_softmax(dim=2),
            teacher_logits.detach().log_softmax(dim=2),
            reduction="sum",
            log_target=True,
        )
    return every / len(logits)
