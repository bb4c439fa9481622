"""Co-occurrences of high-pass residuals: 162 numbers that tell how a picture's noise goes on.

One submodel of Fridrich and Kodovský, "Rich Models for Steganalysis of Digital Images" (TIFS
2012), in the size that FaceForensics++ uses: residuals of third order along rows and columns, cut
to three values, four neighbors at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

STEP = 3.0
"""Gray levels from one value of a residual to the next: the filter's largest weight."""

NEIGHBORS = 4
WORDS = 3**NEIGHBORS
FEATURES = 2 * WORDS

_THIRD_ORDER = (0.0, 1.0, -3.0, 3.0, -1.0)
_LUMA = (0.299, 0.587, 0.114)


def luma(images: Tensor) -> Tensor:
    """(B, 3, H, W) RGB to (B, 1, H, W), in the same unit."""
    weights = torch.tensor(_LUMA, dtype=images.dtype, device=images.device)
    return (images * weights.view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def third_order_filters() -> Tensor:
    """(2, 1, 5, 5): the third difference along rows, and along columns."""
    row = torch.zeros(5, 5)
    row[2] = torch.tensor(_THIRD_ORDER)
    return torch.stack([row, row.T])[:, None]


def code_words() -> Tensor:
    """(81, 4): every sequence of four values of -1, 0 and 1; the first value changes fastest.

    >>> code_words()[:4].tolist()[1:]
    [[0.0, -1.0, -1.0, -1.0], [1.0, -1.0, -1.0, -1.0], [-1.0, 0.0, -1.0, -1.0]]
    """
    values = torch.tensor([-1.0, 0.0, 1.0])
    return torch.cartesian_prod(*[values] * NEIGHBORS).flip(1)


def co_occurrence_maps(residuals: Tensor, code: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Maps of which four values follow each other; their means are the 162 features.

    The first 81 are of neighbors along the direction of the residual, the others across it; both
    directions count alike, so a turned picture has the same features.

    Args:
        residuals: (B, 2, h, w), along rows and along columns.
        code: from four neighbors (B, 4, h - 4, w - 4), and 0 (along) or 1 (across), to
            (B, 81, h - 4, w - 4), which add up to 1 at every place.

    Returns:
        (B, 162, h - 4, w - 4).
    """
    rows, columns = residuals[:, 0], residuals[:, 1]
    along = code(_in_a_row(rows), 0) + code(_in_a_column(columns), 0)
    across = code(_in_a_column(rows), 1) + code(_in_a_row(columns), 1)
    return torch.cat([along, across], dim=1) / 2


def _in_a_row(maps: Tensor) -> Tensor:
    """(B, h, w) to (B, 4, h - 4, w - 4): each place and what follows it in its row."""
    width = maps.shape[2] - NEIGHBORS
    return torch.stack([maps[:, 2:-2, at : at + width] for at in range(NEIGHBORS)], dim=1)


def _in_a_column(maps: Tensor) -> Tensor:
    return _in_a_row(maps.transpose(1, 2)).transpose(2, 3)


def hard_code(neighbors: Tensor, _direction: int) -> Tensor:
    """1 for the code word that four residuals are nearest to, 0 for the others.

    Args:
        neighbors: (B, 4, h, w) residuals in gray levels.

    Returns:
        (B, 81, h, w).
    """
    values = (neighbors / STEP).round().clamp(-1, 1) + 1
    weights = 3.0 ** torch.arange(NEIGHBORS, device=neighbors.device, dtype=neighbors.dtype)
    number = (values * weights.view(1, NEIGHBORS, 1, 1)).sum(dim=1, keepdim=True)
    words = torch.arange(WORDS, device=neighbors.device, dtype=neighbors.dtype)
    return (number == words.view(1, WORDS, 1, 1)).to(neighbors.dtype)
