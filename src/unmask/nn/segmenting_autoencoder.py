"""ClassNSeg: an autoencoder whose latent halves tell the class, with a second decoder for masks.

Nguyen et al., "Multi-task Learning for Detecting and Segmenting Manipulated Facial Images and
Videos" (BTAS 2019), in the layout of the authors' files.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LATENT_MAPS = 128
"""Maps at the end of the encoder, at a 16th of the picture's size."""

_ENCODER = ((8, 1), (8, 2), (16, 1), (16, 2), (32, 1), (32, 2), (64, 1), (64, 2), (LATENT_MAPS, 1))
_SHARED = ((64, 1), (64, 2), (32, 1), (32, 2))
_HEAD = ((16, 1), (16, 2), (8, 1), (8, 2))
_LAYERS_PER_CONV = 3


class SegmentingAutoencoder(nn.Module):
    """Encoder, the decoders' shared part, one head for the mask and one for the picture.

    Args:
        beside: maps of another network that join before the encoder's last convolution.
    """

    def __init__(self, beside: int = 0) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*_convs(3, _ENCODER[:-1]), *_convs(64 + beside, _ENCODER[-1:]))
        self.shared = nn.Sequential(*_up_convs(LATENT_MAPS, _SHARED))
        self.segmenter = nn.Sequential(*_up_convs(32, _HEAD), _up_conv(8, 2, 1))
        self.decoder = nn.Sequential(*_up_convs(32, _HEAD), _up_conv(8, 3, 1))
        self.apply(_start)

    def encode(self, pictures: Tensor, beside: Tensor | None = None) -> Tensor:
        """Latent maps (B, 128, H / 16, W / 16), at least 0.

        Args:
            pictures: (B, 3, H, W).
            beside: (B, beside, h, w), of any size: resized to that of the latent maps.
        """
        maps = pictures
        for number, layer in enumerate(self.encoder):
            if beside is not None and number == len(self.encoder) - _LAYERS_PER_CONV:
                beside = functional.interpolate(beside, maps.shape[2:], mode="bilinear")
                maps = torch.cat([maps, beside], dim=1)
            maps = layer(maps)
        return maps

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Mask logits (B, 1, H, W), above 0 = forged, and the picture (B, 3, H, W) in -1..1.

        Args:
            latent: (B, 128, H / 16, W / 16), one half of it 0.
        """
        shared = self.shared(latent)
        genuine, forged = self.segmenter(shared).split(1, dim=1)
        return forged - genuine, self.decoder(shared).tanh()


def _convs(inputs: int, widths: Sequence[tuple[int, int]]) -> list[nn.Module]:
    """Convolution, batch norm and ReLU for each (width, stride)."""
    layers: list[nn.Module] = []
    for width, stride in widths:
        layers += [nn.Conv2d(inputs, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU()]
        inputs = width
    return layers


def _up_convs(inputs: int, widths: Sequence[tuple[int, int]]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width, stride in widths:
        layers += [_up_conv(inputs, width, stride), nn.BatchNorm2d(width), nn.ReLU()]
        inputs = width
    return layers


def _up_conv(inputs: int, width: int, stride: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, width, 3, stride, 1, output_padding=stride - 1)


def _start(layer: nn.Module) -> None:
    """The authors' initial values."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 0.5, 0.02)
