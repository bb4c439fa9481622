"""A process that is really killed in the middle of an epoch, and what goes on from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from train_toys import PLAIN, Plain

import toy_detectors
from unmask.detectors import Card, detector
from unmask.train import train

SETTINGS = ["epochs=4", "optimizer=adamw", "learning_rate=0.01", "schedule=cosine"]
SETTINGS += ["monitor=negative_loss", "steps_per_epoch=3"]

KILLED = """
import os, signal, sys
from train_toys import PLAIN, Plain
from unmask.detectors import detector
from unmask.train import train
from unmask.train.module import DetectorTraining

detector(PLAIN)(Plain)
learn = DetectorTraining.training_step

def step(self, batch, number):
    if (self.current_epoch, number) == (2, 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return learn(self, batch, number)

DetectorTraining.training_step = step
data, validation, out, *settings = sys.argv[1:]
train("plain", data, out, validation=validation, settings=settings, workers=0, progress=False,
      threads=1)
"""


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Card:
    toy_detectors.own_registry(monkeypatch)
    detector(PLAIN)(Plain)
    return PLAIN


def run(data: Path, validation: Path, out: Path, *, resume: bool = False) -> Path:
    return train(
        "plain",
        data,
        out,
        validation=validation,
        settings=[] if resume else SETTINGS,
        resume=resume,
        workers=0,
        progress=False,
    )


def test_a_killed_process_resumed_equals_one_that_was_not_killed(
    plain: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    whole = run(real_faces, validation_faces, tmp_path / "whole")
    places = [real_faces, validation_faces, tmp_path / "cut"]
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, places), *SETTINGS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    last = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert [row["epoch"] for row in last["curve"]] == [0, 1]
    assert not (tmp_path / "cut" / "plain.safetensors").exists()

    resumed = run(real_faces, validation_faces, tmp_path / "cut", resume=True)
    expected, found = load_file(whole), load_file(resumed)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=1e-6)
    records = [json.loads((path.parent / "run.json").read_text()) for path in (whole, resumed)]
    for a, b in zip(records[0]["curve"], records[1]["curve"], strict=True):
        assert b == pytest.approx(a, abs=1e-6)
    assert not list((tmp_path / "cut").glob("*.partial"))
