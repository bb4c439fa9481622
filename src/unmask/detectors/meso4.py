"""Meso4: four convolutions that look at mesoscopic traces of forgery in one face picture.

MesoNet: a Compact Facial Video Forgery Detection Network (Afchar et al., WIFS 2018), in the
layout of the authors' Keras code. The published output is P(real); here it is turned round, so
that a logit above 0 means fake. What else differs is listed in the card.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from unmask.detectors.card import Card, Output
from unmask.detectors.registry import detector
from unmask.detectors.shared.mesonet import INPUT, PAPER, RECIPE, published, refuse_port
from unmask.nn.keras import batch_norm, dense, flatten_hwc, same_conv, to_state_dict


def _from_keras(path: Path) -> dict[str, Tensor]:
    """A published ``.h5`` file as our state dict."""
    refuse_port(path)
    return to_state_dict(
        path,
        {
            "conv2d": ("conv1", "conv2", "conv3", "conv4"),
            "batch_normalization": ("bn1", "bn2", "bn3", "bn4"),
            "dense": ("dense1", "dense2"),
        },
    )


CARD = Card(
    name="meso4",
    summary="Four small convolutions on an aligned face; 28 thousand parameters.",
    paper=replace(
        PAPER,
        differences=(
            *PAPER.differences,
            "LeakyReLU: as in the authors' code, which the parity fixture follows. Their Meso4_DF "
            "file was most likely trained without it, their Meso4_F2F file is undecided; the "
            "ranking hardly changes: see docs/decisions/mesonet_leakyrelu.md.",
        ),
    ),
    compared_in=("Two-branch", "EMD", "Anti-Compression"),
    fixtures=("meso4_keras.json",),
    verified="fixture and published files available",
    input=INPUT,
    recipe=RECIPE,
    weights=(
        published(
            "df",
            "Meso4_DF.h5",
            sha256="036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5",
            size_bytes=156_128,
            importer=_from_keras,
        ),
        published(
            "f2f",
            "Meso4_F2F.h5",
            sha256="bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7",
            size_bytes=156_128,
            importer=_from_keras,
        ),
    ),
    outputs=("embedding",),
    cam_layer="conv4",
    aggregate="mean",
    args={"leaky": True},
)


@detector(CARD)
class Meso4(nn.Module):
    """Conv, ReLU, batch norm and pool four times, then two dense layers.

    Args:
        leaky: whether a LeakyReLU (0.1) stands between the two dense layers, as in the authors'
            code. The published ``.h5`` files list no such layer: see
            docs/decisions/mesonet_leakyrelu.md.
    """

    def __init__(self, leaky: bool = True) -> None:
        super().__init__()
        self.conv1 = same_conv(3, 8, 3)
        self.bn1 = batch_norm(8)
        self.conv2 = same_conv(8, 8, 5)
        self.bn2 = batch_norm(8)
        self.conv3 = same_conv(8, 16, 5)
        self.bn3 = batch_norm(16)
        self.conv4 = same_conv(16, 16, 5)
        self.bn4 = batch_norm(16)
        self.dense1 = dense(8 * 8 * 16, 16)
        self.dense2 = dense(16, 1)
        self.dropout = nn.Dropout(0.5)
        self.slope = 0.1 if leaky else 1.0

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 256, 256) in 0..1; the embedding (B, 16) is the first dense layer's."""
        maps = clips.squeeze(2)
        maps = F.max_pool2d(self.bn1(self.conv1(maps).relu()), 2)
        maps = F.max_pool2d(self.bn2(self.conv2(maps).relu()), 2)
        maps = F.max_pool2d(self.bn3(self.conv3(maps).relu()), 2)
        maps = F.max_pool2d(self.bn4(self.conv4(maps).relu()), 4)
        embedding = self.dense1(self.dropout(flatten_hwc(maps)))
        hidden = self.dropout(F.leaky_relu(embedding, self.slope))
        # The published number is P(real); unmask's logit is above 0 for fake.
        return Output(logit=-self.dense2(hidden).squeeze(1), embedding=embedding)
