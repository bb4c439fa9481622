"""An image network on every frame of a clip."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def features_of_frames(
    net: Callable[[Tensor], Tensor], clips: Tensor, context: tuple[int, int] = (0, 0)
) -> Tensor:
    """Features (B, T - front - back, D) of clips (B, C, T, H, W), each frame by itself.

    Args:
        net: from pictures (N, C, H, W) to features (N, D).
        clips: normalized as the network expects it.
        context: (front, back): so many frames at the ends get no features.

    >>> import torch
    >>> features_of_frames(lambda pictures: pictures.mean((2, 3)), torch.ones(2, 3, 5, 8, 8)).shape
    torch.Size([2, 5, 3])
    """
    front, back = context
    clips = clips[:, :, front : clips.shape[2] - back]
    features = net(clips.transpose(1, 2).flatten(0, 1))
    return features.reshape(clips.shape[0], clips.shape[2], -1)
