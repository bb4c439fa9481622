"""The encoder against timm's Xception, the decoder against a published DeepLabv3+."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import timm
import torch
from torch import Tensor
from torch.nn import functional as F

from unmask.nn.deeplab import DeepLabDecoder, XceptionEncoder

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def formula() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deeplab_formula", FIXTURES / "formula.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class AlignedXception:
    """The published encoder (jfzhang95/pytorch-deeplab-xception), which the fixture starts with.

    Not ours: it has other layers than the Xception of FaceForensics++.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def norm(self, key: str, x: Tensor) -> Tensor:
        s = self.state
        statistics = (s[f"{key}.running_mean"], s[f"{key}.running_var"])
        return F.batch_norm(x, *statistics, s[f"{key}.weight"], s[f"{key}.bias"])

    def separable(self, key: str, x: Tensor, stride: int = 1, dilation: int = 1) -> Tensor:
        depthwise, channels = self.state[f"{key}.conv1.weight"], x.shape[1]
        x = F.conv2d(x, depthwise, None, stride, dilation, dilation, groups=channels)
        return F.conv2d(self.norm(f"{key}.bn", x), self.state[f"{key}.pointwise.weight"])

    def block(self, number: int, x: Tensor, stride: int = 1) -> Tensor:
        key, first = f"backbone.block{number}", 0 if number < 3 else 1
        # The leading ReLU works in place, so that the shortcut carries what it leaves.
        inner = x = x.relu() if first else x
        for i in range(3):
            inner = inner.relu() if i else inner
            at = first + 3 * i
            inner = self.separable(f"{key}.rep.{at}", inner, stride if i == 2 else 1)
            inner = self.norm(f"{key}.rep.{at + 1}", inner)
        if f"{key}.skip.weight" in self.state:
            x = F.conv2d(x, self.state[f"{key}.skip.weight"], stride=stride)
            x = self.norm(f"{key}.skipbn", x)
        return inner + x

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for i, stride in ((1, 2), (2, 1)):
            x = F.conv2d(x, self.state[f"backbone.conv{i}.weight"], None, stride, 1)
            x = self.norm(f"backbone.bn{i}", x).relu()
        x = low = self.block(1, x, 2).relu()
        for number in range(2, 21):
            x = self.block(number, x, 2 if number < 4 else 1)
        x = x.relu()
        for i in (3, 4, 5):
            x = self.norm(f"backbone.bn{i}", self.separable(f"backbone.conv{i}", x, 1, 2)).relu()
        return low, x


def to_ours(published: State) -> State:
    """The published decoder under our names."""
    names = (
        (r"^aspp\.aspp(\d)\.atrous_conv", lambda m: f"pyramid.convs.{int(m[1]) - 1}.0"),
        (r"^aspp\.aspp(\d)\.bn", lambda m: f"pyramid.convs.{int(m[1]) - 1}.1"),
        (r"^aspp\.global_avg_pool\.", "pyramid.convs.4."),
        (r"^aspp\.conv1", "pyramid.project.0"),
        (r"^aspp\.bn1", "pyramid.project.1"),
        (r"^decoder\.conv1", "low.0"),
        (r"^decoder\.bn1", "low.1"),
        (r"^decoder\.last_conv\.([01])", r"joined.0.\1"),
        (r"^decoder\.last_conv\.([45])", lambda m: f"joined.2.{int(m[1]) - 4}"),
        (r"^decoder\.last_conv\.8", "mask"),
    )
    state = {}
    for key, value in published.items():
        for pattern, ours in names:
            key = re.sub(pattern, ours, key)
        state[key] = value
    return state


def test_the_decoder_is_that_of_a_published_deeplab(formula: ModuleType):
    fixture = formula.load(FIXTURES / "deeplabv3plus_xception_os16.json")
    state, case = formula.build_state_dict(fixture), fixture["cases"][0]
    decoder = DeepLabDecoder(classes=21, is_separable=False).eval()
    decoder.load_state_dict(
        to_ours({key: v for key, v in state.items() if not key.startswith("backbone.")})
    )
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        low, latent = AlignedXception(state)(pictures)
        pyramid = decoder.pyramid(latent)
        # The published network ends by enlarging its answer to the input's size.
        logits = F.interpolate(
            decoder(low, latent), pictures.shape[2:], mode="bilinear", align_corners=True
        )
    inner = case["intermediates"]
    assert formula.compare(low, inner["low_level"]) < TOLERANCE
    assert formula.compare(latent, inner["backbone"]) < TOLERANCE
    assert formula.compare(pyramid, inner["aspp"]) < TOLERANCE
    assert formula.compare(logits, case["outputs"]["logits"]) < TOLERANCE


def test_the_encoder_takes_xceptions_tensors_and_sees_the_same_before_the_holes():
    torch.manual_seed(0)
    xception = timm.create_model("legacy_xception", num_classes=0).eval()
    encoder = XceptionEncoder().eval()
    encoder.net.load_state_dict(xception.state_dict())
    seen: dict[str, Tensor] = {}
    for name, net in (("ours", encoder.net), ("timm", xception)):
        net.block11.register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.clone()})
        )
    pictures = torch.rand(1, 3, 171, 171) * 2 - 1
    with torch.no_grad():
        low, latent = encoder(pictures)
        theirs = xception.forward_features(pictures)
    assert torch.equal(seen["ours"], seen["timm"])
    assert low.shape == (1, 128, 42, 42)
    assert latent.shape == (1, 2048, 11, 11)
    assert theirs.shape == (1, 2048, 6, 6)
    # Every second value of ours has seen what theirs has, but for the pool's own stride.
    torch.testing.assert_close(latent[..., ::2, ::2], theirs)


@pytest.mark.parametrize("size", [(1, 1), (6, 6), (40, 20)])
def test_maps_of_another_network_join_at_any_size(size: tuple[int, int]):
    torch.manual_seed(0)
    encoder = XceptionEncoder(beside=4).eval()
    pictures, beside = torch.rand(2, 3, 75, 75), torch.rand(2, 4, *size)
    with torch.no_grad():
        _, latent = encoder(pictures, beside)
        _, other = encoder(pictures, beside + 1)
    assert latent.shape == (2, 2048, 5, 5)
    assert not torch.equal(latent, other)


def test_the_decoder_fits_sizes_that_are_no_multiple_of_four():
    decoder = DeepLabDecoder(latent=8, width=4).eval()
    with torch.no_grad():
        logits = decoder(torch.rand(2, 128, 74, 74), torch.rand(2, 8, 19, 19))
    assert logits.shape == (2, 1, 74, 74)
