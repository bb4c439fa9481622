"""The rows of LipForensics' table 5: parts of its network, and what they start from."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
FRAMES, INSTANTS = "resnet18_lipreading", "resnet3d_lipreading"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "lipforensics.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> dict[str, Tensor]:
    return formula.build_state_dict(fixture)


@pytest.mark.slow
def test_stem_and_trunk_agree_with_the_authors_code(
    formula: ModuleType, fixture: dict, published: dict[str, Tensor], tmp_path: Path
):
    source = tmp_path / "lipforensics_ff.pth"
    torch.save({"model": published}, source)
    net = load_detector(
        INSTANTS, import_weights(INSTANTS, source, tmp_path / "x.safetensors")
    ).network
    seen: dict[str, Tensor] = {}
    for part in ("frontend", "trunk"):
        hook = lambda _module, _inputs, output, part=part: seen.update({part: output})  # noqa: E731
        net.features.get_submodule(part).register_forward_hook(hook)
    case = fixture["cases"][0]
    (clips,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(clips)
    inner = case["intermediates"]
    assert formula.compare(seen["frontend"], inner["frontend3D"]) < TOLERANCE
    assert formula.compare(seen["trunk"], inner["trunk"]) < TOLERANCE
    mean = seen["trunk"].unflatten(0, (len(clips), -1)).mean(dim=1)
    torch.testing.assert_close(output.embedding, mean)
    assert output.logit.tolist() == [0] * len(clips)


def test_a_swish_file_is_refused(formula: ModuleType, tmp_path: Path):
    swish = formula.build_state_dict(formula.load(FIXTURES / "lrw_resnet18_mstcn.json"))
    torch.save({"model_state_dict": swish}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="expected prelu activations, got swish"):
        import_weights(INSTANTS, tmp_path / "x.pth", tmp_path / "x.safetensors")


def test_another_network_is_refused(tmp_path: Path):
    torch.save({"model": {"conv1.weight": torch.zeros(3)}}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit resnet3d_.* 1 unexpected \(conv1\.weight"):
        import_weights(INSTANTS, tmp_path / "x.pth", tmp_path / "x.safetensors")


def test_the_stem_of_one_frame_takes_no_file_of_five(published: dict[str, Tensor], tmp_path: Path):
    torch.save({"model": published}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="do not fit resnet18_lipreading"):
        import_weights(FRAMES, tmp_path / "x.pth", tmp_path / "x.safetensors")


@pytest.mark.parametrize(("name", "stem"), [(FRAMES, 1), (INSTANTS, 5)])
def test_words_are_learned_with_what_is_left_out_later(name: str, stem: int):
    card = get_card(name)
    pretraining = card.pretraining["lipreading"]
    torch.manual_seed(0)
    reader = pretraining.build(card.args, 7)
    clips = torch.rand(1, 1, 4, 32, 32)
    with torch.no_grad():
        assert reader.eval()(clips).shape == (1, 7)
    assert len(list(reader.features.temporal.children())) == 4
    assert reader.features.frontend[0].kernel_size == (stem, 7, 7)
    net = card.build().eval()
    net.load_state_dict(pretraining.into(reader.state_dict()))
    with torch.no_grad():
        output = net(clips)
        expected = reader.features.of_frames(clips).mean(dim=1)
    torch.testing.assert_close(output.embedding, expected)
    assert output.logit.tolist() == [0]


def test_the_order_of_frames_matters_only_to_the_one_that_sees_motion():
    clips = torch.rand(1, 1, 6, 32, 32)
    changes = {}
    for name in (FRAMES, INSTANTS):
        torch.manual_seed(0)
        net = get_card(name).build().eval()
        with torch.no_grad():
            one, other = net(clips).embedding, net(clips[:, :, [3, 0, 5, 2, 4, 1]]).embedding
        changes[name] = bool(((one - other).abs() > 1e-4).any())
    assert changes == {FRAMES: False, INSTANTS: True}


@pytest.mark.parametrize("name", [FRAMES, INSTANTS])
def test_all_is_finetuned_by_the_recipe_of_lipforensics(name: str):
    ours, theirs = get_card(name), get_card("lipforensics")
    assert ours.recipe.freeze == ()
    assert (ours.recipe.optimizer.learning_rate, ours.recipe.sampling.batch_size) == (2e-4, 32)
    assert ours.recipe.sampling.augment == theirs.recipe.sampling.augment
    assert ours.input == theirs.input
    assert [a.tables for a in ours.ablations] == [("lipforensics/table5",)]
