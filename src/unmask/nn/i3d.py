"""I3D: Inception-v1 inflated to three dimensions, as published with Kinetics weights.

Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset (Carreira & Zisserman, CVPR
2017), in the layout of piergiaj/pytorch-i3d. No library has this network: it pads as TensorFlow
does, by the size of its input.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Triple = tuple[int, int, int]

FEATURES = 1024
"""Channels of the last feature maps."""

_POOLED = 2
"""Positions in time that the published network averages at once, at its end."""

# Channels of b0 | b1a, b1b | b2a, b2b | b3b.
_MIXED = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}


def pad_same(maps: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Pads (B, C, T, H, W) with zeros as TensorFlow's "same": an odd rest goes to the back.

    >>> pad_same(torch.ones(1, 1, 1, 1, 4), (1, 1, 3), (1, 1, 2)).flatten().tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0]
    """
    pads: list[int] = []
    for size, k, s in zip(maps.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        total = max(k - (size % s or s), 0)
        pads += [total // 2, total - total // 2]
    return F.pad(maps, pads) if any(pads) else maps


class Unit(nn.Module):
    """Convolution with "same" padding, batch norm with TensorFlow's constants, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=1e-3, momentum=0.01)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inputs, T, H, W) to (B, outputs, T / stride, H / stride, W / stride), rounded up."""
        normed: Tensor = self.bn(self.conv3d(pad_same(maps, self.kernel, self.stride)))
        return normed.relu()


class Pool(nn.Module):
    """Maximum with "same" padding; zeros do no harm, because it follows a ReLU."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, T, H, W) to (B, C, T / stride, H / stride, W / stride), rounded up."""
        return F.max_pool3d(pad_same(maps, self.kernel, self.stride), self.kernel, self.stride)


class Mixed(nn.Module):
    """Four branches side by side; both larger ones have 3x3x3 kernels, none 5x5x5."""

    def __init__(self, inputs: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = widths
        point, cube = (1, 1, 1), (3, 3, 3)
        self.b0 = Unit(inputs, b0, point, point)
        self.b1a = Unit(inputs, b1a, point, point)
        self.b1b = Unit(b1a, b1b, cube, point)
        self.b2a = Unit(inputs, b2a, point, point)
        self.b2b = Unit(b2a, b2b, cube, point)
        self.b3a = Pool(cube, point)
        self.b3b = Unit(inputs, b3b, point, point)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inputs, T, H, W) to (B, b0 + b1b + b2b + b3b, T, H, W)."""
        branches = (
            self.b0(maps),
            self.b1b(self.b1a(maps)),
            self.b2b(self.b2a(maps)),
            self.b3b(self.b3a(maps)),
        )
        return torch.cat(branches, dim=1)


class I3D(nn.Sequential):
    """I3D for color frames, up to the pooled features: (B, 3, T, H, W) to (B, 1024, T').

    The parts bear the published names, and their tensors the published shapes, either way.

    Args:
        temporal_downsampling: as published: the stem and two pools halve the frames, and at the
            end each two neighbors in time are averaged, so T' = ceil(T / 8) - 1 (1 where that
            would be 0). Without it every layer sees all T frames, which are averaged at the end:
            T' = 1.
    """

    def __init__(self, temporal_downsampling: bool) -> None:
        super().__init__()
        self.temporal_downsampling = temporal_downsampling
        time = 2 if temporal_downsampling else 1
        point, cube, flat = (1, 1, 1), (3, 3, 3), (1, 3, 3)
        self.add_module("Conv3d_1a_7x7", Unit(3, 64, (7, 7, 7), (time, 2, 2)))
        self.add_module("MaxPool3d_2a_3x3", Pool(flat, (1, 2, 2)))
        self.add_module("Conv3d_2b_1x1", Unit(64, 64, point, point))
        self.add_module("Conv3d_2c_3x3", Unit(64, 192, cube, point))
        self.add_module("MaxPool3d_3a_3x3", Pool(flat, (1, 2, 2)))
        channels = self._add_mixed("Mixed_3", 192)
        self.add_module("MaxPool3d_4a_3x3", Pool(cube, (time, 2, 2)))
        channels = self._add_mixed("Mixed_4", channels)
        self.add_module("MaxPool3d_5a_2x2", Pool((time, 2, 2), (time, 2, 2)))
        self._add_mixed("Mixed_5", channels)

    def _add_mixed(self, stage: str, channels: int) -> int:
        """Adds the blocks of one stage; returns the channels of the last."""
        for name, widths in _MIXED.items():
            if name.startswith(stage):
                self.add_module(name, Mixed(channels, widths))
                channels = widths[0] + widths[2] + widths[4] + widths[5]
        return channels

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, T, H, W) in -1..1 (as published) to (B, 1024, T')."""
        maps = clips
        for part in self:
            maps = part(maps)
        means = maps.mean(dim=(3, 4))
        if not self.temporal_downsampling:
            return means.mean(dim=2, keepdim=True)
        return F.avg_pool1d(means, min(_POOLED, means.shape[2]), 1)
