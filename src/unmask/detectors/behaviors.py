"""What some networks can do beside ``forward``: optional methods, found by type.

A network has a behavior by having its methods; the trainer, the river and ``explain`` look with
``isinstance``, so that mypy sees every call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from unmask.detectors.card import Output, Target


@runtime_checkable
class HasTrainingLoss(Protocol):
    """Learns by a loss of its own, where the recipe's ``loss`` of its output does not do."""

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """The scalar that a training step lowers; validation keeps the recipe's ``loss``.

        Args:
            clips: (B, C, T, H, W), normalized.
            target: of these clips.
        """
        ...


@runtime_checkable
class HasAdversary(Protocol):
    """Is trained against a part of its own, which the recipe's ``adversary`` names."""

    def adversary_loss(self, clips: Tensor, target: Target) -> Tensor:
        """The scalar that a step of the adversary lowers, by an optimizer of its own.

        Args:
            clips: (B, C, T, H, W), normalized.
            target: of these clips.
        """
        ...


@runtime_checkable
class KeepsConstraint(Protocol):
    """Has weights on a constraint that gradient steps leave."""

    def constrain(self) -> None:
        """Puts the weights back onto it; called without gradients after every step."""
        ...


@runtime_checkable
class FitsLastPart(Protocol):
    """Sets its last part at once, from the embeddings of all clips of an epoch.

    No gradient is followed then; a clip's embedding must not depend on what is fitted.
    """

    def fit_last_part(self, features: Tensor, label: Tensor) -> Tensor:
        """Sets the part and returns the mean loss, a scalar; called without gradients.

        Args:
            features: (N, D) embeddings.
            label: (N,), 1 = fake.
        """
        ...


@runtime_checkable
class StartsFromClips(Protocol):
    """Is prepared before the first step; the recipe's ``start`` says whether."""

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        """Sets first weights; called once, without gradients.

        Args:
            batches: (B, C, T, H, W) each, of real training clips, normalized.
        """
        ...


@runtime_checkable
class HasHeatMaps(Protocol):
    """Has heat maps that no other detector has; the card's ``heat_maps`` lists their names."""

    def heat_map(self, name: str, clips: Tensor) -> Tensor:
        """A map (B, h, w) or (B, T, h, w) of clips (B, C, T, H, W).

        Args:
            name: as on the card.
            clips: normalized.

        Raises:
            UsageError: the network as built lacks what the map needs.
        """
        ...


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


BEHAVIORS: tuple[type, ...] = (
    HasTrainingLoss,
    HasAdversary,
    KeepsConstraint,
    FitsLastPart,
    StartsFromClips,
    HasHeatMaps,
    SharesFrames,
)
