"""DenseNets under their present names, DenseNet-121 in halves, and two halves in one stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torchvision import models

from unmask.nn.heads import add_batch_counters

STEM_PLANES = 64
"""Maps after ``conv0``, at half the size of the picture."""

BRANCH_PLANES = 128
"""Maps after ``transition1``, at an eighth of the size."""

FEATURES = 1024
"""Maps after ``norm5``, at a 32nd of the size."""

FIRST_HALF = ("conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1")
_PREFIX = "features."
_OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")


def densenet_halves(dropout: float) -> tuple[nn.Sequential, nn.Sequential]:
    """Layers up to ``transition1``, and those from ``denseblock2`` to ``norm5``, by their names.

    Args:
        dropout: share of the new maps of every dense layer that are set to 0 in training.
    """
    features = cast(nn.Sequential, models.densenet121(weights=None, drop_rate=dropout).features)
    first, second = nn.Sequential(), nn.Sequential()
    for name, layer in features.named_children():
        (first if name in FIRST_HALF else second).add_module(name, layer)
    return first, second


def densenet_state(published: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A published state dict of torchvision's ``densenet121``, cut into the same two halves.

    Torchvision's file has the layers' names of before 2018 and no batch counters; its head is
    left out.
    """
    halves: tuple[dict[str, Tensor], dict[str, Tensor]] = ({}, {})
    for key, value in present_names(published).items():
        name = key.removeprefix(_PREFIX)
        halves[name.partition(".")[0] not in FIRST_HALF][name] = value
    return halves


def present_names(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state dict of any of torchvision's DenseNets, without its head.

    Torchvision's files have the layers' names of before 2018 and no batch counters.

    >>> list(present_names({"features.denseblock1.denselayer2.conv.1.weight": torch.zeros(1)}))
    ['features.denseblock1.denselayer2.conv1.weight']
    """
    ours = {
        _OLD_NAME.sub(r"\1\2.", key): value
        for key, value in published.items()
        if not key.startswith("classifier.")
    }
    add_batch_counters(ours)
    return ours


class InterleavedFusion(nn.Module):
    """Joins two streams of equal maps by a 1x1 convolution in groups, each with its part of both.

    The two streams are cut into as many parts as there are groups, and part g of the one goes
    with part g of the other into group g. It starts as the mean of the two streams, plane by
    plane, so that layers behind it meet maps of the order that they were trained on.

    Args:
        planes: maps of each stream, and of the result.
        groups: groups of the convolution.
    """

    def __init__(self, planes: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.conv = nn.Conv2d(2 * planes, planes, 1, groups=groups, bias=False)
        mean = torch.eye(planes // groups).repeat(groups, 2) / 2
        self.conv.weight.data = mean[:, :, None, None]

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Two times (B, K, H, W) to (B, K, H, W)."""
        fused: Tensor = self.conv(self.interleave(first, second))
        return fused

    def interleave(self, first: Tensor, second: Tensor) -> Tensor:
        """Both streams, (B, 2 K, H, W), in the order in which the groups take them."""
        parts = zip(first.chunk(self.groups, dim=1), second.chunk(self.groups, dim=1), strict=True)
        return torch.cat([part for pair in parts for part in pair], dim=1)
