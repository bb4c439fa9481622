"""Face X-ray: HRNet against its authors' code, DeepfakeBench's layout, and what it learns from."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import timm
import torch
from torch import Tensor

from unmask.detectors import Detector
from unmask.detectors.face_xray import CARD
from unmask.errors import UsageError, WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "hrnet_w48_cls.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> State:
    return formula.build_state_dict(fixture)


def imported(content: object, folder: Path) -> Detector:
    torch.save(content, folder / "x.pth")
    out = import_weights(
        "face_xray", folder / "x.pth", folder / "x.safetensors", accept_license=True
    )
    return load_detector("face_xray", out)


def as_deepfakebench(published: State, head: State) -> State:
    names = {k: k.replace("classifier.", "fc.") for k in published}
    return {f"backbone.{names[k]}": v for k, v in published.items()} | {
        key.removeprefix("head."): value for key, value in head.items()
    }


@pytest.mark.slow
def test_the_backbone_agrees_with_its_authors_code(
    formula: ModuleType, fixture: dict, published: State, tmp_path: Path
):
    net = imported(published, tmp_path).network
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        maps = net.net(pictures)
    assert [m.shape[1] for m in maps] == [48, 96, 192, 384]
    for number, found in enumerate(maps):
        assert formula.compare(found, case["intermediates"][f"stage4.{number}"]) < TOLERANCE


@pytest.mark.slow
def test_the_layers_that_are_left_out_change_nothing_before_them(
    formula: ModuleType, fixture: dict, published: State
):
    # The same file in timm's whole network gives the authors' logits: it is the same graph.
    whole = timm.create_model("hrnet_w48")
    whole.load_state_dict(published)
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        logits = whole.eval()(pictures)
    assert formula.compare(logits, case["outputs"]["logits"]) < TOLERANCE


@pytest.mark.slow
def test_an_import_of_deepfakebench_says_which_head_it_has(published: State, tmp_path: Path):
    torch.manual_seed(4)
    bench = CARD.changed(args={"head": "deepfakebench"}).build()
    head = {k: v for k, v in bench.state_dict().items() if k.startswith("head.")}
    loaded = imported(as_deepfakebench(published, head), tmp_path)
    net = loaded.network
    assert loaded.card.args == {"head": "deepfakebench"}
    assert torch.equal(net.head.post_process[6].weight, head["head.post_process.6.weight"])
    assert torch.equal(net.net.conv1.weight, published["conv1.weight"])
    with torch.no_grad():
        output = net(torch.rand(1, 3, 1, 64, 64))
    assert output.mask.shape == (1, 1, 256, 256)
    assert output.logit.isfinite().all()


@pytest.mark.slow
def test_a_wrong_checkpoint_is_refused_with_the_difference(published: State, tmp_path: Path):
    state = {k: v for k, v in published.items() if not k.startswith("stage4.2.fuse_layers.3")}
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit face_xray: .* missing"):
        import_weights("face_xray", tmp_path / "x.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_the_class_follows_from_the_boundary_alone():
    torch.manual_seed(0)
    net = CARD.build().eval()
    with torch.no_grad():
        net.head.fc.weight.copy_(torch.tensor([[-2.0], [3.0]]))
        net.head.fc.bias.copy_(torch.tensor([0.5, -0.5]))
        output = net(torch.rand(2, 3, 1, 64, 64))
    assert output.mask.shape == (2, 1, 64, 64)
    share = output.mask.sigmoid().mean(dim=(1, 2, 3))
    torch.testing.assert_close(output.logit, 5 * share - 1)


def test_an_unknown_head_is_refused():
    with pytest.raises(UsageError, match="Cannot set head='x': expected 'paper' or 'deepfake"):
        CARD.changed(args={"head": "x"}).build()


def test_the_recipe_is_the_papers():
    recipe = CARD.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.sampling.batch_size) == (
        "adam",
        2e-4,
        32,
    )
    assert recipe.schedule.epochs * recipe.schedule.steps_per_epoch == 200_000
    assert recipe.schedule.warmup_epochs * recipe.schedule.steps_per_epoch == 50_000
    assert recipe.schedule.warmup_parts == ("head",)
    assert dict(recipe.synthesis.mix) == {"cross_blend": 1.0}


def test_the_licence_says_what_the_weights_are_not_for():
    entries = {entry.tag: entry for entry in CARD.weights}
    assert "non-commercial" in entries["deepfakebench"].license
    assert entries["imagenet"].license == "MIT"
