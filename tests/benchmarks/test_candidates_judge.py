"""Aims, comparisons, and who wins."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from benchmarks.candidates import _folds, _judge, judge
from benchmarks.candidates._pairs import SETS
from benchmarks.candidates._scores import CONDITIONS
from benchmarks.candidates._show import to_markdown

from candidate_scores import pairs
from scored_copies import drawn, videos
from unmask.calibrate.intervals import Estimate

RATE = 0.1


def scored(shift: float, *, has_masks: bool = True):
    """A candidate: its forgeries score ``shift`` higher."""
    return (
        {name: drawn(shift, seed=0) for name in CONDITIONS},
        {name: pairs(shift, has_masks=has_masks) for name in SETS},
    )


def estimated(value, low=None, high=None):
    return Estimate(value, low, high, "5")


@pytest.mark.parametrize(
    ("found", "least", "most"),
    [
        (estimated(0.6, 0.55, 0.7), "yes", "no"),
        (estimated(0.6, 0.45, 0.7), "yes, not certain", "no, not certain"),
        (estimated(0.4, 0.35, 0.7), "no, not certain", "yes, not certain"),
        (estimated(0.4, 0.35, 0.45), "no", "yes"),
        (estimated(0.5, 0.5, 0.5), "yes", "yes"),
        (estimated(0.4), "no, no interval", "yes, no interval"),
        (estimated(None), "not measurable", "not measurable"),
    ],
)
def test_an_aim_is_reached_for_certain_if_all_of_the_interval_says_so(found, least, most):
    assert _judge.Aim("x", 0.5).judge(found) == least
    assert _judge.Aim("x", 0.5, is_least=False).judge(found) == most


def test_zero_in_the_interval_is_no_difference():
    assert _judge.better("a", "b", estimated(0.1, 0.01, 0.2)) == "a"
    assert _judge.better("a", "b", estimated(-0.1, -0.2, -0.01)) == "b"
    assert _judge.better("a", "b", estimated(0.1, -0.01, 0.2)) is None
    assert _judge.better("a", "b", estimated(0.1, 0.0, 0.2)) is None
    assert _judge.better("a", "b", estimated(0.1)) is None
    assert _judge.better("a", "b", estimated(0.1, 0.01, 0.2), lower=True) == "b"
    assert _judge.better("a", "b", estimated(-0.1, -0.2, -0.01), lower=True) == "a"


def test_a_winner_beats_every_other_one():
    compared = [
        {"a": "a", "b": "b", "better": "a"},
        {"a": "a", "b": "c", "better": "a"},
        {"a": "b", "b": "c", "better": None},
    ]
    assert _judge.winner(["a", "b", "c"], compared) == "a"
    compared[1]["better"] = None
    assert _judge.winner(["a", "b", "c"], compared) is None
    assert _judge.winner(["a"], []) is None


def test_the_better_of_two_is_found_and_chosen_in_every_fold():
    result = judge({"weak": scored(0.0), "strong": scored(4.0)}, RATE, 300)
    assert result["winner"] == "strong"
    assert [one["better"] for one in result["compared"]] == ["strong"]
    found = result["compared"][0]["differences"][_judge.MAIN]
    assert found["interval"][1] < 0
    assert {one["better"] for one in result["compared"][0]["differences"].values()} <= {
        "strong",
        None,
    }
    cost = result["compared"][0]["differences"]["Cllr, scaling of other sources"]
    assert cost["value"] > 0
    assert cost["better"] == "strong"
    for what, folds in (("source", 12), ("tool", 2)):
        chosen = result["chosen_apart"][what]
        assert chosen["folds"] == folds
        assert chosen["times chosen"] == {"weak": 0, "strong": folds}
        assert chosen["mean AUC"] > 0.9


def test_a_candidate_and_its_copy_do_not_differ():
    result = judge({"one": scored(1.0), "two": scored(1.0)}, RATE, 100)
    assert result["winner"] is None
    assert all(one["value"] == 0 for one in result["compared"][0]["differences"].values())


def test_the_choice_never_sees_what_is_judged():
    # Within A the first is right and the second wrong, in B and C it is the other way round.
    rows = [(s, tool, 0.0) for s in "ABC" for tool in ("", f"by {s}")]
    first = videos(*rows)
    second = dataclasses.replace(first, logit=np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0]))
    first = dataclasses.replace(first, logit=np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0]))
    chosen = _judge.chosen_apart({"first": first, "second": second}, _folds.by_source)
    # Judging A, the others speak for the second, which fails there; judging B, A and C are at odds
    # and the first of equals is taken.
    picks = {name: (one["chosen"], one["AUC"]) for name, one in chosen["by fold"].items()}
    assert picks == {"A": ("second", 0.0), "B": ("first", 0.0), "C": ("first", 0.0)}
    assert chosen["mean AUC"] == 0
    assert chosen == _judge.chosen_apart({"first": first, "second": second}, _folds.by_source)


def test_sources_and_tools_left_out():
    some = videos(
        *((s, "", logit) for s, logit in zip("AAABBBCCC", range(9), strict=True)),
        ("A", "X", 8.5),
        ("B", "Y", 2.5),
        ("C", "X", None),
    )
    by_source = _judge.sources_left_out(some, 0.2)
    # Without A the highest real is 8, without C it is 5: all of C's real videos lie above.
    assert {name: one["threshold"] for name, one in by_source.items()} == {
        "A": 8.001,
        "B": 8.001,
        "C": 5.001,
    }
    assert by_source["C"]["false alarms"]["over"] == 3
    assert by_source["A"]["found"] == {"over": 1, "of": 1, "interval": [0.207, 1.0]}
    assert by_source["C"]["found"]["over"] == 0
    assert by_source["C"]["undecided"] == 1
    # X is in A and C: B alone chooses for it, which has three real videos.
    by_tool = _judge.tools_left_out(some, 0.25, 50)
    assert by_tool["X"]["threshold"] == 5.001
    assert by_tool["X"]["found"]["over"] == 1
    assert by_tool["X"]["false alarms"]["over"] == 3
    assert by_tool["Y"]["AUC against real videos of its sources"] == 0


def test_the_result_is_json_and_its_tables_name_every_aim():
    result = judge({"one": scored(1.0, has_masks=False), "two": scored(2.0)}, RATE, 60)
    for one in result["candidates"].values():
        one |= {"weights": "file", "weights_sha256": "ab" * 32}
    head = {"command": "c", "date": "d", "read": "r"}
    tables = to_markdown(json.loads(json.dumps(head | result, allow_nan=False)))
    aims = {
        name: [row["figure"] for row in one["aims"]] for name, one in result["candidates"].items()
    }
    assert len(aims["two"]) == len(_judge.AIMS)
    assert set(aims["two"]) - set(aims["one"]) == {"mask IoU, pseudo-forgeries, raw"}
    for name in aims["two"]:
        assert f"| {name} |" in tables
    assert "## one" in tables
    assert "two less" not in tables
    assert "### one less two" in tables


def test_a_single_candidate_is_not_compared():
    result = judge({"one": scored(1.0)}, RATE, 60)
    assert (result["winner"], result["compared"], result["chosen_apart"]) == (None, [], None)
    assert result["candidates"]["one"]["mean ECE if the probabilities were true"] > 0
