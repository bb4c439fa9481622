"""The two branches, their critic and the terms of Eq. 1."""

from __future__ import annotations

import copy
import math
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import Target, build, get_card
from unmask.errors import DataError, UsageError, WeightsError
from unmask.losses import (
    attention_transfer_loss,
    binary_loss,
    coding_distance_loss,
    gradient_penalty,
    wasserstein_distance,
)
from unmask.losses.attention_transfer import attention_target
from unmask.losses.coding_distance import norm_hinge
from unmask.train import apply_settings
from unmask.weights import import_weights, load_detector

NAME = "anti_compression"
FIXTURES = Path(__file__).parents[1] / "fixtures"
SIDE = 64
LAST_EARLY = "block7.rep.4.pointwise.weight"
OFF = {
    "attention": ["attention_weight=0"],
    "distance": ["distance_weight=0"],
    "alignment": ["alignment_weight=0"],
}
LABELS_ALONE = [setting for term in OFF.values() for setting in term]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def original() -> nn.Module:
    torch.manual_seed(0)
    return build(get_card(NAME))


@pytest.fixture
def net(original: nn.Module) -> nn.Module:
    return copy.deepcopy(original)


def variant(original: nn.Module, settings: list[str]) -> nn.Module:
    other = build(apply_settings(get_card(NAME), settings))
    other.load_state_dict(original.state_dict())
    return other


@pytest.fixture(scope="module")
def clips() -> Tensor:
    return torch.rand(4, 3, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="module")
def target(clips: Tensor) -> Target:
    mask = torch.zeros(4, 1, SIDE, SIDE)
    mask[:, :, SIDE // 2 :] = 0.9
    noise = torch.randn(clips.shape, generator=torch.Generator().manual_seed(2))
    return Target(label=torch.tensor([0.0, 1.0, 0.0, 1.0]), mask=mask, twin=clips + 0.3 * noise)


def terms(net: nn.Module, clips: Tensor, target: Target) -> dict[str, Tensor]:
    """Eq. 1 put together from its parts, without the weights."""
    low, high = net.low(clips[:, :, 0]), net.high(target.twin[:, :, 0])
    truth = attention_target(target.mask, target.label, low.mask.shape[2:])
    first = net.critic(torch.cat([high.maps, low.maps], dim=1))
    second = net.critic(torch.cat([low.maps, high.maps], dim=1))
    return {
        "labels": binary_loss(low.logit, target.label) + binary_loss(high.logit, target.label),
        "attention": attention_transfer_loss(high.mask.sigmoid(), low.mask.sigmoid(), truth),
        "distance": coding_distance_loss(high.embedding, low.embedding, target.label),
        "alignment": wasserstein_distance(first, second),
    }


WEIGHTS = {"labels": 1.0, "attention": 1.0, "distance": 0.1, "alignment": 0.001}


@pytest.mark.slow
def test_a_scan_runs_the_branch_for_the_worse_compression_alone(net: nn.Module, clips: Tensor):
    net.eval()
    with torch.no_grad():
        before = net(clips)
        for part in (net.high, net.critic):
            for parameter in part.parameters():
                parameter.fill_(math.nan)
        after = net(clips)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_its_mask_is_its_attention_map(net: nn.Module):
    pictures = torch.randn(1, 3, 1, 299, 299)
    seen: dict[str, Tensor] = {}
    net.low.early.register_forward_hook(lambda _m, _i, out: seen.update(before=out.clone()))
    net.low.late.register_forward_hook(lambda _m, i, _out: seen.update(after=i[0].clone()))
    with torch.no_grad():
        output = net.eval()(pictures)
    assert output.mask.shape == (1, 1, 19, 19)
    assert output.embedding.shape == (1, 2048)
    assert seen["before"].shape == (1, 728, 19, 19)
    torch.testing.assert_close(seen["after"], seen["before"] * output.mask.sigmoid())


@pytest.mark.parametrize("off", [None, *OFF])
def test_the_loss_is_the_sum_of_the_terms_that_are_on(
    off: str | None, original: nn.Module, clips: Tensor, target: Target
):
    net = variant(original, OFF[off] if off else []).eval()
    with torch.no_grad():
        parts = terms(net, clips, target)
        loss = net.training_loss(clips, target)
    assert all(abs(float(part)) > 1e-6 for part in parts.values())
    expected = sum(float(parts[key]) * WEIGHTS[key] for key in parts if key != off)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_weights_scale_their_terms(original: nn.Module, clips: Tensor, target: Target):
    settings = ["attention_weight=2", "distance_weight=0.5", "alignment_weight=30"]
    net = variant(original, settings).eval()
    with torch.no_grad():
        parts = {key: float(part) for key, part in terms(net, clips, target).items()}
        loss = net.training_loss(clips, target)
    expected = parts["labels"] + 2 * parts["attention"] + 0.5 * parts["distance"]
    assert loss.item() == pytest.approx(expected + 30 * parts["alignment"], rel=1e-5)


def test_the_worse_clip_goes_to_low_and_its_twin_to_high(
    net: nn.Module, clips: Tensor, target: Target
):
    seen: dict[str, Tensor] = {}
    net.low.register_forward_hook(lambda _m, i, _out: seen.update(low=i[0]))
    net.high.register_forward_hook(lambda _m, i, _out: seen.update(high=i[0]))
    with torch.no_grad():
        net.training_loss(clips, target)
    assert torch.equal(seen["low"], clips[:, :, 0])
    assert torch.equal(seen["high"], target.twin[:, :, 0])


def test_the_branches_step_leaves_the_critic_alone(net: nn.Module, clips: Tensor, target: Target):
    net.training_loss(clips, target).backward()
    assert all(p.grad is None for p in net.critic.parameters())
    assert all(p.grad is not None for b in (net.high, net.low) for p in b.parameters())


@pytest.mark.slow
def test_both_branches_learn_from_the_critic(original: nn.Module, clips: Tensor, target: Target):
    """The term's gradient in the branches is what the setting adds."""
    gradients = []
    for settings in ([], OFF["alignment"]):
        net = variant(original, settings)
        net.training_loss(clips, target).backward()
        gradients.append([b.early.conv1.weight.grad for b in (net.high, net.low)])
    assert all(not torch.equal(on, off) for on, off in zip(*gradients, strict=True))


def test_the_critics_step_leaves_the_branches_alone(net: nn.Module, clips: Tensor, target: Target):
    before = copy.deepcopy(net.state_dict())
    net.adversary_loss(clips, target).backward()
    assert all(p.grad is None for b in (net.high, net.low) for p in b.parameters())
    assert all(p.grad is not None for p in net.critic.parameters())
    # Batch norms too, although they are in train mode.
    assert net.low.early.bn1.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_the_critic_sees_the_features_that_training_sees(
    net: nn.Module, clips: Tensor, target: Target
):
    with torch.no_grad():
        low = net.low.early(clips[:, :, 0])
        high = net.high.early(target.twin[:, :, 0])
    first, second = torch.cat([high, low], dim=1), torch.cat([low, high], dim=1)
    torch.manual_seed(5)
    penalty = gradient_penalty(net.critic, first, second)
    expected = penalty - wasserstein_distance(net.critic(first), net.critic(second))
    torch.manual_seed(5)
    assert net.adversary_loss(clips, target).item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.slow
def test_a_critic_learns_to_tell_the_orders_apart(net: nn.Module, clips: Tensor, target: Target):
    optimizer = torch.optim.Adam(
        net.critic.parameters(), get_card(NAME).recipe.optimizer.learning_rate
    )

    def distance() -> float:
        with torch.no_grad():
            return float(terms(net, clips, target)["alignment"])

    before = distance()
    for _ in range(20):
        loss = net.adversary_loss(clips, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert distance() > before + 1


def test_without_alignment_the_critic_stays_as_it_is(
    original: nn.Module, clips: Tensor, target: Target
):
    net = variant(original, OFF["alignment"])
    optimizer = torch.optim.Adam(net.critic.parameters(), 0.1)
    loss = net.adversary_loss(clips, target._replace(twin=None))
    loss.backward()
    optimizer.step()
    assert loss.item() == 0
    after = net.critic.state_dict()
    assert all(torch.equal(after[key], old) for key, old in original.critic.state_dict().items())


def test_labels_alone_need_no_twins(original: nn.Module, clips: Tensor, target: Target):
    net = variant(original, LABELS_ALONE)
    alone = target._replace(twin=None, mask=None)
    net.eval()
    expected = binary_loss(net(clips).logit, target.label)
    loss = net.training_loss(clips, alone)
    loss.backward()
    assert loss.item() == pytest.approx(expected.item())
    assert all(p.grad is None for p in net.high.parameters())
    assert all(p.grad is not None for p in net.low.parameters())


@pytest.mark.parametrize("step", ["training_loss", "adversary_loss"])
def test_missing_twins_are_an_error_that_says_what_to_do(
    step: str, net: nn.Module, clips: Tensor, target: Target
):
    message = r"expected each clip a second time .* got none\. .*\"twins=\('c23','c40'\)\""
    with pytest.raises(DataError, match=message):
        getattr(net, step)(clips, target._replace(twin=None))


def test_twins_of_another_shape_are_an_error(net: nn.Module, clips: Tensor, target: Target):
    with pytest.raises(DataError, match=r"shape \(4, 3, 1, 64, 64\), got shape \(4, 3, 1, 32, 64"):
        net.training_loss(clips, target._replace(twin=target.twin[..., :32, :]))


def test_the_settings_that_the_errors_name_train_without_twins_and_masks(
    net: nn.Module, clips: Tensor, target: Target
):
    settings = []
    for lacking in (target._replace(twin=None), target._replace(mask=None)):
        with pytest.raises(DataError) as error:
            net.training_loss(clips, lacking)
        settings += re.findall(r"--set '?(\w+=[\w()]+)", str(error.value))
    card = apply_settings(get_card(NAME), settings)
    recipe = card.recipe
    assert (recipe.sampling.twins, recipe.adversary.parts) == (None, ())
    assert not recipe.sampling.needs_masks
    bare = target._replace(twin=None, mask=None)
    assert card.training_loss(build(card), clips, bare).isfinite()


def test_missing_masks_are_an_error_unless_nothing_needs_them(
    original: nn.Module, net: nn.Module, clips: Tensor, target: Target
):
    bare = target._replace(mask=None)
    with pytest.raises(DataError, match=r"true masks .* got none.*--set attention_weight=0"):
        net.training_loss(clips, bare)
    with torch.no_grad():
        assert variant(original, OFF["attention"]).training_loss(clips, bare).isfinite()


@pytest.mark.parametrize("weight", [-1.0, math.inf, math.nan])
def test_a_weight_out_of_range_is_refused(weight: float):
    card = apply_settings(get_card(NAME), ["distance_weight=1"])
    with pytest.raises(UsageError, match=r"Cannot set distance_weight=.*: expected a number of at"):
        type(build(card))(distance_weight=weight)


def test_validation_looks_at_one_branch(net: nn.Module, clips: Tensor, target: Target):
    loss = get_card(NAME).recipe.loss
    with torch.no_grad():
        output = net.eval()(clips)
    truth = attention_target(target.mask, target.label, output.mask.shape[2:])
    expected = binary_loss(output.logit, target.label)
    expected = expected + 0.1 * norm_hinge(output.embedding, target.label)
    assert loss(output, target._replace(mask=None)).item() == pytest.approx(expected.item())
    expected = expected + (output.mask.sigmoid() - truth).abs().mean()
    assert loss(output, target).item() == pytest.approx(expected.item())


def test_real_faces_have_an_empty_map_whatever_their_mask_says(
    net: nn.Module, clips: Tensor, target: Target
):
    emptied = target.mask * target.label[:, None, None, None]
    with torch.no_grad():
        net.eval()
        with_masks = net.training_loss(clips, target)
        without = net.training_loss(clips, target._replace(mask=emptied))
    assert target.mask[target.label == 0].max() > 0
    assert torch.equal(with_masks, without)


def test_half_precision_computes_losses_in_float(net: nn.Module, clips: Tensor, target: Target):
    with torch.autocast("cpu", torch.bfloat16):
        both = net.training_loss(clips, target), net.adversary_loss(clips, target)
    for loss in both:
        assert loss.dtype == torch.float32
        loss.backward()
    gradients = [p.grad for p in net.parameters()]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_the_recipe_is_the_papers():
    card = get_card(NAME)
    recipe = card.recipe
    assert (recipe.optimizer.kind, recipe.optimizer.learning_rate, recipe.sampling.batch_size) == (
        "adam",
        1e-4,
        32,
    )
    assert (recipe.sampling.twins, recipe.sampling.kind, recipe.sampling.augment) == (
        ("c23", "c40"),
        "balanced",
        None,
    )
    assert (recipe.sampling.needs_masks, recipe.schedule.monitor, recipe.schedule.patience) == (
        True,
        "negative_loss",
        1,
    )
    weights = {key.removesuffix("_weight"): value for key, value in card.args.items()}
    assert weights == {"attention": 1, "distance": 0.1, "alignment": 0.001, "penalty": 10}


@pytest.fixture(scope="module")
def published(formula: ModuleType) -> dict[str, Tensor]:
    return formula.build_state_dict(formula.load(FIXTURES / "ff_xception.json"))


@pytest.mark.slow
def test_both_branches_start_from_a_published_xception(
    published: dict[str, Tensor], tmp_path: Path
):
    torch.save({f"model.{key}": value for key, value in published.items()}, tmp_path / "x.pth")
    source, out = tmp_path / "x.pth", tmp_path / "x.safetensors"
    first = import_weights(NAME, source, out, accept_license=True)
    # What the file lacks is drawn alike every time: other contents would be refused here.
    assert import_weights(NAME, source, first, accept_license=True) == first
    net = load_detector(NAME, first).network
    for branch in (net.high, net.low):
        assert torch.equal(branch.early.block7.rep[4].pointwise.weight, published[LAST_EARLY])
        assert torch.equal(branch.late.bn4.running_var, published["bn4.running_var"])
        assert branch.attention.conv.weight.std() > 0
    assert not torch.equal(net.high.attention.conv.weight, net.low.attention.conv.weight)
    assert net(torch.randn(2, 3, 1, SIDE, SIDE)).logit.tolist() == [0, 0]


def test_a_wrong_checkpoint_is_refused_with_the_difference(
    published: dict[str, Tensor], tmp_path: Path
):
    state = {key: value for key, value in published.items() if not key.startswith("block12")}
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"40 missing \(high\.late\.block12"):
        import_weights(NAME, tmp_path / "x.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
