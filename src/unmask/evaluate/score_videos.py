"""Videos through ``scan``, as they are or under a condition, into a results folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unmask.detectors import Card, Detector
from unmask.errors import MediaError
from unmask.evaluate.condition import Condition, seed_of
from unmask.evaluate.scores import FaceScore, ScoreKey, ScoreWriter, VideoScore
from unmask.evaluate.true_masks import MaskCount, count_masks
from unmask.pipeline.scan import scan_with
from unmask.types import ClipScore, InputSpec, LabelledVideo, Verdict
from unmask.verdict import face_logits

Report = Callable[[int, int, VideoScore], None]
"""Called for each new score with the videos passed so far, how many there are, and the score."""


class ScoreRequest(NamedTuple):
    """What is to be scored: a row of a data set, under a condition, by some models."""

    row: LabelledVideo
    root: Path | None
    condition: Condition
    models: Sequence[Detector]

    def key(self, model: Detector) -> ScoreKey:
        """The key of one of its scores."""
        return key_of(self.row, self.root, *model.id, condition=self.condition.text)


def score_videos(
    requests: Sequence[ScoreRequest],
    writer: ScoreWriter,
    device: str,
    *,
    report: Report | None = None,
    mask_threshold: float | None = None,
) -> None:
    """Scores what is not in the folder yet; each video is decoded once for all models of one input.

    Args:
        requests: what is to be scored.
        writer: of the results folder.
        device: where the networks are.
        report: hears of every score.
        mask_threshold: of true masks, see ``evaluate``; None compares none.

    Raises:
        DataError: a score is no finite number.
        OutputError: the folder cannot be written.
    """
    for number, request in enumerate(requests, 1):
        missing: dict[ScoreKey, Detector] = {}
        for model in request.models:
            if (key := request.key(model)) not in writer:
                missing.setdefault(key, model)
        for video, clips in _score(request, missing, device, mask_threshold) if missing else ():
            writer.add(video, clips)
            if report is not None:
                report(number, len(requests), video)


def key_of(
    row: LabelledVideo, root: Path | None, detector: str, sha256: str, condition: str = ""
) -> ScoreKey:
    """The key of a row's score; ``path`` keeps its folders below ``root``."""
    path = _path_of(row, root)
    return ScoreKey(
        row.dataset, row.method, row.compression, row.split, path, detector, sha256, condition
    )


def _path_of(row: LabelledVideo, root: Path | None) -> str:
    path = row.path
    if root is not None:
        # Not resolved: two links to one file are two videos of the data set.
        absolute, top = path.absolute(), root.absolute()
        path = absolute.relative_to(top) if absolute.is_relative_to(top) else absolute
    return path.as_posix()


def _score(
    request: ScoreRequest,
    models: Mapping[ScoreKey, Detector],
    device: str,
    mask_threshold: float | None,
) -> Iterator[tuple[VideoScore, list[ClipScore]]]:
    """One scan for the models that want the same input, so that a score never depends on others.

    (A scan for several inputs looks for faces in the frames of all of them.)
    """
    seed = seed_of(request.row.dataset, _path_of(request.row, request.root))
    change = request.condition.change_clip(seed)
    by_input: dict[InputSpec, dict[ScoreKey, Detector]] = {}
    for key, model in models.items():
        by_input.setdefault(model.card.input, {})[key] = model
    scored: set[ScoreKey] = set()
    try:
        with request.condition.video(request.row.path, seed) as path:
            for alike in by_input.values():
                named = {key: _apart(model, alike) for key, model in alike.items()}
                verdict = scan_with(
                    path,
                    list(named.values()),
                    device,
                    calibrations=[],
                    change=change,
                    frames=request.condition.frames,
                )
                threshold = None if change else mask_threshold  # A mirrored frame has no true mask.
                yield from _of_scan(request.row, named, verdict, threshold)
                scored |= set(alike)
    except MediaError as error:
        for key in models:
            if key not in scored:
                yield _unscored(request.row, key, f"unreadable: {error}"), []


def _of_scan(
    row: LabelledVideo,
    models: Mapping[ScoreKey, Detector],
    verdict: Verdict,
    mask_threshold: float | None,
) -> Iterator[tuple[VideoScore, list[ClipScore]]]:
    cards = {model.name: model.card for model in models.values()}
    masks: Mapping[str, MaskCount] = {}
    if mask_threshold is not None:
        masks = count_masks(row, verdict, cards, threshold=mask_threshold)
    for key, model in models.items():
        yield _of_model(row, key, verdict, model.card, masks.get(model.name, MaskCount(None)))


def _apart(model: Detector, models: Mapping[ScoreKey, Detector]) -> Detector:
    """The detector; under a name of its own where a scan has several of one detector."""
    if Counter(other.name for other in models.values())[model.name] < 2:
        return model
    name = f"{model.name}@{model.weights.sha256[:8]}"
    card, weights = replace(model.card, name=name), replace(model.weights, name=name)
    return replace(model, card=card, weights=weights)


def _of_model(
    row: LabelledVideo, key: ScoreKey, verdict: Verdict, card: Card, masks: MaskCount
) -> tuple[VideoScore, list[ClipScore]]:
    clips = [clip for clip in verdict.clip_scores if clip.detector == card.name]
    if not clips:
        found = verdict.coverage.faces_found
        why = "; ".join(verdict.reasons) or "too few frames of each face"
        return _unscored(row, key, f"no clip: {why}" if found else "no face"), []
    faces = []
    for track, logits in sorted(face_logits(clips, {card.name: card.aggregate}).items()):
        sizes = [clip.face_px for clip in clips if clip.track_id == track]
        faces.append(FaceScore(track, logits[card.name], len(sizes), float(np.median(sizes))))
    video = VideoScore(
        key=key,
        label=row.label,
        source_id=row.source_id,
        score=float(np.max([face.logit for face in faces])),  # keeps a NaN, which max may lose
        reason=masks.note,
        faces=tuple(faces),
        pixels=masks.pixels,
    )
    return video, clips


def _unscored(row: LabelledVideo, key: ScoreKey, reason: str) -> VideoScore:
    return VideoScore(key=key, label=row.label, source_id=row.source_id, score=None, reason=reason)
