"""Xception as it was published: its files under timm's names, and the network in two halves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import timm
from torch import Tensor, nn

from unmask.nn.heads import add_batch_counters, rename, reset_head

IMAGENET_CLASSES = 1000


def from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Any published layout with the names of timm's ``legacy_xception``; the head: ``last_linear``.

    The layouts are the FaceForensics++ models (with dropout or without), DeepfakeBench's, and
    ImageNet's (``xception-b5690688.pth``), whose head of 1000 classes becomes one of 2 that is 0.

    Args:
        state: the tensors of the file, under their own names.
    """
    for wrapper in ("model.", "backbone."):
        state = {key.removeprefix(wrapper): value for key, value in state.items()}
    # DeepfakeBench's files hold a layer that its Xception does not use.
    ours = {key: value for key, value in state.items() if not key.startswith("adjust_channel.")}
    rename(ours, "last_linear.1", "last_linear")  # behind a dropout layer
    rename(ours, "fc", "last_linear")
    reset_head(ours, "last_linear", IMAGENET_CLASSES, 2)
    for key, value in ours.items():
        if key.endswith(".pointwise.weight") and value.ndim == 2:
            ours[key] = value[:, :, None, None]
    add_batch_counters(ours)
    return ours


def split_xception(last: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Xception, cut in two after one of its parts; the names of all parts stay.

    Args:
        last: name of the last part of the first half, such as ``block7``.

    Returns:
        The first half, (B, 3, H, W) to maps (728, 19 x 19 after ``block7`` at 299 pixels), and
        the second, from these maps to the (B, 2048) global averages after ``conv4``.
    """
    net = timm.create_model("legacy_xception", num_classes=0)
    # timm calls its parts in the order in which it makes them.
    parts = list(net.named_children())
    count = [name for name, _ in parts].index(last) + 1
    return nn.Sequential(OrderedDict(parts[:count])), nn.Sequential(OrderedDict(parts[count:]))
