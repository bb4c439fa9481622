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
from typing import Any

import numpy as np

import unmask
from benchmarks import _result
from benchmarks._shares import wilson, within_sources
from unmask.datasets import read_dataset
from unmask.detectors import get_card, list_detectors
from unmask.evaluate import evaluate, measure, read_scores
from unmask.evaluate.print_tables import write_tables
from unmask.evaluate.scores import FaceScore, VideoScore
from unmask.evaluate.tables import ALL, MetricValue, Row
from unmask.media import probe
from unmask.types import Calibration, DetectorUse, InputSpec, VideoInfo
from unmask.verdict import read_calibration
from unmask.verdict.aggregate import LEAST_CLIPS
from unmask.verdict.quality import bits_per_pixel, quality_class
from unmask.weights import import_weights, load_detector

SHARED = Path(os.environ.get("UNMASK_SHARED", Path(__file__).resolve().parents[2] / "shared"))
FIGURES = ("AUC", "pAUC@10%", "TAR@10%", "EER")
CHOSEN_HERE = (
    "The epoch of the shipped weights was chosen on pseudo-forgeries of this split's real videos, "
    "and the shipped bounds are ranks of their scores: figures of the shipped detector on this "
    "split flatter it. The published weights never saw it; their threshold is the authors' 0.5."
)
INTERVALS = (
    "AUC, pAUC, TAR, EER: bootstrap over sources; where a tool comes from a single source, its "
    "real videos of other sources still vary. Shares found and false alarms: Wilson, which takes "
    "videos as independent although those of one source are alike, so the truth is wider."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A detector with one file of weights, and where its line lies.

    ``calibration`` is what ships for exactly these weights; without one, a video counts as found
    from logit 0 on.
    """

    name: str
    tag: str
    use: DetectorUse
    weights: str | Path
    calibration: Calibration | None

    @property
    def min_face_px(self) -> float:
        """The smallest face that it decides on."""
        return 0.0 if self.calibration is None else self.calibration.domain.min_face_px

    @property
    def line(self) -> str:
        """What its scores are compared with, in words."""
        if self.calibration is None:
            return "logit 0 (the authors' 0.5)"
        return f"bounds of {self.calibration.name}"

    def reaches(self, face: FaceScore, video: VideoInfo) -> bool:
        """Whether a scan would call the face manipulated by its score."""
        if self.calibration is None:
            return face.logit >= 0
        bits = bits_per_pixel(video)
        kind = quality_class(self.calibration.classes, face.face_px, bits, video.codec)
        bounds = self.calibration.for_class(kind.name)
        return kind.slope * face.logit + kind.intercept >= bounds.threshold


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
    use = load_detector(name, weights).weights
    shipped = Path(str(resources.files(unmask))) / "weights" / "files" / f"{name}.calibration.json"
    line = read_calibration(shipped) if shipped.is_file() else None
    if line is None or line.weights_sha256 != use.sha256:
        line = None
    return Entrant(
        name=name,
        tag=tag,
        use=use,
        weights=weights,
        calibration=line,
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


def able_faces(video: VideoScore, min_face_px: float) -> list[FaceScore]:
    """The faces that can decide."""
    return [
        face for face in video.faces if face.clips >= LEAST_CLIPS and face.face_px >= min_face_px
    ]


def deciding(video: VideoScore, min_face_px: float) -> float | None:
    """The highest logit among the faces that can decide; None if none can."""
    return max((face.logit for face in able_faces(video, min_face_px)), default=None)


def over(videos: Sequence[VideoScore], one: Entrant, media: Path) -> dict[str, Any]:
    """How many videos a scan would call manipulated, with the 95 % interval (Wilson)."""
    faces = [(able_faces(video, one.min_face_px), video) for video in videos]
    able = [
        any(one.reaches(face, probe(media / video.key.path)) for face in found)
        for found, video in faces
        if found
    ]
    count = sum(able)
    result: dict[str, Any] = {"over": count, "of": len(able), "undecided": len(faces) - len(able)}
    return result | ({"interval": wilson(count, len(able))} if able else {})


def _shown(figure: MetricValue) -> dict[str, Any]:
    if figure.value is None:
        return {"value": None, "note": figure.note}
    value = {"value": round(figure.value, 3)}
    if figure.low is None or figure.high is None:
        return value | {"interval": None, "note": figure.note}
    return value | {"interval": [round(figure.low, 3), round(figure.high, 3)]}


def result_of(
    one: Entrant, scores: Sequence[VideoScore], rows: Sequence[Row], media: Path
) -> dict[str, Any]:
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
                **{name: _shown(figure) for name, figure in row.values.items()},
                "found": over(forged, one, media),
            }
    scored = [(v.label, v.score, v.source_id) for v in mine if v.score is not None]
    labels, logits, sources = (np.array(column) for column in zip(*scored, strict=True))
    return {
        "detector": one.name,
        "weights": one.tag,
        "weights_sha256": one.use.sha256,
        "license": one.use.license,
        "trained_on": one.use.trained_on,
        "line": one.line,
        "false_alarms": over([v for v in mine if not v.label], one, media),
        **within_sources(labels, logits, sources),
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
    rows = measure(scores, metrics=FIGURES, resamples=resamples)
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
        "detectors": [result_of(one, scores, rows, media) for one in entrants],
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
