"""A results folder from which every plot can be drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from score_rows import clips, drawn
from unmask.evaluate.scores import BINS, PixelCounts, ScoreWriter, VideoScore

SOURCES = 12


def pixels(number: int, label: int) -> PixelCounts:
    """Counts that rise with the bin for forged pixels and fall for the others."""
    rising = tuple(range(number, number + BINS))
    return PixelCounts(rising if label else (0,) * BINS, rising[::-1])


def rows() -> list[VideoScore]:
    """A test split, as it is and under blur, and a validation split."""
    test = drawn(1, SOURCES)
    masked = [
        dataclasses.replace(row, pixels=pixels(number, row.label))
        for number, row in enumerate(test)
    ]
    blurred = [row for n in (1, 3) for row in drawn(n, SOURCES, condition=f"blur {n}")]
    validation = one_method(drawn(2, SOURCES, split="val"))
    return [*masked, *blurred, *validation, *drawn(5, SOURCES, detector="other")]


def one_method(chosen: list[VideoScore]) -> list[VideoScore]:
    """Without the forgeries by B: fewer plots are drawn faster."""
    return [row for row in chosen if row.key.method != "B"]


def write_results(folder: Path, chosen: list[VideoScore], *, embeds: bool = True) -> Path:
    """The rows with their clips, whose embeddings tell the methods apart."""
    random = np.random.default_rng(0)
    with ScoreWriter(folder, keeps_embeddings=embeds) as writer:
        for row in chosen:
            place = 9.0 * ("", "A", "B").index(row.key.method)
            its = clips(row.score, row.key.detector) if row.score is not None else []
            points = [random.normal(place, 1.0, 3).astype(np.float32) for _ in its]
            writer.add(
                row,
                [
                    dataclasses.replace(clip, embedding=point)
                    for clip, point in zip(its, points, strict=True)
                ],
            )
    return folder
