"""HRNet-W48 as a feature extractor: four resolutions, side by side from the start to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import timm
import torch
from timm.models.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn
from torch.nn import functional

from unmask.nn.heads import add_batch_counters

WIDTHS = (48, 96, 192, 384)
"""Maps at a quarter, an eighth, a 16th and a 32nd of the size."""

_HEAD = ("incre_modules", "downsamp_modules", "final_layer", "classifier", "fc")
"""What the networks for ImageNet have behind the four resolutions."""


def hrnet_w48() -> nn.Module:
    """HRNetV2-W48 (Wang et al., TPAMI 2020) without the layers that classify.

    Timm's network and names: ``conv1``, ``bn1``, ``conv2``, ``bn2``, ``layer1``, ``transition1``
    to ``3``, ``stage2`` to ``4``. It takes (B, 3, H, W) and returns four maps. In a new network
    every residual block passes on what it gets: else its sums grow to 1e8 in eval mode.
    """
    net: nn.Module = timm.create_model("hrnet_w48")
    for name in ("incre_modules", "downsamp_modules", "final_layer"):
        setattr(net, name, None)
    for name in ("global_pool", "head_drop", "classifier"):
        setattr(net, name, nn.Identity())  # timm lets the four maps through
    for module in net.modules():
        if isinstance(module, BasicBlock | Bottleneck):
            module.zero_init_last()
    return net


def hrnet_state(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state dict of an HRNet for ImageNet, without the layers that classify."""
    heads = tuple(f"{name}." for name in _HEAD)
    state = {key: value for key, value in published.items() if not key.startswith(heads)}
    add_batch_counters(state)
    return state


class JoinedResolutions(nn.Module):
    """All resolutions in the size of the first, one after the other, enlarged bilinearly."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps of ``hrnet_w48`` to (B, 720, H/4, W/4)."""
        size = (maps[0].shape[-2], maps[0].shape[-1])
        others = [functional.interpolate(m, size, mode="bilinear") for m in maps[1:]]
        return torch.cat([maps[0], *others], dim=1)
