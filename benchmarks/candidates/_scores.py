"""Candidates, what they are judged on, and their scores; nothing of ``train`` gets in.

Scores lie in a results folder of ``unmask.evaluate`` that all candidates share: nothing is scored
twice, and candidates with the same input share each video's decode and face pass.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.field import deciding, write_list
from unmask.calibrate.copies import MIN_FACE_PX
from unmask.calibrate.intervals import ScoredVideos
from unmask.datasets import read_dataset
from unmask.detectors import Detector
from unmask.errors import DataError, UsageError, WeightsError
from unmask.evaluate.condition import HALF_SIZE, Condition
from unmask.evaluate.score_videos import ScoreRequest, score_videos
from unmask.evaluate.scores import ScoreWriter, VideoScore, read_scores
from unmask.types import LabelledVideo
from unmask.weights import load_detector

CONDITIONS = {"as they are": "", "H.264 CRF 40": "compression 5", "half size": HALF_SIZE}


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A detector with one file of weights; ``name`` stands in tables and is used once."""

    name: str
    model: Detector
    file: str

    @property
    def id(self) -> tuple[str, str]:
        """Detector and hash of the weights."""
        return self.model.id


def read_candidates(given: Sequence[str], device: str) -> list[Candidate]:
    """Loads ``NAME=FILE``, or ``NAME`` for the weights that the detector ships.

    Raises:
        UsageError: the same weights twice.
        WeightsError: a detector without weights.
    """
    found: list[Candidate] = []
    for text in given:
        name, _, file = text.partition("=")
        model = load_detector(name, file or None, device)
        if not model.is_trained:
            raise WeightsError(
                f"Cannot judge {name}: it has no weights, so its scores would mean nothing. "
                f"Expected a file; give one with -w {name}=FILE."
            )
        twin = next((one for one in found if one.id == model.id), None)
        if twin is not None:
            raise UsageError(
                f"Cannot compare '{text}' with '{twin.file}': they are the same weights "
                f"(sha256 {model.weights.sha256[:8]}…). Leave one out."
            )
        is_alone = sum(other.partition("=")[0] == name for other in given) == 1
        label = name if is_alone else f"{name}@{model.weights.sha256[:8]}"
        found.append(Candidate(label, model, text))
    return found


def read_val(media: Path) -> list[LabelledVideo]:
    """The media pack's ``val`` videos, by its manifest; checked to be apart from ``train``.

    Raises:
        DataError: there is no manifest, or a video of ``train`` is among them.
    """
    manifest = media / "manifest.csv"
    if not manifest.is_file():
        raise DataError(
            f"Cannot judge candidates on '{media}': there is no manifest.csv. Expected the media "
            "pack; give its folder with --data."
        )
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "val.csv"
        write_list(manifest, listed)
        rows = read_dataset("csv", listed)
    check_apart(rows, (media / "train").resolve())
    return rows


def check_apart(rows: Iterable[LabelledVideo], train: Path) -> None:
    """Refuses rows that trained: another split's, below ``train``, or copies of what lies there.

    Raises:
        DataError: there is one; the message names it.
    """
    by_size: dict[int, list[Path]] = {}
    for file in sorted(train.rglob("*")) if train.is_dir() else ():
        if file.is_file():
            by_size.setdefault(file.stat().st_size, []).append(file)
    for row in rows:
        why = ""
        if row.split != "val":
            why = f"its split is '{row.split}'"
        elif row.path.resolve().is_relative_to(train.resolve()):
            why = f"it lies in '{train}'"
        else:
            alike = by_size.get(row.path.stat().st_size, [])
            twin = next((file for file in alike if _digest(file) == _digest(row.path)), None)
            why = f"it is a copy of '{twin}'" if twin else ""
        if why:
            raise DataError(
                f"Cannot judge candidates on '{row.path}': {why}. Expected videos of split 'val' "
                "that nothing trained on; correct the manifest."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_training(candidate: Candidate, val: Path) -> None:
    """Refuses weights that say they were trained on what they would be judged on.

    Read are the words of ``trained_on`` in the weights and, where there is one, the ``run.json``
    beside them; weights of elsewhere may stay silent.

    Raises:
        DataError: they were.
    """
    words = [word.strip(",;()") for word in candidate.model.weights.trained_on.split()]
    file = candidate.file.partition("=")[2]
    run = Path(file).parent / "run.json" if file else None
    if run is not None and run.is_file():
        words.append(str(json.loads(run.read_text()).get("data", {}).get("path", "")))
    for word in words:
        if "/" in word and Path(word).resolve().is_relative_to(val.resolve()):
            raise DataError(
                f"Cannot judge '{candidate.file}' on '{val}': it was trained on '{word}'. Expected "
                "weights that never saw the split; train on another folder."
            )


def score(
    candidates: Sequence[Candidate],
    rows: Sequence[LabelledVideo],
    media: Path,
    folder: Path,
    *,
    device: str = "cpu",
    conditions: Iterable[str] = CONDITIONS.values(),
    say: Callable[[str], None] = lambda line: None,
) -> list[VideoScore]:
    """Every candidate's score of every video under every condition, as far as not in ``folder``."""
    models = [candidate.model for candidate in candidates]
    requests = [
        ScoreRequest(row, media, Condition(text), models) for text in conditions for row in rows
    ]

    def report(number: int, total: int, video: VideoScore) -> None:
        shown = video.reason if video.score is None else f"{video.score:.2f}"
        say(f"{number}/{total} {video.key.detector} {video.key.path} {video.key.condition} {shown}")

    with ScoreWriter(folder) as writer:
        score_videos(requests, writer, device, report=report)
    return read_scores(folder)


def videos_of(
    scores: Iterable[VideoScore],
    candidate: Candidate,
    rows: Sequence[LabelledVideo],
    media: Path,
    condition: str = "",
) -> ScoredVideos:
    """A candidate's scores of these rows, in their order.

    A face decides as in a scan: with enough clips, and at least ``MIN_FACE_PX`` large.
    """
    by_path = {
        row.key.path: row
        for row in scores
        if (row.key.detector, row.key.weights_sha256) == candidate.id
        and row.key.condition == condition
    }
    wanted = [ScoreRequest(row, media, Condition(condition), ()) for row in rows]
    logits = [deciding(by_path[one.key(candidate.model).path], MIN_FACE_PX) for one in wanted]
    return ScoredVideos(
        np.array([float(row.label) for row in rows]),
        np.array([np.nan if logit is None else logit for logit in logits]),
        np.array([row.source_id for row in rows]),
        np.array([row.method for row in rows]),
        np.array([row.path.name for row in rows]),
    )
