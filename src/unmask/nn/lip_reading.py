"""The lip-reading network: a ResNet-18 over frames behind a 3-D stem, then an MS-TCN.

Ma et al., "Towards Practical Lipreading with Distilled and Efficient Models" (ICASSP 2021), and
Martinez et al. 2020, in the layout of their published code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from unmask.errors import WrongVariantError
from unmask.nn.ms_tcn import Activation, mean_over_time, ms_tcn

ActivationName = Literal["prelu", "swish"]

_TRUNK_WIDTHS = (64, 128, 256, 512)
_PUBLISHED = (
    (r"^frontend3D\.", "features.frontend."),
    (r"^trunk\.", "features.trunk."),
    (r"^tcn\.mb_ms_tcn\.network\.(\d+)\.", r"features.temporal.\1."),
    (r"\.cbcr0_(\d)\.", r".first.\1."),
    (r"\.cbcr1_(\d)\.", r".second.\1."),
    (r"^(features\.temporal\..*)\.batchnorm\.", r"\1.norm."),
    (r"^(features\.temporal\..*)\.(?:non_lin|relu_final)\.", r"\1.activation."),
    (r"^(features\.temporal\..*)\.downsample\.", r"\1.shortcut."),
    (r"^tcn\.tcn_output\.", "head."),
)


def _activation(name: ActivationName) -> Activation:
    """PReLU with a slope for every channel, or Swish, which has no parameters."""
    return nn.PReLU if name == "prelu" else lambda _channels: nn.SiLU()


class _BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, with two activations of their own."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: Activation) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = activation(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = activation(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        inner = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(maps)))))
        joined: Tensor = self.relu2(inner + self.downsample(maps))
        return joined


class ResNet18Trunk(nn.Module):
    """ResNet-18 without its stem and its classifier.

    torchvision's cannot serve: it shares one activation within a block, and here each has
    slopes of its own.
    """

    def __init__(self, activation: Activation) -> None:
        super().__init__()
        inputs = _TRUNK_WIDTHS[0]
        for number, width in enumerate(_TRUNK_WIDTHS, 1):
            stage = nn.Sequential(
                _BasicBlock(inputs, width, 1 if number == 1 else 2, activation),
                _BasicBlock(width, width, 1, activation),
            )
            self.add_module(f"layer{number}", stage)
            inputs = width
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = math.prod(module.kernel_size) * module.out_channels
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, 64, h, w) to (N, 512): the mean over the last maps."""
        for stage in self.children():
            maps = stage(maps)
        return maps.mean(dim=(2, 3))


class LipFeatures(nn.Module):
    """One vector for a gray mouth clip: what lip reading and forgery detection share.

    Args:
        activation: ``prelu`` (LipForensics, and lip reading as of 2020) or ``swish``.
        stem_frames: frames that the first convolution sees; 1 makes it a plain image layer.
        is_temporal: whether the MS-TCN follows; else the frames' features are averaged.
    """

    def __init__(
        self,
        activation: ActivationName = "prelu",
        stem_frames: int = 5,
        is_temporal: bool = True,
    ) -> None:
        super().__init__()
        made = _activation(activation)
        self.frontend = nn.Sequential(
            nn.Conv3d(
                *(1, _TRUNK_WIDTHS[0], (stem_frames, 7, 7), (1, 2, 2), (stem_frames // 2, 3, 3)),
                bias=False,
            ),
            nn.BatchNorm3d(_TRUNK_WIDTHS[0]),
            made(_TRUNK_WIDTHS[0]),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = ResNet18Trunk(made)
        self.temporal = ms_tcn(_TRUNK_WIDTHS[-1], made) if is_temporal else nn.Sequential()
        self.width = 768 if is_temporal else _TRUNK_WIDTHS[-1]

    def forward(self, clips: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """(B, 1, T, 88, 88), normalized, to (B, width): the mean over time.

        Args:
            clips: gray mouth clips; any height and width of at least 17 pixels will do.
            lengths: (B,) frames of each clip that count; None: all. The frames behind them are
                seen by the network, but are not averaged.
        """
        return self.over_time(self.of_frames(clips), lengths)

    def of_frames(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """(B, 1, T, 88, 88) to (B, T, 512): one vector for each frame, before the MS-TCN.

        Args:
            clips: as for ``forward``.
            context: how many frames at the start and at the end serve the stem of the others
                alone. They get no vector, and the trunk is spared them.
        """
        first, last = context
        maps = self.frontend(clips)[:, :, first : clips.shape[2] - last]
        frames = self.trunk(maps.transpose(1, 2).flatten(0, 1))
        series: Tensor = frames.unflatten(0, (-1, maps.shape[2]))
        return series

    def over_time(self, frames: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """The rest of ``forward``: (B, T, 512) to (B, width)."""
        return mean_over_time(self.temporal(frames.transpose(1, 2)), lengths)


class LipReader(nn.Module):
    """The network of lip reading itself: which word of a vocabulary does a clip show?

    Args:
        words: size of the vocabulary; 500 for LRW.
        activation, stem_frames, is_temporal: see ``LipFeatures``.
    """

    def __init__(
        self,
        words: int = 500,
        activation: ActivationName = "prelu",
        stem_frames: int = 5,
        is_temporal: bool = True,
    ) -> None:
        super().__init__()
        self.features = LipFeatures(activation, stem_frames, is_temporal)
        self.head = nn.Linear(self.features.width, words)

    def forward(self, clips: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """(B, 1, T, 88, 88) to (B, words) logits; ``lengths`` as in ``LipFeatures``."""
        logits: Tensor = self.head(self.features(clips, lengths))
        return logits


def from_published(
    published: Mapping[str, Tensor], activation: ActivationName, source: str
) -> dict[str, Tensor]:
    """A published state dict of lip reading or LipForensics under the names used here.

    Args:
        published: with the keys ``frontend3D``, ``trunk``, ``tcn``.
        activation: activation of the network that they are for.
        source: what to call the file in an error.

    Raises:
        WrongVariantError: the file holds a network with the other activation.
    """
    _check_activation(published, activation, source)
    state: dict[str, Tensor] = {}
    for key, value in published.items():
        for pattern, ours in _PUBLISHED:
            key = re.sub(pattern, ours, key)
        state[key] = value
    return state


def _check_activation(
    published: Mapping[str, Tensor], activation: ActivationName, source: str
) -> None:
    if not any(key.startswith("frontend3D.") for key in published):
        return  # Another network altogether; the comparison of keys will say so.
    found = "prelu" if "frontend3D.2.weight" in published else "swish"
    if found != activation:
        raise WrongVariantError(
            f"Weights '{source}' are of another variant: expected {activation} activations, got "
            f"{found} ('frontend3D.2.weight' is {'there' if found == 'prelu' else 'missing'}). "
            f"Give a file of the {activation} variant: LipForensics and the lip-reading models of "
            "2020 are prelu, lip-reading models since 2022 are swish."
        )
