"""``unmask train``: data and a card in, a folder with weights, recipe and curve out."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from unmask._version import __version__
from unmask.detectors import Card, build, get_card, save_weights
from unmask.detectors._weights import load_weights
from unmask.errors import WeightsError, import_optional
from unmask.train.data import Faces, Origin, Source, origin_of, read_faces
from unmask.train.fit import fit
from unmask.train.run_folder import earlier_settings, open_folder, read_record, write_record
from unmask.train.samples import Samples
from unmask.train.settings import apply_settings, describe


def train(
    name: str,
    data: str | Path | Source,
    out: str | Path,
    *,
    validation: str | Path | Source | None = None,
    weights: str | Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    device: str = "cpu",
    devices: int = 1,
    workers: int = 1,
    threads: int | None = None,
    report: Callable[[str], None] = lambda line: None,
    progress: bool = True,
) -> Path:
    """Trains a detector by its card's recipe.

    Args:
        name: of the detector.
        data: a folder whose forged media lie below ``fake/``, one made by ``prepare``, or a
            ``Source`` that names another layout.
        validation: another one that validates; None takes the validation split of ``data``, of a
            plain folder a tenth.
        out: the run's folder; must not exist yet, unless ``resume``.
        weights: a tag or a safetensors file to go on from, instead of the recipe's start.
        settings: ``key=value`` changes of the recipe, see ``apply_settings``.
        resume: goes on after the last whole epoch of an interrupted run in ``out``, with that
            run's settings if none are given.
        device: ``cpu`` or ``cuda``.
        devices: processes that train together, each on a device of its own (on the CPU too).
        workers: processes that make samples.
        threads: of torch; None leaves its default.
        report: receives lines that tell what happens.
        progress: shows Lightning's progress bar.

    Returns:
        The safetensors file of the best epoch.

    Raises:
        OutputError: ``out`` exists (without ``resume``) or cannot be written.
        DataError: the data lack faces, a class, masks or twins, or a person is in two splits.
        UsageError: a setting does not fit, see ``apply_settings``.
        WeightsError: ``weights`` are missing, damaged or of another network.
    """
    import_optional("lightning", "train")
    import_optional("sklearn.metrics", "train")
    folder = Path(out)
    if resume:
        settings = settings or earlier_settings(folder)
        weights = weights or read_record(folder).get("weights")
    card = apply_settings(get_card(name), settings)
    open_folder(folder, resume)
    if threads is not None:
        torch.set_num_threads(threads)
    checking = None if validation is None else source_of(validation)
    if weights is not None and not resume:
        # What does not fit is refused before hours are spent on finding faces.
        _load(build(card), card, weights)
    source = source_of(data)
    faces = read_faces(card, source, checking, workers=workers, report=report)
    module = module_for(card, faces, workers, devices)
    record = record_of(card, faces, device, devices, settings)
    record["data"] |= sources_of(source, checking)
    record["weights"] = str(weights) if weights else None
    write_record(folder, record)
    started = time.monotonic()
    if not resume:
        _begin(module, card, weights)
    best, curve = fit(module, card, folder, resume, device, devices, progress)
    chosen = max(curve, key=lambda row: row[card.recipe.monitor])
    hours = round((time.monotonic() - started) / 3600, 3)
    write_record(folder, record | {"curve": curve, "best": chosen, "hours": hours})
    result = _save(best, folder, name, origin_of(source, faces, weights), resume)
    kind = "pseudo-forgeries of the validation faces" if card.recipe.synthesize else "validation"
    report(f"Best epoch {chosen['epoch']}: AUC {chosen['auc']:.3f} on {kind}. Weights: {result}")
    return result


def source_of(data: str | Path | Source) -> Source:
    """A plain path is a folder with forged media below ``fake/``, or one made by ``prepare``."""
    return data if isinstance(data, Source) else Source(path=Path(data))


def sources_of(data: Source, validation: Source | None) -> dict[str, Any]:
    """Where the data of a run come from, for ``write_record``."""
    return {
        "path": str(data),
        "validation_path": validation and str(validation),
        "dataset": data.dataset,
        "methods": data.methods,
        "compressions": data.compressions,
    }


def _save(
    best: dict[str, Any], folder: Path, name: str, origin: Origin, is_overwriting: bool
) -> Path:
    """Writes the best epoch's network as safetensors."""
    result = folder / f"{name}.safetensors"
    if is_overwriting:
        result.unlink(missing_ok=True)  # this run's own earlier result
    return save_weights(
        {
            key.removeprefix("net."): value
            for key, value in best["state_dict"].items()
            if key.startswith("net.")
        },
        result,
        detector=name,
        tag=folder.name,
        license=origin.license,
        trained_on=origin.trained_on,
    )


def module_for(card: Card, faces: Faces, workers: int, devices: int) -> Any:
    """The Lightning module that trains a card's detector with these faces."""
    from unmask.train.module import Training

    recipe = card.recipe
    torch.manual_seed(recipe.seed)
    training, checking = samples_for(card, faces)
    return Training(card, training, checking, workers, devices)


def samples_for(card: Card, faces: Faces) -> tuple[Samples, Samples]:
    """What training and validation draw from, by the recipe.

    Validation always compares pairs; forgeries are made for it only where training makes them.
    """
    recipe = card.recipe
    found = faces.by_split
    per_step = max(1, recipe.batch_size // 2) * recipe.accumulate
    steps = recipe.steps_per_epoch or max(1, len(found["train"]) // per_step)
    steps *= recipe.adversary_steps + 1 if recipe.adversary else 1
    training = Samples(found["train"], card.input, recipe, steps * per_step, recipe.seed)
    checked = dataclasses.replace(
        recipe, sampling="balanced", augment=recipe.augment if recipe.synthesize else None
    )
    count = min(recipe.validation_pairs, max(2 * per_step, 8 * len(found["val"])))
    checking = Samples(found["val"], card.input, checked, count, recipe.seed + 10_000)
    return training, checking


def _begin(module: Any, card: Card, weights: str | Path | None) -> None:
    """Gives the network its first weights: those named, else by the recipe's ``start``."""
    if weights is not None:
        _load(module.net, card, weights)
    if weights is None or card.recipe.starts_after_weights:
        module.start()


def _load(net: nn.Module, card: Card, weights: str | Path) -> None:
    try:
        load_weights(net, card, weights)
    except WeightsError as error:
        if card.args == get_card(card.name).args:
            raise
        raise WeightsError(
            f"{error} The arguments of the network were changed by --set: give those that the "
            "weights were trained with, or train without --weights."
        ) from error


def record_of(
    card: Card, faces: Faces, device: str, devices: int, settings: Sequence[str]
) -> dict[str, Any]:
    """What a run is, for ``write_record``."""
    return {
        "detector": card.name,
        "unmask_version": __version__,
        "torch_version": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "device": device,
        "devices": devices,
        "settings": list(settings),
        **describe(card),
        "data": {
            "rows": len(faces.rows),
            **faces.counts(),
        },
    }
