from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from unmask.detectors import build, get_card
from unmask.detectors.screener import CARD
from unmask.errors import UsageError
from unmask.weights import load_detector


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return build(CARD).eval()


@pytest.fixture(scope="module")
def pair() -> torch.nn.Module:
    torch.manual_seed(0)
    return build(CARD.changed(args={"members": 2})).eval()


def clips(side: int, batch: int = 1) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return 255 * torch.rand(batch, 3, 1, side, side, generator=draw)


def test_it_is_the_default():
    assert get_card("screener").is_default


@pytest.fixture(params=["untrained", "as shipped"])
def any_net(request: pytest.FixtureRequest, net: torch.nn.Module) -> torch.nn.Module:
    return net if request.param == "untrained" else load_detector("screener").network


def test_it_has_at_most_four_million_parameters(any_net: torch.nn.Module):
    assert sum(p.numel() for p in any_net.parameters()) <= 4_000_000


def test_it_takes_at_most_half_a_billion_multiplications_a_face(any_net: torch.nn.Module):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        any_net(clips(CARD.input.size[0]))
    multiply_adds = counter.get_total_flops() / 2
    assert 1e6 < multiply_adds <= 0.5e9


@pytest.mark.parametrize("side", [64, 128, 160, 192])
def test_it_takes_other_sizes_and_masks_at_stride_eight(net: torch.nn.Module, side: int):
    with torch.no_grad():
        output = net(clips(side, 2))
    assert output.logit.shape == (2,)
    assert output.mask.shape == (2, 1, side // 8, side // 8)
    assert output.embedding.shape[0] == 2


def test_the_logit_is_bounded_whatever_the_picture(net: torch.nn.Module):
    with torch.no_grad():
        logit = net(1e6 * clips(64, 4)).logit
    assert torch.isfinite(logit).all()
    assert (logit.abs() <= 12).all()


def test_it_starts_from_center_face_and_stays_finite():
    fresh = build(CARD)
    before = fresh.features.conv_stem.weight.clone()
    fresh.start_from_clips([clips(64, 4)])
    assert not torch.equal(fresh.features.conv_stem.weight, before)
    with torch.no_grad():
        assert torch.isfinite(fresh.eval()(clips(64, 4)).logit).all()


def test_members_vote_by_the_mean_of_their_logits(pair: torch.nn.Module):
    second = build(CARD).eval()
    second.load_state_dict(pair.others[0].state_dict())
    first = build(CARD).eval()
    first.load_state_dict({k: v for k, v in pair.state_dict().items() if "others" not in k})
    with torch.no_grad():
        alone, beside, both = (net(clips(64, 3)) for net in (first, second, pair))
    assert not torch.allclose(alone.logit, beside.logit)
    torch.testing.assert_close(both.logit, (alone.logit + beside.logit) / 2)
    torch.testing.assert_close(both.mask, (alone.mask + beside.mask) / 2)
    torch.testing.assert_close(both.embedding, torch.cat([alone.embedding, beside.embedding], 1))


def test_a_single_network_has_the_keys_it_always_had(net: torch.nn.Module, pair: torch.nn.Module):
    single = set(net.state_dict())
    assert set(pair.state_dict()) == single | {f"others.0.{key}" for key in single}


def test_activation_maps_are_of_all_members():
    shipped = load_detector("screener")
    assert shipped.card.args["members"] == 2
    seen: list[torch.Tensor] = []
    layer = shipped.network.get_submodule(shipped.card.cam_layer)
    hook = layer.register_forward_hook(lambda _module, _given, result: seen.append(result))
    logit = shipped(100 + 0.05 * clips(64)).logit  # sharper noise reaches the bound: no slope
    hook.remove()
    (slope,) = torch.autograd.grad(logit.sum(), seen)
    first, second = slope.chunk(2, dim=1)
    assert first.shape == (1, 96, 8, 8)
    assert first.abs().sum() > 0
    assert second.abs().sum() > 0


def test_every_member_starts_from_center_face(pair: torch.nn.Module):
    fresh = build(CARD.changed(args={"members": 2}))
    fresh.start_from_clips([clips(64, 4)])
    stems = [net.features.conv_stem.weight for net in (fresh, fresh.others[0])]
    assert torch.equal(*stems)
    assert not torch.equal(stems[0], pair.features.conv_stem.weight)


def test_without_a_member_there_is_no_network():
    with pytest.raises(UsageError, match="0 members: give 1 or more"):
        build(CARD.changed(args={"members": 0}))
