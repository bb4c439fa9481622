"""The ResNet-50 of ArcFace with squeeze and excitation, in the layout of InsightFace_Pytorch.

Deng et al., "ArcFace" (CVPR 2019), "IR-SE50" there: not the SE-ResNet-50 of ImageNet. The stem
keeps the size, a block is norm, convolution, PReLU, convolution, norm, gate, and a linear layer
over all 7 x 7 places makes 512 numbers of a face. Names as published: ``input_layer.{0,1,2}``,
``body.B.res_layer.{0,1,2,3,4}``, ``body.B.res_layer.5.{fc1,fc2}``, ``body.B.shortcut_layer.{0,1}``,
``output_layer.{0,3,4}``.
"""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.ops import SqueezeExcitation

FACE_FEATURES = 512
"""Numbers that describe a face."""

FACE_SIZE = (112, 112)
"""H and W of the only input that the last layer fits."""

_STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))
"""Width and blocks of each stage; the first block of a stage halves the size."""

_REDUCTION = 16


def _gate(width: int) -> nn.Module:
    """Torchvision's squeeze and excitation; without biases, as published."""
    gate: nn.Module = SqueezeExcitation(width, width // _REDUCTION)
    for name in ("fc1", "fc2"):
        gate.get_submodule(name).register_parameter("bias", None)
    return gate


class _Block(nn.Module):
    """Two 3x3 convolutions and a gate beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != width:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, width, 3, 1, 1, bias=False),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            _gate(width),
        )

    def forward(self, maps: Tensor) -> Tensor:
        joined: Tensor = self.res_layer(maps) + self.shortcut_layer(maps)
        return joined


class FaceResNet50(nn.Module):
    """IR-SE50 up to its 512 numbers, before they are scaled to length 1.

    Args:
        dropout: before the linear layer.
    """

    def __init__(self, dropout: float = 0.6) -> None:
        super().__init__()
        inputs = _STAGES[0][0]
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, inputs, 3, 1, 1, bias=False), nn.BatchNorm2d(inputs), nn.PReLU(inputs)
        )
        blocks = []
        for width, count in _STAGES:
            for number in range(count):
                blocks.append(_Block(inputs, width, 2 if number == 0 else 1))
                inputs = width
        self.body = nn.Sequential(*blocks)
        places = FACE_SIZE[0] // 16 * (FACE_SIZE[1] // 16)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(inputs * places, FACE_FEATURES),
            nn.BatchNorm1d(FACE_FEATURES),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """(N, 3, 112, 112) in -1..1 to (N, 512)."""
        numbers: Tensor = self.output_layer(self.body(self.input_layer(faces)))
        return numbers


def with_red_first(state: dict[str, Tensor]) -> None:
    """Turns round the channels of a first layer that was trained on blue, green, red.

    Args:
        state: tensors of the published network; changed in place.

    >>> import torch
    >>> state = {"input_layer.0.weight": torch.arange(3.0).view(1, 3, 1, 1)}
    >>> with_red_first(state)
    >>> state["input_layer.0.weight"].flatten().tolist()
    [2.0, 1.0, 0.0]
    """
    key = "input_layer.0.weight"
    if key in state and state[key].ndim == 4:
        state[key] = state[key].flip(1).contiguous()
