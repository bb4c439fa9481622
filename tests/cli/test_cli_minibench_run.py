"""unmask minibench run, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unmask.minibench import SENTENCE
from unmask.papers import run as library


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the library is called with; nothing is run."""
    calls: list[object] = []

    def record(tree, out, *, log, **options):
        log("Trained: 1 of 2, about 5 s left")
        calls.append((tree, out, options))
        return library.RunResult(
            path=out,
            report=out / "report.md",
            plots=(out / "plots" / "a.png",),
            tables=3,
            trained=1,
            not_trained={"net-b": "No file fell into the split 'val'."},
        )

    monkeypatch.setattr(library, "run_protocols", record)
    return calls


DEFAULTS = {
    "papers": (),
    "detectors": (),
    "is_small": True,
    "workers": 1,
    "device": "cpu",
}


def test_without_options_it_is_the_small_setting(cli, requested):
    ran = cli("minibench", "run", "mini", "-o", "out")
    assert requested == [(Path("mini"), Path("out"), DEFAULTS)]
    assert ran.code == 0
    counts = "3 tables and figures of the papers, 1 networks"
    assert ran.out == f"out/report.md: {counts}. {SENTENCE}\n"
    assert ran.err.splitlines() == [
        "Trained: 1 of 2, about 5 s left",
        "not trained: net-b: No file fell into the split 'val'.",
    ]


def test_the_options_reach_the_library(cli, requested):
    words = ("--paper", "emd", "--paper", "two_branch", "-d", "xception", "--full")
    ran = cli("minibench", "run", "m", "-o", "out", *words, "--workers", 2, "--device", "cuda")
    assert ran.code == 0
    changed = {"papers": ["emd", "two_branch"], "detectors": ["xception"]}
    changed |= {"is_small": False, "workers": 2, "device": "cuda"}
    assert requested == [(Path("m"), Path("out"), DEFAULTS | changed)]


def test_json(cli, requested):
    ran = cli("minibench", "run", "mini", "-o", "out", "--json")
    assert json.loads(ran.out) == {
        "path": "out",
        "report": "out/report.md",
        "plots": ["out/plots/a.png"],
        "tables": 3,
        "trained": 1,
        "not_trained": {"net-b": "No file fell into the split 'val'."},
        "measures": SENTENCE,
    }


def test_errors_are_one_line(cli, tmp_path):
    ran = cli("minibench", "run", tmp_path, "-o", tmp_path / "out")
    assert ran.code == 1
    assert "minibench.json" in ran.error
    ran = cli("minibench", "run", tmp_path, "-o", tmp_path / "out", "--paper", "emb")
    assert ran.code == 2
    assert ran.error.startswith("Unknown paper 'emb'. Did you mean 'emd'? Known: ")
    ran = cli("minibench", "run", tmp_path, "-o", tmp_path / "out", "-d", "nobody")
    assert ran.code == 2
    assert "Unknown detector 'nobody'" in ran.error


def test_help_says_what_it_measures(cli):
    said = " ".join(cli("minibench", "run", "--help").out.replace("│", " ").split())
    assert "measures machinery and trends, not field accuracy" in said
