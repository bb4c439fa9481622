"""Lightning's trainer, set up by the recipe: checkpoints, logs, several devices."""

from __future__ import annotations

import errno
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from unmask.errors import OutputError, UsageError
from unmask.train.run_folder import write_record

if TYPE_CHECKING:
    from unmask.train.epochs import TrainingModule


class Fitted(NamedTuple):
    """What training came to.

    Attributes:
        state: of the network in its best epoch.
        best: that epoch's metrics.
    """

    state: dict[str, Tensor]
    best: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Where a run is made.

    Attributes:
        device: ``cpu`` or ``cuda``.
        devices: processes that train together, each on a device of its own (on the CPU too).
    """

    device: str
    devices: int


def learn(
    module: TrainingModule,
    folder: Path,
    record: Mapping[str, Any],
    hardware: Hardware,
    *,
    resume: bool,
    progress: bool,
    begin: Callable[[], None] = lambda: None,
) -> Fitted:
    """Writes a run down, trains ``module``, and writes down what came of it.

    Args:
        module: the network, with the card whose recipe is followed.
        folder: of the run.
        record: what the run is.
        hardware: where it is made.
        resume: goes on after the last whole epoch.
        progress: shows Lightning's progress bar.
        begin: gives a new run its first weights; a resumed one has them.

    Raises:
        OutputError: the folder cannot be written to.
        UsageError: more processes than the batch has items.
    """
    write_record(folder, dict(record))
    if not resume:
        begin()
    best, last = _fit(module, folder, hardware, resume, progress)
    curve: list[dict[str, float]] = last["curve"]
    top = max(curve, key=lambda row: row[module.card.recipe.schedule.monitor])
    came = {"curve": curve, "best": top, "hours": round(last["hours"], 3)}
    write_record(folder, {**record, **came})
    state = best["state_dict"]
    # The module's name for the network, which is all that it saves.
    return Fitted({k.removeprefix("net."): v for k, v in state.items()}, top)


def _fit(
    module: TrainingModule, folder: Path, hardware: Hardware, resume: bool, progress: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trains ``module`` to the end of its recipe.

    The best epoch is kept as ``best.ckpt``, the last whole one as ``last.ckpt``, the curves for
    TensorBoard below ``tensorboard``.

    Returns:
        The best checkpoint and the last.
    """
    import lightning
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    recipe, devices, device = module.card.recipe, hardware.devices, hardware.device
    batch_size = recipe.sampling.batch_size
    if devices > 1 and batch_size // 2 < devices:
        raise UsageError(
            f"Cannot share a batch of {batch_size} among {devices} processes: expected at "
            "least a pair for each. Raise batch_size, or use fewer devices."
        )
    keep = ModelCheckpoint(
        folder,
        filename="best",
        monitor=recipe.schedule.monitor,
        mode="max",
        enable_version_counter=False,
    )
    # save_last would only follow the best one: what a resume needs is the last whole epoch.
    last = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    # Lightning's tips and greetings are not ours to print; its warnings stay.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    stop = EarlyStopping(recipe.schedule.monitor, mode="max", patience=recipe.schedule.patience)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="gpu" if device.startswith("cuda") else "cpu",
            devices=devices,
            strategy=_strategy(devices, device),
            max_epochs=recipe.schedule.epochs,
            precision=recipe.precision,  # type: ignore[arg-type]
            gradient_clip_val=None if recipe.adversary.parts else recipe.optimizer.gradient_clip,
            accumulate_grad_batches=recipe.optimizer.accumulate,
            callbacks=[keep, last, stop],
            logger=_logger(folder),
            enable_progress_bar=progress,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            log_every_n_steps=10,
        )
        with _explained_when_full(folder):
            trainer.fit(module, ckpt_path=str(folder / "last.ckpt") if resume else None)
    # Read back, not taken from ``module``: with several processes it stayed behind.
    best = _read(Path(keep.best_model_path or folder / "best.ckpt"))
    return best, _read(folder / "last.ckpt")


@contextmanager
def _explained_when_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OutputError(
            f"Cannot go on in '{folder}': the disk is full. The last whole epoch is kept; free "
            "some space and go on with --resume."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _strategy(devices: int, device: str) -> Any:
    """One process needs none; several each keep a copy and average their gradients."""
    if devices == 1:
        return "auto"
    from lightning.pytorch.strategies import DDPStrategy

    # Spawned, not started anew from the command line: a library call has none.
    return DDPStrategy(
        start_method="spawn",
        process_group_backend="nccl" if device.startswith("cuda") else "gloo",
        # Parts that warm up later, or that belong to the adversary, get no gradient.
        find_unused_parameters=True,
    )


def _logger(folder: Path) -> Any:
    """TensorBoard's, if it is installed (it comes with the extra ``train``)."""
    from lightning.pytorch.loggers import TensorBoardLogger

    try:
        return TensorBoardLogger(folder, name="tensorboard", version="")
    except ModuleNotFoundError:
        return False
