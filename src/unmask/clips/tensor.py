"""From clips to the tensor a network takes: the only place where pixels become floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unmask.types import Clip, InputSpec

if TYPE_CHECKING:
    from torch import Tensor


def to_tensor(clips: Sequence[Clip], device: str = "cpu") -> Tensor:
    """Stacks clips of one spec into (B, C, T, H, W) float32, normalised by that spec."""
    import torch

    pixels = torch.from_numpy(np.stack([clip.pixels for clip in clips])).to(device)
    return normalize(pixels, clips[0].spec)


def normalize(pixels: Tensor, spec: InputSpec) -> Tensor:
    """(B, T, H, W, C) uint8 to (B, C, T, H, W) float32: (value / 255 - mean) / std."""
    import torch

    mean = torch.tensor(spec.mean, device=pixels.device)
    std = torch.tensor(spec.std, device=pixels.device)
    return ((pixels.float() / 255 - mean) / std).permute(0, 4, 1, 2, 3).contiguous()
