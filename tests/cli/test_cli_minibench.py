"""unmask minibench build, as a user meets it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from unmask.minibench import SENTENCE, Built, Settings
from unmask.minibench.build import build


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the library is asked for; nothing is built."""
    calls: list[object] = []

    def record(videos, out, settings, *, people, workers, report):
        report("Forging", 1, 1)
        calls.append((videos, out, settings, people, workers))
        return Built(path=out, sources=(), skipped={"a.mp4": "no face was found"})

    monkeypatch.setattr(sys.modules["unmask.minibench"], "build", record)
    return calls


def test_the_options_reach_the_library(cli, asked):
    words = ("--videos", 5, "--other", 2, "--seconds", 2.5, "--size", 256, "--seed", 9)
    ran = cli("minibench", "build", "real", "-o", "mini", *words, "--workers", 3, "--people", "p")
    settings = Settings(videos=5, other=2, seconds=2.5, size_px=256, seed=9)
    assert asked == [(Path("real"), Path("mini"), settings, Path("p"), 3)]
    assert ran.code == 0
    assert ran.out == f"mini: 0 real videos, 0 in the second tree. {SENTENCE}\n"
    assert ran.err == "left out 'a.mp4': no face was found\n"


def test_without_options_it_is_the_small_setting(cli, asked):
    assert cli("minibench", "build", "real", "-o", "mini").code == 0
    assert asked == [(Path("real"), Path("mini"), Settings(), None, 1)]


def test_json(cli, asked):
    ran = cli("minibench", "build", "real", "-o", "mini", "--json")
    assert json.loads(ran.out) == {
        "path": "mini",
        "sources": {"main": 0, "other": 0},
        "skipped": {"a.mp4": "no face was found"},
        "measures": SENTENCE,
    }


def test_errors_are_one_line(cli, tmp_path):
    ran = cli("minibench", "build", tmp_path / "nowhere", "-o", tmp_path / "out")
    assert ran.code == 1
    assert ran.error.endswith("nowhere': it is no folder. Give a folder of real videos.")
    ran = cli("minibench", "build", tmp_path, "-o", tmp_path / "out", "--videos", 1)
    assert ran.code == 2
    assert "of 1 videos: expected 3 to 10000" in ran.error


def test_help_says_what_it_measures(cli):
    for words in (("minibench",), ("minibench", "build")):
        ran = cli(*words, "--help")
        said = " ".join(ran.out.replace("│", " ").split())
        assert "measures machinery and trends, not field accuracy" in said
    assert build.__doc__ is not None
