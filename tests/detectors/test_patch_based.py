"""Patch-forensics against the authors' code, its cuts, its ways to vote, and its loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import Output, Target, get_card
from unmask.detectors.patch_based import vote_of
from unmask.errors import UsageError, WeightsError
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5
VOTES = ("mean_probability", "mean_logit", "majority")


@pytest.fixture(scope="module")
def fixture(formula: ModuleType) -> dict:
    return formula.load(FIXTURES / "patch_xception_block3.json")


@pytest.fixture(scope="module")
def published(formula: ModuleType, fixture: dict) -> dict[str, Tensor]:
    return formula.build_state_dict(fixture)


def net_with(**args: object) -> nn.Module:
    card = get_card("patch_based")
    return replace(card, args={**card.args, **args}).build().eval()


def test_agrees_with_the_authors_code(
    formula: ModuleType, fixture: dict, published: dict[str, Tensor], tmp_path: Path
):
    # As the authors save it: beside the state of optimizer and schedule.
    file = {"state_dict": published, "optimizer": {}, "scheduler": {}, "epoch": 3}
    torch.save(file, tmp_path / "bestval_net_D.pth")
    source = tmp_path / "bestval_net_D.pth"
    net = load_detector(
        "patch_based", import_weights("patch_based", source, tmp_path / "x.st")
    ).network
    seen: list[Tensor] = []
    net.head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(pictures[:, :, None])
    assert formula.compare(seen[0], case["outputs"]["logit_map"]) < TOLERANCE
    assert output.mask.shape == (1, 1, 19, 19)
    # Class 0 is fake: what the authors call the probability of a fake, averaged over patches.
    fake = seen[0].softmax(dim=1)[:, 0].mean()
    assert output.logit.sigmoid().item() == pytest.approx(fake.item(), abs=1e-6)
    assert sum(p.numel() for p in net.parameters()) == 1_108_218


@pytest.mark.slow
@pytest.mark.parametrize("block", [1, 2, 3, 4, 5])
def test_a_file_says_where_it_was_cut(block: int, tmp_path: Path):
    state = net_with(block=block).state_dict()
    published = {
        key.removeprefix("net.").replace("head.", "convout."): value for key, value in state.items()
    }
    torch.save(published, tmp_path / "x.pth")
    out = import_weights("patch_based", tmp_path / "x.pth", tmp_path / "x.safetensors")
    net = load_detector("patch_based", out)
    assert net.card.args["block"] == block
    assert list(net.network.state_dict()) == list(state)
    tags = {weights.tag: weights.args for weights in get_card("patch_based").weights}
    assert tags[f"block{block}"] == ({} if block == 3 else {"block": block})


@pytest.mark.slow
def test_another_network_is_refused(tmp_path: Path):
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit patch_based: of 74 .* missing \(net\.bn1"):
        import_weights("patch_based", tmp_path / "x.pth", tmp_path / "x.st")
    assert not (tmp_path / "x.st").exists()


@pytest.mark.parametrize(
    ("block", "places", "sees_px"),
    [(1, 74, 19), (2, 37, 43), (3, 19, 91), (4, 19, 187), (5, 19, 283)],
)
def test_a_patch_sees_as_much_as_published(block: int, places: int, sees_px: int):
    net = net_with(block=block).double()
    for name, module in list(net.named_modules()):
        # Every path carries a gradient: no weight is below 0, and pooling takes all it sees.
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.1)
        if isinstance(module, nn.MaxPool2d):
            parent, _, own = name.rpartition(".")
            setattr(net.get_submodule(parent), own, nn.AvgPool2d(3, 2, 1))
    maps: list[Tensor] = []
    net.head.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    pictures = torch.ones(1, 3, 1, 299, 299, dtype=torch.float64, requires_grad=True)
    net(pictures)
    assert maps[0].shape[2:] == (places, places)
    (gradient,) = torch.autograd.grad(maps[0][0, 0, places // 2, places // 2], pictures)
    seen = gradient[0, 0, 0].sum(dim=0).nonzero().flatten()
    assert seen[-1] - seen[0] + 1 == sees_px


@pytest.mark.parametrize("vote", VOTES)
def test_votes_follow_the_patches(vote: str):
    patches = torch.tensor([[[5.0, 5.0], [5.0, -1.0]], [[-5.0, -5.0], [-5.0, 1.0]]])
    logits = vote_of(patches, vote)
    assert logits[0] > 0 > logits[1]
    torch.testing.assert_close(logits[0], -logits[1])
    assert vote_of(torch.zeros(1, 2, 2), vote).item() == pytest.approx(0)
    certain = vote_of(torch.full((1, 19, 19), 1000.0), vote)
    assert certain.isfinite().all()
    assert certain > 0


def test_votes_are_those_of_the_paper():
    patches = torch.randn(3, 19, 19)
    probability = vote_of(patches, "mean_probability").sigmoid()
    torch.testing.assert_close(probability, patches.sigmoid().mean(dim=(1, 2)))
    torch.testing.assert_close(vote_of(patches, "mean_logit"), patches.mean(dim=(1, 2)))
    share = (patches > 0).float().mean(dim=(1, 2))
    expected = ((share * 361 + 0.5) / (361 - share * 361 + 0.5)).log()
    torch.testing.assert_close(vote_of(patches, "majority"), expected)


def test_one_sure_patch_outweighs_many_only_before_the_softmax():
    patches = torch.full((1, 3, 3), -1.0)
    patches[0, 0, 0] = 100.0
    signs = {vote: bool(vote_of(patches, vote) > 0) for vote in VOTES}
    assert signs == {"mean_probability": False, "mean_logit": True, "majority": False}


def test_every_place_learns_the_label_of_its_picture():
    loss = get_card("patch_based").recipe.loss
    mask = torch.tensor([[[[2.0, -1.0]]], [[[0.5, 3.0]]]])
    label = torch.tensor([1.0, 0.0])
    # The vote is not what is trained.
    got = loss(Output(logit=torch.zeros(2), mask=mask), Target(label=label))
    two_classes = torch.stack([mask[:, 0], torch.zeros_like(mask[:, 0])], dim=1)
    wanted = torch.tensor([[[0, 0]], [[1, 1]]])  # class 0 is fake
    torch.testing.assert_close(got, nn.functional.cross_entropy(two_classes, wanted))


def test_what_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"after block 6: expected one of 1, 2, 3, 4, 5\. Give"):
        net_with(block=6)
    with pytest.raises(UsageError, match="vote by 'loudest': expected one of mean_probability"):
        net_with(vote="loudest")


def test_the_recipe_is_the_authors():
    recipe = get_card("patch_based").recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.optimizer.betas) == (
        "adam",
        1e-3,
        (0.9, 0.999),
    )
    assert (recipe.sampling.batch_size, recipe.sampling.kind, recipe.sampling.augment) == (
        32,
        "pairs",
        "flip",
    )
    assert (recipe.schedule.patience, recipe.schedule.epochs, recipe.schedule.kind) == (
        50,
        1000,
        "constant",
    )
