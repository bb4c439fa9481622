"""Options that several commands take: declared once, checked before anything heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from unmask.errors import UnknownNameError, UsageError, explain_unknown

_DEVICE = re.compile(r"(cpu|cuda|mps)(:\d+)?")


def check_detectors(names: list[str] | None) -> list[str] | None:
    """The same names; reads names of files only, so that no detector is imported.

    Raises:
        UnknownNameError: a name is not that of a detector.
    """
    from unmask.detectors import list_detectors

    for name in names or ():
        if name not in (known := list_detectors()):
            raise UnknownNameError(explain_unknown("detector", name, known))
    return names


def _check_detector(name: str | None) -> str | None:
    check_detectors(None if name is None else [name])
    return name


def _check_datasets(names: list[str] | None) -> list[str] | None:
    from unmask.datasets import get_adapter

    for name in names or ():
        get_adapter(name)
    return names


def _check_dataset(name: str | None) -> str | None:
    _check_datasets(None if name is None else [name])
    return name


def _check_device(device: str) -> str:
    if not _DEVICE.fullmatch(device):
        raise UsageError(
            f"Unknown device {device!r}. Give cpu, or cuda for a GPU (cuda:1 for the second one)."
        )
    return device


_DETECTOR = ("--detector", "-d")
_WEIGHTS = ("--weights", "-w")
_DETECTOR_HELP = "Detector to use; see: unmask list."

DetectorName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Detector; see: unmask list.", callback=_check_detector),
]
Detector = Annotated[
    str | None,
    typer.Option(*_DETECTOR, metavar="NAME", help=_DETECTOR_HELP, callback=_check_detector),
]
Detectors = Annotated[
    list[str] | None,
    typer.Option(
        *_DETECTOR,
        metavar="NAME",
        help=f"{_DETECTOR_HELP} Repeatable.",
        callback=check_detectors,
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        *_WEIGHTS, metavar="NAME=TAG|FILE", help="Other weights for a detector. Repeatable."
    ),
]
OwnWeights = Annotated[
    str | None,
    typer.Option(*_WEIGHTS, metavar="TAG|FILE", help="Start from these weights."),
]
Device = Annotated[
    str,
    typer.Option(metavar="cpu|cuda", help="Where the networks run.", callback=_check_device),
]

DatasetName = Annotated[
    str,
    typer.Argument(
        metavar="LAYOUT", help="Data set; see: unmask datasets list.", callback=_check_dataset
    ),
]
DatasetRoot = Annotated[
    Path, typer.Argument(metavar="PATH", help="Root of the data set; of csv, the file.")
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="LAYOUT",
        help="Layout of the data; see: unmask datasets list. Default: folder.",
        callback=_check_dataset,
        show_default=False,
    ),
]
Datasets = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset",
        metavar="LAYOUT",
        help="Layout of each --data, in the same order; see: unmask datasets list. "
        "[default: folder]",
        callback=_check_datasets,
        show_default=False,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(metavar="SPLIT", help="Use only this split: train, val or test."),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method", "-m", metavar="METHOD", help="Use only this forgery method. Repeatable."
    ),
]
Compressions = Annotated[
    list[str] | None,
    typer.Option(
        "--compression", metavar="RATE", help="Use only this compression, such as c23. Repeatable."
    ),
]

Table = Annotated[
    str | None,
    typer.Argument(
        metavar="paper:NAME/TABLE",
        help="A table of one of the papers; a name that does not exist lists them.",
        show_default=False,
    ),
]
DataRoots = Annotated[
    list[Path] | None,
    typer.Option("--data", metavar="PATH", help="Root of a data set. Repeatable."),
]
Results = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="RESULTS",
        help="Folder of the scores and tables; scores in it are used again.",
    ),
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option(metavar="A B", help="Paired differences of two detectors: NAME or NAME@HASH."),
]
ThresholdFrom = Annotated[
    str | None,
    typer.Option(
        metavar="DATA_SET", help="Take thresholds from its split val. Default: from each own."
    ),
]
Threshold = Annotated[
    str | None,
    typer.Option(
        metavar="balanced|validation|0",
        help="Accuracies at the best balanced or plain accuracy on the split val, or at the logit "
        "0. Default: balanced; of a paper's table, what the paper did.",
        show_default=False,
    ),
]
FirstFrames = Annotated[
    int | None,
    typer.Option(
        "--frames",
        min=1,
        metavar="N",
        help="Only the first N frames of a video count. Default: all; of a paper's table, as many "
        "as in the paper.",
        show_default=False,
    ),
]
Faces = Annotated[
    str | None,
    typer.Option(
        metavar="all|main",
        help="Score of a video: the highest of its faces, or that of its main face. Default: all; "
        "of a paper's table, what the paper did.",
        show_default=False,
    ),
]
Granularity = Annotated[
    str,
    typer.Option(
        metavar="video|face|clip",
        help="Measure videos, each face in them, or each clip (of an image detector: frames).",
    ),
]
Plots = Annotated[
    bool, typer.Option("--plots", help="Draw what the scores allow; say what the rest needs.")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        metavar="CONDITION",
        help="Such as 'blur 3', flip_1, all-corruptions or all-orders; '' is none. Repeatable.",
    ),
]
Embeddings = Annotated[bool, typer.Option("--embeddings", help="Keep embeddings, for a map.")]
StandIn = Annotated[
    str | None,
    typer.Option(
        metavar="minibench",
        help="Run a paper's table on these data; the paper's values are of others.",
    ),
]
Resamples = Annotated[
    int, typer.Option(min=1, metavar="N", help="Number of bootstrap samples, for intervals.")
]

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one line of the recipe. Repeatable."),
]
Devices = Annotated[int, typer.Option(min=1, help="GPUs (or CPU processes) that train together.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of PyTorch.")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Seed of everything random.")]
Workers = Annotated[int, typer.Option(min=1, help="Number of processes.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Overwrite existing files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AcceptLicense = Annotated[
    bool, typer.Option("--accept-license", help="Accept a license that forbids commercial use.")
]


def out(metavar: str, text: str) -> OptionInfo:
    """The option ``--out``, which every command describes for itself."""
    option: OptionInfo = typer.Option("--out", "-o", metavar=metavar, help=text, show_default=False)
    return option


def pair_layouts(
    paths: Sequence[Path] | None, layouts: Sequence[str] | None
) -> list[tuple[Path, str | None]]:
    """Each ``--data`` with its ``--dataset``; the last ones may have none.

    Raises:
        UsageError: there are more layouts than paths.
    """
    given, named = paths or (), layouts or ()
    if len(named) > len(given):
        raise UsageError(
            f"Cannot read data: {len(named)} --dataset for {len(given)} --data. "
            "Give each layout with its path."
        )
    return list(zip(given, [*named, *[None] * (len(given) - len(named))], strict=True))


def parse_weights(choices: Sequence[str] | None) -> dict[str, str | Path]:
    """``NAME=TAG|FILE`` as a mapping.

    Raises:
        UsageError: a choice has another form, or a name stands twice.
    """
    chosen: dict[str, str | Path] = {}
    for choice in choices or ():
        name, equals, value = choice.partition("=")
        if not (name and equals and value):
            raise UsageError(f"Cannot use -w '{choice}': expected NAME=TAG or NAME=FILE.")
        if name in chosen:
            raise UsageError(f"Cannot use -w '{choice}': {name} has weights already. Give one.")
        chosen[name] = value
    return chosen
