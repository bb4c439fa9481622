"""``unmask calibrate``, and a scan by what it wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import toy_detectors
from unmask.calibrate import build as building
from unmask.media import open_video, write_video
from unmask.verdict import read_calibration

RATE = ("--rate", 0.25, "--as-is", "--resamples", 50)


@pytest.fixture(scope="module")
def data(tmp_path_factory, portrait_video) -> Path:
    """Of five sources a dark real video and a bright fake one, 1 s each."""
    root = tmp_path_factory.mktemp("labelled")
    with open_video(portrait_video) as video:
        frames = np.array([f.pixels for f in video.frames(lambda *_: True)][:25], np.float32)
    for number in range(5):
        for folder, light in (("real", 0.45), ("fake/tool", 0.9)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            lit = (frames * (light + 0.02 * number)).clip(0, 255).astype(np.uint8)
            write_video(root / folder / f"{number}.mp4", list(lit), 25)
    return root


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "DRAWS", 30)


@pytest.fixture
def bright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of a detector that calls bright faces fake."""
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    return toy_detectors.weights_file(tmp_path / "bright.safetensors", "bright", 20.0, 3.0)


def test_weights_that_were_calibrated_decide(cli, data, bright, tmp_path):
    out = tmp_path / "made" / "bright.json"
    ran = cli("calibrate", data, "-d", f"bright={bright}", "-o", out, *RATE)
    assert ran.code == 0, ran.err
    assert "5 real and 5 fake videos, 10 copies" in ran.out
    assert "Each source judged by a calibration made without it:" in ran.out
    assert "  fake videos called manipulated: " in ran.out
    assert f"--calibration {out}" in ran.out
    made = read_calibration(out)
    assert (made.detector, len(made.validation_sha256)) == ("bright", 10)
    assert made.left_out is not None
    assert (made.left_out.false_alarms.videos, made.left_out.found.videos) == (5, 5)

    words = ("scan", data / "fake/tool/3.mp4", "-d", "bright", "-w", f"bright={bright}")
    assert "3.mp4: Inconclusive" in cli(*words).out
    judged = cli(*words, "--calibration", out)
    assert judged.code == 0, judged.err
    assert "3.mp4: Signs of manipulation found" in judged.out
    assert "one of the validation videos of the calibration" in judged.out

    again = cli("calibrate", data, "-d", f"bright={bright}", "-o", out, *RATE)
    assert again.code == 1
    assert "it exists. Add --overwrite, or give another file with -o." in again.error
    resumed = cli("calibrate", data, "-d", f"bright={bright}", "-o", out, *RATE, "--overwrite")
    assert resumed.out == ran.out
    assert resumed.err == ""


def test_a_calibration_of_other_weights_is_refused(cli, data, bright, tmp_path):
    out = tmp_path / "bright.json"
    assert cli("calibrate", data, "-d", f"bright={bright}", "-o", out, *RATE).code == 0
    other = toy_detectors.weights_file(tmp_path / "other.safetensors", "bright", 19.0)
    ran = cli("scan", data / "real", "-d", "bright", "-w", f"bright={other}", "--calibration", out)
    assert ran.code == 1
    assert "it was made with other weights of bright" in ran.error


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["-d", "none"], "Unknown detector 'none'"),
        (["-d", "bright="], "Cannot use -w 'bright=': expected NAME=TAG or NAME=FILE"),
        (["-d", "bright"], "Cannot evaluate bright: it has no weights"),
        (["--rate", 2, "-d", "bright"], "Cannot calibrate for a false-alarm rate of 2"),
        (
            ["--rate", 0.05, "-d", "bright"],
            "Cannot calibrate: 5 real videos cannot show a false-alarm rate of 0.05; at least 19 "
            "are needed. Give more real videos or a higher false-alarm rate.",
        ),
    ],
)
def test_what_cannot_be_calibrated_is_refused(cli, data, bright, tmp_path, words, why):
    ran = cli("calibrate", data, "-o", tmp_path / "c.json", "--rate", 0.25, *words)
    assert ran.code in (1, 2)
    assert why in ran.error
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ("real", "Cannot calibrate: 0 fake videos cannot show a miss rate of 0.2; at least 4"),
        ("fake", "Cannot calibrate: 0 real videos cannot show a false-alarm rate of 0.25; at"),
    ],
)
def test_both_labels_are_needed(cli, data, bright, tmp_path, kept, why):
    shutil.copytree(data / kept, tmp_path / "half" / kept)
    words = ["-d", f"bright={bright}", "-o", tmp_path / "c.json", "--rate", 0.25]
    ran = cli("calibrate", tmp_path / "half", *words)
    assert ran.code == 1
    assert why in ran.error
