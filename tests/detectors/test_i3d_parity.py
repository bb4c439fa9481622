"""I3D against the code that its weights are published with, through a file in that layout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unmask.detectors import Detector, build, get_card
from unmask.errors import WeightsError
from unmask.nn.i3d import pad_same
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "i3d_rgb.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> dict[str, Tensor]:
    return formula.build_state_dict(fixture)


@pytest.fixture(scope="module")
def imported(published: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("i3d")
    torch.save(published, folder / "rgb_imagenet.pt")
    return import_weights("i3d", folder / "rgb_imagenet.pt", folder / "x.safetensors")


def with_downsampling(loaded: Detector, downsampling: bool = True) -> nn.Module:
    card = dataclasses.replace(loaded.card, args={"temporal_downsampling": downsampling})
    other = build(card).eval()
    other.load_state_dict(loaded.network.state_dict())
    return other


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1], ids=["32 frames", "25 frames"])
def test_agrees_with_the_published_code(
    number: int,
    formula: ModuleType,
    fixture: dict,
    published: dict[str, Tensor],
    imported: Path,
):
    net = with_downsampling(load_detector("i3d", imported)).net
    case = fixture["cases"][number]
    deviation: dict[str, float] = {}
    for part, expected in case["intermediates"].items():
        net.get_submodule(part).register_forward_hook(
            lambda _module, _inputs, output, part=part, expected=expected: deviation.update(
                {part: formula.compare(output, expected)}
            )
        )
    (clips,) = formula.build_inputs(case)
    with torch.no_grad():
        features = net(clips)
    assert len(deviation) == 4
    assert max(deviation.values()) < TOLERANCE
    # The published head tells 400 actions apart; ours takes its place, on the same features.
    weight, bias = published["logits.conv3d.weight"], published["logits.conv3d.bias"]
    logits = F.conv1d(features, weight.flatten(2), bias)
    assert formula.compare(logits, case["outputs"]["logits"]) < TOLERANCE


def test_it_is_the_published_network(imported: Path, published: dict[str, Tensor]):
    net = load_detector("i3d", imported).network
    state = net.state_dict()
    assert {key.removeprefix("net.") for key in state if key.startswith("net.")} == {
        key for key in published if not key.startswith("logits.")
    }
    own = sum(parameter.numel() for parameter in net.net.parameters())
    assert own + 400 * 1025 == 12_697_264


def test_no_frame_is_lost_unless_asked(imported: Path):
    net = load_detector("i3d", imported)
    assert net.card.args["temporal_downsampling"] is False
    lengths = {}
    for downsampling in (False, True):
        other = with_downsampling(net, downsampling)
        other.net.get_submodule("Mixed_5c").register_forward_hook(
            lambda _module, _inputs, output, key=downsampling: lengths.update(
                {key: output.shape[2]}
            )
        )
        with torch.no_grad():
            assert other.net(torch.rand(1, 3, 16, 32, 32)).shape == (1, 1024, 1)
    assert lengths == {False: 16, True: 2}


@pytest.mark.parametrize("classes", [400, 157], ids=["kinetics", "charades"])
def test_a_file_for_actions_is_a_start_that_says_nothing(
    classes: int, published: dict[str, Tensor], tmp_path: Path
):
    state = {k: v[:classes] if k.startswith("logits.") else v for k, v in published.items()}
    torch.save(state, tmp_path / "x.pt")
    net = load_detector(
        "i3d", import_weights("i3d", tmp_path / "x.pt", tmp_path / "x.safetensors")
    ).network
    assert torch.equal(net.net.Mixed_5c.b0.bn.weight, published["Mixed_5c.b0.bn.weight"])
    with torch.no_grad():
        assert net(torch.rand(2, 3, 4, 32, 32)).logit.tolist() == [0, 0]


def test_a_wrong_checkpoint_is_refused_with_the_difference(
    published: dict[str, Tensor], tmp_path: Path
):
    state = {k: v for k, v in published.items() if not k.startswith("Mixed_4e")}
    torch.save(state, tmp_path / "x.pt")
    with pytest.raises(WeightsError, match=r"36 missing \(net\.Mixed_4e\.b0\.conv3d\.weight"):
        import_weights("i3d", tmp_path / "x.pt", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "front", "back"),
    [(4, 7, 2, 2, 3), (5, 7, 2, 3, 3), (5, 3, 1, 1, 1), (4, 2, 2, 0, 0), (5, 2, 2, 0, 1)],
)
def test_padding_is_tensorflows(size: int, kernel: int, stride: int, front: int, back: int):
    maps = torch.ones(1, 1, size, 1, 1)
    padded = pad_same(maps, (kernel, 1, 1), (stride, 1, 1))[0, 0, :, 0, 0]
    assert padded.tolist() == [0.0] * front + [1.0] * size + [0.0] * back


def test_it_can_start_with_filters_that_see_changes_alone():
    torch.manual_seed(0)
    net = build(get_card("i3d"))
    stem = net.net.Conv3d_1a_7x7.conv3d
    before = stem.weight.detach().clone()
    with torch.no_grad():
        net.start_from_clips(iter(()))
        # What does not move is seen by a quarter of the filters; a change is seen by all.
        inside = (..., slice(6, 10), slice(2, 6), slice(2, 6))  # away from the padding
        still = stem(torch.rand(1, 3, 1, 15, 15).expand(-1, -1, 16, -1, -1))[inside]
        moving = stem(torch.rand(1, 3, 16, 15, 15))[inside]
    assert (still.abs().amax(dim=(0, 2, 3, 4)) < 1e-4).sum() == 48
    assert (moving.abs().amax(dim=(0, 2, 3, 4)) > 1e-2).all()
    assert torch.equal(stem.weight[48:], before[48:])


@pytest.mark.parametrize(("share", "is_random"), [(0.0, False), (0.5, True)])
def test_the_share_that_drops_out_is_an_argument(share: float, is_random: bool):
    torch.manual_seed(0)
    net = build(get_card("i3d").changed(args={"dropout": share}))
    net.net.eval()  # so that dropout alone is random
    with torch.no_grad():
        clips = torch.rand(1, 3, 8, 32, 32)
        first, second = net(clips).logit, net(clips).logit
    assert torch.equal(first, second) != is_random
