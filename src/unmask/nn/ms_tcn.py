"""The multi-scale temporal convolutional network (MS-TCN) of lip reading.

Martinez et al., "Lipreading using Temporal Convolutional Networks" (ICASSP 2020): several
kernel sizes side by side at every layer, dilated more and more, so that short and long motion
are seen together. Not causal: every output sees the frames before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Callable[[int], nn.Module]
"""Makes the activation for a number of channels."""


class TemporalBranch(nn.Module):
    """Dilated convolution, batch norm, activation; keeps the number of frames.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: an odd number of frames.
        dilation: frames from one tap to the next.
        activation: made for ``outputs`` channels.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, dilation: int, activation: Activation
    ) -> None:
        super().__init__()
        self.reach = (kernel - 1) // 2 * dilation
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation)
        self.norm = nn.BatchNorm1d(outputs)
        self.activation = activation(outputs)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, inputs, T) to (B, outputs, T)."""
        # Published nets pad twice as much as needed and crop behind the norm, whose statistics
        # so take in the surplus. Only training can tell, so evaluation saves the work.
        surplus = self.reach if self.training else 0
        maps = self.norm(self.conv(functional.pad(frames, [self.reach + surplus] * 2)))
        maps = maps[..., surplus : maps.shape[-1] - surplus]
        activated: Tensor = self.activation(maps)
        return activated


class TemporalBlock(nn.Module):
    """Twice: branches side by side, joined, dropout; then a shortcut around both.

    Args:
        inputs: channels.
        width: channels of the output; divided equally among the branches.
        kernels: one branch for each.
        dilation: dilation of all branches.
        dropout: share of single values that training drops.
        activation: makes the activations.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        kernels: Sequence[int],
        dilation: int,
        dropout: float,
        activation: Activation,
    ) -> None:
        super().__init__()
        each = width // len(kernels)

        def branches(channels: int) -> nn.ModuleList:
            return nn.ModuleList(
                TemporalBranch(channels, each, kernel, dilation, activation) for kernel in kernels
            )

        self.first = branches(inputs)
        self.second = branches(width)
        self.dropout = nn.Dropout(dropout)
        # Also where the channels agree: the published code compares with a branch's share.
        self.shortcut = nn.Conv1d(inputs, width, 1)
        self.activation = activation(width)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, inputs, T) to (B, width, T)."""
        maps = self.dropout(torch.cat([branch(frames) for branch in self.first], dim=1))
        maps = self.dropout(torch.cat([branch(maps) for branch in self.second], dim=1))
        activated: Tensor = self.activation(maps + self.shortcut(frames))
        return activated


def ms_tcn(
    inputs: int,
    activation: Activation,
    *,
    width: int = 768,
    blocks: int = 4,
    kernels: Sequence[int] = (3, 5, 7),
    dropout: float = 0.2,
) -> nn.Sequential:
    """Blocks whose dilation doubles from one to the next: (B, inputs, T) to (B, width, T)."""
    return nn.Sequential(
        *(
            TemporalBlock(
                *(width if number else inputs, width, kernels, 2**number, dropout, activation)
            )
            for number in range(blocks)
        )
    )


def mean_over_time(frames: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
    """The mean of (B, C, T) over each sample's first frames, as (B, C).

    Args:
        frames: (B, C, T).
        lengths: (B,) whole numbers in 1..T; None takes all T frames.

    >>> mean_over_time(torch.tensor([[[1.0, 3.0, 8.0]]]), [2])
    tensor([[2.]])
    """
    if lengths is None:
        return frames.mean(dim=2)
    counted = torch.as_tensor(lengths, device=frames.device)[:, None]
    is_behind = torch.arange(frames.shape[2], device=frames.device) >= counted
    return frames.masked_fill(is_behind[:, None], 0.0).sum(dim=2) / counted
