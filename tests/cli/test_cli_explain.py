"""``unmask explain``: arguments in, files out, one line for every error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from unmask.checkpoints import save_weights
from unmask.detectors import build, default_detectors, get_card, list_detectors


def test_the_default_detector_explains_a_video(cli, portrait_video: Path, tmp_path: Path):
    ran = cli("explain", portrait_video, "-m", "grad_cam", "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    names = ["explanation.json", "face-1-grad_cam.png", "face-1.mp4"]
    assert ran.out.splitlines() == [str(tmp_path / "out" / name) for name in names]
    assert "Face 1: grad_cam (1 pass)" in ran.err.splitlines()
    content = json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert content["detector"]["name"] == default_detectors()[0]
    assert content["detector"]["is_untrained"] is False


def test_the_folder_is_named_after_video_and_detector(
    cli, portrait_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    name = default_detectors()[0]
    ran = cli("explain", portrait_video, "-m", "occlusion", "--size", 80, "--stride", 80)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == str(Path(f"portrait-{name}") / "explanation.json")
    assert "Face 1: occlusion (5 passes)" in ran.err
    again = cli("explain", portrait_video, "-m", "occlusion")
    assert again.code == 1
    assert "it is not empty. Give a new folder with -o." in again.error


def test_other_weights(cli, portrait_video: Path, tmp_path: Path):
    name = default_detectors()[0]
    torch.manual_seed(0)
    file = save_weights(
        build(get_card(name)).state_dict(),
        tmp_path / "own.safetensors",
        detector=name,
        tag="own",
        license="MIT",
        trained_on="nothing",
    )
    words = ["-m", "grad_cam", "-w", f"{name}={file}", "-o", tmp_path / "out"]
    ran = cli("explain", portrait_video, *words)
    assert ran.code == 0, ran.err
    content = json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert content["detector"]["sha256"] != get_card(name).weights[0].sha256


def test_an_untrained_detector_warns_and_says_what_does_not_apply(
    cli, portrait_video: Path, tmp_path: Path
):
    small = next(name for name in list_detectors() if name.startswith("meso"))
    words = ["-d", small, "-m", "order", "-m", "grad_cam", "--at", "1.0", "--face", 1]
    ran = cli("explain", portrait_video, *words, "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    lines = ran.err.splitlines()
    assert lines[0].startswith(f"WARNING: {small} has no weights")
    assert lines[1] == f"order does not apply: {small} looks at single pictures."


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-m", "gradcam"], 2, "Unknown method 'gradcam' for"),
        (["-m", "time"], 2, "looks at single pictures"),
        (["-d", "nothing"], 2, "Unknown detector 'nothing'"),
        (["-w", "x"], 2, "Cannot use -w 'x': expected NAME=TAG or NAME=FILE"),
        (["-w", "meso4=x"], 2, "is explained, not meso4. Give"),
        (["--at", "-3"], 2, "expected a time of at least 0"),
        (["--face", "9"], 2, "Cannot explain Face 9 of"),
        (["--seed", "-1"], 2, "Invalid value for '--seed'"),
    ],
)
def test_wrong_usage(cli, portrait_video: Path, tmp_path: Path, words, code: int, message: str):
    ran = cli("explain", portrait_video, "-o", tmp_path / "out", *words)
    assert ran.code == code
    assert message in ran.error
    assert list(tmp_path.iterdir()) == []


def test_no_face_is_a_failure(cli, no_face_video: Path, tmp_path: Path):
    ran = cli("explain", no_face_video, "-o", tmp_path / "out")
    assert ran.code == 1
    assert "found no face" in ran.error


def test_a_file_that_is_no_video(cli, text_mp4: Path, tmp_path: Path):
    ran = cli("explain", text_mp4, "-o", tmp_path / "out")
    assert ran.code == 1
    assert "Cannot read" in ran.error
    assert list(tmp_path.iterdir()) == []
