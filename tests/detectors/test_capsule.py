"""Capsule-Forensics v2 against the authors' code, through a file in the published layout."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from unmask.detectors import Output, Target, get_card
from unmask.errors import WeightsError
from unmask.nn.capsule import squash, vgg_start
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5
VGG = "vgg19-dcbb9e9d.pth"
CARD = get_card("capsule")


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "capsule_v2.json")


@pytest.fixture
def folder(formula: ModuleType, fixture: dict, tmp_path: Path) -> Path:
    """The published file, and the part of torchvision's that is looked at, of fixed values."""
    whole = formula.build_state_dict(fixture)
    capsules = {k.removeprefix("capnet."): v for k, v in whole.items() if k.startswith("capnet.")}
    assert len(capsules) == len(whole) - 16
    vgg = {k.replace("vgg.vgg_1.", "features."): v for k, v in whole.items() if k not in capsules}
    vgg = {key: value for key, value in vgg.items() if key.startswith("features.")}
    torch.save(capsules, tmp_path / "capsule_21.pt")
    torch.save(vgg | {"classifier.6.bias": torch.zeros(1000)}, tmp_path / VGG)
    return tmp_path


def imported(path: Path) -> nn.Module:
    out = path.parent / "ours.safetensors"
    return load_detector("capsule", import_weights("capsule", path, out)).network


def test_agrees_with_the_authors_code(formula: ModuleType, fixture: dict, folder: Path):
    net = imported(folder / "capsule_21.pt")
    seen: dict[str, Tensor] = {}
    for name in ("vgg", "fea_ext", "routing_stats"):
        net.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.clone()})
        )
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(pictures[:, :, None])
    for name in ("vgg", "fea_ext"):
        assert formula.compare(seen[name], case["intermediates"][name]) < TOLERANCE
    assert formula.compare(seen["routing_stats"], case["outputs"]["z"]) < TOLERANCE
    assert formula.compare(output.embedding.unflatten(1, (4, 2)), case["outputs"]["z"]) < TOLERANCE
    fake = output.logit.sigmoid()
    both = torch.stack([1 - fake, fake], dim=1)
    assert formula.compare(both, case["outputs"]["class_probability"]) < TOLERANCE


def test_the_capsules_alone_are_refused(folder: Path):
    (folder / VGG).unlink()
    with pytest.raises(WeightsError, match=r"are the capsules alone: expected vgg19-dcbb9e9d\.pth"):
        imported(folder / "capsule_21.pt")
    assert not (folder / "ours.safetensors").exists()


def test_a_file_that_does_not_fit_is_refused_with_the_difference(folder: Path):
    state = torch.load(folder / "capsule_21.pt")
    del state["fea_ext.capsules.9.0.weight"]
    torch.save({**state, "extra": torch.zeros(1)}, folder / "capsule_21.pt")
    wanted = r"1 missing \(fea_ext\.capsules\.9\.0\.weight\); 1 unexpected \(extra\)"
    with pytest.raises(WeightsError, match=wanted):
        imported(folder / "capsule_21.pt")


def test_vgg_alone_is_a_start(folder: Path):
    net = imported(folder / VGG)
    whole = torch.load(folder / VGG)
    assert torch.equal(net.vgg[16].weight, whole["features.16.weight"])
    again = CARD.weights[1].importer(folder / VGG)
    assert torch.equal(net.routing_stats.route_weights, again["routing_stats.route_weights"])
    assert CARD.starts_from == "imagenet"


def test_the_first_layers_are_torchvisions():
    with torch.device("meta"):
        theirs = models.vgg19(weights=None).features[:19]
    ours = vgg_start()
    assert [str(layer) for layer in ours] == [str(layer) for layer in theirs]


def test_vgg_is_not_trained_and_stays_in_eval_mode():
    assert CARD.recipe.freeze == ("vgg",)
    assert not any(p.requires_grad for p in CARD.build().vgg.parameters())
    assert not any(isinstance(layer, nn.BatchNorm2d | nn.Dropout) for layer in vgg_start())


def test_squash_keeps_the_direction_and_bounds_the_length():
    vectors = torch.tensor([[3.0, 4.0], [0.03, 0.04]])
    short = squash(vectors, dim=1)
    lengths = short.norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([25 / 26, 0.0025 / 1.0025]))
    torch.testing.assert_close(short[:, 1] / short[:, 0], torch.tensor([4 / 3, 4 / 3]))


def test_training_is_noisy_a_scan_is_not():
    torch.manual_seed(0)
    routing = CARD.build().routing_stats
    capsules = torch.rand(2, 8, 10)
    with torch.no_grad():
        assert not torch.equal(routing(capsules), routing(capsules))
        routing.eval()
        assert torch.equal(routing(capsules), routing(capsules))


def test_the_loss_is_the_sum_over_the_four_numbers():
    embedding = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0.0, 1.0, 1.0])
    theirs = sum(
        functional.cross_entropy(embedding.view(3, 4, 2)[:, i], label.long()) for i in range(4)
    )
    ours = CARD.recipe.loss(Output(torch.zeros(3), embedding=embedding), Target(label))
    torch.testing.assert_close(ours, theirs)


def test_the_recipe_is_the_authors():
    recipe = CARD.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.optimizer.betas) == (
        "adam",
        5e-4,
        (0.9, 0.999),
    )
    assert (recipe.sampling.batch_size, recipe.schedule.epochs, CARD.input.size) == (
        32,
        25,
        (300, 300),
    )
