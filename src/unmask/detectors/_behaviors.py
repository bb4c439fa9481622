"""What some networks can do beside ``forward``: found by type, never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from unmask.detectors._card import Output


@runtime_checkable
class SharesFrames(Protocol):
    """Computes features of single frames, which overlapping clips can share.

    Its forward is ``classify(frame_features(clips))``. The card's ``frame_context`` says on how
    many frames on either side a frame's features depend.
    """

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """Features (B, T - front - back, D) of clips (B, C, T, H, W).

        Args:
            clips: normalized.
            context: (front, back): so many frames at the ends are seen by the others, but get no
                features.
        """
        ...

    def classify(self, features: Tensor) -> Output:
        """The output for features (B, T, D) of whole clips."""
        ...
