"""LipForensics and lip reading against the authors' code, through files as they publish them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_pickle
from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.nn.lip_reading import LipReader, from_published
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "lipforensics.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> State:
    return formula.build_state_dict(fixture)


@pytest.fixture(scope="module")
def net(published: State, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    folder = tmp_path_factory.mktemp("lipforensics")
    torch.save({"model": published}, folder / "lipforensics_ff.pth")
    out = folder / "x.safetensors"
    import_weights("lipforensics", folder / "lipforensics_ff.pth", out)
    return load_detector("lipforensics", out).network


@pytest.fixture(scope="module")
def swish(formula: ModuleType) -> State:
    return formula.build_state_dict(formula.load(FIXTURES / "lrw_resnet18_mstcn.json"))


def case_named(fixture: dict, name: str) -> dict:
    (case,) = [case for case in fixture["cases"] if case["name"] == name]
    return case


@pytest.mark.parametrize("name", ["lipforensics", "lipforensics_lengths"])
def test_agrees_with_the_authors_code(
    name: str, formula: ModuleType, fixture: dict, net: nn.Module
):
    case = case_named(fixture, name)
    (clips,) = formula.build_inputs(case)
    seen: dict[str, Tensor] = {}
    for part in ("frontend", "trunk", "temporal"):
        hook = lambda _module, _inputs, output, part=part: seen.update({part: output})  # noqa: E731
        net.features.get_submodule(part).register_forward_hook(hook)
    with torch.no_grad():
        output = net(clips, torch.tensor(case["args"]["lengths"]))
    inner = case["intermediates"]
    assert formula.compare(seen["frontend"], inner["frontend3D"]) < TOLERANCE
    assert formula.compare(seen["trunk"], inner["trunk"]) < TOLERANCE
    assert formula.compare(seen["temporal"], inner["tcn.mb_ms_tcn"]) < TOLERANCE
    assert formula.compare(output.logit[:, None], case["outputs"]["logits"]) < TOLERANCE
    assert output.embedding.shape == (2, 768)


def test_without_lengths_all_frames_count(formula: ModuleType, fixture: dict, net: nn.Module):
    """Guards the two cases above: the second must not pass without its lengths."""
    case = case_named(fixture, "lipforensics_lengths")
    (clips,) = formula.build_inputs(case)
    with torch.no_grad():
        all_count, half_count = net(clips), net(clips, torch.tensor([25, 17]))
    assert formula.compare(all_count.logit[:, None], case["outputs"]["logits"]) > 0.01
    torch.testing.assert_close(all_count.logit[0], half_count.logit[0])


def test_lip_reading_agrees_with_the_authors_code(
    formula: ModuleType, swish: State, tmp_path: Path
):
    """The published lip-reading file of today, in its layout; its activations are Swish."""
    source = tmp_path / "lrw_resnet18_mstcn_video.pth"
    torch.save({"epoch_idx": 79, "model_state_dict": swish}, source)
    net = LipReader(words=500, activation="swish").eval()
    net.load_state_dict(from_published(read_pickle(source), "swish", str(source)))
    (case,) = formula.load(FIXTURES / "lrw_resnet18_mstcn.json")["cases"]
    (clips,) = formula.build_inputs(case)
    with torch.no_grad():
        logits = net(clips, torch.tensor(case["args"]["lengths"]))
    assert formula.compare(logits, case["outputs"]["logits"]) < TOLERANCE


def test_a_swish_file_is_refused(swish: State, tmp_path: Path):
    torch.save({"model_state_dict": swish}, tmp_path / "x.pth")
    with pytest.raises(WeightsError) as caught:
        import_weights("lipforensics", tmp_path / "x.pth", tmp_path / "out.safetensors")
    message = str(caught.value)
    assert "expected prelu activations, got swish ('frontend3D.2.weight' is missing)" in message
    assert "Give a file of the prelu variant" in message
    assert not (tmp_path / "out.safetensors").exists()


def test_a_prelu_file_is_refused_by_a_swish_network(published: State):
    with pytest.raises(WeightsError, match="expected swish activations, got prelu"):
        from_published(published, "swish", "x.pth")


@pytest.mark.slow
def test_a_lip_reading_file_is_a_start_that_says_nothing(published: State, tmp_path: Path):
    words = {"tcn.tcn_output.weight": torch.ones(500, 768), "tcn.tcn_output.bias": torch.ones(500)}
    torch.save({"model_state_dict": {**published, **words}}, tmp_path / "x.pth")
    source, out = tmp_path / "x.pth", tmp_path / "x.safetensors"
    import_weights("lipforensics", source, out, accept_license=True)
    net = load_detector("lipforensics", out).network
    slopes = net.features.temporal[3].activation.weight
    assert torch.equal(slopes, published["tcn.mb_ms_tcn.network.3.relu_final.weight"])
    with torch.no_grad():
        assert net(torch.rand(2, 1, 3, 32, 32)).logit.tolist() == [0, 0]


def test_a_file_with_a_part_missing_is_refused_with_the_difference(
    published: State, tmp_path: Path
):
    state = {key: v for key, v in published.items() if "network.3" not in key}
    torch.save({"model": {**state, "extra.weight": torch.zeros(1)}}, tmp_path / "x.pth")
    with pytest.raises(
        WeightsError, match=r"51 missing \(features\.temporal\.3\..*; 1 unexpected \(extra\.weight"
    ):
        import_weights("lipforensics", tmp_path / "x.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_another_network_is_refused(tmp_path: Path):
    torch.save({"model": {"conv1.weight": torch.zeros(3)}}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"1 unexpected \(conv1\.weight"):
        import_weights("lipforensics", tmp_path / "x.pth", tmp_path / "out.safetensors")


def test_parameters_are_as_many_as_published(published: State):
    net = get_card("lipforensics").build()
    assert sum(p.numel() for p in net.parameters()) == 35_990_785
    assert len(net.state_dict()) == len(published) == 343
    temporal = [*net.features.temporal.parameters(), *net.head.parameters()]
    # Table 6: 24.8 M of 36.0 M are trained when the frames' network is frozen.
    assert round(sum(p.numel() for p in temporal) / 1e6, 1) == 24.8


@pytest.mark.parametrize(
    ("args", "width"),
    [({"stem_frames": 1}, 768), ({"is_temporal": False}, 512), ({"activation": "swish"}, 768)],
)
def test_variants_of_the_paper_build_and_run(args: dict, width: int):
    card = get_card("lipforensics")
    net = replace(card, args={**card.args, **args}).build().eval()
    with torch.no_grad():
        output = net(torch.rand(2, 1, 3, 32, 32))
    assert output.embedding.shape == (2, width)
    assert output.logit.isfinite().all()


def test_a_plain_image_stem_sees_one_frame_alone():
    card = get_card("lipforensics")
    args = {**card.args, "stem_frames": 1, "is_temporal": False}
    net = replace(card, args=args).build().eval()
    clips = torch.rand(1, 1, 4, 32, 32)
    with torch.no_grad():
        mean_of_frames = torch.stack([net(clips[:, :, [t]]).logit for t in range(4)]).mean(0)
        torch.testing.assert_close(net(clips).logit, mean_of_frames)


@pytest.mark.parametrize("frames", [1, 5, 30])
def test_any_number_of_frames_works(frames: int, net: nn.Module):
    with torch.no_grad():
        assert net(torch.rand(1, 1, frames, 32, 32)).logit.isfinite().all()
