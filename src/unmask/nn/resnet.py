"""Torchvision's ResNet-50 as a feature extractor."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn
from torchvision import models

FEATURES = 2048
"""Maps after ``layer4``, at a 32nd of the size."""

IMAGENET_CLASSES = 1000


def resnet50() -> nn.Sequential:
    """ResNet-50 (He et al., CVPR 2016) up to ``layer4``: (B, 3, H, W) to (B, 2048, H/32, W/32).

    Stride 2 lies in the 3x3 convolutions. All parts have torchvision's names.
    """
    parts = models.resnet50(weights=None).named_children()
    return nn.Sequential(OrderedDict(part for part in parts if part[0] not in ("avgpool", "fc")))
