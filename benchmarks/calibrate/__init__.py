"""Calibrates one detector's weights, or several as a panel, and says what that is worth.

    python -m benchmarks calibrate --data ../shared/media -d screener [-d NAME[=FILE] …]
        [--calibrate FILE] [--as-is-only] [--stored DIR]

Every video is scored as it is, after H.264 at CRF 40 and at half size; the scores are those of
``python -m benchmarks candidates`` (``runs/candidates/videos``) and are not made twice. With
``--stored`` nothing is scored: the folder may be any that ``unmask evaluate`` wrote.

Fits as ``unmask calibrate`` does, with every source and every tool left out once. Writes the
metrics to ``benchmarks/results`` and, with ``--calibrate``, the calibration. A panel that ranks no
better than its first member alone is not written without ``--anyway``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import _result
from benchmarks.calibrate._by_group import metrics_by_group
from benchmarks.calibrate._plain import plain_figures
from benchmarks.candidates._scores import (
    CONDITIONS,
    Candidate,
    check_training,
    read_candidates,
    read_val,
    score,
)
from unmask.calibrate.build import build
from unmask.calibrate.compression import measure_compression
from unmask.calibrate.copies import copies_of
from unmask.calibrate.fit import FALSE_ALARM_RATE
from unmask.calibrate.left_out import compare_with_first, is_better
from unmask.calibrate.run import measure_plain, with_origin
from unmask.datasets import read_folder
from unmask.errors import UsageError
from unmask.evaluate.scores import VideoScore, read_scores
from unmask.types import LabelledVideo
from unmask.verdict import write_calibration

SCORES = Path("runs/candidates")


def read_rows(data: Path) -> tuple[list[LabelledVideo], Path]:
    """The validation videos, and the folder that their paths are relative to.

    ``data`` is the media pack, its ``val``, or a folder with ``real`` and ``fake``.
    """
    root = data.resolve()
    if (root.parent / "manifest.csv").is_file() and not (root / "manifest.csv").is_file():
        root = root.parent
    if (root / "manifest.csv").is_file():
        return read_val(root), root
    return list(read_folder(root, split="val")), root


def scores_of(
    given: argparse.Namespace,
    candidates: Sequence[Candidate],
    rows: Sequence[LabelledVideo],
    root: Path,
    conditions: Sequence[str],
) -> list[VideoScore]:
    """Stored scores, or those that are made now as far as they are not stored."""
    if given.stored is not None:
        found = read_scores(given.stored)
    else:
        found = score(
            candidates,
            rows,
            root,
            given.scores / "videos",
            device=given.device,
            conditions=conditions,
            say=lambda text: print(text, flush=True),
        )
        wanted = {row.path.resolve() for row in rows}
        found = [row for row in found if (root / row.key.path).resolve() in wanted]
    return [row for row in found if row.key.condition in conditions]


def run(given: argparse.Namespace) -> int:
    """Scores what is not scored yet, fits, measures and writes."""
    candidates = read_candidates(given.detector, given.device)
    rows, root = read_rows(given.data)
    for one in candidates:
        check_training(one, root / "val")
    conditions = [""] if given.as_is_only else list(CONDITIONS.values())
    scores = scores_of(given, candidates, rows, root, conditions)
    compression = measure_compression(
        rows,
        root,
        conditions,
        given.scores / "qualities.json",
        lambda text: print(text, flush=True),
    )
    members = [one.id for one in candidates]
    copies, undecided = copies_of(scores, members, compression)
    result: dict[str, Any] = {
        "detectors": [one.file for one in candidates],
        "weights_sha256": [one.id[1] for one in candidates],
        "detector": candidates[0].id[0],
        "conditions": conditions,
        "copies": len(copies),
        "undecided_copies": undecided,
    }
    if len(members) == 1:
        folder = given.stored or given.scores / "videos"
        result |= plain_figures(scores, members[0], folder)
    result["calibration"] = metrics_by_group(copies, given.rate, given.resamples)
    made = build(copies, members, given.rate, given.resamples, given.data.name, given.longest)
    left_out, _ = measure_plain(copies, given.rate, given.resamples)
    made = replace(with_origin(made, left_out, rows), blind_spots=given.blind_spots)
    better = True
    if len(members) > 1:
        compared = compare_with_first(copies, given.rate, given.resamples)
        better = is_better(compared)
        result["panel"] = {"better": better}
        result["panel"] |= {name: one.plain() for name, one in compared.items()}
    name = given.name or f"calibration_{'_'.join(one.id[0] for one in candidates)}"
    path = _result.write(
        name, f"python -m benchmarks calibrate {given.words}", result, _result.RESULTS
    )
    show(result)
    print(path)
    if given.calibrate and (better or given.anyway):
        write_calibration(made, given.calibrate)
        print(given.calibrate)
    elif given.calibrate:
        raise UsageError(
            f"The panel was not written to '{given.calibrate}': with sources left out it ranks no "
            f"better than {candidates[0].id[0]} alone (see above). Ship that one, or write the "
            "panel with --anyway."
        )
    return 0


def show(result: Mapping[str, Any]) -> None:
    """Prints the calibration's figures; those of raw scores stand in the file."""
    for name, value in result["calibration"].items():
        if isinstance(value, dict):
            print(name)
            for key, one in value.items():
                print(f"  {key}: {_short(one)}")
        else:
            print(f"{name}: {value}")
    for name, value in result.get("panel", {}).items():
        print(f"panel {name}: {value}")


def _short(value: Any) -> Any:
    """A figure on one line: value, interval, n."""
    if not isinstance(value, dict):
        return value
    parts = {key: _short(one) for key, one in value.items() if key != "note"}
    if "value" in parts:
        return " ".join(str(part) for part in parts.values())
    return "; ".join(f"{key} {part}" for key, part in parts.items())


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks calibrate")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("-d", "--detector", action="append", help="NAME or NAME=FILE; repeatable")
    parser.add_argument("--scores", type=Path, default=SCORES, help="folder that keeps them")
    parser.add_argument("--stored", type=Path, help="results folder; nothing is scored")
    parser.add_argument("--as-is-only", action="store_true", help="no recompressed copies")
    parser.add_argument("--rate", type=float, default=FALSE_ALARM_RATE, help="of false alarms")
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--longest", type=float, default=60.0, help="seconds, see PanelMember")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--name", help="of the result file")
    parser.add_argument("--calibrate", type=Path, help="writes the calibration to this file")
    parser.add_argument("--blind-spots", default="", help="a sentence: what it does not find")
    parser.add_argument("--anyway", action="store_true", help="writes a panel that is no better")
    given = parser.parse_args(arguments)
    given.words = " ".join(arguments)
    given.detector = given.detector or ["screener"]
    return run(given)
