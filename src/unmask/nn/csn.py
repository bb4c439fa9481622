"""Channel-separated video networks, in the layout of their authors' PyTorch code (VMZ).

Tran et al., "Video Classification with Channel-Separated Convolutional Networks" (ICCV 2019).
The frame is torchvision's ``VideoResNet``; only the convolution within a bottleneck and the stem
are made here, so that the published names fit: ``stem.{0,1}``, ``layerL.B.conv1.{0,1}``,
``layerL.B.conv2.0.{0,1,2}`` (1x1x1, norm, depthwise), ``layerL.B.conv2.1``,
``layerL.B.conv3.{0,1}``, ``layerL.0.downsample.{0,1}``, ``fc``.
"""

from __future__ import annotations

from torch import nn
from torchvision.models.video.resnet import BasicStem, Bottleneck, VideoResNet

FEATURES = 2048
"""Numbers that describe a clip, after the average over time and space."""

_BLOCKS_152 = [3, 8, 36, 3]


class _InteractionPreserving(nn.Sequential):
    """A 3x3x3 convolution as two: across channels at each place, then within each channel."""

    def __init__(self, inputs: int, outputs: int, _middle: int, stride: int = 1) -> None:
        # No activation in between, as published.
        super().__init__(
            nn.Conv3d(inputs, outputs, 1, bias=False),
            nn.BatchNorm3d(outputs),
            nn.Conv3d(outputs, outputs, 3, stride, 1, groups=outputs, bias=False),
        )

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """The stride of a shortcut beside this convolution, as ``VideoResNet`` asks for it."""
        return stride, stride, stride


class _PooledStem(nn.Sequential):
    """Torchvision's stem and a max pool over places, not over time."""

    def __init__(self) -> None:
        super().__init__(*BasicStem(), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))


def ip_csn_152() -> nn.Module:
    """ip-CSN-152 without its last layer: (B, 3, T, H, W) to (B, 2048).

    Time is halved in layers 2, 3 and 4, height and width also twice in the stem.
    """
    net = VideoResNet(Bottleneck, [_InteractionPreserving] * 4, _BLOCKS_152, _PooledStem)
    net.fc = nn.Identity()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eps = 1e-3
    made: nn.Module = net
    return made
