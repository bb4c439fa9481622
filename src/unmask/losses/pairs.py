"""Which samples of a batch belong together."""

from __future__ import annotations

from torch import Tensor


def pairs_of(label: Tensor, pair: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers of the real and of the forged sample of every pair, (P,) each.

    Args:
        label: (B,), 1 = fake.
        pair: (B,) numbers; equal ones belong together.
    """
    together = (pair[:, None] == pair[None, :]) & (label[:, None] < 0.5) & (label[None, :] > 0.5)
    real, forged = together.nonzero(as_tuple=True)
    return real, forged
