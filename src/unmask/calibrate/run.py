"""Scores labelled videos and their copies, and makes a calibration of the scores."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from unmask.calibrate.build import build
from unmask.calibrate.compression import measure_compression
from unmask.calibrate.copies import Copies, copies_of
from unmask.calibrate.fit import FALSE_ALARM_RATE, MISS_RATE
from unmask.calibrate.intervals import Estimate
from unmask.calibrate.left_out import (
    LeftOut,
    compare_with_first,
    judge_left_out,
    measure_left_out,
    rates_of,
)
from unmask.errors import DataError, MediaError, UsageError
from unmask.evaluate.condition import HALF_SIZE
from unmask.evaluate.run import evaluate, load_detectors
from unmask.evaluate.score_videos import Report
from unmask.evaluate.scores import read_scores
from unmask.media import probe
from unmask.types import Calibration, DetectorUse, LabelledVideo

COPIES: Final = ("", "compression 5", HALF_SIZE)
"""Conditions under which every video is scored: as it is, H.264 at CRF 40, at half size."""


class Calibrated(NamedTuple):
    """A calibration, and what it is worth.

    Attributes:
        calibration: to be written with ``unmask.verdict.write_calibration``.
        left_out: metrics of the videos as they are, each judged by a fit without its source; None
            where too little is left without one of the sources.
        missing_reason: why there is no ``left_out``; else empty.
        compared: of a panel, its metrics beside those of its first member alone.
        copies: that could be decided on.
        undecided: copies that could not.
    """

    calibration: Calibration
    left_out: LeftOut | None
    missing_reason: str
    compared: Mapping[str, Estimate]
    copies: int
    undecided: int


def calibrate(
    rows: Sequence[LabelledVideo],
    detectors: Sequence[str],
    scores: Path,
    *,
    root: Path | None = None,
    weights: Mapping[str, str | Path] | None = None,
    data: str = "",
    conditions: Sequence[str] = COPIES,
    rate: float = FALSE_ALARM_RATE,
    resamples: int = 2000,
    longest_cpu_s: float = 60.0,
    device: str = "cpu",
    report: Report | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Calibrated:
    """Scores every video and its copies, and makes the calibration that the scores support.

    Fitted are the panel's weights, a line for each quality class (Platt scaling), conformal
    bounds, and the bounds of the likelihood ratio. Goes on where an earlier call stopped.

    Args:
        rows: videos of both labels, none of which the weights were trained on. Those that share a
            ``source_id`` are left out together where the calibration is tried.
        detectors: their names; of several, a panel is made whose first member always scans.
        scores: folder that keeps the scores, see ``evaluate``.
        root: of the data set; paths are noted relative to it.
        weights: for some detectors, another tag or a safetensors file.
        data: what the videos are called in the calibration.
        conditions: the copies that are made of each video, see ``unmask.evaluate.condition``.
        rate: share of real videos that may be called manipulated, between 0 and 1.
        resamples: of the bootstrap, for intervals.
        longest_cpu_s: of videos in which members of a panel after the first run on a CPU.
        device: ``cpu`` or ``cuda``.
        report: hears of every score.
        log: hears a line for each copy whose compression is measured.

    Raises:
        DataError: too few videos of a label, none with a face that can decide, or videos that
            the weights were trained on.
        OutputError: ``scores`` cannot be written.
        UnknownNameError: a detector that does not exist.
        UsageError: no detector, one twice, weights for another one, or a rate out of range.
        WeightsError: weights that are missing, damaged or do not fit.
        MissingDependencyError: pyarrow is not installed.
    """
    check_rows(rows, rate)
    uses = [one.weights for one in load_detectors(detectors, weights or {}, device).values()]
    for use in uses:
        check_not_trained_on(use, rows)
    evaluate(
        rows,
        detectors,
        scores,
        root=root,
        weights=weights,
        device=device,
        report=report,
        mask_threshold=None,
        conditions=conditions,
    )
    compression = measure_compression(rows, root, conditions, scores / "compression.json", log)
    known = [row for row in read_scores(scores) if (row.key.path, row.key.condition) in compression]
    members = [(use.name, use.sha256) for use in uses]
    copies, undecided = copies_of(known, members, compression)
    made = build(copies, members, rate, resamples, data or _names_of(rows), longest_cpu_s)
    left_out, missing_reason = measure_plain(copies, rate, resamples)
    return Calibrated(
        calibration=with_origin(made, left_out, rows),
        left_out=left_out,
        missing_reason=missing_reason,
        compared=compare_with_first(copies, rate, resamples) if len(members) > 1 else {},
        copies=len(copies),
        undecided=undecided,
    )


def with_origin(
    made: Calibration, left_out: LeftOut | None, rows: Sequence[LabelledVideo]
) -> Calibration:
    """The calibration with its rates on sources left out and the hashes of its videos."""
    rates = None if left_out is None else rates_of(left_out)
    return dataclasses.replace(made, left_out=rates, validation_sha256=hashes_of(rows))


def check_rows(rows: Sequence[LabelledVideo], rate: float) -> None:
    """Refuses too few videos of a label before anything is scored.

    Raises:
        DataError: too few for the rates of errors.
        UsageError: the rate is out of range.
    """
    if not 0 < rate < 1:
        raise UsageError(
            f"Cannot calibrate for a false-alarm rate of {rate:g}: expected a share between 0 and "
            "1. 0.05 is usual."
        )
    for label, name, share, what in (
        (0, "real", rate, "false-alarm rate"),
        (1, "fake", MISS_RATE, "miss rate"),
    ):
        count = len({row.path for row in rows if row.label == label})
        least = math.ceil(1 / share - 1e-9) - 1
        if count < least:
            remedy = " or a higher false-alarm rate" if label == 0 and count else ""
            raise DataError(
                f"Cannot calibrate: {count} {name} videos cannot show a {what} of {share:g}; at "
                f"least {least} are needed. Give more {name} videos{remedy}."
            )


def check_not_trained_on(use: DetectorUse, rows: Sequence[LabelledVideo]) -> None:
    """Refuses videos of a folder that the weights name as what they were trained on.

    Raises:
        DataError: there is one; the message names it.
    """
    words = [word.strip(",;()'") for word in use.trained_on.split()]
    folders = [Path(word).resolve() for word in words if "/" in word and Path(word).exists()]
    for row in rows:
        path = row.path.resolve()
        folder = next((one for one in folders if path.is_relative_to(one)), None)
        if folder is not None:
            raise DataError(
                f"Cannot calibrate {use.name} on '{row.path}': its weights were trained on "
                f"'{folder}', so its scores there say nothing of other videos. Give videos of "
                "other people that it never saw."
            )


def measure_plain(copies: Copies, rate: float, resamples: int) -> tuple[LeftOut | None, str]:
    """Metrics of the videos as they are, each source left out; or why there are none."""
    try:
        judged = judge_left_out(copies, rate)
    except DataError as error:
        return None, str(error)
    plain = copies.condition == ""
    return measure_left_out(copies[plain], judged[plain], resamples), ""


def hashes_of(rows: Sequence[LabelledVideo]) -> tuple[str, ...]:
    """The hashes by which a scan recognizes these videos, sorted; unreadable ones have none."""
    found = set()
    for row in rows:
        with contextlib.suppress(MediaError):
            found.add(probe(row.path).sha256)
    return tuple(sorted(found))


def _names_of(rows: Sequence[LabelledVideo]) -> str:
    return ", ".join(sorted({row.dataset for row in rows}))
