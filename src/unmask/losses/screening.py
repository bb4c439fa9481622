"""The screener's loss: which pixels, which picture, and which one of a pair."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from unmask.losses.pairs import pairs_of


def screening_loss(
    logit: Tensor,
    mask: Tensor,
    label: Tensor,
    true_mask: Tensor,
    pair: Tensor,
    *,
    mask_weight: float = 2.0,
    rank_weight: float = 0.5,
    spread_weight: float = 0.002,
) -> Tensor:
    """Sum of four terms.

    Pixel-wise cross entropy of the mask against the true mask averaged down to its size, with
    forged pixels weighted 3; cross entropy of the logit; a ranking term softplus(real - fake)
    within each pair, because pairs are easier to separate than clips (training notes); and
    a small pull of all logits to 0, which keeps unusual pictures from blowing them up.

    Args:
        logit: (B,).
        mask: (B, T, h, w) logits.
        label: (B,), 1 = fake.
        true_mask: (B, T, H, W) in 0..1, 1 = forged.
        pair: (B,) numbers; equal ones belong together.
        mask_weight: weight of the pixel term.
        rank_weight: weight of the ranking term.
        spread_weight: weight of the pull to 0.

    Returns:
        A scalar.
    """
    small = functional.adaptive_avg_pool2d(true_mask, (mask.shape[-2], mask.shape[-1]))
    pixels = functional.binary_cross_entropy_with_logits(
        mask, small, pos_weight=torch.tensor(3.0, device=mask.device)
    )
    picture = functional.binary_cross_entropy_with_logits(logit, label)
    return (
        mask_weight * pixels
        + picture
        + rank_weight * rank_loss(logit, label, pair)
        + spread_weight * logit.square().mean()
    )


def rank_loss(logit: Tensor, label: Tensor, pair: Tensor) -> Tensor:
    """Mean of softplus(logit of the real - logit of the forged) over all pairs, (); 0 if none.

    >>> rank_loss(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([7, 7]))
    tensor(0.6931)
    """
    real, forged = pairs_of(label, pair)
    margin = functional.softplus(logit[real] - logit[forged])
    return margin.sum() / max(len(margin), 1)
