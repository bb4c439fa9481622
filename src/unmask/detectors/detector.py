"""A detector that is ready to score: a network, its card, and the weights in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unmask.detectors.card import Card, Output
from unmask.types import DetectorUse

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detector:
    """What ``load_detector`` gives.

    Attributes:
        network: in eval mode, on its device.
        card: the detector's, changed by what its weights say of their training.
        weights: the weights in the network; ``sha256`` is empty where it is untrained.
    """

    network: nn.Module
    card: Card
    weights: DetectorUse

    def __call__(self, clips: Tensor) -> Output:
        """Scores clips (B, C, T, H, W), normalized by ``card.input``."""
        output: Output = self.network(clips)
        return output

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def id(self) -> tuple[str, str]:
        """Name and hash of the weights: what distinguishes the scores of two detectors."""
        return self.card.name, self.weights.sha256

    @property
    def is_trained(self) -> bool:
        """Whether there are weights in it; without any, its scores mean nothing."""
        return bool(self.weights.sha256)
