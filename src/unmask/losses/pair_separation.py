"""The distance within a pair, relative to its variation over all pairs."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from unmask.losses.pairs import pairs_of

_LEAST_SQUARE = 1e-6
_LEAST_AREA = 1e-3


def pair_separation_loss(logit: Tensor, label: Tensor, pair: Tensor) -> Tensor:
    """Minus the mean of (logit of the forged - logit of the real), over its root mean square.

    Between -1 (every pair equally far apart, in the right order) and 1. At first, cross
    entropy is lowest where a network gives 0 for everything: differences within a pair are small
    beside those between videos, so the last layer shrinks, and nothing below it learns. This
    ratio does not change when the logits shrink, and what both of a pair share cancels out. It is
    ours; on its own it gives the logits neither size nor origin, so it is added to another loss.

    Args:
        logit: (B,).
        label: (B,), 1 = fake.
        pair: (B,) numbers; equal ones belong together.

    Returns:
        A scalar; 0 where there is no pair.

    >>> import torch
    >>> logit, label = torch.tensor([0.0, 1.0, 5.0, 6.0]), torch.tensor([0.0, 1.0, 0.0, 1.0])
    >>> pair_separation_loss(logit, label, torch.tensor([7, 7, 8, 8]))
    tensor(-1.0000)
    """
    real, forged = pairs_of(label, pair)
    return _separation(logit[forged] - logit[real])


def mask_separation_loss(mask: Tensor, label: Tensor, true_mask: Tensor, pair: Tensor) -> Tensor:
    """``pair_separation_loss`` of how much more the forged part stands out than the rest.

    Of each pair: by how much the forged one's mask exceeds the real one's, mean over what was
    forged, less the same over the rest. Where a face usually is, both masks are alike: it cancels.

    Args:
        mask: (B, T, h, w) logits; those of a pair show the same places.
        label: (B,), 1 = fake.
        true_mask: (B, T, H, W) in 0..1, 1 = forged; averaged down to the size of ``mask``.
        pair: (B,) numbers; equal ones belong together.

    Returns:
        A scalar; 0 where there is no pair.
    """
    real, forged = pairs_of(label, pair)
    share = functional.adaptive_avg_pool2d(true_mask[forged], (mask.shape[-2], mask.shape[-1]))
    apart = mask[forged] - mask[real]
    return _separation(_mean_over(apart, share) - _mean_over(apart, 1 - share))


def _mean_over(values: Tensor, share: Tensor) -> Tensor:
    """The mean of each (T, h, w), weighted by ``share``; 0 where hardly anything has a weight."""
    area = share.mean(dim=(1, 2, 3))
    mean = (values * share).mean(dim=(1, 2, 3)) / area.clamp(min=_LEAST_AREA)
    return mean * (area > _LEAST_AREA)


def _separation(apart: Tensor) -> Tensor:
    if not len(apart):
        return 0.0 * apart.sum()
    return -apart.mean() / (apart.square().mean() + _LEAST_SQUARE).sqrt()
