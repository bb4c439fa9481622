"""EfficientNet-B3 against timm's own, through a file in timm's layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector


@pytest.fixture(scope="module")
def published() -> nn.Module:
    """Timm's network with its 1000 classes, and running statistics unlike a fresh network's."""
    torch.manual_seed(3)
    net = timm.create_model("efficientnet_b3")
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
    return net.eval()


def test_features_are_timms_and_an_imagenet_head_says_nothing(published: nn.Module, tmp_path: Path):
    torch.save(published.state_dict(), tmp_path / "efficientnet_b3_ra2.pth")
    out = import_weights("efficientnet_b3", tmp_path / "efficientnet_b3_ra2.pth", tmp_path / "x.st")
    net = load_detector("efficientnet_b3", out)
    pictures = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        output = net(pictures[:, :, None])
        expected = published.forward_head(published.forward_features(pictures), pre_logits=True)
    assert expected.std() > 0
    torch.testing.assert_close(output.embedding, expected)
    assert output.logit.tolist() == [0, 0]


def test_a_head_of_one_class_is_kept(published: nn.Module, tmp_path: Path):
    state = published.state_dict()
    state = {k: v[:1] if k.startswith("classifier.") else v for k, v in state.items()}
    torch.save({"state_dict": state}, tmp_path / "own.pth")
    out = import_weights("efficientnet_b3", tmp_path / "own.pth", tmp_path / "x.safetensors")
    net = load_detector("efficientnet_b3", out).network
    assert torch.equal(net.head.weight, published.classifier.weight[:1])


def test_another_size_is_refused_with_the_difference(tmp_path: Path):
    torch.save(timm.create_model("efficientnet_b0").state_dict(), tmp_path / "b0.pth")
    told = (
        r"missing \(net\.blocks\.0\.1.*of wrong shape \(net\.conv_stem\.weight is \(32, 3, 3, 3\)"
    )
    with pytest.raises(WeightsError, match=told):
        import_weights("efficientnet_b3", tmp_path / "b0.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_it_has_the_parameters_that_the_paper_counts():
    parameters = sum(
        parameter.numel() for parameter in load_detector("efficientnet_b3").network.parameters()
    )
    assert parameters == pytest.approx(10.698e6, abs=1e3)
