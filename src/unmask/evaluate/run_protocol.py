"""A paper's table with the data and weights at hand, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from unmask.datasets import get_adapter, list_datasets
from unmask.errors import DataError, UsageError
from unmask.evaluate.paper_table import Cell, Protocol
from unmask.evaluate.pixels import PIXELS, needs_reals
from unmask.evaluate.print_tables import show_figure
from unmask.evaluate.run import Report, evaluate, key_of, weights_hashes
from unmask.evaluate.scores import VideoScore, read_scores
from unmask.evaluate.tables import AT_THRESHOLD, VALIDATION, Figure, figures_of, fit_threshold
from unmask.types import LabelledVideo

TEST = "test"


class Data(NamedTuple):
    """A data set at hand: its index and its root."""

    rows: Sequence[LabelledVideo]
    root: Path


class Ours(NamedTuple):
    """A detector's figures, one for each cell of the protocol."""

    detector: str
    figures: tuple[Figure, ...]


class _Needed(NamedTuple):
    """The videos of one cell: those it is measured on, and those its threshold comes from."""

    test: list[LabelledVideo]
    validation: list[LabelledVideo]


def run_protocol(
    protocol: Protocol,
    data: Sequence[Data],
    detectors: Sequence[str],
    out: Path,
    *,
    weights: Mapping[str, str | Path] | None = None,
    device: str = "cpu",
    report: Report | None = None,
    resamples: int = 10_000,
) -> list[Ours]:
    """Scores what the data allow, and measures the cells of a protocol.

    What a detector was trained on cannot be seen from here: the weights given must be those of
    the protocol's training. Scores go into ``out`` and are used again.

    Args:
        protocol: of ``get_protocol``.
        data: all data sets at hand.
        detectors: their names.
        out: the results folder, see ``scores``.
        weights: by detector, or by DETECTOR:VARIANT where the protocol has several trainings.
        device: ``cpu`` or ``cuda``.
        report: hears of every score.
        resamples: of the cluster bootstrap.

    Returns:
        One for each detector. A cell that could not be measured says what it lacks.

    Raises:
        UsageError: weights for a detector or variant that the protocol does not have.
        DataError, OutputError, UnknownNameError, WeightsError: as ``evaluate`` does.
    """
    given = dict(weights or {})
    _check_weights(protocol, detectors, given)
    needed = {cell: _needed(protocol, cell, data) for cell in protocol.cells}
    lacking = {cell: what_lacks(protocol, cell, data) for cell in protocol.cells}
    hashes: dict[tuple[str, str], str] = {}
    for variant in dict.fromkeys(cell.variant for cell in protocol.cells):
        cells = [c for c in protocol.cells if c.variant == variant and not lacking[c]]
        able = [name for name in detectors if not variant or f"{name}:{variant}" in given]
        if not cells or not able:
            continue
        chosen = _of_variant(able, variant, given)
        found = weights_hashes(able, chosen, device)
        hashes |= {(name, variant): sha256 for name, sha256 in found.items()}
        wanted = {id(row) for cell in cells for part in needed[cell] for row in part}
        for rows, root in data:
            mine = [row for row in rows if id(row) in wanted]
            if mine:
                evaluate(mine, able, out, root=root, weights=chosen, device=device, report=report)
    scores = {score.key: score for score in read_scores(out)} if hashes else {}
    roots = {id(row): root for rows, root in data for row in rows}

    def score_of(row: LabelledVideo, name: str, sha256: str) -> VideoScore:
        return scores[key_of(row, roots[id(row)], name, sha256)]

    def figure(cell: Cell, name: str) -> Figure:
        sha256 = hashes.get((name, cell.variant), "")
        if lacking[cell] or not sha256:
            return Figure(None, note=lacking[cell] or _no_weights(name, cell))
        test, validation = ([score_of(row, name, sha256) for row in part] for part in needed[cell])
        return _measured(cell, test, validation, resamples)

    return [Ours(name, tuple(figure(cell, name) for cell in protocol.cells)) for name in detectors]


def what_lacks(protocol: Protocol, cell: Cell, data: Sequence[Data]) -> str:
    """Why a cell cannot be measured with the data at hand; empty if it can."""
    test, validation = _needed(protocol, cell, data)
    missing = [m for m in cell.methods if m not in {row.method for row in test if row.label}]
    place = " ".join(part for part in (cell.dataset, cell.compression, TEST) if part)
    if missing or not any(row.label for row in test):
        return f"no data: needs {', '.join(missing) or 'forgeries'} in {place}"
    needs_both = cell.figure != "found" and (cell.figure not in PIXELS or needs_reals(cell.figure))
    if needs_both and all(row.label for row in test):
        return f"no data: needs real videos in {place}"
    bare = [m for m in cell.methods if not any(row.mask_path for row in test if row.method == m)]
    if cell.figure in PIXELS and (bare or not any(row.mask_path for row in test)):
        return f"no data: needs masks of {', '.join(bare) or 'forgeries'} in {place}"
    if cell.figure in AT_THRESHOLD and len({row.label for row in validation}) < 2:
        level = _validation_level(protocol, cell)
        place = " ".join(part for part in (protocol.train_dataset, level, VALIDATION) if part)
        return f"no data: needs real and forged videos in {place} for the threshold"
    return ""


def show_protocol(protocol: Protocol, data: Sequence[Data], ours: Sequence[Ours] = ()) -> str:
    """A Markdown table of the paper's rows and ours; without ours, what the data allow.

    Args:
        protocol: what to show.
        data: all data sets at hand.
        ours: of ``run_protocol``.
    """
    head = ["", *protocol.headings]
    lines = []
    given = [repr(v) for _, values in protocol.published for v in values if v is not None]
    digits = max((len(text.partition(".")[2]) for text in given), default=1)
    for model, values in protocol.published:
        shown = ["-" if value is None else f"{value:.{digits}f}" for value in values]
        lines.append([f"paper: {model}", *shown])
    notes: dict[str, int] = {}
    for name, figures in ours:
        for found in figures:
            if found.note:
                notes.setdefault(found.note, len(notes) + 1)
        cells = zip(protocol.cells, figures, strict=True)
        shown = [show_figure(cell.figure, found, notes) for cell, found in cells]
        lines.append([f"ours: {name}", *shown, *([_mean(figures)] if protocol.average else [])])
    text = f"{protocol.name} ({protocol.kind}): {protocol.title}\n"
    if lines:
        rows = [head, ["---"] * len(head), *lines]
        text += "\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
    told = [f"[{number}] {note}" for note, number in notes.items()]
    if protocol.lacks:
        told.append(f"not run by this program: needs {protocol.lacks}")
    elif not ours:
        told += [
            f"{cell.column}: {what_lacks(protocol, cell, data) or 'can be measured'}"
            for cell in protocol.cells
        ]
    return text + "".join(f"\n{line}  " for line in told) + ("\n" if told else "")


def _check_weights(
    protocol: Protocol, detectors: Sequence[str], given: Mapping[str, str | Path]
) -> None:
    variants = [cell.variant for cell in protocol.cells]
    known = [f"{d}:{v}" if v else d for d in detectors for v in dict.fromkeys(variants)]
    for name in given:
        if name not in known:
            raise UsageError(
                f"Cannot use the weights of {name!r} for {protocol.name}: expected one of "
                f"{', '.join(known) or 'none'}. Name the detector with -d, and the training as in "
                "this list."
            )


def _of_variant(
    detectors: Sequence[str], variant: str, given: Mapping[str, str | Path]
) -> dict[str, str | Path]:
    names = {name: f"{name}:{variant}" if variant else name for name in detectors}
    return {name: given[key] for name, key in names.items() if key in given}


def _no_weights(name: str, cell: Cell) -> str:
    return f"no weights: needs a training {cell.variant}; give -w {name}:{cell.variant}=FILE"


def _needed(protocol: Protocol, cell: Cell, data: Sequence[Data]) -> _Needed:
    rows = [row for one in data for row in one.rows]
    test = _chosen(rows, cell.dataset, TEST, cell.methods, cell.compression)
    if cell.figure not in AT_THRESHOLD:
        return _Needed(test, [])
    methods = cell.train or protocol.train_methods
    level = _validation_level(protocol, cell)
    return _Needed(test, _chosen(rows, protocol.train_dataset, VALIDATION, methods, level))


def _validation_level(protocol: Protocol, cell: Cell) -> str:
    return protocol.train_compression or cell.compression


def _chosen(
    rows: Sequence[LabelledVideo], dataset: str, split: str, methods: Sequence[str], level: str
) -> list[LabelledVideo]:
    """Forgeries of some methods (none: all), and the real videos that belong to them."""
    wanted = frozenset(methods)
    keeps = get_adapter(dataset).keeps if dataset in list_datasets() else lambda row, _: True
    return [
        row
        for row in rows
        if (row.dataset, row.split) == (dataset, split)
        and (not level or row.compression == level)
        and (not wanted or (row.method in wanted if row.label else keeps(row, wanted)))
    ]


def _measured(
    cell: Cell, test: list[VideoScore], validation: list[VideoScore], resamples: int
) -> Figure:
    threshold, why = None, ""
    if cell.figure in AT_THRESHOLD:
        try:
            threshold = fit_threshold(validation)
        except DataError as error:
            why = f"not measurable: no threshold ({error})"
    place = " ".join(part for part in (cell.dataset, cell.compression, TEST) if part)
    found = figures_of(
        test, [cell.figure], place=place, threshold=threshold, why=why, resamples=resamples
    )
    return found[cell.figure]


def _mean(figures: Sequence[Figure]) -> str:
    values = [figure.value for figure in figures if figure.value is not None]
    is_whole = len(values) == len(figures)
    return f"{100 * sum(values) / len(values):.1f}" if is_whole and values else "-"
