"""Which frames of a clip matter to the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from unmask.detectors import Output
from unmask.explain.ask import (
    BATCH_FRAMES,
    card_of,
    check_finite,
    differentiable,
    gray_of,
    logits_of,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


def frame_occlusion(net: nn.Module, clips: Tensor, *, batch_frames: int = BATCH_FRAMES) -> Tensor:
    """How far the logit falls when one frame is gray, for each frame: (B, T), on the CPU.

    Above 0: this frame speaks for a forgery. Costs T + 1 passes for each clip. A gray frame also
    breaks the movement, so a network of time may answer to the break.

    Args:
        net: a detector in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.
        batch_frames: most frames that go through the network at once.

    Raises:
        UsageError: the network is in train mode.
        WeightsError: a logit is not finite.
    """
    gray = gray_of(card_of(net), clips)

    def covered() -> Iterator[Tensor]:
        for clip in clips:
            for t in range(clips.shape[2]):
                copy = clip.clone()
                copy[:, t : t + 1] = gray
                yield copy

    before = logits_of(net, clips, batch_frames)
    after = logits_of(net, covered(), batch_frames).view(len(clips), -1)
    return before[:, None] - after


def frame_saliency(net: nn.Module, clips: Tensor) -> Tensor:
    """How sensitive the logit is to each frame, (B, T) on the CPU, at least 0; the sum is 1.

    The sum over a frame of |gradient x (input - gray)|, as shares of the clip: how much, not in
    which direction. One pass forth and back. All 0 where the gradient is 0 everywhere.

    Args:
        net: a detector in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.

    Raises:
        UsageError: the network is in train mode.
        WeightsError: the gradient is not finite.
    """
    import torch

    gray = gray_of(card_of(net), clips)
    with differentiable(net):
        given = clips.detach().clone().requires_grad_()
        logit = cast(Output, net(given)).logit
        (gradient,) = torch.autograd.grad(logit.sum(), given)
    amount = (gradient * (clips - gray)).abs().sum(dim=(1, 3, 4)).cpu()
    check_finite(net, amount)
    return amount / amount.sum(dim=1, keepdim=True).clamp(min=torch.finfo(amount.dtype).tiny)
