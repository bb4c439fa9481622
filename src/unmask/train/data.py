"""From a path to stored faces, split into training and validation."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from unmask.checkpoints import cache_dir
from unmask.clips import is_by_68_points
from unmask.datasets import check_splits, choose_rows, list_datasets, read_dataset, require_masks
from unmask.detectors import Card
from unmask.errors import DataError, UsageError
from unmask.prepare import (
    VERSION,
    FaceSequence,
    Prepared,
    PrepareSpec,
    is_prepared,
    landmarks_missing_reason,
    prepare,
    read_prepared,
)
from unmask.types import LabelledVideo
from unmask.weights import Terms

SPLITS = ("train", "val")
_FACE_PX = 260.0
_SEQUENCES = {True: 12, False: 8}
"""Of each person: single moments, and sequences of several frames."""

_LONGEST = 64
"""Frames of a sequence that clips are drawn from anywhere in; more would crowd the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """What training and validation see: sequences by split, and the index they come from."""

    rows: tuple[LabelledVideo, ...]
    by_split: dict[str, list[FaceSequence]]

    def counts(self) -> dict[str, int]:
        """Files and sequences of every split, and how many of the files are forged."""
        counts: dict[str, int] = {}
        for split, found in self.by_split.items():
            counts[f"{split}_files"] = len({s.group for s in found})
            counts[f"{split}_faces"] = len(found)
            counts[f"{split}_forged_files"] = len({s.group for s in found if s.label})
        return counts


class Origin(NamedTuple):
    """What is written beside trained weights."""

    license: str
    trained_on: str
    notes: Mapping[str, str] = MappingProxyType({})


def origin_of(
    data: Source, faces: Faces, weights: str | Path | None, terms: Terms | None = None
) -> Origin:
    """License and origin of what was trained with these faces, on top of ``weights``.

    What began with weights that are not for commercial use is not either: ``terms``.

    Weights trained on a published data set are no freer than its terms; a plain folder is the
    user's own.
    """
    named = sorted({row.dataset for row in faces.rows} & {*list_datasets()})
    is_plain = data.dataset == "folder" and not named
    layouts = ", ".join(named) or data.dataset
    trained_on = f"{faces.counts()['train_files']} files of {data}"
    trained_on += "" if is_plain else f" ({layouts})"
    trained_on += f", begun with {weights}" if weights else ""
    license = "MIT" if is_plain else f"that of the training data ({layouts})"
    if terms is None:
        return Origin(license, trained_on)
    license = f"{terms.license}, of the weights it began with; {license}"
    return Origin(license, trained_on, terms.notes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where data come from: a folder in the layout of ``dataset`` (see ``list_datasets``), or
    one made by ``prepare``; of it all, or only some ``methods`` and ``compressions``.

    With ``videos``, only so many real videos train, drawn by the recipe's seed, with the forgeries
    made of them; validation keeps all. A seed's smaller draws lie within its larger ones.
    """

    path: Path
    dataset: str = "folder"
    methods: tuple[str, ...] | None = None
    compressions: tuple[str, ...] | None = None
    videos: int | None = None

    def __str__(self) -> str:
        return str(self.path)

    def rows(self) -> list[LabelledVideo]:
        """The index; no media is opened.

        Raises:
            DataError: there is no such data set, or a method or a compression is not in it.
        """
        if is_prepared(self.path):
            return self._prepared_rows()
        return read_dataset(
            self.dataset, self.path, methods=self.methods, compressions=self.compressions
        )

    def _prepared_rows(self) -> list[LabelledVideo]:
        found, compressions = read_prepared(self.path), self.compressions
        if compressions is not None and set(compressions) == set(found.spec.twins or ()):
            compressions = None  # Of twins the better one alone has a row.
        return choose_rows(found.rows, methods=self.methods, compressions=compressions)


def read_faces(
    card: Card,
    data: Source,
    validation: Source | None,
    *,
    workers: int = 1,
    report: Callable[[str], None] = lambda line: None,
) -> Faces:
    """Finds (or finds again in the cache) the faces that a detector is trained with.

    Args:
        card: says how many frames, at what rate, and whether twins are needed.
        data: what trains.
        validation: what validates; None takes the validation split of ``data``.
        workers: processes that look for faces.
        report: receives lines that tell what happens.

    Raises:
        DataError: a split is empty, a person stands in two, what was prepared does not serve, or
            there are fewer real videos than asked for.
        UsageError: fewer than one real video was asked for.
    """
    sources = {"train": data, "val": validation or data}
    chosen = {
        split: _of_split(source.rows(), split, split if validation is None else None)
        for split, source in sources.items()
    }
    if data.videos is not None:
        chosen["train"] = _of_videos(chosen["train"], data.videos, card.recipe.seed, report)
    _check_rows(card, chosen, are_apart=validation is not None)
    parts = {
        split: _read(card, source, split, chosen[split], workers, report)
        for split, source in sources.items()
    }
    rows = tuple(
        dataclasses.replace(row, split=split) for split, (some, _) in parts.items() for row in some
    )
    return Faces(rows, {split: found for split, (_, found) in parts.items()})


def _check_rows(
    card: Card, chosen: Mapping[str, Sequence[LabelledVideo]], *, are_apart: bool
) -> None:
    """Refuses, before faces are looked for, rows that the recipe could not be trained with."""
    rows = [dataclasses.replace(row, split=split) for split, some in chosen.items() for row in some]
    # Two folders given apart may name different people alike: only known people are compared.
    check_splits([row for row in rows if row.identities] if are_apart else rows)
    if card.recipe.sampling.needs_masks and not card.recipe.synthesis.kind:
        require_masks({row.path: row for row in rows}.values())


def prepare_spec_for(card: Card) -> PrepareSpec:
    """What to keep of a data set for a detector that is trained with it.

    68 points are kept for a detector that is cut by them, if their source is installed.
    """
    spec, recipe = card.input, card.recipe
    is_still = spec.frames == 1
    is_by_68 = is_by_68_points(spec) and not landmarks_missing_reason()
    # Faces that a cut would reduce anyway are reduced before they are stored.
    largest = max(_FACE_PX, 1.15 * max(spec.load_size or spec.size) / spec.margin)
    is_anywhere = recipe.sampling.clips_anywhere and not is_still
    return PrepareSpec(
        sequences=None if is_anywhere else _SEQUENCES[is_still],
        frames=spec.frames,
        longest=max(spec.frames, _LONGEST) if is_anywhere else 1,
        fps=None if is_still else spec.fps,
        stride=1 if is_still else spec.stride,
        # Cut by 68 points, a picture takes single pixels of the frame, however large it is.
        largest_face_px=None if is_by_68 else largest,
        twins=None if recipe.synthesis.kind else recipe.sampling.twins,
        landmarks=68 if is_by_68 else 5,
    )


def _read(
    card: Card,
    source: Source,
    split: str,
    rows: Sequence[LabelledVideo],
    workers: int,
    report: Callable[[str], None],
) -> tuple[list[LabelledVideo], list[FaceSequence]]:
    """What was found of the rows of one split; of twins the better rows alone."""
    if is_prepared(source.path):
        found = read_prepared(source.path)
        _check_serves(card, found)
    else:
        spec = prepare_spec_for(card)

        def report_count(done: int, total: int) -> None:
            if done % 50 == 0 or done == total:
                report(f"Faces for {split}: {done} of {total} files")

        found = prepare(rows, cached(rows, spec), spec, workers=workers, report=report_count)
        for line in found.problems[:5]:
            report(line)
        if len(found.problems) > 5:
            report(f"... and {len(found.problems) - 5} more files could not be used.")
    if is_by_68_points(card.input) and found.spec.landmarks == 5:
        reason = landmarks_missing_reason() or ""
        report(f"Faces for {split}: cut by 5 points instead of 68. {reason}".rstrip())
    kept = set(rows)
    sequences = [sequence for sequence in found.sequences if sequence.video in kept]
    return [row for row in found.rows if row in kept], sequences


def _of_split(rows: Sequence[LabelledVideo], split: str, only: str | None) -> list[LabelledVideo]:
    found = [row for row in rows if only in (None, row.split)]
    if not found:
        raise DataError(f"No file fell into the split '{split}': give more data, or --validation.")
    return found


def _of_videos(
    rows: Sequence[LabelledVideo], videos: int, seed: int, report: Callable[[str], None]
) -> list[LabelledVideo]:
    """The first real videos of a shuffled order, at every compression, and their fakes."""
    real = sorted({(row.dataset, row.source_id) for row in rows if not row.label})
    unnamed = next((row for row in rows if not row.source_id), None)
    if videos < 1:
        raise UsageError(f"Cannot train with {videos} real videos: expected at least 1.")
    if unnamed is not None:
        raise DataError(
            f"Cannot choose {videos} real videos: nothing says which of them '{unnamed.path}' "
            "belongs to. Give data whose index has a source_id in every row, or take them all."
        )
    if videos > len(real):
        raise DataError(
            f"Cannot train with {videos} real videos: the training split holds {len(real)}. Give "
            "more data, or ask for fewer."
        )
    order = np.random.default_rng(seed).permutation(len(real))
    kept = {real[number] for number in order[:videos]}
    found = [row for row in rows if (row.dataset, row.source_id) in kept]
    forged = sum(row.label for row in found)
    report(
        f"Training takes {videos} of {len(real)} real videos ({len(found) - forged} files) and "
        f"{forged} files forged from them."
    )
    return found


def _check_serves(card: Card, found: Prepared) -> None:
    if found.spec.serves(card.input):
        return
    wanted, kept = card.input, found.spec
    raise DataError(
        f"'{found.path}' does not serve {card.name}: it takes {wanted.frames} frames at "
        f"{wanted.fps or 'any'} a second, one in {wanted.stride}, {wanted.margin} face boxes wide; "
        f"kept were {kept.frames} at {kept.fps or 'any'}, one in {kept.stride}, {kept.context} "
        f"wide. Prepare anew with: unmask prepare LAYOUT PATH --detector {card.name} "
        f"--frames {wanted.frames}"
    )


def cached(rows: Sequence[LabelledVideo], spec: PrepareSpec) -> Path:
    """A folder of the cache whose name follows from the files, their labels and ``spec``."""
    state = []
    for row in rows:
        files = [row.path.stat(), *([row.mask_path.stat()] if row.mask_path else [])]
        state.append((repr(row), [(f.st_size, f.st_mtime_ns) for f in files]))
    text = json.dumps([VERSION, spec.plain(), state])
    return cache_dir() / "prepared" / hashlib.sha256(text.encode()).hexdigest()[:16]
