"""What Lightning needs to train any detector by its card: no detector is named here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import lightning
import numpy as np
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler, Subset

from unmask.clips import normalize
from unmask.detectors import Card, Output, Target, build
from unmask.errors import UsageError
from unmask.train.figures import Seen, figures
from unmask.train.optimize import optimizer_for
from unmask.train.samples import Batch, Samples
from unmask.train.schedule import reductions_of
from unmask.train.settings import describe

_START_FRAMES = 64


class Training(lightning.LightningModule):
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
        super().__init__()
        self.card = card
        self.net = build(card)
        self._fixed = {n for n, p in self.net.named_parameters() if not p.requires_grad}
        if all(parameter.ndim < 5 for parameter in self.net.parameters()):
            # Twice as fast on a CPU; torch has no such layout for 3-D convolutions.
            self.net = self.net.to(memory_format=torch.channels_last)
        self._training, self._validation = training, validation
        self._workers, self._devices = workers, devices
        self._seen: list[Seen] = []
        self.curve: list[dict[str, float]] = []
        self._losses: list[float] = []
        recipe = card.recipe
        # An adversary has an optimizer of its own, and Lightning lets us say who steps when.
        self.automatic_optimization = not recipe.adversary
        self._reductions = reductions_of(recipe)
        self._check_parts()
        self._freeze()

    def _check_parts(self) -> None:
        """A misspelled part would silently be trained, or at the wrong rate."""
        recipe = self.card.recipe
        if recipe.adversary and (recipe.accumulate > 1 or recipe.schedule == "cosine"):
            raise UsageError(
                "Cannot train against an adversary with accumulate above 1 or a cosine schedule: "
                "two optimizers take turns. Change the batch size or the schedule instead."
            )
        parts = {name for name, _ in self.net.named_modules() if name}
        parts |= {name for name, _ in self.net.named_parameters()}
        named = {
            "freeze": recipe.freeze,
            "learning_rates": tuple(recipe.learning_rates),
            "warmup_parts": recipe.warmup_parts,
            "adversary": recipe.adversary,
        }
        for key, names in named.items():
            for name in names:
                if name not in parts:
                    known = ", ".join(part for part, _ in self.net.named_children())
                    raise UsageError(
                        f"Cannot use {key} of {name!r}: {self.card.name} has no such part. "
                        f"Its parts: {known}, and theirs after a dot."
                    )

    def _freeze(self) -> None:
        """Frozen parts get no gradient and stay in eval mode: their batch norms do not move.

        In the first epochs the same holds for all but the parts that warm up.
        """
        recipe = self.card.recipe
        is_warming_up = self._trainer is not None and self.current_epoch < recipe.warmup_epochs
        for name, module in self.net.named_modules():
            is_held = is_warming_up and not _overlaps(name, recipe.warmup_parts)
            if name and (name in recipe.freeze or (is_held and self.training)):
                module.eval()
        for name, parameter in self.net.named_parameters():
            is_held = is_warming_up and not _is_below(name, recipe.warmup_parts)
            is_frozen = name in self._fixed or _is_below(name, recipe.freeze)
            parameter.requires_grad_(not (is_frozen or is_held))

    def train(self, mode: bool = True) -> Training:
        """Train mode for all but the frozen parts."""
        super().train(mode)
        if mode:
            self._freeze()
        return self

    def start(self) -> None:
        """Calls the method that the recipe names, with batches of real training clips."""
        name = self.card.recipe.start
        if name is None:
            return
        if not callable(getattr(self.net, name, None)):
            raise UsageError(
                f"Cannot start with {name!r}: {self.card.name} has no such method. "
                "Use --set start=none to begin at random."
            )
        with torch.no_grad():
            getattr(self.net, name)(self._real_clips())

    def _real_clips(self) -> Iterator[Tensor]:
        """The real clips of one epoch, in batches."""
        size = max(1, _START_FRAMES // self.card.input.frames)
        batch: list[Tensor] = []
        for number in range(len(self._training)):
            item = self._training[number]
            batch += list(item.pixels[item.label == 0])
            if len(batch) >= size or (batch and number + 1 == len(self._training)):
                yield normalize(torch.stack(batch), self.card.input)
                batch = []

    def on_train_epoch_start(self) -> None:
        """Seeds dropout by the epoch, so that a resumed run draws what it would have drawn."""
        torch.manual_seed(self.card.recipe.seed + self.current_epoch + 100_003 * self.global_rank)
        self.train()

    def train_dataloader(self) -> DataLoader[Batch]:
        """Items of this epoch; called anew for each (``reload_dataloaders_every_n_epochs``)."""
        count = len(self._training)
        first = self.current_epoch * count
        return self._loader(self._training, range(first, first + count))

    def val_dataloader(self) -> DataLoader[Batch]:
        """The validation items, always the same."""
        return self._loader(self._validation, range(len(self._validation)))

    def _loader(self, samples: Samples, numbers: range) -> DataLoader[Batch]:
        items = Subset(samples, numbers)
        shared: DistributedSampler[Batch] | None = None
        if self._devices > 1:
            # Lightning's own would shuffle, and several processes learn in another order than one.
            shared = DistributedSampler(items, self._devices, self.global_rank, shuffle=False)
        return DataLoader(
            items,
            batch_size=items_per_batch(self.card, samples, self._devices),
            sampler=shared,
            collate_fn=_collate,
            num_workers=self._workers,
            generator=torch.Generator(),  # of its own: a loader must not move dropout's draws
        )

    def _target(self, batch: Batch) -> tuple[Tensor, Target]:
        spec = self.card.input
        twin = None if batch.twin is None else normalize(batch.twin, spec)
        target = Target(label=batch.label, mask=batch.mask, pair=batch.pair, twin=twin)
        return normalize(batch.pixels, spec), target

    def training_step(self, batch: Batch, number: int) -> Tensor | None:
        """One step: the recipe's loss on one batch, or one step of its adversary."""
        clips, target = self._target(batch)
        if self.automatic_optimization:
            return self._told(self._loss(clips, target))
        recipe = self.card.recipe
        ours, others = cast(list[LightningOptimizer], self.optimizers())
        is_adversary = number % (recipe.adversary_steps + 1) < recipe.adversary_steps
        optimizer = others if is_adversary else ours
        self.toggle_optimizer(optimizer)
        if is_adversary:
            assert recipe.adversary_step is not None
            loss = getattr(self.net, recipe.adversary_step)(clips, target)
        else:
            loss = self._told(self._loss(clips, target))
        optimizer.zero_grad()
        self.manual_backward(loss)
        if recipe.gradient_clip is not None:
            self.clip_gradients(optimizer.optimizer, recipe.gradient_clip, "norm")
        optimizer.step()
        self.untoggle_optimizer(optimizer)
        return None

    def loss_of(self, batch: Batch) -> Tensor:
        """The recipe's loss on one batch."""
        return self._loss(*self._target(batch))

    def _loss(self, clips: Tensor, target: Target) -> Tensor:
        if self.card.recipe.step is not None:
            return self.card.training_loss(self.net, clips, target)
        return self.card.recipe.loss(_in_float(self.net(clips)), target)

    def _told(self, loss: Tensor) -> Tensor:
        self._losses.append(float(loss.detach()))
        self.log("loss", loss, prog_bar=True, on_step=True, on_epoch=False)
        return loss

    def validation_step(self, batch: Batch, number: int) -> None:
        """Scores one batch of validation items."""
        clips, target = self._target(batch)
        output = _in_float(self.net(clips))
        loss = self.card.recipe.loss(output, target).detach().expand(len(output.logit))
        self._seen.append(Seen(output.logit.detach(), target.label, batch.pair, loss))

    def on_validation_epoch_end(self) -> None:
        """AUC over single clips, share of pairs in the right order, accuracy, and the loss."""
        parts = (torch.cat(column) for column in zip(*self._seen, strict=True))
        seen = Seen(*(cast(Tensor, self.all_gather(part)).reshape(-1).cpu() for part in parts))
        self._seen.clear()
        found = figures(seen)
        self.log_dict(found, prog_bar=True)
        if self.trainer.sanity_checking:
            return
        mean = float(np.mean(self._losses)) if self._losses else math.nan
        self._losses.clear()
        self.curve.append({"epoch": self.current_epoch, "train_loss": mean, **found})
        if self._reductions is not None:
            if self._reductions.after(-found["negative_loss"]):
                for optimizer in self.trainer.optimizers:
                    self._reductions.reduce(optimizer)
            self.trainer.should_stop |= self._reductions.is_over

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The curve goes into the checkpoint, so that a resumed run keeps it; and the card."""
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
        """Optimizers and schedule of the recipe; weight decay on weights only."""
        per_epoch = math.ceil(len(self._training) / items_per_batch(self.card, self._training, 1))
        return optimizer_for(self.net, self.card.recipe, per_epoch)


def items_per_batch(card: Card, samples: Samples, devices: int) -> int:
    """Items that one process takes at once: a pair counts as two samples of the batch."""
    return max(1, card.recipe.batch_size // (samples.clips_per_item * devices))


def _is_below(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def _overlaps(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a module is one of the parts, lies in one, or holds one."""
    return _is_below(name, parts) or any(part.startswith(f"{name}.") for part in parts)


def _in_float(output: Output) -> Output:
    """Outputs in float32: losses are not computed in half precision."""
    return Output(*(None if part is None else part.float() for part in output))  # type: ignore[arg-type]


def _collate(items: list[Batch]) -> Batch:
    columns = zip(*items, strict=True)
    return Batch(*(None if c[0] is None else torch.cat(c) for c in columns))  # type: ignore[arg-type]
