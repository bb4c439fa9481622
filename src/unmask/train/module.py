"""What Lightning needs to train any detector by its card: no detector is named here."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from unmask.clips import normalize
from unmask.detectors import Card, Target, build
from unmask.errors import UsageError
from unmask.train.pairs import Batch, Pairs
from unmask.train.settings import describe


class Training(lightning.LightningModule):
    """A detector with its recipe.

    Args:
        card: of the detector, settings applied.
        training: pairs; epoch e takes the numbers from e x count on.
        validation: pairs with a seed of their own, the same ones after every epoch.
        workers: processes that make samples.
    """

    def __init__(self, card: Card, training: Pairs, validation: Pairs, workers: int) -> None:
        super().__init__()
        self.card = card
        self.net = build(card)
        if all(parameter.ndim < 5 for parameter in self.net.parameters()):
            # Twice as fast on a CPU; torch has no such layout for 3-D convolutions.
            self.net = self.net.to(memory_format=torch.channels_last)
        self._training, self._validation, self._workers = training, validation, workers
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []
        self.curve: list[dict[str, float]] = []
        self._losses: list[float] = []
        self._check_parts()
        self._freeze()

    def _check_parts(self) -> None:
        """A misspelled part would silently be trained, or at the wrong rate."""
        recipe = self.card.recipe
        parts = {name for name, _ in self.net.named_modules() if name}
        named = {"freeze": recipe.freeze, "learning_rates": tuple(recipe.learning_rates)}
        for key, names in named.items():
            for name in names:
                if name not in parts:
                    known = ", ".join(part for part, _ in self.net.named_children())
                    raise UsageError(
                        f"Cannot use {key} of {name!r}: {self.card.name} has no such part. "
                        f"Its parts: {known}, and theirs after a dot."
                    )

    def _freeze(self) -> None:
        """Frozen parts get no gradient and stay in eval mode: their batch norms do not move."""
        for name, module in self.net.named_modules():
            if name in self.card.recipe.freeze:
                module.eval()
                for parameter in module.parameters():
                    parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> Training:
        """Train mode for all but the frozen parts."""
        super().train(mode)
        if mode:
            self._freeze()
        return self

    def start(self) -> None:
        """Calls the method that the recipe names, with a batch of real training pictures."""
        name = self.card.recipe.start
        if name is None:
            return
        if not callable(getattr(self.net, name, None)):
            raise UsageError(
                f"Cannot start with {name!r}: {self.card.name} has no such method. "
                "Use --set start=none to begin at random."
            )
        numbers = range(min(64, len(self._training)))
        pixels = torch.cat([self._training[i][0][:1] for i in numbers])
        with torch.no_grad():
            getattr(self.net, name)([normalize(pixels, self.card.input)])

    def on_train_epoch_start(self) -> None:
        """Seeds dropout by the epoch, so that a resumed run draws what it would have drawn."""
        torch.manual_seed(self.card.recipe.seed + self.current_epoch)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Pairs of this epoch; called anew for each (``reload_dataloaders_every_n_epochs``)."""
        count = len(self._training)
        first = self.current_epoch * count
        return self._loader(self._training, range(first, first + count))

    def val_dataloader(self) -> DataLoader[Batch]:
        """The validation pairs, always the same."""
        return self._loader(self._validation, range(len(self._validation)))

    def _loader(self, pairs: Pairs, numbers: range) -> DataLoader[Batch]:
        return DataLoader(
            Subset(pairs, numbers),
            batch_size=max(1, self.card.recipe.batch_size // 2),
            collate_fn=_collate,
            num_workers=self._workers,
            generator=torch.Generator(),  # of its own: a loader must not move dropout's draws
        )

    def _target(self, batch: Batch) -> tuple[Tensor, Target]:
        pixels, label, mask, pair = batch
        return normalize(pixels, self.card.input), Target(label=label, mask=mask, pair=pair)

    def training_step(self, batch: Batch, number: int) -> Tensor:
        """One step: the recipe's loss on one batch of pairs."""
        clips, target = self._target(batch)
        loss = self.card.recipe.loss(_in_float(self.net(clips)), target)
        self._losses.append(float(loss.detach()))
        self.log("loss", loss, prog_bar=True, on_step=True, on_epoch=False)
        return loss

    def validation_step(self, batch: Batch, number: int) -> None:
        """Scores one batch of validation pairs."""
        clips, target = self._target(batch)
        output = _in_float(self.net(clips))
        loss = self.card.recipe.loss(output, target)
        self._seen.append((output.logit.cpu(), target.label.cpu(), loss.detach().cpu().view(1)))

    def on_validation_epoch_end(self) -> None:
        """AUC over single pictures, share of pairs in the right order, and the loss."""
        logit = torch.cat([s[0] for s in self._seen]).double().numpy()
        label = torch.cat([s[1] for s in self._seen]).numpy()
        losses = torch.cat([s[2] for s in self._seen])
        self._seen.clear()
        better = logit[label == 1] - logit[label == 0]
        figures = {
            "auc": float(roc_auc_score(label, logit)) if np.isfinite(logit).all() else 0.0,
            "pair_accuracy": float((better > 0).mean() + (better == 0).mean() / 2),
            "negative_loss": -float(losses.mean()),
        }
        self.log_dict(figures, prog_bar=True)
        if not self.trainer.sanity_checking:
            mean = float(np.mean(self._losses)) if self._losses else math.nan
            self._losses.clear()
            self.curve.append({"epoch": self.current_epoch, "train_loss": mean, **figures})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The curve goes into the checkpoint, so that a resumed run keeps it; and the card."""
        checkpoint["curve"] = self.curve
        checkpoint["card"] = describe(self.card)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the curve back."""
        self.curve = list(checkpoint.get("curve", []))

    def configure_optimizers(self) -> Any:
        """Optimizer and schedule of the recipe; weight decay on weights only."""
        recipe = self.card.recipe
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.net.named_parameters():
            if parameter.requires_grad:
                rate = _rate(name, recipe.learning_rates, recipe.learning_rate)
                decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((rate, decay), []).append(parameter)
        parts = [
            {"params": params, "lr": rate, "weight_decay": decay}
            for (rate, decay), params in groups.items()
        ]
        optimizer: torch.optim.Optimizer
        if recipe.optimizer == "sgd":
            optimizer = torch.optim.SGD(parts, recipe.learning_rate, momentum=recipe.momentum)
        else:
            kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
            optimizer = kind(parts, recipe.learning_rate, betas=recipe.betas, eps=recipe.eps)
        return _with_schedule(optimizer, recipe.schedule, recipe.epochs, self._steps())

    def _steps(self) -> int:
        return math.ceil(len(self._training) / max(1, self.card.recipe.batch_size // 2))


def _with_schedule(
    optimizer: torch.optim.Optimizer, schedule: str, epochs: int, steps_per_epoch: int
) -> Any:
    if schedule == "constant":
        return optimizer
    if schedule == "plateau":
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="max", factor=0.1, patience=5
        )
        monitored = {"scheduler": plateau, "monitor": "negative_loss", "interval": "epoch"}
        return {"optimizer": optimizer, "lr_scheduler": monitored}
    total = epochs * steps_per_epoch
    warm = max(1, min(100, total // 20))

    def share(step: int) -> float:
        # A short linear rise, then half a cosine to 0.
        rise = min(1.0, (step + 1) / warm)
        return rise * 0.5 * (1 + math.cos(math.pi * min(step, total) / total))

    cosine = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cosine, "interval": "step"}}


def _rate(name: str, rates: Any, default: float) -> float:
    """The learning rate of the longest prefix that names this parameter."""
    fitting = [prefix for prefix in rates if name == prefix or name.startswith(prefix + ".")]
    return float(rates[max(fitting, key=len)]) if fitting else default


def _in_float(output: Any) -> Any:
    """Outputs in float32: losses are not computed in half precision."""
    return type(output)(*(None if part is None else part.float() for part in output))


def _collate(batches: list[Batch]) -> Batch:
    pixels, label, mask, pair = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return pixels, label, mask, pair
