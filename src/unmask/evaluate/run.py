"""Rows of a data set go in, a results folder comes out: every video through ``scan``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.detectors import Detector, get_card
from unmask.errors import DataError, UsageError, WeightsError
from unmask.evaluate.condition import Condition
from unmask.evaluate.score_videos import Report, ScoreRequest, score_videos
from unmask.evaluate.scores import ScoreWriter, read_clips
from unmask.evaluate.true_masks import TRUE_MASK_THRESHOLD, check_threshold
from unmask.weights import load_detector

if TYPE_CHECKING:
    from unmask.types import LabelledVideo


def evaluate(
    rows: Sequence[LabelledVideo],
    detectors: Sequence[str],
    out: Path,
    *,
    root: Path | None = None,
    weights: Mapping[str, str | Path] | None = None,
    device: str = "cpu",
    report: Report | None = None,
    videos_per_part: int = 20,
    mask_threshold: float | None = TRUE_MASK_THRESHOLD,
    conditions: Sequence[str] = ("",),
    keeps_embeddings: bool = False,
) -> Path:
    """Scores every video by every detector; goes on where an earlier call stopped.

    A video's score is the highest logit among its faces. A video without a face, or one that
    cannot be read, gets a row without a score and with the reason; it is not tried again.

    Args:
        rows: what to score.
        detectors: their names; each needs weights.
        out: the results folder, see ``scores``.
        root: of the data set; paths are noted relative to it. None notes them as they are.
        weights: for some detectors, another tag or a safetensors file.
        device: ``cpu`` or ``cuda``.
        report: hears of every score.
        videos_per_part: scores that wait in memory; a killed process loses no more.
        mask_threshold: a detector's masks are compared with the data set's, where there are
            any: above this share of full scale a true mask says forged. None compares nothing.
        conditions: what is done to each video or its clips, see ``condition``; "" is nothing. A
            corrupted copy is deleted once it is scored.
        keeps_embeddings: whether the clips' embeddings are written, too.

    Returns:
        ``out``.

    Raises:
        DataError: there are no rows, a score is no finite number, ``out`` cannot be read, or has
            scores without the embeddings that are to be kept.
        OutputError: ``out`` cannot be written, or holds something else.
        UnknownNameError: a detector or a condition that does not exist.
        UsageError: no detector, one twice, weights for another one, a condition that a
            detector's clips are too short for, or a threshold of masks that is out of range.
        WeightsError: weights that are missing, damaged or do not fit.
        MissingDependencyError: pyarrow is not installed.
    """
    if not rows:
        raise DataError(
            "Cannot evaluate: there are no videos. Expected at least one; check the data set, its "
            "split and its methods."
        )
    check_threshold(mask_threshold)
    found = [Condition(text) for text in conditions]
    models = list(load_detectors(detectors, weights or {}, device).values())
    _check_conditions(found, models)
    if keeps_embeddings:
        check_embeddings(out, models)
    requests = [ScoreRequest(row, root, condition, models) for row in rows for condition in found]
    with ScoreWriter(
        out, videos_per_part=videos_per_part, keeps_embeddings=keeps_embeddings
    ) as writer:
        score_videos(requests, writer, device, report=report, mask_threshold=mask_threshold)
    return out


def load_detectors(
    detectors: Sequence[str], weights: Mapping[str, str | Path], device: str = "cpu"
) -> dict[str, Detector]:
    """The detectors with their weights, by name; an untrained one is refused.

    Raises:
        UnknownNameError: a detector that does not exist.
        UsageError: no detector, one twice, or weights for another one.
        WeightsError: weights that are missing, damaged or do not fit.
    """
    if not detectors or len(set(detectors)) != len(detectors):
        raise UsageError(
            f"Cannot evaluate {', '.join(detectors) or 'nothing'}: expected at least one detector, "
            "each only once. Name them with -d."
        )
    for name in weights:
        if name not in detectors:
            raise UsageError(
                f"Cannot evaluate: weights were given for {name!r}, which is not among the "
                f"detectors ({', '.join(detectors)}). Name it too, or leave its weights out."
            )
    loaded = {}
    for name in detectors:
        get_card(name)
        loaded[name] = load_detector(name, weights.get(name), device)
        if not loaded[name].is_trained:
            raise WeightsError(
                f"Cannot evaluate {name}: it has no weights, so its scores would mean nothing. "
                f"Expected a file; give one with -w {name}=FILE."
            )
    return loaded


def check_embeddings(folder: Path, models: Sequence[Detector]) -> None:
    """Refuses a results folder where clips of these models lie without their embeddings.

    They would not be scored again, and be missing for ever.

    Raises:
        DataError: there are some.
    """
    names = {model.id for model in models if "embedding" in model.card.outputs}
    for clip in read_clips(folder) if folder.is_dir() else ():
        if clip.embedding is None and (clip.key.detector, clip.key.weights_sha256) in names:
            raise DataError(
                f"Cannot keep embeddings in '{folder}': '{clip.key.path}' was scored by "
                f"{clip.key.detector} without them, and is not scored twice. Evaluate into a new "
                "folder."
            )


def _check_conditions(conditions: Sequence[Condition], models: Sequence[Detector]) -> None:
    for condition in conditions:
        for model in models:
            if reason := condition.missing_reason(model.card.input):
                raise UsageError(
                    f"Cannot evaluate {model.card.name} under {condition.text!r}: {reason}. "
                    "Leave the detector or the condition out."
                )
