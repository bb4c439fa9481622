"""A map of where to look, learned beside the features that it weighs."""

from __future__ import annotations

from torch import Tensor, nn


class AttentionMap(nn.Module):
    """Direct regression of a map by one 3x3 convolution (Dang et al., CVPR 2020).

    Args:
        channels: number of channels of the feature maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (B, C, h, w) maps times the sigmoid of (B, 1, h, w) logits, and the logits."""
        logits = self.conv(maps)
        return maps * logits.sigmoid(), logits
