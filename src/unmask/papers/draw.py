"""The plots of a run: curves and maps of protocols, rankings, and where a network looks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unmask.errors import UnmaskError
from unmask.evaluate import read_scores
from unmask.evaluate.condition import first_frames
from unmask.evaluate.data import Data
from unmask.evaluate.scores import ScoreWriter, VideoScore
from unmask.explain import explain
from unmask.papers.plot import draw_protocol
from unmask.papers.score import Scored, Table
from unmask.plots.write import write_plots
from unmask.weights import load_detector

_RANKED: Final = frozenset({"in-distribution", "localization", "robustness", "across compression"})
"""Kinds of protocols that the papers show ROC curves and the like for."""

_OCCLUSION: Final = "occlusion"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawJob:
    """The plots of one protocol.

    Attributes:
        scored: what was found.
        models: hashes of its weights.
        out: folder of the plots; one of the protocol is made below it.
        resamples: of the bootstrap.
    """

    scored: Scored
    models: tuple[str, ...]
    out: Path
    resamples: int


def draw(job: DrawJob) -> list[Path]:
    """Draws what a protocol shows into a folder of its own, and returns the files.

    Raises:
        OutputError: a plot cannot be written.
    """
    scored, folder = job.scored, job.out / _name(job.scored.protocol.name)
    shutil.rmtree(folder, ignore_errors=True)
    paths = []
    for path in draw_protocol(scored.protocol, scored.ours, scored.folder):
        folder.mkdir(parents=True, exist_ok=True)
        paths.append(Path(shutil.move(path, folder / path.name)))
    if scored.protocol.kind in _RANKED and (rows := _scores_of(scored, job.models)):
        with tempfile.TemporaryDirectory(prefix="unmask-") as place:
            with ScoreWriter(Path(place)) as writer:
                for row in rows:
                    writer.add(row, [])
            paths += write_plots(Path(place), folder, resamples=job.resamples).paths
    return paths


def show_occlusion(table: Table, data: Sequence[Data], out: Path, device: str) -> list[Path]:
    """Covers the input of each detector on the first forged test video that it can score.

    Args:
        table: of the protocol, with the weights of its training.
        data: the benchmark's indexes.
        out: folder of the plots.
        device: where the networks run.

    Returns:
        The files; none where there are no weights.
    """
    protocol, paths = table.protocol, list[Path]()
    level = protocol.train_compression
    videos = [
        row.path
        for one in data
        for row in one.rows
        if row.label and row.split == "test" and row.dataset == protocol.train_dataset
        if not level or row.compression == level
    ]
    for key, file in table.weights.items():
        detector = load_detector(key.partition(":")[0], file, device)
        folder = out / _name(f"{protocol.name}-{key}")
        shutil.rmtree(folder, ignore_errors=True)
        for video in videos:
            try:
                paths += explain(video, detector, folder, methods=[_OCCLUSION], device=device).files
                break
            except UnmaskError:
                continue
    return paths


def _scores_of(scored: Scored, models: Sequence[str]) -> list[VideoScore]:
    """The scores of a protocol's own models on the splits that it looks at."""
    sets = {scored.protocol.train_dataset, *scored.protocol.datasets}
    levels = {cell.compression for cell in scored.protocol.cells}
    protocol = scored.protocol
    conditions = {protocol.condition_of(cell) for cell in protocol.cells}
    conditions |= {first_frames("", protocol.frames)}
    try:
        rows = read_scores(scored.folder)
    except UnmaskError:
        return []
    return [
        row
        for row in rows
        if row.key.weights_sha256 in models
        and row.key.dataset in sets
        and row.key.compression in levels
        and row.key.condition in conditions
    ]


def _name(text: str) -> str:
    return text.replace("/", "-").replace(":", "-")
