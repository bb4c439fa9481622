"""What a third derivative leaves of a picture: noise and traces, hardly any content."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_THIRD_DERIVATIVE = (1.0, -3.0, 3.0, -1.0)


class ThirdDerivative(nn.Module):
    """Fixed high-pass filters 1 -3 3 -1, along rows and along columns.

    Borders are repeated by one value before and two behind, so that the size stays.
    """

    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("taps", torch.tensor(_THIRD_DERIVATIVE), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 2 C, H, W): all channels along rows, then all along columns."""
        channels = pictures.shape[1]
        padded = functional.pad(pictures, (1, 2, 1, 2), mode="replicate")
        row = self.taps.view(1, 1, 1, 4).expand(channels, 1, 1, 4)
        along_rows = functional.conv2d(padded[:, :, 1:-2], row, groups=channels)
        along_columns = functional.conv2d(padded[..., 1:-2], row.mT, groups=channels)
        return torch.cat([along_rows, along_columns], dim=1)
