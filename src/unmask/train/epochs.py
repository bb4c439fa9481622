"""What every training has in common: items by number, the curve, reductions, checkpoints."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Subset

from unmask.detectors import Card
from unmask.train.optimize import optimizer_for
from unmask.train.schedule import reductions_of
from unmask.train.settings import describe

Item = TypeVar("Item", bound=tuple[Tensor | None, ...])


class Items(Protocol):
    """Samples that a loader asks for by number; ``len`` of them are an epoch."""

    @property
    def clips_per_item(self) -> int:
        """How many samples of the recipe's batch one item is."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> NamedTuple: ...


class TrainingModule(lightning.LightningModule):
    """A network with a recipe. What is learned, and what validation says, its children define.

    A child appends the columns of each validation batch to ``seen`` and makes metrics of them
    in ``metrics_of``; it passes each training loss to ``logged``.

    Args:
        card: its recipe is followed.
        net: what is trained.
        training: items; epoch e takes the numbers from e x count on.
        validation: items, the same ones after every epoch.
        workers: processes that make samples.
        devices: processes that train together; they share the recipe's batch.
    """

    def __init__(
        self,
        card: Card,
        net: nn.Module,
        training: Items,
        validation: Items,
        workers: int,
        devices: int,
    ) -> None:
        super().__init__()
        self.card, self.net = card, net
        self._training, self._validation = training, validation
        self._workers, self._devices = workers, devices
        self.seen: list[tuple[Tensor, ...]] = []
        self.curve: list[dict[str, float]] = []
        self._losses: list[float] = []
        self._reductions = reductions_of(card.recipe)
        self._since_s, self._hours_before = time.monotonic(), 0.0

    def metrics_of(self, columns: list[Tensor]) -> dict[str, float]:
        """The metrics of an epoch; each column (N,) is one of all batches of ``seen``."""
        raise NotImplementedError

    def on_train_epoch_start(self) -> None:
        """Seeds dropout and mixup by the epoch: a resumed run draws what it would have drawn."""
        torch.manual_seed(self.card.recipe.seed + self.current_epoch + 100_003 * self.global_rank)

    def train_dataloader(self) -> DataLoader[Any]:
        """Items of this epoch; called anew for each (``reload_dataloaders_every_n_epochs``)."""
        count = len(self._training)
        first = self.current_epoch * count
        return self._loader(self._training, range(first, first + count))

    def val_dataloader(self) -> DataLoader[Any]:
        """The validation items, always the same."""
        return self._loader(self._validation, range(len(self._validation)))

    def _loader(self, samples: Items, numbers: range) -> DataLoader[Any]:
        items = Subset(cast("Dataset[Any]", samples), numbers)
        shared: DistributedSampler[Any] | None = None
        if self._devices > 1:
            # Lightning's own would shuffle, and several processes learn in another order than one.
            shared = DistributedSampler(items, self._devices, self.global_rank, shuffle=False)
        return DataLoader(
            items,
            batch_size=items_per_batch(self.card, samples, self._devices),
            sampler=shared,
            collate_fn=collate,
            num_workers=self._workers,
            generator=torch.Generator(),  # of its own: a loader must not move dropout's draws
        )

    def logged(self, loss: Tensor) -> Tensor:
        """The same loss, noted for the curve and for the logs."""
        self._losses.append(float(loss.detach()))
        self.log("loss", loss, prog_bar=True, on_step=True, on_epoch=False)
        return loss

    def on_validation_epoch_end(self) -> None:
        """Metrics of all processes' batches: for the logs, the curve and the reductions."""
        parts = (torch.cat(column) for column in zip(*self.seen, strict=True))
        columns = [cast(Tensor, self.all_gather(part)).reshape(-1).cpu() for part in parts]
        self.seen.clear()
        found = self.metrics_of(columns)
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
        """Curve, time and card go into the checkpoint, so that a resumed run keeps them."""
        checkpoint["curve"] = self.curve
        checkpoint["hours"] = self._hours_before + (time.monotonic() - self._since_s) / 3600
        checkpoint["card"] = describe(self.card)
        if self._reductions is not None:
            checkpoint["reductions"] = self._reductions.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes back the curve, the time, and how far the learning rates have come down."""
        self.curve = list(checkpoint.get("curve", []))
        self._hours_before = float(checkpoint.get("hours", 0.0))
        if self._reductions is not None:
            self._reductions.resume(checkpoint.get("reductions", {}))

    def configure_optimizers(self) -> Any:
        """Optimizers and schedule of the recipe; weight decay on weights only."""
        per_epoch = math.ceil(len(self._training) / items_per_batch(self.card, self._training, 1))
        return optimizer_for(self.net, self.card.recipe, per_epoch)


def items_per_batch(card: Card, samples: Items, devices: int) -> int:
    """Items that one process takes at once: a pair counts as two samples of the batch."""
    return max(1, card.recipe.sampling.batch_size // (samples.clips_per_item * devices))


def collate(items: list[Item]) -> Item:
    """Joins items to a batch; a column that is None stays so."""
    columns = zip(*items, strict=True)
    joined = (None if column[0] is None else torch.cat(column) for column in columns)
    return type(items[0])(*joined)  # type: ignore[arg-type]
