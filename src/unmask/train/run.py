"""``unmask train``: data and a card in, a folder with weights, recipe and curve out."""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from unmask._version import __version__
from unmask.datasets import read_folder
from unmask.detectors import Card, cache_dir, get_card, load_detector, save_weights
from unmask.errors import DataError, OutputError, WeightsError, import_optional
from unmask.train.gather import Sample, gather
from unmask.train.pairs import Pairs
from unmask.train.settings import apply_settings, describe
from unmask.types import LabelledVideo

_VALIDATION_PAIRS = 600


def train(
    name: str,
    data: str | Path,
    out: str | Path,
    *,
    validation: str | Path | None = None,
    weights: str | Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    device: str = "cpu",
    workers: int = 1,
    threads: int | None = None,
    report: Callable[[str], None] = lambda line: None,
    progress: bool = True,
) -> Path:
    """Trains a detector by its card's recipe.

    Args:
        name: of the detector.
        data: a folder; forged media lie below ``fake/``, all else is real.
        validation: a folder of files that validate; None takes a tenth of ``data``.
        out: the run's folder; must not exist yet, unless ``resume``.
        weights: a tag or a safetensors file to go on from, instead of the recipe's start.
        settings: ``key=value`` changes of the recipe, see ``apply_settings``.
        resume: goes on after the last whole epoch of an interrupted run in ``out``, with that
            run's settings if none are given.
        device: ``cpu`` or ``cuda``.
        workers: processes that make samples.
        threads: of torch; None leaves its default.
        report: receives lines that tell what happens.
        progress: shows Lightning's progress bar.

    Returns:
        The safetensors file of the best epoch.

    Raises:
        OutputError: ``out`` exists (without ``resume``) or cannot be written.
        DataError: the data lack faces or a class.
        UsageError: a setting does not fit, see ``apply_settings``.
        WeightsError: ``weights`` are missing, damaged or of another network.
    """
    import_optional("lightning", "train")
    import_optional("sklearn.metrics", "train")
    folder = Path(out)
    if resume and not settings:
        settings = _earlier_settings(folder)
    card = apply_settings(get_card(name), settings)
    _open_folder(folder, resume)
    if threads is not None:
        torch.set_num_threads(threads)
    rows = read_folder(data)
    if validation is not None:
        rows = [dataclasses.replace(row, split="train") for row in rows]
        rows += read_folder(validation, split="val")
    samples = {split: _faces(rows, split, report) for split in ("train", "val")}
    module = _module(card, samples, workers)
    record = _record(card, rows, samples, data, validation, device, settings)
    record["weights"] = str(weights) if weights else None
    _write_json(folder / "run.json", record)
    started = time.monotonic()
    if not resume:
        _begin(module, card, weights)
    best = _fit(module, card, folder, resume, device, progress)
    net_state = {
        key.removeprefix("net."): value
        for key, value in best["state_dict"].items()
        if key.startswith("net.")
    }
    result = folder / f"{name}.safetensors"
    if resume:
        result.unlink(missing_ok=True)  # this run's own earlier result
    save_weights(
        net_state,
        result,
        detector=name,
        tag=folder.name,
        license="MIT",
        trained_on=f"{record['data']['train_files']} files of {data}",
    )
    chosen = max(module.curve, key=lambda row: row[card.recipe.monitor])
    record |= {
        "curve": module.curve,
        "best": chosen,
        "hours": round((time.monotonic() - started) / 3600, 3),
    }
    _write_json(folder / "run.json", record)
    report(
        f"Best epoch {chosen['epoch']}: AUC {chosen['auc']:.3f} on pseudo-forgeries of the "
        f"validation faces. Weights: {result}"
    )
    return result


def _open_folder(folder: Path, resume: bool) -> None:
    last = folder / "last.ckpt"
    if resume and not last.is_file():
        raise OutputError(
            f"Cannot resume in '{folder}': there is no last.ckpt, so no epoch was finished there. "
            "Train anew, without --resume, into another folder."
        )
    if not resume and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError(
            f"The run folder '{folder}' exists and is not empty. Give another one with -o, "
            "or continue it with --resume."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot make the run folder '{folder}': {error.strerror}. Give another with -o."
        ) from error


def _earlier_settings(folder: Path) -> list[str]:
    """The settings of the run that lies in a folder; none if it does not say."""
    try:
        record = json.loads((folder / "run.json").read_text())
        return [str(setting) for setting in record["settings"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _faces(
    rows: Sequence[LabelledVideo], split: str, report: Callable[[str], None]
) -> list[Sample]:
    videos = [row for row in rows if row.split == split]
    if not videos:
        raise DataError(f"No file fell into the split '{split}': give more data, or --validation.")

    def told(done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            report(f"Faces for {split}: {done} of {total} files")

    samples, problems = gather(videos, cache_dir() / "faces", report=told)
    for line in problems[:5]:
        report(line)
    if len(problems) > 5:
        report(f"... and {len(problems) - 5} more files could not be used.")
    return samples


def _module(card: Card, samples: dict[str, list[Sample]], workers: int) -> Any:
    from unmask.train.module import Training

    recipe = card.recipe
    per_step = max(1, recipe.batch_size // 2)
    steps = recipe.steps_per_epoch or max(1, len(samples["train"]) // per_step)
    how = {"synthesize": recipe.synthesize, "augment": recipe.augment}
    training = Pairs(samples["train"], card.input, steps * per_step, recipe.seed, **how)
    count = min(_VALIDATION_PAIRS, max(2 * per_step, 8 * len(samples["val"])))
    # Validation makes forgeries of its own, whatever else its folder holds.
    checking = Pairs(samples["val"], card.input, count, recipe.seed + 10_000, **how)
    torch.manual_seed(recipe.seed)
    return Training(card, training, checking, workers)


def _begin(module: Any, card: Card, weights: str | Path | None) -> None:
    """Gives the network its first weights: those named, else by the recipe's ``start``."""
    if weights is None:
        module.start()
        return
    state = load_detector(card.name, weights).state_dict()
    try:
        module.net.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(
            f"Weights '{weights}' do not fit {card.name} with the arguments that --set gave it. "
            "Leave the network's arguments as they are, or train without --weights."
        ) from error


def _fit(
    module: Any, card: Card, folder: Path, resume: bool, device: str, progress: bool
) -> dict[str, Any]:
    import lightning
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    recipe = card.recipe
    keep = ModelCheckpoint(
        folder, filename="best", monitor=recipe.monitor, mode="max", enable_version_counter=False
    )
    # save_last would only follow the best one: what a resume needs is the last whole epoch.
    last = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    # Lightning's tips and greetings are not ours to print; its warnings stay.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    stop = EarlyStopping(recipe.monitor, mode="max", patience=recipe.patience)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="gpu" if device.startswith("cuda") else "cpu",
            devices=1,
            max_epochs=recipe.epochs,
            precision=recipe.precision,  # type: ignore[arg-type]
            gradient_clip_val=recipe.gradient_clip,
            callbacks=[keep, last, stop],
            logger=False,
            enable_progress_bar=progress,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            log_every_n_steps=10,
        )
        trainer.fit(module, ckpt_path=str(folder / "last.ckpt") if resume else None)
    best: dict[str, Any] = torch.load(
        keep.best_model_path or folder / "best.ckpt", map_location="cpu", weights_only=True
    )
    return best


def _record(
    card: Card,
    rows: Sequence[LabelledVideo],
    samples: dict[str, list[Sample]],
    data: str | Path,
    validation: str | Path | None,
    device: str,
    settings: Sequence[str],
) -> dict[str, Any]:
    counts = {
        f"{split}_{what}": number
        for split, found in samples.items()
        for what, number in (
            ("files", len({s.group for s in found})),
            ("faces", len(found)),
            ("forged_files", len({s.group for s in found if s.label})),
        )
    }
    return {
        "detector": card.name,
        "unmask_version": __version__,
        "torch_version": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "device": device,
        "settings": list(settings),
        **describe(card),
        "data": {
            "path": str(data),
            "validation_path": str(validation) if validation else None,
            "rows": len(rows),
            **counts,
        },
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    partial.replace(path)
