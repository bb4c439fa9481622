"""CNN-GRU: what it sees, what its last layer gets, and the files it starts from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor
from torchvision import models

from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

NAME = "cnn_gru"


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """Torchvision's network for 1,000 classes."""
    torch.manual_seed(3)
    return models.densenet161(weights=None).state_dict()


def as_before_2018(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names and entries of torchvision's file."""
    old = re.compile(r"(denselayer\d+\.(?:norm|conv))([12])\.")
    kept = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    return {old.sub(r"\1.\2.", key): value for key, value in kept.items()}


def test_the_last_layer_gets_what_both_directions_have_seen():
    torch.manual_seed(0)
    net = load_detector(NAME).network
    features = torch.randn(2, 5, 2208)
    with torch.no_grad():
        outputs, _ = net.gru(features)
        output = net.classify(features)
        expected = torch.cat([outputs[:, -1, :128], outputs[:, 0, 128:]], dim=1)
        torch.testing.assert_close(output.embedding, expected)
        torch.testing.assert_close(output.logit, net.head(expected)[:, 0])


@pytest.mark.slow
@pytest.mark.parametrize("is_old", [True, False], ids=["file", "network"])
def test_an_imagenet_file_is_a_start_that_says_nothing(
    is_old: bool, published: dict[str, Tensor], tmp_path: Path
):
    source = tmp_path / "densenet161-8d451a50.pth"
    torch.save(as_before_2018(published) if is_old else published, source)
    net = load_detector(NAME, import_weights(NAME, source, tmp_path / "x.safetensors")).network
    theirs = models.densenet161(weights=None).eval()
    theirs.load_state_dict(published)
    pictures = torch.randn(1, 3, 2, 64, 64)
    with torch.no_grad():
        for frame in range(2):
            maps = theirs.features(pictures[:, :, frame]).relu()
            features = net.frame_features(pictures)[:, frame]
            torch.testing.assert_close(features, maps.mean((2, 3)), rtol=1e-4, atol=1e-5)
        output = net(pictures)
    assert output.logit.tolist() == [0]
    assert output.embedding.std() > 0


def test_a_smaller_densenet_is_refused(tmp_path: Path):
    torch.save(timm.create_model("densenet121").state_dict(), tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit cnn_gru: of \d+ tensors .*missing .*wrong"):
        import_weights(NAME, tmp_path / "x.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_it_sees_five_frames_in_a_row_and_learns_from_32_clips_a_step():
    card = get_card(NAME)
    assert (card.input.frames, card.input.fps, card.input.stride) == (5, 25, 1)
    assert card.recipe.sampling.batch_size * card.recipe.optimizer.accumulate == 32
    assert card.recipe.freeze == ()
