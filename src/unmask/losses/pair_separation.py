"""How far apart the two of a pair are, measured by how much that differs between pairs."""

from __future__ import annotations

from torch import Tensor

_LEAST_SQUARE = 1e-6


def pair_separation_loss(logit: Tensor, label: Tensor, pair: Tensor) -> Tensor:
    """Minus the mean of (logit of the forged - logit of the real), over its root mean square.

    Between -1 (every pair equally far apart, in the right order) and 1. Cross entropy is lowest
    at first where a network says 0 to everything: what tells the two of a pair apart is small
    beside what tells two videos apart, its last layer shrinks, and nothing below it learns. This
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
    together = (pair[:, None] == pair[None, :]) & (label[:, None] < 0.5) & (label[None, :] > 0.5)
    apart = (logit[None, :] - logit[:, None])[together]
    if not len(apart):
        return 0.0 * logit.sum()
    return -apart.mean() / (apart.square().mean() + _LEAST_SQUARE).sqrt()
