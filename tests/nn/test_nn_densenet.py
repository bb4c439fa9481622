from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor

from unmask.nn.densenet import InterleavedFusion, densenet_halves, densenet_state


def streams(planes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(2, planes, 3, 3, generator=generator) for _ in range(2))


def test_each_group_sees_its_half_of_both_streams_and_nothing_else():
    fusion = InterleavedFusion(8, groups=2)
    torch.nn.init.normal_(fusion.conv.weight)
    one, other = streams(8)
    before = fusion(one, other)
    for stream in (0, 1):
        for plane in range(8):
            changed = [one.clone(), other.clone()]
            changed[stream][:, plane] += 1
            moved = (fusion(*changed) != before).any(dim=(0, 2, 3)).tolist()
            assert moved == [group == plane // 4 for group in (0, 0, 0, 0, 1, 1, 1, 1)]


def test_one_group_sees_everything():
    fusion = InterleavedFusion(8, groups=1)
    torch.nn.init.normal_(fusion.conv.weight)
    one, other = streams(8)
    changed = one.clone()
    changed[:, 7] += 1
    assert (fusion(changed, other) != fusion(one, other)).any(dim=(0, 2, 3)).all()


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_it_starts_as_the_mean_of_both_plane_by_plane(groups: int):
    one, other = streams(8)
    torch.testing.assert_close(InterleavedFusion(8, groups)(one, other), (one + other) / 2)


def test_the_halves_are_torchvisions_network():
    torch.manual_seed(1)
    whole = torchvision.models.densenet121(weights=None).eval()
    first, second = (half.eval() for half in densenet_halves(dropout=0.2))
    for half, state in zip((first, second), densenet_state(whole.state_dict()), strict=True):
        half.load_state_dict(state)
    pictures = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        maps = first(pictures)
        expected = whole.features(pictures)
        assert torch.equal(second(maps), expected)
    assert maps.shape == (1, 128, 28, 28)
    assert expected.shape == (1, 1024, 7, 7)


def test_the_names_of_torchvisions_file_are_understood():
    """It is of before 2018: ``norm.1`` for ``norm1``, and no counters of batches."""
    published = torchvision.models.densenet121(weights=None).state_dict()
    old = {
        key.replace(".norm1.", ".norm.1.")
        .replace(".norm2.", ".norm.2.")
        .replace(".conv1.", ".conv.1.")
        .replace(".conv2.", ".conv.2."): value
        for key, value in published.items()
        if not key.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    for half, same in zip(densenet_state(old), densenet_state(published), strict=True):
        assert half.keys() == same.keys()
        assert all(torch.equal(half[key], same[key]) for key in half)


def test_dropout_stands_behind_every_dense_layer():
    halves = densenet_halves(dropout=0.25)
    rates = [m.drop_rate for half in halves for m in half.modules() if hasattr(m, "drop_rate")]
    assert rates == [0.25] * (6 + 12 + 24 + 16)
