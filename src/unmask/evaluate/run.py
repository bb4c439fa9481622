"""Rows of a data set go in, a results folder comes out: every video through ``scan``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from unmask.detectors import Card, get_card, load_detector
from unmask.errors import DataError, MediaError, UsageError, WeightsError
from unmask.evaluate.scores import FaceScore, ScoreKey, ScoreWriter, VideoScore
from unmask.evaluate.true_masks import TRUE_MASK_THRESHOLD, MaskCount, check_threshold, count_masks
from unmask.pipeline import scan_with
from unmask.types import ClipScore, DetectorUse, LabelledVideo, Verdict
from unmask.verdict import face_logits

if TYPE_CHECKING:
    from torch import nn

Report = Callable[[int, int, VideoScore], None]
"""Called for each new score with the videos passed so far, how many there are, and the score."""


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

    Returns:
        ``out``.

    Raises:
        DataError: there are no rows, a score is no finite number, or ``out`` cannot be read.
        OutputError: ``out`` cannot be written, or holds something else.
        UnknownNameError: a detector that does not exist.
        UsageError: no detector, one twice, weights for another one, or a threshold of masks
            that is out of range.
        WeightsError: weights that are missing, damaged or do not fit.
        MissingDependencyError: pyarrow is not installed.
    """
    if not rows:
        raise DataError(
            "Cannot evaluate: there are no videos. Expected at least one; check the data set, its "
            "split and its methods."
        )
    check_threshold(mask_threshold)
    nets = load_nets(detectors, weights or {}, device)
    hashes = {name: _sha256(net) for name, net in nets.items()}
    with ScoreWriter(out, videos_per_part=videos_per_part) as writer:
        for number, row in enumerate(rows):
            keys = {name: key_of(row, root, name, hashes[name]) for name in detectors}
            missing = [name for name in detectors if keys[name] not in writer]
            if not missing:
                continue
            lacking = {name: nets[name] for name in missing}
            for video, clips in _score(row, keys, lacking, device, mask_threshold):
                writer.add(video, clips)
                if report is not None:
                    report(number + 1, len(rows), video)
    return out


def weights_hashes(
    detectors: Sequence[str], weights: Mapping[str, str | Path], device: str = "cpu"
) -> dict[str, str]:
    """The sha256 of the weights that each detector would run with.

    Raises:
        UnknownNameError, UsageError, WeightsError: as ``load_nets``.
    """
    nets = load_nets(detectors, weights, device)
    return {name: _sha256(net) for name, net in nets.items()}


def load_nets(
    detectors: Sequence[str], weights: Mapping[str, str | Path], device: str = "cpu"
) -> dict[str, nn.Module]:
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
    nets = {}
    for name in detectors:
        get_card(name)
        nets[name] = load_detector(name, weights.get(name), device)
        if not _sha256(nets[name]):
            raise WeightsError(
                f"Cannot evaluate {name}: it has no weights, so its scores would mean nothing. "
                f"Expected a file; give one with -w {name}=FILE."
            )
    return nets


def _sha256(net: nn.Module) -> str:
    return cast(DetectorUse, net.weights_used).sha256


def key_of(row: LabelledVideo, root: Path | None, detector: str, sha256: str) -> ScoreKey:
    """The key of a row's score; ``path`` keeps its folders below ``root``."""
    path = row.path
    if root is not None:
        # Not resolved: two links to one file are two videos of the data set.
        absolute, top = path.absolute(), root.absolute()
        path = absolute.relative_to(top) if absolute.is_relative_to(top) else absolute
    return ScoreKey(
        row.dataset, row.method, row.compression, row.split, path.as_posix(), detector, sha256
    )


def _score(
    row: LabelledVideo,
    keys: Mapping[str, ScoreKey],
    nets: Mapping[str, nn.Module],
    device: str,
    mask_threshold: float | None,
) -> list[tuple[VideoScore, list[ClipScore]]]:
    """One scan for all detectors that lack this video."""
    try:
        verdict = scan_with(row.path, list(nets.values()), device, calibrations=[])
    except MediaError as error:
        return [(_unscored(row, keys[name], f"unreadable: {error}"), []) for name in nets]
    cards = {name: cast(Card, net.card) for name, net in nets.items()}
    masks: Mapping[str, MaskCount] = {}
    if mask_threshold is not None:
        masks = count_masks(row, verdict, cards, threshold=mask_threshold)
    nothing = MaskCount(None)
    return [_of_detector(row, keys[name], verdict, masks.get(name, nothing)) for name in nets]


def _of_detector(
    row: LabelledVideo, key: ScoreKey, verdict: Verdict, masks: MaskCount
) -> tuple[VideoScore, list[ClipScore]]:
    name = key.detector
    clips = [clip for clip in verdict.clip_scores if clip.detector == name]
    if not clips:
        found = verdict.coverage.faces_found
        why = "; ".join(verdict.reasons) or "too few frames of each face"
        return _unscored(row, key, f"no clip: {why}" if found else "no face"), []
    faces = []
    for track, logits in sorted(face_logits(clips, {name: get_card(name).aggregate}).items()):
        sizes = [clip.face_px for clip in clips if clip.track_id == track]
        faces.append(FaceScore(track, logits[name], len(sizes), float(np.median(sizes))))
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
