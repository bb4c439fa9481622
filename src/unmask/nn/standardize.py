"""Features in units of what they were in training: what a fitted classifier looks at."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Standardize(nn.Module):
    """Takes the mean of the training features away and divides by their spread.

    A new one leaves features as they are.

    Args:
        features: D of (N, D).
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    @torch.no_grad()
    def fit(self, features: Tensor) -> Tensor:
        """Takes mean and spread over from (N, D), and returns them standardized.

        A feature that never changes keeps its unit.
        """
        self.mean.copy_(features.mean(dim=0))
        spread = features.std(dim=0, unbiased=False)
        self.scale.copy_(torch.where(spread > 0, spread, torch.ones_like(spread)))
        standardized: Tensor = self((features).to(self.mean))
        return standardized

    def forward(self, features: Tensor) -> Tensor:
        """(N, D) to (N, D)."""
        return (features - self.mean) / self.scale
