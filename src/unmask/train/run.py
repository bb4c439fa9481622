"""``unmask train``: data and a card in, a folder with weights, recipe and curve out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from unmask.detectors import Card, build, get_card
from unmask.errors import WeightsError, import_optional
from unmask.train.data import Faces, Source, read_faces
from unmask.train.fit import Hardware
from unmask.train.mix import check_mix
from unmask.train.parts import check_parts
from unmask.train.samples import Samples
from unmask.train.settings import apply_settings
from unmask.train.training_run import prepare_run, save_result
from unmask.weights import load_weights

_PSEUDO_PAIRS = 600
"""Pairs that validate where fakes are made of real faces."""


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
        weights: a tag or a safetensors file to go on from, instead of the recipe's start; the
            arguments and the input that it was trained with hold, unless ``settings`` change them.
            None takes those of ``starts_from`` where an installed package holds them.
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
    run = prepare_run(name, out, weights=weights, settings=settings, resume=resume, report=report)
    card = apply_settings(get_card(name), run.all_settings)
    first = run.weights or start_in_package(card)
    run = dataclasses.replace(run, weights=first)
    run.open(threads)
    source, checking = source_of(data), None if validation is None else source_of(validation)
    # What does not fit is refused before hours are spent on finding faces.
    check_network(card, None if resume else first)
    faces = read_faces(card, source, checking, workers=workers, report=report)
    module = module_for(card, faces, workers, devices)
    learned, origin = run.fit(
        module,
        faces,
        (source, checking),
        Hardware(device=device, devices=devices),
        progress=progress,
        begin=lambda: _begin(module, card, first),
    )
    result = save_result(
        learned.state,
        run.folder / f"{name}.safetensors",
        name,
        origin,
        args=card.args,
        input=card.input,
    )
    kind = (
        "pseudo-forgeries of the validation faces" if card.recipe.synthesis.kind else "validation"
    )
    top = learned.best
    report(f"Best epoch {top['epoch']}: AUC {top['auc']:.3f} on {kind}. Weights: {result}")
    report(
        "Scans with them end inconclusive until they are calibrated: unmask calibrate DATA "
        f"-d {name}={result} -o {result.stem}.calibration.json"
    )
    return result


def start_in_package(card: Card) -> str | None:
    """Tag of the weights that the card starts from, if a package holds them; else None.

    Of several sizes it is the one that fits the card's arguments.
    """
    if not card.starts_from:
        return None
    fitting = (
        entry.tag
        for entry in card.weights
        if entry.in_package and all(card.args.get(k) == v for k, v in entry.args.items())
    )
    return next(fitting, None)


def check_network(card: Card, weights: str | Path | None) -> None:
    """Refuses parts that the network does not have, a mix that does not fit, and such weights.

    Raises:
        UsageError: the recipe names such a part, or mixes what its clips do not allow.
        UnknownNameError: the recipe mixes an unknown kind of forgery or codec.
        WeightsError: the weights are missing, damaged or of another network.
    """
    net = build(card)
    check_parts(card, net)
    check_mix(card.recipe, card.input.frames)
    if weights is not None:
        _load(net, card, weights)


def source_of(data: str | Path | Source) -> Source:
    """A plain path is a folder with forged media below ``fake/``, or one made by ``prepare``."""
    return data if isinstance(data, Source) else Source(path=Path(data))


def module_for(card: Card, faces: Faces, workers: int, devices: int) -> Any:
    """The Lightning module that trains a card's detector with these faces."""
    from unmask.train.module import DetectorTraining

    recipe = card.recipe
    torch.manual_seed(recipe.seed)
    training, checking = samples_for(card, faces)
    return DetectorTraining(card, training, checking, workers, devices)


def samples_for(card: Card, faces: Faces) -> tuple[Samples, Samples]:
    """What training and validation draw from, by the recipe.

    Validation always compares pairs; forgeries are made for it only where training makes them.
    """
    recipe = card.recipe
    found = faces.by_split
    per_step = max(1, recipe.sampling.batch_size // 2) * recipe.optimizer.accumulate
    steps = recipe.schedule.steps_per_epoch or max(1, len(found["train"]) // per_step)
    steps *= recipe.adversary.steps + 1 if recipe.adversary.parts else 1
    training = Samples(found["train"], card.input, recipe, steps * per_step, recipe.seed)
    checked = recipe.changed({"sampling": "balanced"})
    if not recipe.synthesis.kind:
        checked = checked.changed({"augment": None, "codecs": {}})
    pairs = recipe.sampling.validation_pairs
    is_whole = pairs is None and not recipe.synthesis.kind
    count = min(pairs or _PSEUDO_PAIRS, max(2 * per_step, 8 * len(found["val"])))
    if is_whole:
        labels = [sequence.label for sequence in found["val"]]
        count = max(labels.count(0), labels.count(1))
    seed = recipe.seed + 10_000
    checking = Samples(found["val"], card.input, checked, count, seed, in_order=is_whole)
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
