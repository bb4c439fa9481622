"""Self-blended images' network against the package that the authors' code builds on."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors.self_blended import CARD
from unmask.errors import WeightsError, WrongVariantError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "efficientnet_b4_lukemelas.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> State:
    """The state dict of the authors' files: the package's names under ``net.``."""
    return {f"net.{k}": value for k, value in formula.build_state_dict(fixture).items()}


def imported(content: object, folder: Path) -> nn.Module:
    torch.save(content, folder / "sbi.tar")
    out = import_weights(
        "self_blended", folder / "sbi.tar", folder / "x.safetensors", accept_license=True
    )
    return load_detector("self_blended", out).network


@pytest.mark.slow
def test_agrees_with_the_package_that_the_authors_use(
    formula: ModuleType, fixture: dict, published: State, tmp_path: Path
):
    net = imported({"model": published, "optimizer": {"state": {}}, "epoch": 99}, tmp_path)
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    seen: dict[str, Tensor] = {}
    # Copies, because later activations work in place.
    for name in (
        "net.blocks.0.1",
        "net.blocks.1.3",
        "net.blocks.3.5",
        "net.blocks.6.1",
        "net.bn2",
        "head",
    ):
        net.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.clone()})
        )
    with torch.no_grad():
        logit = net(pictures[:, :, None]).logit
    inner = case["intermediates"]
    assert formula.compare(seen["net.blocks.0.1"], inner["_blocks.1"]) < TOLERANCE
    assert formula.compare(seen["net.blocks.1.3"], inner["_blocks.5"]) < TOLERANCE
    assert formula.compare(seen["net.blocks.3.5"], inner["_blocks.15"]) < TOLERANCE
    assert formula.compare(seen["net.blocks.6.1"], inner["_blocks.31"]) < TOLERANCE
    assert formula.compare(seen["net.bn2"], inner["features"]) < TOLERANCE
    logits = case["outputs"]["logits"]
    assert formula.compare(seen["head"], logits) < TOLERANCE
    real, fake = logits["values"]
    assert logit.item() == pytest.approx(fake - real, rel=1e-4)


def test_batch_norms_move_as_in_tensorflow():
    norms = [m for m in CARD.build().modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}


def test_an_imagenet_file_is_a_start_that_says_nothing(published: State, tmp_path: Path):
    state = {key.removeprefix("net."): value for key, value in published.items()}
    state |= {"_fc.weight": torch.ones(1000, 1792), "_fc.bias": torch.ones(1000)}
    net = imported(state, tmp_path)
    assert torch.equal(net.net.bn2.weight, state["_bn1.weight"])
    with torch.no_grad():
        assert net(torch.rand(2, 3, 1, 64, 64)).logit.tolist() == [0, 0]


def test_a_wrong_checkpoint_is_refused_with_the_difference(published: State, tmp_path: Path):
    state = {k: v for k, v in published.items() if not k.startswith("net._blocks.31.")}
    told = r"missing \(net\.blocks\.6\.1\.conv_pw\.weight.*1 unexpected \(net\._blocks\.32"
    with pytest.raises(WeightsError, match=told):
        imported({"model": {**state, "net._blocks.32._bn1.bias": torch.zeros(1)}}, tmp_path)


def test_deepfakebenchs_other_network_is_refused_by_name(published: State, tmp_path: Path):
    state = {k.replace("net.", "backbone.efficientnet.", 1): v for k, v in published.items()}
    told = (
        r"DeepfakeBench's EfficientNet-B4 .* whose first layer pads nothing.* Give their sbi\.tar"
    )
    with pytest.raises(WrongVariantError, match=told):
        imported(state, tmp_path)


def test_the_recipe_is_the_authors():
    recipe = CARD.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.optimizer.momentum) == (
        "sam",
        1e-3,
        0.9,
    )
    assert (recipe.sampling.batch_size, recipe.schedule.epochs, recipe.schedule.kind) == (
        32,
        100,
        "late_linear",
    )
    assert (recipe.synthesis.kind, recipe.sampling.kind) == ("self_blend", "pairs")
    assert CARD.input.size == (380, 380)


def test_the_licence_says_what_the_weights_are_not_for():
    assert "non-commercial" in CARD.weights[0].license
