"""Xception against the authors' code, through files in all the layouts it is published in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict[str, object]:
    return formula.load(FIXTURES / "ff_xception.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict[str, object]) -> State:
    return formula.build_state_dict(fixture)


def with_dropout(state: State) -> State:
    return {f"model.{k.replace('last_linear.', 'last_linear.1.')}": v for k, v in state.items()}


def as_deepfakebench(state: State) -> State:
    unused = {f"backbone.adjust_channel.0.{part}": torch.zeros(3) for part in ("weight", "bias")}
    return {**{f"backbone.{key}": value for key, value in state.items()}, **unused}


def as_before_counters(state: State) -> State:
    kept = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    return {key: v[..., 0, 0] if ".pointwise." in key else v for key, v in kept.items()}


LAYOUTS = [
    pytest.param(lambda state: {f"model.{k}": v for k, v in state.items()}, id="wrapped"),
    pytest.param(with_dropout, id="dropout"),
    pytest.param(as_deepfakebench, id="deepfakebench"),
    pytest.param(as_before_counters, id="old"),
    pytest.param(lambda state: {"state_dict": state, "epoch": 3}, id="nested"),
]


def test_agrees_with_the_authors_code(
    formula: ModuleType, fixture: dict, published: State, tmp_path: Path
):
    source = tmp_path / "published.p"
    torch.save(published, source)
    net = load_detector(
        "xception",
        import_weights("xception", source, tmp_path / "x.safetensors", accept_license=True),
    ).network
    seen: dict[str, Tensor] = {}
    # Copies, because later activations work in place.
    for name in ("net.block1", "net.block3", "net.block12", "net.bn4", "head"):
        net.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.clone()})
        )
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(pictures[:, :, None])
    inner = case["intermediates"]
    for block in ("block1", "block3", "block12"):
        assert formula.compare(seen[f"net.{block}"], inner[block]) < TOLERANCE
    assert formula.compare(seen["net.bn4"], inner["features"]) < TOLERANCE
    logits = case["outputs"]["logits"]
    assert formula.compare(seen["head"], logits) < TOLERANCE
    real, fake = logits["values"]
    assert output.logit.item() == pytest.approx(fake - real, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_published_layout_gives_the_same_network(
    layout: Callable[[State], object], published: State, tmp_path: Path
):
    torch.save(layout(published), tmp_path / "x.pth")
    out = import_weights(
        "xception", tmp_path / "x.pth", tmp_path / "x.safetensors", accept_license=True
    )
    state = load_detector("xception", out).network.state_dict()
    assert len(state) == len(published)
    for key in ("conv1.weight", "block5.rep.4.pointwise.weight", "bn4.running_var"):
        assert torch.equal(state[f"net.{key}"], published[key])
    assert torch.equal(state["head.weight"], published["last_linear.weight"])


@pytest.mark.slow
def test_an_imagenet_file_is_a_start_that_says_nothing(published: State, tmp_path: Path):
    state = {k: v for k, v in published.items() if not k.startswith("last_linear")}
    state |= {"fc.weight": torch.ones(1000, 2048), "fc.bias": torch.ones(1000)}
    torch.save(state, tmp_path / "x.pth")
    out = import_weights(
        "xception", tmp_path / "x.pth", tmp_path / "x.safetensors", accept_license=True
    )
    net = load_detector("xception", out).network
    assert torch.equal(net.net.bn4.weight, published["bn4.weight"])
    with torch.no_grad():
        assert net(torch.rand(2, 3, 1, 299, 299)).logit.tolist() == [0, 0]


def test_a_wrong_checkpoint_is_refused_with_the_difference(published: State, tmp_path: Path):
    state = {k: v for k, v in published.items() if not k.startswith("block12")}
    torch.save({**state, "extra.weight": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(
        WeightsError, match=r"20 missing \(net\.block12\..*; 1 unexpected \(net\.extra"
    ):
        import_weights("xception", tmp_path / "x.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
