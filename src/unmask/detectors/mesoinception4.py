"""MesoInception4: Meso4 whose first two layers are small inception modules with dilation.

MesoNet: a Compact Facial Video Forgery Detection Network (Afchar et al., WIFS 2018), in the
layout of the authors' Keras code. The published output is P(real); here it is turned round, so
that a logit above 0 means fake. What else differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unmask.detectors.card import Card, Output
from unmask.detectors.registry import detector
from unmask.detectors.shared.mesonet import INPUT, PAPER, RECIPE, published, refuse_port
from unmask.nn.keras import batch_norm, dense, flatten_hwc, same_conv, to_state_dict

# Keras numbers layers in the order in which they were made: branch by branch.
_BRANCHES = (
    "branch1_1x1",
    *("branch2_1x1", "branch2_3x3"),
    *("branch3_1x1", "branch3_3x3"),
    *("branch4_1x1", "branch4_3x3"),
)


def _from_keras(path: Path) -> dict[str, Tensor]:
    """A published ``.h5`` file as our state dict."""
    refuse_port(path)
    inceptions = [f"inception{i}.{branch}" for i in (1, 2) for branch in _BRANCHES]
    return to_state_dict(
        path,
        {
            "conv2d": (*inceptions, "conv1", "conv2"),
            "batch_normalization": ("bn1", "bn2", "bn3", "bn4"),
            "dense": ("dense1", "dense2"),
        },
    )


CARD = Card(
    name="mesoinception4",
    summary="Two inception modules, two convolutions on an aligned face; 29 thousand parameters.",
    paper=PAPER,
    compared_in=("Two-branch", "EMD", "Anti-Compression"),
    fixtures=("mesoinception4_keras.json",),
    verified="fixture and published files available",
    input=INPUT,
    recipe=RECIPE,
    weights=(
        published(
            "df",
            "MesoInception_DF.h5",
            sha256="234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa",
            size_bytes=197_504,
            importer=_from_keras,
        ),
        published(
            "f2f",
            "MesoInception_F2F.h5",
            sha256="d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f",
            size_bytes=197_504,
            importer=_from_keras,
        ),
    ),
    outputs=("embedding",),
    cam_layer="conv2",
    aggregate="mean",
)


class Inception(nn.Module):
    """Four branches side by side: 1x1, and 3x3 with dilation 1, 2 and 3, each after a 1x1.

    Every convolution is followed by ReLU; the result has ``a + b + c + d`` channels.
    """

    def __init__(self, inputs: int, a: int, b: int, c: int, d: int) -> None:
        super().__init__()
        self.branch1_1x1 = same_conv(inputs, a, 1)
        self.branch2_1x1 = same_conv(inputs, b, 1)
        self.branch2_3x3 = same_conv(b, b, 3)
        self.branch3_1x1 = same_conv(inputs, c, 1)
        self.branch3_3x3 = same_conv(c, c, 3, dilation=2)
        self.branch4_1x1 = same_conv(inputs, d, 1)
        self.branch4_3x3 = same_conv(d, d, 3, dilation=3)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, a + b + c + d, H, W)."""
        branches = (
            self.branch1_1x1(maps),
            self.branch2_3x3(self.branch2_1x1(maps).relu()),
            self.branch3_3x3(self.branch3_1x1(maps).relu()),
            self.branch4_3x3(self.branch4_1x1(maps).relu()),
        )
        return torch.cat(branches, dim=1).relu()


@detector(CARD)
class MesoInception4(nn.Module):
    """Two inception modules, two convolutions, then two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inception1 = Inception(3, 1, 4, 4, 2)
        self.bn1 = batch_norm(11)
        self.inception2 = Inception(11, 2, 4, 4, 2)
        self.bn2 = batch_norm(12)
        self.conv1 = same_conv(12, 16, 5)
        self.bn3 = batch_norm(16)
        self.conv2 = same_conv(16, 16, 5)
        self.bn4 = batch_norm(16)
        self.dense1 = dense(8 * 8 * 16, 16)
        self.dense2 = dense(16, 1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 256, 256) in 0..1; the embedding (B, 16) is the first dense layer's."""
        maps = clips.squeeze(2)
        maps = F.max_pool2d(self.bn1(self.inception1(maps)), 2)
        maps = F.max_pool2d(self.bn2(self.inception2(maps)), 2)
        maps = F.max_pool2d(self.bn3(self.conv1(maps).relu()), 2)
        maps = F.max_pool2d(self.bn4(self.conv2(maps).relu()), 4)
        embedding = self.dense1(self.dropout(flatten_hwc(maps)))
        hidden = self.dropout(F.leaky_relu(embedding, 0.1))
        # The published number is P(real); unmask's logit is above 0 for fake.
        return Output(logit=-self.dense2(hidden).squeeze(1), embedding=embedding)
