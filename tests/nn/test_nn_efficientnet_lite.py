from __future__ import annotations

import pytest
import torch

from unmask.errors import UsageError
from unmask.nn.efficientnet_lite import FEATURES, STAGES, efficientnet_lite, stage_channels


@pytest.mark.parametrize("size", STAGES)
def test_maps_have_strides_eight_sixteen_and_thirty_two(size: str):
    net = efficientnet_lite(size).eval()
    maps = net.bn1(net.conv_stem(torch.zeros(1, 3, 64, 64)))
    shapes = []
    for stage in net.blocks:
        maps = stage(maps)
        shapes.append((maps.shape[1], 64 // maps.shape[-1]))
    assert [shapes[number] for number in (2, 4, 6)] == list(
        zip(stage_channels(net), (8, 16, 32), strict=True)
    )
    assert net.bn2(net.conv_head(maps)).shape[1] == FEATURES


@pytest.mark.parametrize("size", STAGES)
def test_stages_are_those_of_the_network(size: str):
    assert tuple(len(stage) for stage in efficientnet_lite(size).blocks) == STAGES[size]


def test_an_unknown_size_is_refused():
    with pytest.raises(UsageError, match="lite0, lite1, lite2"):
        efficientnet_lite("lite9")
