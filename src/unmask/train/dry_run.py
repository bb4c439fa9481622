"""What a training run would be, shown before hours are spent on it."""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from unmask.detectors import get_card
from unmask.errors import import_optional
from unmask.train.data import Source, read_faces
from unmask.train.run import check_network, module_for, source_of
from unmask.train.settings import apply_settings, describe
from unmask.train.training_run import inherited_settings

_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a few steps showed.

    Attributes:
        recipe: recipe, input and arguments, all settings applied.
        counts: files and stored faces of each split, and how many files are fake.
        trained, frozen: numbers of parameters.
        steps_per_epoch: batches in an epoch.
        clips_per_batch: real and forged ones together.
        fake_share: of the clips seen here.
        batch_s: seconds to make one batch in one process.
        step_s: seconds for one step on it, the first one left out.
        epoch_s: seconds expected for an epoch, validation included.
        memory_mb: highest use, of the device's memory on a GPU, else of this process.
    """

    recipe: dict[str, dict[str, object]]
    counts: dict[str, int]
    trained: int
    frozen: int
    steps_per_epoch: int
    clips_per_batch: int
    fake_share: float
    batch_s: float
    step_s: float
    epoch_s: float
    memory_mb: float

    def lines(self) -> list[str]:
        """For a person."""
        epochs = self.recipe["recipe"]["epochs"]
        lines = [f"{key} = {value}" for part in self.recipe.values() for key, value in part.items()]
        for split in ("train", "val"):
            files, fakes = self.counts[f"{split}_files"], self.counts[f"{split}_forged_files"]
            lines.append(
                f"{split}: {files - fakes} real and {fakes} fake files, "
                f"{self.counts[f'{split}_faces']} stored clips"
            )
        memory = "not measured here" if math.isnan(self.memory_mb) else f"{self.memory_mb:,.0f} MB"
        return [
            *lines,
            f"Parameters: {self.trained:,} trained, {self.frozen:,} frozen",
            f"Batch: {self.clips_per_batch} clips, {self.fake_share:.0%} of them fake; "
            f"{self.batch_s:.2f} s to make, {self.step_s:.2f} s to learn from",
            f"Epoch: {self.steps_per_epoch} batches, about {self.epoch_s / 60:.1f} min; "
            f"{epochs} epochs at most, about {float(str(epochs)) * self.epoch_s / 3600:.1f} h",
            f"Memory: {memory}",
        ]


def dry_run(
    name: str,
    data: str | Path | Source,
    *,
    validation: str | Path | Source | None = None,
    weights: str | Path | None = None,
    settings: Sequence[str] = (),
    device: str = "cpu",
    workers: int = 1,
    threads: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> DryRun:
    """Finds the faces, takes a few steps and throws the result away; nothing is written.

    Args: as ``train``.

    Raises:
        DataError: as ``train``.
        UsageError: as ``train``.
        WeightsError: as ``train``.
    """
    import_optional("lightning", "train")
    inherited = inherited_settings(get_card(name), weights, {}, report)
    card = apply_settings(get_card(name), [*inherited, *settings])
    if threads is not None:
        torch.set_num_threads(threads)
    checking = None if validation is None else source_of(validation)
    check_network(card, weights)
    faces = read_faces(card, source_of(data), checking, workers=workers, report=report)
    module = module_for(card, faces, 0, 1).to(device)
    batch_s, step_s, labels = _measure(module)
    batches = len(module.train_dataloader())
    checks = len(module.val_dataloader())
    per_batch = batch_s + step_s if workers == 0 else max(batch_s / workers, step_s)
    parameters = list(module.net.parameters())
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    return DryRun(
        recipe=describe(card),
        counts=faces.counts(),
        trained=trained,
        frozen=sum(p.numel() for p in parameters) - trained,
        steps_per_epoch=batches,
        clips_per_batch=math.ceil(len(labels) / _STEPS),
        fake_share=float(labels.mean()),
        batch_s=batch_s,
        step_s=step_s,
        # Validation makes the same clips but learns nothing: a third of a step.
        epoch_s=batches * per_batch + checks * (batch_s / max(1, workers) + step_s / 3),
        memory_mb=_memory_mb(device),
    )


def _measure(module: Any) -> tuple[float, float, torch.Tensor]:
    """Seconds for a batch and for a step, and the labels seen."""
    made = module.configure_optimizers()
    made = made["optimizer"] if isinstance(made, dict) else made
    optimizer = made[0] if isinstance(made, list) else made
    module.net.train()
    batch_times, step_times, labels = [], [], []
    loader = iter(module.train_dataloader())
    for _ in range(_STEPS):
        begin = time.perf_counter()
        batch = next(loader, None) or next(iter(module.train_dataloader()))
        batch_times.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        loss = module.loss_of(module.transfer_batch_to_device(batch, module.device, 0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        float(loss.detach())  # waits for a GPU
        step_times.append(time.perf_counter() - begin)
        labels.append(batch.label)
    return min(batch_times), min(itertools.islice(step_times, 1, None)), torch.cat(labels)


def _memory_mb(device: str) -> float:
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / 1e6 if sys.platform == "darwin" else highest / 1e3
