"""DSP-FWA against the authors' network, through a file in their layout."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from unmask.clips import normalize
from unmask.detectors.dsp_fwa import CARD
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "dsp_fwa_sppnet50.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> dict[str, Tensor]:
    return formula.build_state_dict(fixture)


def imported(content: object, folder: Path) -> nn.Module:
    torch.save(content, folder / "SPP-res50.pth")
    out = import_weights(
        "dsp_fwa", folder / "SPP-res50.pth", folder / "x.safetensors", accept_license=True
    )
    return load_detector("dsp_fwa", out).network


def test_agrees_with_the_authors_code(
    formula: ModuleType, fixture: dict, published: dict[str, Tensor], tmp_path: Path
):
    net = imported({"net": published, "acc": 0.99, "epoch": 3}, tmp_path)
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    seen: list[Tensor] = []
    net.head.register_forward_hook(lambda _module, inputs, output: seen.extend([*inputs, output]))
    with torch.no_grad():
        # The fixture's channels are those that the network sees: BGR.
        logit = net(pictures.flip(1)[:, :, None]).logit
    assert formula.compare(seen[0], case["intermediates"]["spp"]) < TOLERANCE
    assert formula.compare(seen[1], case["outputs"]["logits"]) < TOLERANCE
    fake, real = case["outputs"]["logits"]["values"]
    assert logit.item() == pytest.approx(fake - real, abs=1e-4)
    assert logit.item() > 0


@pytest.mark.slow
def test_it_sees_bgr_in_bytes_minus_the_means(published: dict[str, Tensor], tmp_path: Path):
    net = imported({"net": published}, tmp_path)
    seen: list[Tensor] = []
    net.net.conv1.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    pixels = torch.zeros(1, 1, 224, 224, 3, dtype=torch.uint8)
    pixels[..., 0] = 200  # red
    with torch.no_grad():
        net(normalize(pixels, CARD.input))
    expected = torch.tensor([-103.939, -116.779, 200 - 123.68])
    torch.testing.assert_close(seen[0][0, :, 5, 5], expected, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_an_imagenet_file_starts_as_on_its_own_input(tmp_path: Path):
    torch.manual_seed(2)
    theirs = models.resnet50().eval()
    net = imported(theirs.state_dict(), tmp_path)
    pixels = torch.randint(0, 256, (1, 1, 64, 64, 3), dtype=torch.uint8)
    seen: list[Tensor] = []
    theirs.conv1.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    net.net.conv1.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        theirs(((pixels[:, 0] / 255 - mean) / std).permute(0, 3, 1, 2))
        logit = net(normalize(pixels, CARD.input)).logit
    assert logit.tolist() == [0]
    inner = (..., slice(4, -4), slice(4, -4))  # outside, the zeros of the border differ
    difference = (seen[0][inner] - seen[1][inner]).abs().max()
    # The means of the two inputs differ by half a gray level.
    assert 0 < difference < 0.02 * seen[0][inner].std()


def test_a_wrong_checkpoint_is_refused_with_the_difference(
    published: dict[str, Tensor], tmp_path: Path
):
    state = {k: v for k, v in published.items() if not k.startswith("resnet.resnet.layer4.2")}
    with pytest.raises(WeightsError, match=r"18 missing \(net\.layer4\.2\.conv1\.weight"):
        imported({"net": {**state, "extra": torch.zeros(1)}}, tmp_path)


def test_it_learns_from_warped_faces_alone():
    recipe = CARD.recipe
    assert dict(recipe.synthesis.mix) == {"warped_face": 1.0}
    assert (recipe.synthesis.kind, recipe.sampling.kind) == ("self_blend", "pairs")
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.sampling.batch_size) == (
        "sgd",
        1e-3,
        64,
    )
    assert (recipe.schedule.epochs, recipe.schedule.factor) == (20, 0.95)


def test_the_licence_says_what_the_weights_are_not_for():
    assert "non-commercial" in CARD.weights[0].license
