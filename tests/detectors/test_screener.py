from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from unmask.detectors import build, get_card
from unmask.detectors.screener import CARD


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return build(CARD).eval()


def clips(side: int, batch: int = 1) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return 255 * torch.rand(batch, 3, 1, side, side, generator=draw)


def test_it_is_the_default():
    assert get_card("screener").is_default


def test_it_has_at_most_four_million_parameters(net: torch.nn.Module):
    assert sum(p.numel() for p in net.parameters()) <= 4_000_000


def test_it_takes_at_most_half_a_billion_multiplications_a_face(net: torch.nn.Module):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(clips(CARD.input.size[0]))
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
    fresh.start_from_real_faces([clips(64, 4)])
    assert not torch.equal(fresh.features.conv_stem.weight, before)
    with torch.no_grad():
        assert torch.isfinite(fresh.eval()(clips(64, 4)).logit).all()
