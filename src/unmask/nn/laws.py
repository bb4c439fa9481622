"""Laws' texture energies: how strongly a picture answers to small edges, spots and ripples.

Laws, "Textured Image Segmentation" (1980), with the nine energies of Matern et al., "Exploiting
Visual Artifacts to Expose Deepfakes and Face Manipulations" (WACV Workshops 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVEL = (1.0, 4.0, 6.0, 4.0, 1.0)
_EDGE = (-1.0, -2.0, 0.0, 2.0, 1.0)
_SPOT = (-1.0, 0.0, 2.0, 0.0, -1.0)
_RIPPLE = (1.0, -4.0, 6.0, -4.0, 1.0)
_VECTORS = (_LEVEL, _EDGE, _SPOT, _RIPPLE)

_PAIRS = ((0, 1), (0, 3), (1, 2), (0, 2), (1, 3), (2, 3), (2, 2), (3, 3), (1, 1))
"""Which vectors make an energy: a pair counts both ways round."""

ENERGIES = len(_PAIRS)
_SURROUNDINGS = 15
_WINDOW = 10


class TextureEnergies(nn.Module):
    """Nine energies at every place of a gray picture; it has no trained parameters."""

    def __init__(self) -> None:
        super().__init__()
        vectors = torch.tensor(_VECTORS)
        kernels = torch.einsum("ai,bj->abij", vectors, vectors).flatten(0, 1)[:, None]
        self.kernels: Tensor
        self.register_buffer("kernels", kernels, persistent=False)

    def forward(self, gray: Tensor) -> Tensor:
        """Energies of a picture whose local mean is taken away.

        Args:
            gray: (B, 1, H, W), at least 8 pixels wide and high.

        Returns:
            (B, 9, H, W), at least 0, in the unit of ``gray``.
        """
        half = _SURROUNDINGS // 2
        around = functional.pad(gray, [half] * 4, mode="reflect")
        flat = gray - functional.avg_pool2d(around, _SURROUNDINGS, 1)
        answers = functional.conv2d(functional.pad(flat, [2] * 4, mode="reflect"), self.kernels)
        edges = [_WINDOW // 2, _WINDOW // 2 - 1] * 2
        means = functional.avg_pool2d(
            functional.pad(answers.abs(), edges, mode="reflect"), _WINDOW, 1
        )
        count = len(_VECTORS)
        both = [(means[:, a * count + b] + means[:, b * count + a]) / 2 for a, b in _PAIRS]
        return torch.stack(both, dim=1)


def means_in(maps: Tensor, mask: Tensor) -> Tensor:
    """Means of (B, C, H, W) over the places where (B, 1, H, W) is 1: (B, C); 0 over none.

    >>> means_in(torch.arange(4.0).view(1, 1, 2, 2), torch.tensor([[[[0.0, 0.0], [1.0, 1.0]]]]))
    tensor([[2.5000]])
    """
    total = mask.sum(dim=(2, 3)).clamp(min=1)
    return (maps * mask).sum(dim=(2, 3)) / total
