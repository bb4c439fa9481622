"""Timm's EfficientNets as feature extractors."""

from __future__ import annotations

import timm
from torch import nn

B3_FEATURES = 1536
"""Numbers by which B3 describes a picture, after the average over its map."""


def efficientnet(size: str) -> nn.Module:
    """An EfficientNet (Tan & Le, ICML 2019) without its last layer: (N, 3, H, W) to (N, D).

    Its modules are ``conv_stem``, ``bn1``, ``blocks`` (seven stages of blocks), ``conv_head`` and
    ``bn2``. There is no stochastic depth.

    Args:
        size: as in its name, such as ``b3``.
    """
    net: nn.Module = timm.create_model(f"efficientnet_{size}", num_classes=0)
    return net
