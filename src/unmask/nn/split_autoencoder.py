"""A plain autoencoder whose latent maps fall into two halves; after ForensicTransfer (2018)."""

from __future__ import annotations

from torch import Tensor, nn

LATENT_MAPS = 128
"""Maps at the end of the encoder, at a 16th of the picture's size."""

_WIDTHS = (32, 64, 64, 128, LATENT_MAPS)


class SplitAutoencoder(nn.Module):
    """Five 3x3 convolutions down, and their mirror image, enlarging by the nearest value, up.

    Args:
        channels: channels of the pictures.
        has_norm: batch norm behind every convolution but the last one.
    """

    def __init__(self, channels: int = 3, has_norm: bool = False) -> None:
        super().__init__()
        down, up = nn.Sequential(), nn.Sequential()
        inputs = channels
        for number, width in enumerate(_WIDTHS):
            down.append(_unit(inputs, width, stride=2 if number else 1, has_norm=has_norm))
            inputs = width
        for width in _WIDTHS[-2::-1]:
            up.append(nn.Upsample(scale_factor=2))
            up.append(_unit(inputs, width, has_norm=has_norm))
            inputs = width
        up.append(nn.Conv2d(inputs, channels, 3, padding=1))
        up.append(nn.Tanh())
        self.encoder, self.decoder = down, up

    def encode(self, pictures: Tensor) -> Tensor:
        """(B, C, H, W) to latent maps (B, 128, H / 16, W / 16), at least 0."""
        latent: Tensor = self.encoder(pictures)
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Latent maps, one half of them 0, to pictures (B, C, H, W) in -1..1."""
        pictures: Tensor = self.decoder(latent)
        return pictures


def _unit(inputs: int, width: int, *, stride: int = 1, has_norm: bool) -> nn.Sequential:
    conv = nn.Conv2d(inputs, width, 3, stride, 1, bias=not has_norm)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return nn.Sequential(conv, *([nn.BatchNorm2d(width)] if has_norm else []), nn.ReLU())
