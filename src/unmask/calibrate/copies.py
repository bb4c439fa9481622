"""Scored copies of videos as arrays: what a calibration is fitted on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.calibrate.compression import Compression, CompressionOf
from unmask.calibrate.intervals import ScoredVideos
from unmask.errors import DataError
from unmask.evaluate.scores import FaceScore, VideoScore
from unmask.verdict.aggregate import LEAST_CLIPS

Values = NDArray[np.float64]
Texts = NDArray[np.str_]

MIN_FACE_PX = 48.0
"""Median longest side of a face from which it can decide."""

_SAME_SIZE = 0.3
"""Faces of two scans with one number are the same if their sizes differ by less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """N copies of videos (as they are, recompressed or smaller), scored by D detectors.

    Attributes:
        path: (N,), the same for all copies of one video.
        source: (N,), the same for a real video and the forgeries made of it.
        tool: (N,), the forgery's method; empty for real videos.
        condition: (N,), see ``unmask.evaluate.condition``; empty for videos as they are.
        codec: (N,), as ``VideoInfo`` names it.
        label: (N,), 1 = fake.
        logit: (N, D), of the face that decides.
        face_px: (N,), median longest side of its box.
        bits: (N,), per pixel and frame; NaN where unknown.
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

    def scored(self, score: Values) -> ScoredVideos:
        """The same with one score (N,) each, as intervals are computed from."""
        return ScoredVideos(self.label, score, self.source, self.tool, self.path)


def copies_of(
    scores: Iterable[VideoScore],
    members: Sequence[tuple[str, str]],
    compression: Mapping[CompressionOf, Compression],
) -> tuple[Copies, int]:
    """Copies on which all detectors can decide.

    A face decides as in a scan; of several the one with the highest logit of the first detector.
    Faces that detectors scored in scans of their own are the same if number and size agree. Where
    none agree, each detector's own highest one stands for the video.

    Args:
        scores: of videos, of any detectors.
        members: name and hash of the weights of each detector, in order.
        compression: by path and condition; of others it counts as unknown.

    Returns:
        The copies, and the number of those on which not all detectors can decide.

    Raises:
        DataError: no copy of both labels can be decided on.
    """
    by_copy: dict[CompressionOf, dict[tuple[str, str], VideoScore]] = {}
    for row in scores:
        member = (row.key.detector, row.key.weights_sha256)
        if member in members:
            by_copy.setdefault((row.key.path, row.key.condition), {})[member] = row
    rows, undecided = [], 0
    for (path, condition), by_member in sorted(by_copy.items()):
        faces = _deciding([by_member[one].faces for one in members if one in by_member])
        if len(faces) < len(members):
            undecided += 1
            continue
        video = next(iter(by_member.values()))
        bits, codec = compression.get((path, condition), Compression(None, ""))
        tool = video.key.method if video.label else ""
        # A video without a source shares its scene with nothing known.
        texts_of = (path, video.source_id or path, tool, condition, codec)
        numbers_of = (
            float(video.label),
            [face.logit for face in faces],
            faces[0].face_px,
            np.nan if bits is None else bits,
        )
        rows.append((*texts_of, *numbers_of))
    labels = [row[5] for row in rows]
    if len(set(labels)) < 2:
        raise DataError(
            "Cannot calibrate: a face can decide in "
            f"{len(rows)} scored copies, {labels.count(0.0)} of real and {labels.count(1.0)} of "
            "fake videos; both are needed. Give videos with a face of at least "
            f"{MIN_FACE_PX:.0f} px that is visible for {LEAST_CLIPS} clips."
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
