"""What Lightning needs to train a stage: a network that tells classes apart."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Beta
from torch.utils.data import DataLoader, DistributedSampler, Subset

from unmask.clips import normalize
from unmask.detectors import Card
from unmask.detectors._card import Stage
from unmask.errors import UsageError
from unmask.nn.esr import vote
from unmask.train.class_samples import ClassBatch, ClassSamples, collate
from unmask.train.optimize import optimizer_for
from unmask.train.schedule import reductions_of
from unmask.train.settings import describe

FIGURES = ("accuracy", "negative_loss")


class _Seen(NamedTuple):
    """What validation saw, all (N,): whether it was right, losses, numbers of the items."""

    is_right: Tensor
    loss: Tensor
    item: Tensor


class ClassTraining(lightning.LightningModule):
    """A stage's network with its recipe.

    Args:
        card: of the detector, with the stage's recipe and input, settings applied.
        stage: gives the network and its loss.
        classes: how many there are.
        training: items; epoch e takes the numbers from e x count on.
        validation: items, the same ones after every epoch.
        workers: processes that make samples.
        devices: processes that train together; they share the recipe's batch.
        teacher: a network of the same stage whose logits the loss compares with.

    Raises:
        UsageError: the recipe's monitor is no figure of classes, or its mixup is negative.
    """

    def __init__(
        self,
        card: Card,
        stage: Stage,
        classes: int,
        training: ClassSamples,
        validation: ClassSamples,
        workers: int,
        devices: int = 1,
        teacher: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if card.recipe.monitor not in FIGURES:
            raise UsageError(
                f"Cannot choose the best epoch of a stage by {card.recipe.monitor!r}: it compares "
                f"classes, not real and forged. Use monitor={' or monitor='.join(FIGURES)}."
            )
        if card.recipe.mixup < 0:
            raise UsageError(f"Cannot set mixup={card.recipe.mixup}: expected 0 (none) or more.")
        self.card, self.stage = card, stage
        self.net = stage.build(card.args, classes)
        self._training, self._validation = training, validation
        self._workers, self._devices = workers, devices
        # In a list, so that it is no part of what is trained and saved.
        self._teachers = [] if teacher is None else [teacher.eval().requires_grad_(False)]
        self._seen: list[_Seen] = []
        self._losses: list[float] = []
        self.curve: list[dict[str, float]] = []
        self._reductions = reductions_of(card.recipe)

    def on_train_epoch_start(self) -> None:
        """Seeds dropout and mixup by the epoch, so that a resumed run draws the same again."""
        torch.manual_seed(self.card.recipe.seed + self.current_epoch + 100_003 * self.global_rank)

    def train_dataloader(self) -> DataLoader[ClassBatch]:
        """Items of this epoch; called anew for each (``reload_dataloaders_every_n_epochs``)."""
        count = len(self._training)
        first = self.current_epoch * count
        return self._loader(self._training, range(first, first + count))

    def val_dataloader(self) -> DataLoader[ClassBatch]:
        """The validation items, always the same."""
        return self._loader(self._validation, range(len(self._validation)))

    def _loader(self, samples: ClassSamples, numbers: range) -> DataLoader[ClassBatch]:
        items = Subset(samples, numbers)
        shared: DistributedSampler[ClassBatch] | None = None
        if self._devices > 1:
            # Lightning's own would shuffle, and several processes learn in another order than one.
            shared = DistributedSampler(items, self._devices, self.global_rank, shuffle=False)
        return DataLoader(
            items,
            batch_size=max(1, self.card.recipe.batch_size // self._devices),
            sampler=shared,
            collate_fn=collate,
            num_workers=self._workers,
            generator=torch.Generator(),  # of its own: a loader must not move dropout's draws
        )

    def training_step(self, batch: ClassBatch, number: int) -> Tensor:
        """The stage's loss on one batch, mixed with itself where the recipe says so."""
        loss = self.loss_of(batch)
        self._losses.append(float(loss.detach()))
        self.log("loss", loss, prog_bar=True, on_step=True, on_epoch=False)
        return loss

    def loss_of(self, batch: ClassBatch) -> Tensor:
        """The stage's loss on one batch."""
        clips = normalize(batch.pixels, self.card.input)
        alpha = self.card.recipe.mixup
        if not alpha:
            return self.stage.loss(self._logits(clips), batch.label, self._taught(clips))
        # Zhang et al. 2018: one share for the batch, each clip with another one of it.
        share = float(Beta(alpha, alpha).sample())
        order = torch.randperm(len(clips)).to(clips.device)
        clips = share * clips + (1 - share) * clips[order]
        logits, taught = self._logits(clips), self._taught(clips)
        ours, others = (
            self.stage.loss(logits, label, taught) for label in (batch.label, batch.label[order])
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
        loss = torch.stack([self.stage.loss(*part, None) for part in parts])
        self._seen.append(_Seen((found == batch.label) & is_finite, loss, batch.item))

    def on_validation_epoch_end(self) -> None:
        """Share of clips whose class was named, and the negative mean loss."""
        parts = (torch.cat(column) for column in zip(*self._seen, strict=True))
        seen = _Seen(*(cast(Tensor, self.all_gather(part)).reshape(-1).cpu() for part in parts))
        self._seen.clear()
        _, once = np.unique(seen.item.numpy(), return_index=True)
        found = {
            "accuracy": float(seen.is_right[once].double().mean()),
            "negative_loss": -float(seen.loss[once].double().mean()),
        }
        self.log_dict(found, prog_bar=True)
        mean = float(np.mean(self._losses)) if self._losses else math.nan
        self._losses.clear()
        self.curve.append({"epoch": self.current_epoch, "train_loss": mean, **found})
        if self._reductions is not None:
            if self._reductions.after(-found["negative_loss"]):
                for optimizer in self.trainer.optimizers:
                    self._reductions.reduce(optimizer)
            self.trainer.should_stop |= self._reductions.is_over

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The curve goes into the checkpoint, so that a resumed run keeps it; and the recipe."""
        checkpoint["curve"] = self.curve
        checkpoint["card"] = describe(self.card)
        if self._reductions is not None:
            checkpoint["reductions"] = self._reductions.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the curve back, and how far the learning rates have come down."""
        self.curve = list(checkpoint.get("curve", []))
        if self._reductions is not None:
            self._reductions.resume(checkpoint.get("reductions", {}))

    def configure_optimizers(self) -> Any:
        """Optimizer and schedule of the recipe; weight decay on weights only."""
        per_epoch = math.ceil(len(self._training) / self.card.recipe.batch_size)
        return optimizer_for(self.net, self.card.recipe, per_epoch)
