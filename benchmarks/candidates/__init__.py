"""Judges candidate weights by the aims of issue 5, cross-validated over sources and tools.

    python -m benchmarks candidates --data ../shared/media -w NAME[=FILE] [-w …] [-o JSON]

Every candidate is scored on the media pack's ``val`` split as it is, after H.264 at CRF 40 and at
half size, and on pseudo-forgeries of its real videos. Scores lie in ``runs/candidates`` and are
not made twice; delete that folder after a change of how faces are found, cut or scored. No video of
``train`` is judged, and each threshold and scaling comes from sources other than the one judged.
Intervals come from a bootstrap over sources; every two candidates are compared on the same draws.
Writes ``candidates.json`` and the tables beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _result
from benchmarks.candidates import _folds, _judge
from benchmarks.candidates._figures import figures_of
from benchmarks.candidates._pairs import SETS, Pairs, score_pairs
from benchmarks.candidates._scores import (
    CONDITIONS,
    Candidate,
    check_training,
    read_candidates,
    read_val,
    score,
    videos_of,
)
from benchmarks.candidates._show import to_markdown
from unmask.calibrate.copies import MIN_FACE_PX
from unmask.calibrate.fit import FALSE_ALARM_RATE
from unmask.calibrate.intervals import ScoredVideos, Statistic, estimate
from unmask.types import LabelledVideo

READ = (
    "Thresholds and scalings come from sources other than the one judged. Whatever was chosen on "
    "val before (the epoch of a training, an earlier threshold) is not undone by that and "
    "flatters. A video without a face that can decide counts as not found, and ranks lowest. "
    "Intervals: bootstrap over sources, of shares at least as wide as Wilson's; thresholds and "
    "scalings are not fitted anew in each resample."
)


def judge(
    given: Mapping[str, tuple[Mapping[str, ScoredVideos], Mapping[str, Pairs]]],
    rate: float,
    resamples: int,
) -> dict[str, Any]:
    """Everything that scores tell about candidates.

    Args:
        given: by candidate: its videos by condition, its pairs by set.
        rate: of false alarms that thresholds are drawn for.
        resamples: of every interval.
    """
    figures = {name: figures_of(*one, rate) for name, one in given.items()}
    plain = {name: videos["as they are"] for name, (videos, _) in given.items()}
    compared = _judge.compare(figures, plain, resamples)
    return {
        "main": _judge.MAIN,
        "winner": _judge.winner(list(given), compared),
        "chosen_apart": {
            "source": _judge.chosen_apart(plain, _folds.by_source),
            "tool": _judge.chosen_apart(plain, _folds.by_tool),
        }
        if len(given) > 1
        else None,
        "compared": compared,
        "candidates": {
            name: _of_candidate(plain[name], figures[name], rate, resamples) for name in given
        },
    }


def _of_candidate(
    videos: ScoredVideos, figures: Mapping[str, Statistic], rate: float, resamples: int
) -> dict[str, Any]:
    found = {name: estimate(figure, resamples) for name, figure in figures.items()}
    return {
        "aims": [
            {
                "figure": aim.figure,
                "asked": str(aim),
                **found[aim.figure].plain(),
                "reached": aim.judge(found[aim.figure]),
            }
            for aim in _judge.AIMS
            if aim.figure in found
        ],
        "figures": {name: one.plain() for name, one in found.items()},
        **_judge.scaling_told(videos),
        "sources_left_out": _judge.sources_left_out(videos, rate),
        "tools_left_out": _judge.tools_left_out(videos, rate, resamples),
        "scores": [
            [path, source, int(label), None if logit != logit else round(float(logit), 3)]
            for path, source, label, logit in zip(
                videos.path.tolist(),
                videos.source.tolist(),
                videos.label.tolist(),
                videos.logit.tolist(),
                strict=True,
            )
        ],
    }


def run(
    candidates: Sequence[Candidate], rows: Sequence[LabelledVideo], given: argparse.Namespace
) -> dict[str, Any]:
    """Scores what is not scored yet, and judges."""
    media, folder = given.data.resolve(), given.scores
    for one in candidates:
        check_training(one, media / "val")
    scores = score(
        candidates,
        rows,
        media,
        folder / "videos",
        device=given.device,
        say=lambda line: print(line, flush=True),
    )
    tables = {
        one.name: (
            {name: videos_of(scores, one, rows, media, text) for name, text in CONDITIONS.items()},
            score_pairs(one, rows, given.pairs, folder / "pairs"),
        )
        for one in candidates
    }
    result = judge(tables, given.rate, given.resamples)
    for one in candidates:
        use = one.model.weights
        origin = {
            "weights": one.file,
            "weights_sha256": use.sha256,
            "trained_on": use.trained_on,
        }
        result["candidates"][one.name] = origin | result["candidates"][one.name]
    return result


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks candidates")
    parser.add_argument("--data", required=True, type=Path, help="the media pack")
    parser.add_argument("-w", "--weights", action="append", required=True, help="NAME or NAME=FILE")
    parser.add_argument("-o", "--out", type=Path, default=_result.RESULTS / "candidates.json")
    parser.add_argument("--scores", type=Path, default=Path("runs/candidates"))
    parser.add_argument("--pairs", type=int, default=500, help="pseudo-forgeries of each set")
    parser.add_argument("--rate", type=float, default=FALSE_ALARM_RATE, help="of false alarms")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args(arguments)
    candidates = read_candidates(given.weights, given.device)
    rows = read_val(given.data.resolve())
    result = {
        "read": READ,
        "rate": given.rate,
        "min_face_px": MIN_FACE_PX,
        "resamples": given.resamples,
        "pairs": {"count": given.pairs, "sets": list(SETS)},
        "conditions": CONDITIONS,
        **run(candidates, rows, given),
    }
    command = " ".join(["python -m benchmarks candidates", *arguments])
    path = _result.write(given.out.stem, command, result, given.out.parent)
    tables = to_markdown(json.loads(path.read_text()))
    path.with_suffix(".md").write_text(tables, encoding="utf-8")
    print(tables)
    print(path)
    return 0
