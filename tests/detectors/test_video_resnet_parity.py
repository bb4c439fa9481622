"""R3D-18 and R(2+1)D-18 against torchvision, through files in the published layout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

from unmask.detectors import build, get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5
NAMES = ["r3d18", "r2plus1d18"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("downsampling", [False, True], ids=["all frames", "downsampling"])
def test_agrees_with_torchvision(
    name: str, downsampling: bool, formula: ModuleType, tmp_path: Path
):
    suffix = "" if downsampling else "_notdown"
    fixture = formula.load(FIXTURES / f"{name}{suffix}.json")
    published = formula.build_state_dict(fixture)
    torch.save(published, tmp_path / "published.pth")
    out = import_weights(name, tmp_path / "published.pth", tmp_path / "x.safetensors")
    loaded = load_detector(name, out)
    net = loaded.network
    if downsampling:
        card = dataclasses.replace(loaded.card, args={"temporal_downsampling": True})
        other = build(card).eval()
        other.load_state_dict(net.state_dict())
        net = other
    seen: dict[str, torch.Tensor] = {}
    for part in ("stem", "layer2", "layer4"):
        net.net.get_submodule(part).register_forward_hook(
            lambda _module, _inputs, output, part=part: seen.update({part: output.clone()})
        )
    case = fixture["cases"][0]
    (clips,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(clips)
    for part, maps in seen.items():
        assert formula.compare(maps, case["intermediates"][part]) < TOLERANCE
    assert len(seen) == 3
    # The published head tells 400 actions apart; ours takes its place, on the same features.
    logits = F.linear(output.embedding, published["fc.weight"], published["fc.bias"])
    assert formula.compare(logits, case["outputs"]["logits"]) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_kinetics_file_is_a_start_that_says_nothing(
    name: str, formula: ModuleType, tmp_path: Path
):
    fixture = formula.load(FIXTURES / f"{name}.json")
    published = formula.build_state_dict(fixture)
    torch.save(published, tmp_path / "published.pth")
    out = import_weights(name, tmp_path / "published.pth", tmp_path / "x.safetensors")
    net = load_detector(name, out).network
    assert net.head.weight.count_nonzero() == 0
    with torch.no_grad():
        assert net(torch.rand(2, 3, 4, 32, 32)).logit.tolist() == [0, 0]
    own = {k: v[:1] if k.startswith("fc.") else v for k, v in published.items()}
    torch.save(own, tmp_path / "own.pth")
    out = import_weights(name, tmp_path / "own.pth", tmp_path / "own.safetensors")
    assert torch.equal(load_detector(name, out).network.head.weight, own["fc.weight"])


@pytest.mark.parametrize("name", NAMES)
def test_the_other_network_is_refused(name: str, formula: ModuleType, tmp_path: Path):
    (other,) = set(NAMES) - {name}
    published = formula.build_state_dict(formula.load(FIXTURES / f"{other}.json"))
    torch.save(published, tmp_path / "published.pth")
    with pytest.raises(WeightsError, match=rf"do not fit {name}: of \d+ tensors .*Nothing was"):
        import_weights(name, tmp_path / "published.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize("name", NAMES)
def test_no_frame_is_lost_unless_asked(name: str):
    card = get_card(name)
    assert card.args == {"temporal_downsampling": False}
    lengths = {}
    for downsampling in (False, True):
        net = build(dataclasses.replace(card, args={"temporal_downsampling": downsampling})).eval()
        net.net.layer4.register_forward_hook(
            lambda _module, _inputs, output, key=downsampling: lengths.update(
                {key: output.shape[2]}
            )
        )
        with torch.no_grad():
            net(torch.rand(1, 3, 16, 32, 32))
    assert lengths == {False: 16, True: 2}
