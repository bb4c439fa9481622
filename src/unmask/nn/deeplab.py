"""DeepLabv3+ over Xception: an encoder with holes in its last filters, and a mask decoder.

Chen et al., "Encoder-Decoder with Atrous Separable Convolution" (ECCV 2018). The encoder is timm's
Xception, which is that of FaceForensics++; the spatial pyramid is segmentation-models-pytorch's.
"""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

LATENT_MAPS = 2048
"""Feature maps at the end of the encoder."""

LOW_MAPS = 128
"""Feature maps that the decoder takes from the encoder's first block."""

_DEEP_MAPS = 1536
_RATES = (6, 12, 18)
"""Dilations of the pyramid, for an output stride of 16."""


class XceptionEncoder(nn.Module):
    """Xception at stride 16 instead of 32: same tensors, maps of twice the size.

    Its last block keeps the size, and the two separable convolutions behind it look at every
    second value instead, as DeepLabv3+ does it.

    Args:
        beside: maps of another network that join before the last separable convolution.
    """

    def __init__(self, beside: int = 0) -> None:
        super().__init__()
        self.net: Any = timm.create_model("legacy_xception", num_classes=0)
        _dilate(self.net, beside)

    def forward(self, pictures: Tensor, beside: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Low maps (B, 128, H / 4, W / 4) and latent maps (B, 2048, H / 16, W / 16).

        Args:
            pictures: (B, 3, H, W) in -1..1.
            beside: (B, beside, h, w), of any size: resized to that of the deep maps.
        """
        net = self.net
        maps = net.act1(net.bn1(net.conv1(pictures)))
        low = net.block1(net.act2(net.bn2(net.conv2(maps))))
        maps = low
        for number in range(2, 13):
            maps = net.get_submodule(f"block{number}")(maps)
        maps = net.act3(net.bn3(net.conv3(maps)))
        if beside is not None:
            beside = functional.interpolate(beside, maps.shape[2:], mode="bilinear")
            maps = torch.cat([maps, beside], dim=1)
        return functional.relu(low), net.act4(net.bn4(net.conv4(maps)))


class DeepLabDecoder(nn.Module):
    """Spatial pyramid, low maps beside it, two 3x3 convolutions, one map for each class.

    segmentation-models-pytorch's own decoder cannot serve: it enlarges by exactly 4, which does
    not fit 299 pixels (19 and 74 wide), and has one convolution where DeepLabv3+ has two.

    Args:
        classes: maps that come out.
        is_separable: whether the pyramid's convolutions are depthwise separable.
        latent: maps that come in from the encoder's end.
        width: channels of the pyramid and the convolutions.
    """

    def __init__(
        self,
        classes: int = 1,
        is_separable: bool = True,
        latent: int = LATENT_MAPS,
        width: int = 256,
    ) -> None:
        super().__init__()
        # Here, because it takes seconds to import.
        from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPP

        self.pyramid = ASPP(latent, width, _RATES, separable=is_separable, dropout=0.5)
        self.low = _conv(LOW_MAPS, 48, 1)
        self.joined = nn.Sequential(
            _conv(width + 48, width, 3),
            nn.Dropout(0.5),
            _conv(width, width, 3),
            nn.Dropout(0.1),
        )
        self.mask = nn.Conv2d(width, classes, 1)

    def forward(self, low: Tensor, latent: Tensor) -> Tensor:
        """Low and latent maps of the encoder to logits (B, classes, H / 4, W / 4)."""
        deep = functional.interpolate(
            self.pyramid(latent), low.shape[2:], mode="bilinear", align_corners=True
        )
        logits: Tensor = self.mask(self.joined(torch.cat([deep, self.low(low)], dim=1)))
        return logits


def _dilate(net: Any, beside: int) -> None:
    """Turns Xception's last stride into holes, and widens its last convolution."""
    net.block12.rep[-1].stride = 1
    net.block12.skip.stride = (1, 1)
    net.conv4 = type(net.conv4)(_DEEP_MAPS + beside, LATENT_MAPS, 3, 1, 1)
    for last in (net.conv3, net.conv4):
        last.conv1.dilation = last.conv1.padding = (2, 2)


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
