"""CNN-aug: the authors' file layout, torchvision's, and the augmentation that gives the name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision import models

from unmask.detectors.cnn_aug import CARD
from unmask.errors import WeightsError
from unmask.train.augment import CHANGES
from unmask.weights import import_weights, load_detector


@pytest.fixture(scope="module")
def published() -> torch.nn.Module:
    """Torchvision's network with one class, and running statistics unlike a fresh network's."""
    torch.manual_seed(3)
    net = models.resnet50(num_classes=1)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
    return net.eval()


def imported(content: object, folder: Path) -> torch.nn.Module:
    torch.save(content, folder / "x.pth")
    out = import_weights("cnn_aug", folder / "x.pth", folder / "x.safetensors", accept_license=True)
    return load_detector("cnn_aug", out).network


@pytest.mark.slow
def test_the_authors_layout_gives_the_authors_logit(published: torch.nn.Module, tmp_path: Path):
    file = {"model": published.state_dict(), "optimizer": {"state": {}}, "total_steps": 7}
    net = imported(file, tmp_path)
    pictures = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        expected = published(pictures)[:, 0]
        torch.testing.assert_close(net(pictures[:, :, None]).logit, expected)
    assert expected.std() > 0


@pytest.mark.slow
def test_an_imagenet_file_is_a_start_that_says_nothing(tmp_path: Path):
    state = models.resnet50().state_dict()
    # Torchvision's file is older than the counters of batch norms.
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    net = imported(state, tmp_path)
    assert torch.equal(net.net.layer4[2].conv3.weight, state["layer4.2.conv3.weight"])
    with torch.no_grad():
        assert net(torch.rand(2, 3, 1, 64, 64)).logit.tolist() == [0, 0]


def test_another_size_is_refused_with_the_difference(tmp_path: Path):
    # DeepfakeBench's cnnaug_best.pth is a ResNet-34.
    with pytest.raises(WeightsError, match=r"of wrong shape \(net\.layer1\.0\.conv1\.weight"):
        imported(models.resnet34(num_classes=1).state_dict(), tmp_path)


@pytest.mark.parametrize(("name", "chance"), [("blur_and_jpeg", 0.1), ("blur_and_jpeg_half", 0.5)])
def test_blur_and_jpeg_are_drawn_as_the_paper_says(name: str, chance: float):
    change = CHANGES[name]
    assert change.is_crop_random
    assert change.flip == 0.5
    assert (change.pixels.blur, change.pixels.blur_sigma[1]) == (chance, 3.0)
    assert change.pixels.codec_shares == pytest.approx((1 - chance, chance, 0))
    assert change.pixels.jpeg_quality == (30, 101)
    assert (change.pixels.light, change.pixels.resize, change.pixels.noise) == (0, 0, 0)


def test_the_recipe_is_the_papers():
    recipe = CARD.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.sampling.batch_size) == (
        "adam",
        1e-4,
        64,
    )
    assert (recipe.schedule.kind, recipe.schedule.wait_epochs, recipe.schedule.times) == (
        "plateau",
        5,
        2,
    )
    assert recipe.sampling.augment == "blur_and_jpeg"
    assert CARD.input.load_size == (256, 256)


def test_a_new_head_is_drawn_as_the_authors_draw_it():
    torch.manual_seed(0)
    weight: Tensor = CARD.build().head.weight
    assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert np.isfinite(weight.detach().numpy()).all()


def test_the_licence_says_what_the_weights_are_not_for():
    assert "non-commercial" in CARD.weights[0].license
