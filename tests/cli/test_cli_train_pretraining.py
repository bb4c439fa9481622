"""``unmask train --pretraining``."""

import re
from pathlib import Path

import pytest

import unmask.train
from unmask.train import Source, pretraining_of


@pytest.fixture
def calls(monkeypatch):
    """What the command asks of the library, which is not run."""
    made = []
    monkeypatch.setattr(unmask.train, "pretrain", lambda *args, **named: made.append((args, named)))
    return made


def test_pretraining_is_handed_to_the_library_with_its_own_layout(cli, calls):
    words = ["--data", "LRW", "--validation", "val", "-o", "run", "--set", "epochs=3"]
    more = [
        "--teacher",
        "a/pretraining.safetensors",
        "--method",
        "ABOUT",
        "-w",
        "lrw",
        "--devices",
        "2",
    ]
    assert cli("train", "lipforensics", "--pretraining", "lipreading", *words, *more).code == 0
    ((args, named),) = calls
    how = {"dataset": pretraining_of("lipforensics", "lipreading").layout, "methods": ("ABOUT",)}
    assert how["dataset"] == "lrw"
    source = Source(path=Path("LRW"), **how)
    assert args == ("lipforensics", "lipreading", source, Path("run"))
    del named["report"]
    assert named == {
        "validation": Source(path=Path("val"), **how),
        "teacher": Path("a/pretraining.safetensors"),
        "weights": "lrw",
        "settings": ["epochs=3"],
        "resume": False,
        "device": "cpu",
        "devices": 2,
        "workers": 1,
        "threads": None,
        "progress": False,
    }


def test_another_layout_can_be_named_and_the_run_is_named_after_it(cli, calls):
    assert (
        cli("train", "emd", "--pretraining", "fer", "--data", "a.csv", "--dataset", "csv").code == 0
    )
    ((args, _),) = calls
    assert args[2].dataset == "csv"
    assert re.fullmatch(r"runs/emd-fer-\d{8}-\d{6}", args[3].as_posix())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("meso4", "--pretraining", "fer"),
            2,
            r"Unknown pretraining of meso4 'fer'\. Known: none\.",
        ),
        (
            ("emd", "--pretraining", "fear"),
            2,
            r"Unknown pretraining of emd 'fear'\. Did you mean 'fer'\? Known: fer\.",
        ),
        (
            ("emd", "--teacher", "x"),
            2,
            r"Cannot use --teacher without --pretraining\. Name one, or leave it out\.",
        ),
        (
            ("emd", "--pretraining", "fer", "--dry-run"),
            2,
            r"Cannot dry-run pretraining\. Use --set epochs=1 --set steps_per_epoch=1\.",
        ),
        (("emd", "--pretraining", "fer", "--resume"), 2, r"Cannot resume: say which run with -o"),
    ],
)
def test_what_makes_no_sense_is_told(cli, calls, words, code, message):
    ran = cli("train", *words, "--data", "faces")
    assert ran.code == code
    assert re.search(message, ran.err.replace("\n", " "))
    assert not calls


def test_describe_names_the_pretraining_and_its_command(cli):
    out = cli("describe", "emd").out
    assert "Pretraining\n  fer: Facial expressions" in out
    told = " ".join(out.split())
    assert "Data: affectnet. unmask train emd --pretraining fer --data PATH" in told
    assert "Pretraining" not in cli("describe", "meso4").out
