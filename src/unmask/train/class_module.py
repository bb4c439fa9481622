"""What Lightning needs for pretraining: a network that classifies clips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Beta

from unmask.clips import normalize
from unmask.detectors import Card, Pretraining
from unmask.errors import UsageError
from unmask.nn.esr import vote
from unmask.train.class_samples import ClassBatch, ClassSamples
from unmask.train.epochs import TrainingModule

METRICS = ("accuracy", "negative_loss")


class _Seen(NamedTuple):
    """What validation saw, all (N,): whether it was right, losses, numbers of the items."""

    is_right: Tensor
    loss: Tensor
    item: Tensor


class ClassTraining(TrainingModule):
    """A pretraining's network with its recipe.

    Args:
        card: of the detector, with the pretraining's recipe and input, settings applied.
        pretraining: gives the network and its loss.
        classes: how many there are.
        training: items; epoch e takes the numbers from e x count on.
        validation: items, the same ones after every epoch.
        workers: processes that make samples.
        devices: processes that train together; they share the recipe's batch.
        teacher: a network of the same pretraining whose logits the loss compares with.

    Raises:
        UsageError: the recipe's monitor is no figure of classes, or its mixup is negative.
    """

    def __init__(
        self,
        card: Card,
        pretraining: Pretraining,
        classes: int,
        training: ClassSamples,
        validation: ClassSamples,
        workers: int,
        devices: int = 1,
        teacher: nn.Module | None = None,
    ) -> None:
        monitor = card.recipe.schedule.monitor
        if monitor not in METRICS:
            raise UsageError(
                f"Cannot choose the best epoch of a pretraining by {monitor!r}: it compares "
                f"classes, not real and forged. Use monitor={' or monitor='.join(METRICS)}."
            )
        if card.recipe.sampling.mixup < 0:
            raise UsageError(
                f"Cannot set mixup={card.recipe.sampling.mixup}: expected 0 (none) or more."
            )
        net = pretraining.build(card.args, classes)
        super().__init__(card, net, training, validation, workers, devices)
        self.pretraining = pretraining
        # In a list, so that it is no part of what is trained and saved.
        self._teachers = [] if teacher is None else [teacher.eval().requires_grad_(False)]

    def training_step(self, batch: ClassBatch, number: int) -> Tensor:
        """The pretraining's loss on one batch, mixed with itself where the recipe says so."""
        return self.logged(self.loss_of(batch))

    def loss_of(self, batch: ClassBatch) -> Tensor:
        """The pretraining's loss on one batch."""
        clips = normalize(batch.pixels, self.card.input)
        alpha = self.card.recipe.sampling.mixup
        if not alpha:
            return self.pretraining.loss(self._logits(clips), batch.label, self._taught(clips))
        # Zhang et al. 2018: one share for the batch, each clip with another one of it.
        share = float(Beta(alpha, alpha).sample())
        order = torch.randperm(len(clips)).to(clips.device)
        clips = share * clips + (1 - share) * clips[order]
        logits, taught = self._logits(clips), self._taught(clips)
        ours, others = (
            self.pretraining.loss(logits, label, taught)
            for label in (batch.label, batch.label[order])
        )
        return share * ours + (1 - share) * others

    def _logits(self, clips: Tensor) -> Tensor:
        """In float32: losses are not computed in half precision."""
        logits: Tensor = self.net(clips)
        return logits.float()

    def _taught(self, clips: Tensor) -> Tensor | None:
        """The teacher's logits, without a gradient; None without a teacher."""
        if not self._teachers:
            return None
        with torch.no_grad():
            logits: Tensor = self._teachers[0].to(clips.device)(clips)
        return logits.float()

    def validation_step(self, batch: ClassBatch, number: int) -> None:
        """Names the classes of one batch of validation items."""
        logits = self._logits(normalize(batch.pixels, self.card.input)).detach()
        # Branches vote; a network without branches has one voice.
        found = vote(logits if logits.ndim == 3 else logits[:, None])[0]
        is_finite = logits.flatten(1).isfinite().all(dim=1)
        # One by one: with several processes some clips are seen twice and count once.
        parts = zip(logits[:, None], batch.label[:, None], strict=True)
        loss = torch.stack([self.pretraining.loss(*part, None) for part in parts])
        self.seen.append(_Seen((found == batch.label) & is_finite, loss, batch.item))

    def metrics_of(self, columns: list[Tensor]) -> dict[str, float]:
        """Share of clips whose class was named, and the negative mean loss."""
        seen = _Seen(*columns)
        _, once = np.unique(seen.item.numpy(), return_index=True)
        return {
            "accuracy": float(seen.is_right[once].double().mean()),
            "negative_loss": -float(seen.loss[once].double().mean()),
        }
