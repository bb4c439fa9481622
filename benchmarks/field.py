"""What every detector with weights says about forgeries made by real tools.

    python -m benchmarks field [--scores DIR] [--resamples N]

Takes the media pack's ``val`` split: ``$UNMASK_SHARED/media``, by default ``../shared/media``. A
detector takes part with the weights that it ships and with every published file below
``$UNMASK_SHARED/checkpoints`` that its card knows by hash. The videos are written down as a CSV
list whose ``source_id`` is the manifest's source (near-duplicates share one), scored and measured
as ``unmask evaluate --dataset csv --data LIST`` does it. Writes ``field.json`` and the tables
beside it, ``field.md``. With ``--scores`` the scores stay there and are not made twice.

The shipped detector's epoch and threshold were chosen on this same split.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import numpy as np

import unmask
from benchmarks import _result
from benchmarks._shares import wilson, within_sources
from unmask.datasets import read_dataset
from unmask.detectors import get_card, import_weights, list_detectors, load_detector
from unmask.evaluate import evaluate, measure, read_scores
from unmask.evaluate.print_tables import write_tables
from unmask.evaluate.scores import VideoScore
from unmask.evaluate.tables import ALL, Figure, Row
from unmask.types import DetectorUse, InputSpec
from unmask.verdict import read_calibration
from unmask.verdict.aggregate import LEAST_CLIPS

SHARED = Path(os.environ.get("UNMASK_SHARED", Path(__file__).resolve().parents[2] / "shared"))
FIGURES = ("AUC", "pAUC@10%", "TAR@10%", "EER")
CHOSEN_HERE = (
    "The epoch of the shipped weights was chosen on pseudo-forgeries of this split's real videos, "
    "and the shipped threshold is a rank of their scores: figures of the shipped detector on this "
    "split flatter it. The published weights never saw it; their threshold is the authors' 0.5."
)
INTERVALS = (
    "AUC, pAUC, TAR, EER: bootstrap over sources; where a tool comes from a single source, its "
    "real videos of other sources still vary. Shares found and false alarms: Wilson, which takes "
    "videos as independent although those of one source are alike, so the truth is wider."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A detector with one file of weights, and where its line lies."""

    name: str
    tag: str
    use: DetectorUse
    weights: str | Path
    threshold: float
    threshold_from: str
    min_face_px: float


def write_list(manifest: Path, path: Path) -> None:
    """The ``val`` rows of the media pack as the CSV list that ``unmask evaluate`` reads."""
    with manifest.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "val"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split", "dataset", "method", "source_id"])
        for row in rows:
            place = (manifest.parent / row["path"]).resolve()
            writer.writerow(
                [place, row["label"], "val", "media pack", row["method"], row["source"]]
            )


def find_entrants(checkpoints: Path, folder: Path) -> list[Entrant]:
    """Every detector with every weights file that ships or lies below ``checkpoints``."""
    known = {
        hashlib.sha256(file.read_bytes()).hexdigest(): file
        for file in sorted(checkpoints.rglob("*"))
        if file.is_file()
    }
    found = []
    for name in list_detectors():
        for entry in get_card(name).weights:
            if entry.file is not None:
                found.append(_entrant(name, entry.tag, entry.tag))
            elif entry.importer is not None and entry.sha256 in known:
                file = folder / f"{name}-{entry.tag}.safetensors"
                found.append(
                    _entrant(name, entry.tag, import_weights(name, known[entry.sha256], file))
                )
    return found


def _entrant(name: str, tag: str, weights: str | Path) -> Entrant:
    use = cast(DetectorUse, load_detector(name, weights).weights_used)
    shipped = Path(str(resources.files(unmask))) / "weights" / f"{name}.calibration.json"
    line = read_calibration(shipped) if shipped.is_file() else None
    if line is None or line.weights_sha256 != use.sha256:
        line = None
    return Entrant(
        name=name,
        tag=tag,
        use=use,
        weights=weights,
        threshold=0.0 if line is None else line.threshold,
        threshold_from="logit 0 (the authors' 0.5)" if line is None else line.name,
        min_face_px=0.0 if line is None else line.domain.min_face_px,
    )


def passes(entrants: Iterable[Entrant]) -> list[dict[str, Entrant]]:
    """Groups with one decode and one face pass each; a detector stands in a group once.

    Only detectors of one ``InputSpec`` share a group: another one would have faces searched at
    other moments, and then the same face can be followed, cut and scored a little differently.
    """
    groups: list[tuple[InputSpec, dict[str, Entrant]]] = []
    for one in entrants:
        spec = get_card(one.name).input
        free = next((g for s, g in groups if s == spec and one.name not in g), None)
        if free is None:
            groups.append((spec, free := {}))
        free[one.name] = one
    return [group for _, group in groups]


def deciding(video: VideoScore, min_face_px: float) -> float | None:
    """The logit that a scan compares with the threshold; None if no face can decide."""
    able = [
        face.logit
        for face in video.faces
        if face.clips >= LEAST_CLIPS and face.face_px >= min_face_px
    ]
    return max(able, default=None)


def over(videos: Sequence[VideoScore], one: Entrant) -> dict[str, Any]:
    """How many videos reach the threshold, with the 95 % interval (Wilson) of the share."""
    logits = [deciding(video, one.min_face_px) for video in videos]
    able = [logit for logit in logits if logit is not None]
    count = sum(logit >= one.threshold for logit in able)
    result: dict[str, Any] = {"over": count, "of": len(able), "undecided": len(logits) - len(able)}
    return result | ({"interval": wilson(count, len(able))} if able else {})


def _shown(figure: Figure) -> dict[str, Any]:
    if figure.value is None:
        return {"value": None, "note": figure.note}
    value = {"value": round(figure.value, 3)}
    if figure.low is None or figure.high is None:
        return value | {"interval": None, "note": figure.note}
    return value | {"interval": [round(figure.low, 3), round(figure.high, 3)]}


def result_of(one: Entrant, scores: Sequence[VideoScore], rows: Sequence[Row]) -> dict[str, Any]:
    """Everything measured of one detector with one file of weights."""
    mine = [video for video in scores if video.key.weights_sha256 == one.use.sha256]
    tools = {}
    for row in rows:
        if (row.detector, row.weights_sha256) == (one.name, one.use.sha256):
            forged = [v for v in mine if v.label and row.method in (ALL, v.key.method)]
            tools[row.method] = {
                "real": row.reals,
                "forged": row.fakes,
                "sources": row.sources,
                "unscored": row.unscored,
                **{name: _shown(figure) for name, figure in row.figures.items()},
                "found": over(forged, one),
            }
    scored = [(v.label, v.score, v.source_id) for v in mine if v.score is not None]
    return {
        "detector": one.name,
        "weights": one.tag,
        "weights_sha256": one.use.sha256,
        "license": one.use.license,
        "trained_on": one.use.trained_on,
        "threshold": one.threshold,
        "threshold_from": one.threshold_from,
        "false_alarms": over([v for v in mine if not v.label], one),
        **within_sources(*(np.array(column) for column in zip(*scored, strict=True))),
        "tools": tools,
        "unscored": [{"path": v.key.path, "reason": v.reason} for v in mine if v.score is None],
    }


def run(folder: Path, resamples: int) -> dict[str, Any]:
    """Scores and measures; scores and tables lie in ``folder``."""
    media = (SHARED / "media").resolve()
    listed = folder / "val.csv"
    write_list(media / "manifest.csv", listed)
    videos = read_dataset("csv", listed)
    entrants = find_entrants(SHARED / "checkpoints", folder)
    scores_folder = folder / "scores"
    for group in passes(entrants):
        evaluate(
            videos,
            list(group),
            scores_folder,
            root=media,
            weights={name: one.weights for name, one in group.items()},
            report=lambda number, total, video: print(
                f"{number}/{total} {video.key.detector} {video.key.path} "
                f"{video.reason if video.score is None else f'{video.score:.2f}'}",
                flush=True,
            ),
        )
    scores = read_scores(scores_folder)
    rows = measure(scores, figures=FIGURES, resamples=resamples)
    write_tables(rows, scores_folder)
    return {
        "data": "media pack, split val, by manifest.csv",
        "chosen_on_this_split": CHOSEN_HERE,
        "intervals": INTERVALS,
        "resamples": resamples,
        "videos": {
            "real": sum(not video.label for video in videos),
            "forged": sum(video.label for video in videos),
            "sources": len({video.source_id for video in videos}),
        },
        "detectors": [result_of(one, scores, rows) for one in entrants],
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks field")
    parser.add_argument("--scores", type=Path, help="folder that keeps the scores")
    parser.add_argument("--resamples", type=int, default=10_000)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.scores or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        result = run(folder.resolve(), given.resamples)
        tables = (folder / "scores" / "tables.md").read_text(encoding="utf-8")
    path = _result.write("field", " ".join(["python -m benchmarks field", *arguments]), result)
    path.with_suffix(".md").write_text(
        f"# Field check\n\n`python -m benchmarks field`, media pack, split val. {CHOSEN_HERE}\n\n"
        f"{tables}",
        encoding="utf-8",
    )
    print(tables)
    print(path)
    return 0
