"""Scored copies of videos as arrays: what a calibration is fitted on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks._shares import MIN_FACE_PX
from benchmarks.calibrate._quality import Known, Quality
from benchmarks.candidates._scores import Videos
from unmask.errors import DataError
from unmask.evaluate.scores import FaceScore, VideoScore
from unmask.verdict.aggregate import LEAST_CLIPS

Values = NDArray[np.float64]
Texts = NDArray[np.str_]

_SAME_SIZE = 0.3
"""Faces of two scans with one number are the same if their sizes differ by less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """N copies of videos (as they are, or changed), scored by D detectors.

    ``path`` tells videos apart: all copies of one share it. ``label`` (N,) 1 = forged; ``logit``
    (N, D), of the face that decides; ``face_px`` (N,); ``bits`` (N,) per pixel and frame, NaN
    where unknown; ``tool`` is empty for real videos, ``condition`` for videos as they are.
    """

    path: Texts
    source: Texts
    tool: Texts
    condition: Texts
    codec: Texts
    label: Values
    logit: Values
    face_px: Values
    bits: Values

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Copies:
        return Copies(*(getattr(self, f.name)[chosen] for f in dataclasses.fields(self)))

    def __len__(self) -> int:
        return len(self.label)

    def videos(self, score: Values) -> Videos:
        """The same with one score (N,) each, as figures want them."""
        return Videos(self.label, score, self.source, self.tool, self.path)


def copies_of(
    scores: Iterable[VideoScore], detectors: Sequence[tuple[str, str]], known: Known
) -> tuple[Copies, int]:
    """Copies on which all detectors can decide, and how many there are on which not all can.

    A face decides as in a scan; of several the one with the highest logit of the first detector.
    Faces that detectors scored in scans of their own are the same if number and size agree; where
    none do, each detector's own highest one stands for the video.

    Args:
        scores: of videos, of any detectors.
        detectors: name and hash of the weights of each that is wanted, in order.
        known: compression by path and condition; others count as unknown.

    Raises:
        DataError: no copy of both labels can be decided on.
    """
    by_copy: dict[tuple[str, str], dict[tuple[str, str], VideoScore]] = {}
    for row in scores:
        who = (row.key.detector, row.key.weights_sha256)
        if who in detectors:
            by_copy.setdefault((row.key.path, row.key.condition), {})[who] = row
    rows, undecided = [], 0
    for (path, condition), said in sorted(by_copy.items()):
        faces = _deciding([said[who].faces for who in detectors if who in said])
        if len(faces) < len(detectors):
            undecided += 1
            continue
        one = next(iter(said.values()))
        bits, codec = known.get((path, condition), Quality(None, ""))
        tool = one.key.method if one.label else ""
        logits = [face.logit for face in faces]
        known_bits = np.nan if bits is None else bits
        texts_of = (path, one.source_id, tool, condition, codec)
        rows.append((*texts_of, float(one.label), logits, faces[0].face_px, known_bits))
    if len({row[5] for row in rows}) < 2:
        raise DataError(
            "Cannot calibrate: there are no scores of both real and forged videos in which a face "
            f"can decide ({len(rows)} copies can be used). Give more videos, or score them first."
        )
    texts = [np.array([row[i] for row in rows]) for i in range(5)]
    numbers = [np.array([row[i] for row in rows], np.float64) for i in range(5, 9)]
    return Copies(*texts, *numbers), undecided


def _deciding(faces: Sequence[Sequence[FaceScore]]) -> list[FaceScore]:
    """The face that decides, as each detector scored it; fewer where one has none."""
    able = [
        [f for f in one if f.clips >= LEAST_CLIPS and f.face_px >= MIN_FACE_PX] for one in faces
    ]
    if not all(able):
        return []
    same = [
        matched
        for first in able[0]
        if len(matched := [first, *_same(first, able[1:])]) == len(faces)
    ]
    if same:
        return max(same, key=lambda matched: matched[0].logit)
    return [max(one, key=lambda f: f.logit) for one in able]


def _same(first: FaceScore, others: Sequence[Sequence[FaceScore]]) -> list[FaceScore]:
    return [
        face
        for one in others
        for face in one
        if face.track_id == first.track_id
        and abs(face.face_px - first.face_px) <= _SAME_SIZE * first.face_px
    ]
