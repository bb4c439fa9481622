"""What all explanations ask of a detector: logits in small batches, gray, maps at input size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from unmask.detectors import Card, Detector
from unmask.errors import UsageError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH_FRAMES: Final = 16
"""Most frames that go through a network at once (but at least one clip)."""

_GRAY: Final = 0.5


def check_mode(detector: Detector) -> None:
    """Refuses a network in train mode, where scores depend on the batch and on chance.

    Raises:
        UsageError: it is in train mode.
    """
    if detector.network.training:
        raise UsageError(
            f"Cannot explain {detector.name}: it is in train mode. Call detector.network.eval() "
            "first."
        )


def logits_of(
    detector: Detector, clips: Iterable[Tensor], batch_frames: int = BATCH_FRAMES
) -> Tensor:
    """Scores clips (C, T, H, W), one after the other, in batches; (N,) float32 on the CPU.

    Raises:
        WeightsError: a logit is not finite.
    """
    import torch

    found: list[Tensor] = []
    with torch.no_grad():
        for batch in _batches(clips, batch_frames):
            found.append(detector(torch.stack(batch)).logit.float().cpu())
    logits = torch.cat(found)
    check_finite(detector, logits)
    return logits


def _batches(clips: Iterable[Tensor], batch_frames: int) -> Iterator[list[Tensor]]:
    waiting: list[Tensor] = []
    for clip in clips:
        waiting.append(clip)
        if (len(waiting) + 1) * clip.shape[1] > batch_frames:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def check_finite(detector: Detector, values: Tensor) -> None:
    """Refuses to explain what is no number.

    Raises:
        WeightsError: a value is not finite.
    """
    if not values.isfinite().all():
        raise WeightsError(
            f"Cannot explain {detector.name}: expected finite numbers, got NaN or "
            "infinity from the network. Its weights may be damaged: try others with -w."
        )


def gray_of(card: Card, clips: Tensor) -> Tensor:
    """Middle gray, 0.5 before normalization, as (C, 1, 1, 1) where ``clips`` are."""
    import torch

    mean, std = torch.tensor(card.input.mean), torch.tensor(card.input.std)
    return ((_GRAY - mean) / std).view(-1, 1, 1, 1).to(clips)


def at_input_size(maps: Tensor, clips: Tensor) -> Tensor:
    """Maps (B, T', h, w) stretched to (B, T, H, W) of ``clips`` (B, C, T, H, W), linearly."""
    import torch

    size = tuple(clips.shape[2:])
    stretched = torch.nn.functional.interpolate(maps[:, None].float(), size, mode="trilinear")
    return stretched[:, 0]


@contextmanager
def differentiable(network: nn.Module) -> Iterator[None]:
    """Gradients on, and recurrent layers such that they have one in eval mode."""
    import torch

    is_recurrent = any(isinstance(module, torch.nn.RNNBase) for module in network.modules())
    # cuDNN's recurrent layers refuse a backward pass unless they train.
    is_enabled = torch.backends.cudnn.enabled and not is_recurrent
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=is_enabled):
        yield
