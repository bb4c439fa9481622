"""``unmask train --pretraining``: pretraining on another task, for a detector to start from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unmask.checkpoints import check_fit, read_metadata, read_safetensors
from unmask.detectors import Card, Pretraining, build, get_card
from unmask.errors import (
    DataError,
    UnknownNameError,
    UsageError,
    WeightsError,
    WrongVariantError,
    explain_unknown,
    import_optional,
)
from unmask.train.class_samples import ClassSamples
from unmask.train.data import Faces, Origin, Source, read_faces
from unmask.train.fit import Hardware
from unmask.train.settings import apply_pretraining_settings
from unmask.train.training_run import prepare_run, save_result
from unmask.weights import load_weights

PRETRAINING_FILE = "pretraining.safetensors"
"""Of a run's folder: the pretraining's own network, which can teach another run."""


def pretraining_of(name: str, pretraining: str) -> Pretraining:
    """A pretraining of a detector's card.

    Raises:
        UnknownNameError: there is no such detector or pretraining; the message lists those known.
    """
    known = get_card(name).pretraining
    if pretraining not in known:
        kind = f"pretraining of {name}"
        raise UnknownNameError(explain_unknown(kind, pretraining, sorted(known)))
    return known[pretraining]


def pretrain(
    name: str,
    pretraining: str,
    data: str | Path | Source,
    out: str | Path,
    *,
    validation: str | Path | Source | None = None,
    teacher: str | Path | None = None,
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
    """Does a pretraining of a detector's card: trains a network that classifies clips.

    Args:
        name: of the detector.
        pretraining: of its card.
        data: the root of a data set in the pretraining's layout, a folder made by ``prepare``, or a
            ``Source`` that names another layout; every row bears its class in ``method``.
            Classes are numbered in the order of their names.
        validation: another one that validates; None takes the validation split of ``data``.
        out: the run's folder; must not exist yet, unless ``resume``.
        teacher: ``pretraining.safetensors`` of an earlier run with the same classes: the
            network of the generation before.
        weights: a tag or a safetensors file from which the result takes those parts of the
            detector that the pretraining does not train; None draws them.
        settings: ``key=value`` changes of the pretraining's recipe, input or arguments.
        resume: goes on after the last whole epoch of an interrupted run in ``out``, with that
            run's settings, teacher and weights if none are given.
        device: ``cpu`` or ``cuda``.
        devices: processes that train together, each on a device of its own (on the CPU too).
        workers: processes that make samples.
        threads: of torch; None leaves its default.
        report: receives lines that tell what happens.
        progress: shows Lightning's progress bar.

    Returns:
        A safetensors file for the detector, to go on from: ``train(name, …, weights=FILE)``.
        Beside it lies ``pretraining.safetensors``.

    Raises:
        UnknownNameError: the card has no such pretraining.
        OutputError: ``out`` exists (without ``resume``) or cannot be written.
        DataError: the data lack faces or classes.
        UsageError: a setting does not fit.
        WeightsError: ``teacher`` or ``weights`` are missing, damaged or of another network.
    """
    import_optional("lightning", "train")
    chosen = pretraining_of(name, pretraining)
    # A pretraining has an input of its own.
    run = prepare_run(
        name, out, weights=weights, settings=settings, resume=resume, report=report, has_input=False
    )
    teacher = teacher or run.earlier.get("teacher")
    card = apply_pretraining_settings(get_card(name), chosen, run.all_settings)
    run.open(threads)
    source = _source(data, chosen)
    checking = None if validation is None else _source(validation, chosen)
    # What fits nothing is refused before hours are spent on finding faces.
    classes = _classes(source, checking, run.earlier)
    around = _detector(card, run.weights)
    tutor = None if teacher is None else _teacher(Path(teacher), card, pretraining, chosen, classes)
    _joined(around, chosen, chosen.build(card.args, len(classes)).state_dict(), card.name)
    faces = read_faces(card, source, checking, workers=workers, report=report)
    _report_unseen(classes, faces, report)
    notes = {
        "pretraining": pretraining,
        "classes": classes,
        "teacher": str(teacher) if teacher else None,
    }
    learned, origin = run.fit(
        _module(card, chosen, classes, faces, workers, devices, tutor),
        faces,
        (source, checking),
        Hardware(device=device, devices=devices),
        progress=progress,
        notes=notes,
    )
    state, top = learned
    result = _save(around, chosen, card, state, run.folder, notes, origin)
    report(
        f"Best epoch {top['epoch']}: {top['accuracy']:.1%} of {len(classes)} classes right. Go on "
        f"with: unmask train {name} --weights {result}"
    )
    return result


def _source(data: str | Path | Source, pretraining: Pretraining) -> Source:
    if isinstance(data, Source) and data.videos is not None:
        raise UsageError(
            f"Cannot choose {data.videos} real videos for a pretraining: it classifies clips, not "
            "real and forged. Leave their number out."
        )
    return data if isinstance(data, Source) else Source(path=Path(data), dataset=pretraining.layout)


def _classes(source: Source, checking: Source | None, earlier: Mapping[str, Any]) -> list[str]:
    """Names of the classes, sorted: their places are their numbers."""
    rows = source.rows()
    checked = [row for row in rows if row.split == "val"] if checking is None else checking.rows()
    trained = [row for row in rows if row.split == "train"] if checking is None else rows
    unnamed = [row for row in (*trained, *checked) if not row.method]
    if unnamed:
        raise DataError(
            f"{len(unnamed)} of {len(trained) + len(checked)} files in '{source}' bear no class, "
            f"'{unnamed[0].path}' first. Give the root of a data set whose folders or lists name "
            "classes."
        )
    classes = sorted({row.method for row in trained})
    if len(classes) < 2:
        found = f"one class ({classes[0]!r})" if classes else "no class"
        raise DataError(
            f"The training data in '{source}' hold {found}; at least 2 are needed. "
            "Give the whole data set."
        )
    strange = sorted({row.method for row in checked} - set(classes))
    if strange:
        raise DataError(
            f"Validation holds {len(strange)} classes that training lacks, {strange[0]!r} first. "
            "Give data with the same classes on both sides."
        )
    before = earlier.get("classes")
    if before is not None and before != classes:
        raise DataError(
            f"Cannot resume: the run knows {len(before)} classes, the data in '{source}' hold "
            f"{len(classes)} ({_difference(before, classes)}). Give the data it began with."
        )
    return classes


def _report_unseen(classes: Sequence[str], faces: Faces, report: Callable[[str], None]) -> None:
    """Reports the classes in none of whose training files a face was found."""
    seen = {sequence.video.method for sequence in faces.by_split["train"]}
    unseen = [name for name in classes if name not in seen]
    if unseen:
        report(
            f"No face was found in the training files of {', '.join(map(repr, unseen[:5]))} "
            f"({len(unseen)} of {len(classes)} classes): nothing can be learned of them."
        )


def _difference(known: Sequence[str], wanted: Sequence[str]) -> str:
    """The first classes that stand on one side alone."""
    added = [name for name in wanted if name not in known]
    removed = [name for name in known if name not in wanted]
    parts = [("new", added), ("missing", removed)]
    lists = [f"{word}: {', '.join(map(repr, names[:3]))}" for word, names in parts if names]
    return "; ".join(lists) or "in another order"


def _detector(card: Card, weights: str | Path | None) -> dict[str, Tensor]:
    """The detector that the pretraining's result becomes a part of."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(card.recipe.seed)
        net = build(card)
    if weights is not None:
        load_weights(net, card, weights)
    return net.state_dict()


def _owner(name: str, pretraining: str) -> str:
    """Whose network it is: no detector's name, so that none takes it for its own."""
    return f"{name}, pretraining {pretraining}"


def _teacher(
    path: Path, card: Card, name: str, pretraining: Pretraining, classes: list[str]
) -> nn.Module:
    """The network of an earlier run of the same pretraining."""
    path = path.expanduser()
    if not path.is_file():
        raise WeightsError(
            f"Cannot find the teacher '{path}'. Give the {PRETRAINING_FILE} of a run."
        )
    metadata = read_metadata(path)
    owner = metadata.get("detector", "an unknown network")
    if owner not in (_owner(card.name, name), f"{card.name}, stage {name}"):  # as of before
        raise WeightsError(
            f"'{path}' cannot teach {_owner(card.name, name)}: it is of {owner}. Give the "
            f"{PRETRAINING_FILE} of an earlier run of the same pretraining."
        )
    known = json.loads(metadata.get("classes", "[]"))
    if known != classes:
        raise WrongVariantError(
            f"Teacher '{path}' tells other classes apart: it knows {len(known)}, the data hold "
            f"{len(classes)} ({_difference(known, classes)}). Give one trained with the same data."
        )
    net = pretraining.build(card.args, len(classes))
    state = read_safetensors(path)
    check_fit(state, net.state_dict(), str(path), owner)
    net.load_state_dict(state)
    return net


def _module(
    card: Card,
    pretraining: Pretraining,
    classes: list[str],
    faces: Faces,
    workers: int,
    devices: int,
    teacher: nn.Module | None,
) -> Any:
    from unmask.train.class_module import ClassTraining

    recipe = card.recipe
    torch.manual_seed(recipe.seed)
    found = faces.by_split
    training = ClassSamples(found["train"], classes, card.input, recipe, recipe.seed)
    checking = ClassSamples(
        found["val"], classes, card.input, recipe, recipe.seed + 10_000, is_checking=True
    )
    return ClassTraining(
        card, pretraining, len(classes), training, checking, workers, devices, teacher=teacher
    )


def _joined(
    around: Mapping[str, Tensor], pretraining: Pretraining, learned: Mapping[str, Tensor], name: str
) -> dict[str, Tensor]:
    """The detector's state dict with what the pretraining brings."""
    state = {**around, **pretraining.into(learned)}
    check_fit(state, around, "of the pretraining", name)
    return state


def _save(
    around: Mapping[str, Tensor],
    pretraining: Pretraining,
    card: Card,
    learned: Mapping[str, Tensor],
    folder: Path,
    about: Mapping[str, Any],
    origin: Origin,
) -> Path:
    """Writes the pretraining's own network and the detector that holds it."""
    which = about["pretraining"]
    notes = {"pretraining": which, "classes": json.dumps(about["classes"])}
    owner = _owner(card.name, which)
    save_result(learned, folder / PRETRAINING_FILE, owner, origin, notes=notes)
    trained_on = f"{origin.trained_on} (pretraining {which}): a start for training, not a detector"
    return save_result(
        _joined(around, pretraining, learned, card.name),
        folder / f"{card.name}.safetensors",
        card.name,
        origin._replace(trained_on=trained_on),
        args=card.args,  # But not the pretraining's input: a detector looks at its own.
        notes=notes,
    )
