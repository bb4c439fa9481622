"""Torchvision's video ResNets as feature extractors, with or without strides in time."""

from __future__ import annotations

from typing import Literal

from torch import nn
from torchvision.models import video

_MAKERS = {"r3d": video.r3d_18, "r2plus1d": video.r2plus1d_18}

FEATURES = 512
"""Numbers that describe a clip, after the average over time and space."""


def video_resnet(kind: Literal["r3d", "r2plus1d"], temporal_downsampling: bool) -> nn.Module:
    """An 18-layer video ResNet without its last layer: (B, 3, T, H, W) to (B, 512).

    Args:
        kind: full 3-D convolutions, or ones split into space and time.
        temporal_downsampling: halves the frames at layers 2, 3 and 4, as published. Without it
            every layer sees all T frames; the tensors keep their names and shapes.
    """
    net: nn.Module = _MAKERS[kind](weights=None)
    net.fc = nn.Identity()
    if not temporal_downsampling:
        for module in net.modules():
            if isinstance(module, nn.Conv3d):
                module.stride = (1, *module.stride[1:])
    return net
