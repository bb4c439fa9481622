"""Many verdicts as one table."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
from report_builders import all_verdicts, make_gated, make_verdict

from unmask.report import failed_row, short_row, table_row, to_csv, to_json
from unmask.report.table import COLUMNS

VERDICTS = all_verdicts()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", VERDICTS)
def test_every_verdict_is_one_row_with_the_numbers_of_its_json(name: str) -> None:
    verdict = VERDICTS[name]
    (row,) = read(to_csv([table_row(verdict)]))
    assert tuple(row) == COLUMNS
    document = json.loads(to_json(verdict))
    assert row["finding"] == document["finding"]
    for key in ("probability", "llr", "score"):
        if document[key] is None:
            assert row[key] == ""
        else:
            assert float(row[key]) == pytest.approx(document[key], rel=1e-5)
    assert row["sha256"] == document["video"]["sha256"]
    assert row["error"] == ""


def test_the_errors_behind_the_answer_and_closed_gates_are_in_the_row() -> None:
    (row,) = read(to_csv([table_row(make_verdict())]))
    counts = ("real_at_or_above", "real_videos", "fake_at_or_below", "fake_videos")
    assert [row[name] for name in counts] == ["0", "76", "61", "81"]
    assert (row["threshold"], row["lower"], row["quality"]) == ("1.37", "-0.42", "other")
    assert (row["faces_found"], row["faces_decided"]) == ("1", "1")
    (closed,) = read(to_csv([table_row(make_gated())]))
    assert closed["gates"].startswith("the face hardly changes between moments (0.12 gray levels")
    assert closed["faces_decided"] == "0"
    assert [closed[name] for name in counts] == [""] * 4


def test_a_file_that_failed_keeps_its_row() -> None:
    first, second = read(
        to_csv([table_row(make_verdict()), failed_row(Path("a/talk.m4a"), "no video stream")])
    )
    assert (first["error"], second["error"]) == ("", "no video stream")
    assert second["path"] == str(Path("a/talk.m4a"))
    assert second["finding"] == ""


@pytest.mark.parametrize("name", ["=1+1.mp4", "@SUM(A1).mp4", "+1.mp4", "-rf.mp4"])
def test_a_name_is_never_a_formula(name: str) -> None:
    (row,) = read(to_csv([failed_row(Path(name), "x")]))
    assert row["path"] == f"'{name}"


def test_odd_names_stay_one_row_and_readable() -> None:
    odd = 'a,b"c\nd\x1b[2J\u202e.mp4'
    (row,) = read(to_csv([failed_row(Path(odd), "x")]))
    assert row["path"] == 'a,b"c\\nd\\x1b[2J\\u202e.mp4'
    (row,) = read(to_csv([failed_row(Path(os.fsdecode(b"caf\xe9.mp4")), "x")]))
    assert row["path"] == "caf\\xe9.mp4"
    assert to_csv([table_row(make_verdict(name=odd))]).count("\r\n") == 2


def test_the_short_row_is_for_eyes() -> None:
    assert short_row(make_verdict()) == (
        "Signs of manipulation found",
        "96 %",
        "91 % to 98 %",
        "+3.21",
    )
    assert short_row(make_gated()) == ("Inconclusive", "", "", "")
