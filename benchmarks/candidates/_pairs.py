"""Real faces of ``val``, each beside a pseudo-forgery of it, as ``benchmarks pseudo`` has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import pseudo
from benchmarks.candidates._scores import Candidate
from unmask.prepare import prepare
from unmask.train.data import cached, prepare_spec_for
from unmask.train.samples import Samples
from unmask.types import LabelledVideo

SETS = ("raw", "H.264 CRF 32")
SEED = 777

Values = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Of P pairs: logits ``real`` and ``forged`` (P,), ``source`` (P,), ``iou`` (P,) or None."""

    real: Values
    forged: Values
    source: NDArray[np.str_]
    iou: Values | None


def score_pairs(
    candidate: Candidate, rows: Sequence[LabelledVideo], count: int, folder: Path
) -> dict[str, Pairs]:
    """The candidate's answers on each of ``SETS``; those that lie in ``folder`` are read.

    Args:
        candidate: detector and weights.
        rows: videos; the real ones are taken.
        count: pairs of a set.
        folder: where answers are kept, one file per set.
    """
    files = {name: folder / _file(candidate, name, count) for name in SETS}
    missing = {name: file for name, file in files.items() if not file.is_file()}
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        card = candidate.model.card
        recipe = pseudo.plain_recipe(card)
        keep = prepare_spec_for(dataclasses.replace(card, recipe=recipe))
        real = sorted((row for row in rows if not row.label), key=lambda row: row.path)
        faces = prepare(real, cached(real, keep), keep).sequences
        source = {face.group: face.video.source_id for face in faces}
        for name, file in missing.items():
            augment, region = pseudo.SETS[name]
            samples = Samples(
                faces, card.input, recipe, count, SEED, augment=augment, region=region
            )
            answers = pseudo.answer(candidate.model, samples)
            _write(file, answers, [source[samples.group_of(number)] for number in range(count)])
    return {name: _read(file) for name, file in files.items()}


def _file(candidate: Candidate, name: str, count: int) -> str:
    detector, sha256 = candidate.id
    return f"{detector}-{sha256[:16]}-{name.replace(' ', '_')}-{count}.npz"


def _write(file: Path, answers: pseudo.Answers, source: list[str]) -> None:
    iou = pseudo.mask_iou(answers)
    partial = file.with_suffix(".partial.npz")
    if iou is None:
        np.savez(partial, logit=answers.logit, source=np.array(source))
    else:
        np.savez(partial, logit=answers.logit, source=np.array(source), iou=iou.numpy())
    partial.replace(file)


def _read(file: Path) -> Pairs:
    with np.load(file) as arrays:
        real, forged = arrays["logit"].T
        iou = arrays.get("iou")
        return Pairs(real, forged, arrays["source"], iou)
