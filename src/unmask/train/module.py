"""What Lightning needs to train any detector by its card: no detector is named here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import cast

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from unmask.clips import normalize
from unmask.detectors import Card, Output, Target, build
from unmask.detectors.behaviors import (
    FitsLastPart,
    HasAdversary,
    HasTrainingLoss,
    KeepsConstraint,
    StartsFromClips,
)
from unmask.errors import UsageError
from unmask.losses import mask_separation_loss, pair_separation_loss
from unmask.train.epochs import TrainingModule
from unmask.train.parts import check_parts, is_below, overlaps
from unmask.train.samples import Batch, Samples
from unmask.train.validation_metrics import ValidationOutputs, validation_metrics

_START_FRAMES = 64


class DetectorTraining(TrainingModule):
    """A detector with its recipe.

    Args:
        card: of the detector, settings applied.
        training: items; epoch e takes the numbers from e x count on.
        validation: items with a seed of their own, the same ones after every epoch.
        workers: processes that make samples.
        devices: processes that train together; they share the recipe's batch.
    """

    def __init__(
        self, card: Card, training: Samples, validation: Samples, workers: int, devices: int = 1
    ) -> None:
        super().__init__(card, build(card), training, validation, workers, devices)
        self._samples = training
        self._fixed = {n for n, p in self.net.named_parameters() if not p.requires_grad}
        if all(parameter.ndim < 5 for parameter in self.net.parameters()):
            # Twice as fast on a CPU; torch has no such layout for 3-D convolutions.
            self.net = self.net.to(memory_format=torch.channels_last)
        # An adversary has an optimizer of its own, and Lightning lets us say who steps when.
        # A detector that is fitted has none that moves anything.
        is_fitted = isinstance(self.net, FitsLastPart)
        self.automatic_optimization = not (card.recipe.adversary.parts or is_fitted)
        self._gathered: list[tuple[Tensor, Tensor]] = []
        if is_fitted and devices > 1:
            raise UsageError(
                f"Cannot fit {card.name} in {devices} processes: each would see a part of the "
                "clips. Use one."
            )
        check_parts(card, self.net)
        self._freeze()

    def _freeze(self) -> None:
        """Frozen parts get no gradient and stay in eval mode: their batch norms do not move.

        In the first epochs the same holds for all but the parts that warm up.
        """
        recipe = self.card.recipe
        is_warming_up = (
            self._trainer is not None and self.current_epoch < recipe.schedule.warmup_epochs
        )
        for name, module in self.net.named_modules():
            is_held = is_warming_up and not overlaps(name, recipe.schedule.warmup_parts)
            if name and (name in recipe.freeze or (is_held and self.training)):
                module.eval()
        for name, parameter in self.net.named_parameters():
            is_held = is_warming_up and not is_below(name, recipe.schedule.warmup_parts)
            is_frozen = name in self._fixed or is_below(name, recipe.freeze)
            parameter.requires_grad_(not (is_frozen or is_held))

    def train(self, mode: bool = True) -> DetectorTraining:
        """Train mode for all but the frozen parts."""
        super().train(mode)
        if mode:
            self._freeze()
        return self

    def start(self) -> None:
        """Prepares a network that can be, from batches of real training clips."""
        if self.card.recipe.start and isinstance(self.net, StartsFromClips):
            with torch.no_grad():
                self.net.start_from_clips(self._real_clips())

    def _real_clips(self) -> Iterator[Tensor]:
        """Every stored sequence of a real training face, in batches."""
        size = max(1, _START_FRAMES // self.card.input.frames)
        clips = self._samples.real_clips()
        while batch := list(itertools.islice(clips, size)):
            yield normalize(torch.stack(batch), self.card.input)

    def on_train_epoch_start(self) -> None:
        """Seeds the epoch; what froze or warms up follows from its number."""
        super().on_train_epoch_start()
        self.train()

    def _target(self, batch: Batch) -> tuple[Tensor, Target]:
        spec = self.card.input
        twin = None if batch.twin is None else normalize(batch.twin, spec)
        target = Target(label=batch.label, mask=batch.mask, pair=batch.pair, twin=twin)
        return normalize(batch.pixels, spec), target

    def training_step(self, batch: Batch, number: int) -> Tensor | None:
        """One step: the recipe's loss on one batch, or one step of its adversary."""
        clips, target = self._target(batch)
        if self.automatic_optimization:
            return self.logged(self._loss(clips, target))
        recipe = self.card.recipe
        if isinstance(self.net, FitsLastPart):
            self._gather(clips, target)
            return None
        ours, others = cast(list[LightningOptimizer], self.optimizers())
        is_adversary = number % (recipe.adversary.steps + 1) < recipe.adversary.steps
        optimizer = others if is_adversary else ours
        self.toggle_optimizer(optimizer)
        if is_adversary:
            assert isinstance(self.net, HasAdversary)  # As ``check_parts`` has seen.
            loss = self.net.adversary_loss(clips, target)
        else:
            loss = self.logged(self._loss(clips, target))
        optimizer.zero_grad()
        self.manual_backward(loss)
        if recipe.optimizer.gradient_clip is not None:
            self.clip_gradients(optimizer.optimizer, recipe.optimizer.gradient_clip, "norm")
        optimizer.step()
        self.untoggle_optimizer(optimizer)
        return None

    def _gather(self, clips: Tensor, target: Target) -> None:
        """Keeps the embeddings of a batch for the end of the epoch."""
        self.net.eval()
        with torch.no_grad():
            features = _in_float(self.net(clips)).embedding
        assert features is not None
        self._gathered.append((features.cpu(), target.label.cpu()))
        # Moves nothing without a gradient, but Lightning tells its checkpoints apart by steps.
        cast(LightningOptimizer, self.optimizers()).step()

    def on_validation_epoch_start(self) -> None:
        """Fits a network that is fitted, on all clips of the epoch that has just ended."""
        if not isinstance(self.net, FitsLastPart) or not self._gathered:
            return
        features, label = (torch.cat(column) for column in zip(*self._gathered, strict=True))
        self._gathered.clear()
        with torch.no_grad():
            self._losses.append(float(self.net.fit_last_part(features, label)))

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        """Puts weights back onto the network's constraint, if it has one."""
        if isinstance(self.net, KeepsConstraint):
            with torch.no_grad():
                self.net.constrain()

    def loss_of(self, batch: Batch) -> Tensor:
        """The recipe's loss on one batch."""
        return self._loss(*self._target(batch))

    def _loss(self, clips: Tensor, target: Target) -> Tensor:
        recipe = self.card.recipe
        if isinstance(self.net, HasTrainingLoss):
            return self.net.training_loss(clips, target)
        output = _in_float(self.net(clips))
        loss = recipe.loss(output, target)
        if recipe.synthesis.separation_weight:
            loss = loss + recipe.synthesis.separation_weight * _separation(output, target)
        return loss

    def validation_step(self, batch: Batch, number: int) -> None:
        """Scores one batch of validation items."""
        clips, target = self._target(batch)
        output = _in_float(self.net(clips))
        loss = self.card.recipe.loss(output, target).detach().expand(len(output.logit))
        self.seen.append(ValidationOutputs(output.logit.detach(), target.label, batch.pair, loss))

    def metrics_of(self, columns: list[Tensor]) -> dict[str, float]:
        """AUC over single clips, share of pairs in the right order, accuracy, and the loss."""
        return validation_metrics(ValidationOutputs(*columns))


def _separation(output: Output, target: Target) -> Tensor:
    """How well the two of a pair are told apart: their logits, and their masks if there are."""
    assert target.pair is not None  # Batches number their pairs.
    apart = pair_separation_loss(output.logit, target.label, target.pair)
    if output.mask is None or target.mask is None:
        return apart
    return apart + mask_separation_loss(output.mask, target.label, target.mask, target.pair)


def _in_float(output: Output) -> Output:
    """Outputs in float32: losses are not computed in half precision."""
    return Output(*(None if part is None else part.float() for part in output))  # type: ignore[arg-type]
