"""The expression stream of EMD: ESR, and what it passes on to a detector of forgeries.

Mazaheri & Roy-Chowdhury, "Detection and Localization of Facial Expression Manipulations" (2022).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.nn.esr import ESR, vote

SIDE_PX = 96
"""Of the pictures that ESR sees."""


class ExpressionStream(nn.Module):
    """ESR, and of each picture the maps of the branch that is surest of the expression.

    Args:
        branches: 9, or 1 for SimFER.
        classes: expressions.
    """

    def __init__(self, branches: int, classes: int) -> None:
        super().__init__()
        self.esr = ESR(branches, classes, has_affect=False)

    def emotions(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W), RGB in 0..1, to logits (B, N, classes) and maps (B, N, 512, 6, 6)."""
        # OpenCV's order of channels and its resizing, which ESR was trained with.
        small = functional.interpolate(pictures.flip(1), (SIDE_PX, SIDE_PX), mode="bilinear")
        output = self.esr(small)
        return output.emotions, output.maps

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in 0..1, to the chosen branches' maps (B, 512, 6, 6) (Eq. 5)."""
        emotions, maps = self.emotions(pictures)
        _, branch = vote(emotions)
        return _take(maps, branch)

    def activation(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in 0..1, to where the voted expression is seen, (B, 6, 6) (Fig. 7).

        The chosen branch's maps, weighted by its head's weights for that expression.
        """
        emotions, maps = self.emotions(pictures)
        expression, branch = vote(emotions)
        heads = torch.stack(tuple(head.get_parameter("fc.weight") for head in self.esr.branches))
        return torch.einsum("bc,bchw->bhw", heads[branch, expression], _take(maps, branch))


class ExpressionClassifier(nn.Module):
    """The expression stream as pretraining trains it; named as in the detectors, ``fer``."""

    def __init__(self, branches: int, classes: int) -> None:
        super().__init__()
        self.fer = ExpressionStream(branches, classes)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, 1, 96, 96), RGB in 0..1, to logits (B, branches, classes)."""
        logits: Tensor = self.fer.emotions(clips.squeeze(2))[0]
        return logits


def _take(maps: Tensor, branch: Tensor) -> Tensor:
    """The maps of one branch (B,) for each picture: from (B, N, C, h, w) to (B, C, h, w)."""
    return maps.take_along_dim(branch[:, None, None, None, None], dim=1).squeeze(1)
