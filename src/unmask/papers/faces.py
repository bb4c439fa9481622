"""Faces for all trainings of a run, found once for every distinct way of looking at a video."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unmask.papers.plan import TrainingJob
from unmask.prepare import PrepareSpec, prepare
from unmask.train import Source, prepare_spec_for
from unmask.types import LabelledVideo


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSet:
    """What several trainings read: which faces are kept, and of which videos."""

    spec: PrepareSpec
    rows: tuple[LabelledVideo, ...]
    jobs: tuple[TrainingJob, ...]

    @property
    def name(self) -> str:
        """Of its folder; follows from what is kept, and of what."""
        text = json.dumps([self.spec.plain(), [str(row.path) for row in self.rows]])
        kind = "pictures" if self.spec.frames == 1 else "clips"
        return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def face_sets(jobs: Sequence[TrainingJob], rows: Sequence[LabelledVideo]) -> tuple[FaceSet, ...]:
    """Groups trainings whose clips can be cut from the same stored faces.

    Clips of fewer frames are cut from longer stored ones, smaller faces from larger ones.

    Args:
        jobs: the trainings.
        rows: of the benchmark, those that train and validate.
    """
    groups: dict[tuple[object, ...], list[TrainingJob]] = {}
    for job in jobs:
        groups.setdefault(_kind(prepare_spec_for(job.card)), []).append(job)
    return tuple(_joined(members, rows) for members in groups.values())


def prepare_faces(
    faces: FaceSet, folder: Path, workers: int, report: Callable[[int, int], None]
) -> Path:
    """Finds the faces of a set, or goes on with an interrupted search.

    Raises:
        DataError, OutputError: as ``prepare`` does.
    """
    place = folder / faces.name
    prepare(faces.rows, place, faces.spec, workers=workers, report=report)
    return place


def source_of(job: TrainingJob, place: Path) -> Source:
    """What a training takes of the stored faces."""
    training = job.training
    return Source(
        path=place,
        methods=training.methods or None,
        compressions=training.compressions or None,
        videos=training.videos,
    )


def _kind(spec: PrepareSpec) -> tuple[object, ...]:
    """What must be equal for two trainings to read the same faces."""
    is_still = spec.frames == 1
    rest = (spec.sequences, spec.is_stretch, spec.fps, spec.stride, spec.context, spec.min_face_px)
    return (is_still, spec.twins, spec.landmarks, *rest)


def _joined(members: Sequence[TrainingJob], rows: Sequence[LabelledVideo]) -> FaceSet:
    specs = [prepare_spec_for(member.card) for member in members]
    sizes = [spec.largest_face_px for spec in specs]
    largest = None if None in sizes else max(size for size in sizes if size is not None)
    spec = replace(
        specs[0],
        frames=max(spec.frames for spec in specs),
        longest=max(spec.longest for spec in specs),
        largest_face_px=largest,
    )
    levels = {level for member in members for level in member.training.compressions}
    levels |= {*(spec.twins or ())}
    takes_all = any(not member.training.compressions for member in members)
    chosen = tuple(row for row in rows if takes_all or row.compression in levels)
    return FaceSet(spec=spec, rows=chosen, jobs=tuple(members))
