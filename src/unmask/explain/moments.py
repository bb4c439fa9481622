"""Which frames of a clip matter to the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unmask.detectors import Detector
from unmask.explain.ask import (
    BATCH_FRAMES,
    check_finite,
    check_mode,
    differentiable,
    gray_of,
    logits_of,
)

if TYPE_CHECKING:
    from torch import Tensor


def frame_occlusion(
    detector: Detector, clips: Tensor, *, batch_frames: int = BATCH_FRAMES
) -> Tensor:
    """How far the logit falls when one frame is gray, for each frame: (B, T), on the CPU.

    Above 0: this frame speaks for a forgery. Costs T + 1 passes for each clip. A gray frame also
    breaks the movement, so a network of time may answer to the break.

    Args:
        detector: in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.
        batch_frames: most frames that go through the network at once.

    Raises:
        UsageError: the network is in train mode.
        WeightsError: a logit is not finite.
    """
    check_mode(detector)
    gray = gray_of(detector.card, clips)

    def covered() -> Iterator[Tensor]:
        for clip in clips:
            for t in range(clips.shape[2]):
                copy = clip.clone()
                copy[:, t : t + 1] = gray
                yield copy

    before = logits_of(detector, clips, batch_frames)
    after = logits_of(detector, covered(), batch_frames).view(len(clips), -1)
    return before[:, None] - after


def frame_saliency(detector: Detector, clips: Tensor) -> Tensor:
    """How sensitive the logit is to each frame, (B, T) on the CPU, at least 0; the sum is 1.

    The sum over a frame of |gradient x (input - gray)|, as shares of the clip: how much, not in
    which direction. One pass forth and back. All 0 where the gradient is 0 everywhere.

    Args:
        detector: in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.

    Raises:
        UsageError: the network is in train mode.
        WeightsError: the gradient is not finite.
    """
    import torch

    check_mode(detector)
    gray = gray_of(detector.card, clips)
    with differentiable(detector.network):
        given = clips.detach().clone().requires_grad_()
        logit = detector(given).logit
        (gradient,) = torch.autograd.grad(logit.sum(), given)
    amount = (gradient * (clips - gray)).abs().sum(dim=(1, 3, 4)).cpu()
    check_finite(detector, amount)
    return amount / amount.sum(dim=1, keepdim=True).clamp(min=torch.finfo(amount.dtype).tiny)
