"""Bayar and Stamm's network: a constrained first layer that leaves the picture's content out.

A Deep Learning Approach to Universal Image Manipulation Detection Using a New Convolutional Layer
(IH&MMSec 2016), the one that FaceForensics++ and the papers after it compare with. Its successor
of 2018 (MISLnet, TIFS) is ``variant="mislnet"``. What differs is listed in the card.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.forensic import CROP, GREEN, label_loss, middle_of_face
from unmask.errors import UsageError
from unmask.nn.constrained import ConstrainedConv2d

CARD = Card(
    name="bayar_stamm",
    summary="Constrained first layer that suppresses content, then a small CNN.",
    paper=Paper(
        title="A Deep Learning Approach to Universal Image Manipulation Detection Using a New "
        "Convolutional Layer",
        authors="Belhassen Bayar, Matthew C. Stamm",
        venue="IH&MMSec",
        year=2016,
        url="https://doi.org/10.1145/2909827.2930786",
        differences=(
            "Code: the authors' was not available; not verified against the authors' code. The "
            "layers of 2016 follow descriptions and an unofficial copy (12 constrained filters, "
            "convolutions of 64 and 48, two dense layers of 4,096, ReLU, max pooling, local "
            "response normalization, dropout 0.5); those of mislnet follow a copy of the authors' "
            "Caffe files. No trained file is known that fits.",
            CROP,
            "Size: 128 x 128 in place of 227 x 227 in 2016, as in FaceForensics++, so the first "
            "dense layer is smaller. For mislnet give its own: --set variant=mislnet --set "
            '"input.size=(256, 256)" --set optimizer=sgd --set learning_rate=1e-3 --set '
            "momentum=0.95 --set weight_decay=5e-4.",
            "Constraint: filters are put back onto it after every step of the optimizer, as in the "
            "paper. Where a filter adds up to 0, which the paper leaves open, it becomes a mean.",
            "Input: the green channel in 0..255, unscaled, as in 2018.",
            "Training: Adam at 1e-5 in batches of 64; what the authors of 2016 and of "
            "FaceForensics++ took could not be checked. In 2018 it is SGD at 1e-3 with momentum "
            "0.95 and decay 5e-4, halved every 56,250 steps, which is left out here.",
            "Epochs: at most 20, the best by validation, which the papers leave open.",
            "Frames: three a second; the video's logit is the mean of the frames'. Embedding: the "
            "last layer but one; the authors have none.",
        ),
    ),
    compared_in=("Two-branch", "EMD"),
    verified="not verified against the authors' code",
    input=middle_of_face(128, unit=1 / 255),
    recipe=Recipe(
        loss=label_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-5),
        schedule=Schedule(epochs=20, monitor="negative_loss"),
        sampling=Sampling(batch_size=64),
    ),
    outputs=("embedding",),
    cam_layer="body.last",
    args={"variant": "conference", "side": 128},
)


def _pool(kind: type[nn.MaxPool2d] | type[nn.AvgPool2d] = nn.MaxPool2d) -> nn.Module:
    """3 x 3 with stride 2, rounded up as Caffe does."""
    return kind(3, 2, ceil_mode=True)


def _conference(side: int) -> tuple[nn.Sequential, nn.Sequential, int]:
    """Constrained layer and convolutions, dense layers, and the embedding's size."""
    body = nn.Sequential()
    body.add_module("constrained", ConstrainedConv2d(1, 12, 5))
    body.add_module("conv1", nn.Sequential(nn.Conv2d(12, 64, 7, 2, 3), nn.ReLU(), _pool()))
    body.add_module("norm1", nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75))
    body.add_module("last", nn.Sequential(nn.Conv2d(64, 48, 5, 1, 2), nn.ReLU()))
    body.add_module("end", nn.Sequential(_pool(), nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)))
    # A 5 x 5 filter without padding, then three halvings that round up.
    left = _halved(_halved((side - 4 + 1) // 2))
    inner = nn.Sequential(
        nn.Linear(48 * left * left, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()
    )
    return body, inner, 4096


def _mislnet(side: int) -> tuple[nn.Sequential, nn.Sequential, int]:
    """The same of 2018: batch norm, tanh, four convolutions; the last pooling is a mean."""
    body = nn.Sequential()
    body.add_module("constrained", ConstrainedConv2d(1, 3, 5))
    layers = (
        ("conv1", nn.Conv2d(3, 96, 7, 2, 3), nn.MaxPool2d),
        ("conv2", nn.Conv2d(96, 64, 5, 1, 2), nn.MaxPool2d),
        ("conv3", nn.Conv2d(64, 64, 5, 1, 2), nn.MaxPool2d),
    )
    for name, convolution, kind in layers:
        norm = nn.BatchNorm2d(convolution.out_channels)
        body.add_module(name, nn.Sequential(convolution, norm, nn.Tanh(), _pool(kind)))
    body.add_module("last", nn.Sequential(nn.Conv2d(64, 128, 1), nn.BatchNorm2d(128), nn.Tanh()))
    body.add_module("end", _pool(nn.AvgPool2d))
    left = _halved(_halved(_halved(_halved((side - 4 + 1) // 2))))
    inner = nn.Sequential(
        nn.Linear(128 * left * left, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh()
    )
    return body, inner, 200


def _halved(side: int) -> int:
    """What ``_pool`` leaves of a side."""
    return -(-(side - 3) // 2) + 1


_VARIANTS = {"conference": _conference, "mislnet": _mislnet}


@detector(CARD)
class BayarStamm(nn.Module):
    """A constrained convolution, convolutions with pooling, three dense layers.

    Args:
        variant: ``conference`` (2016) or ``mislnet`` (2018).
        side: of the picture, which the first dense layer depends on.

    Raises:
        UsageError: there is no such variant.
    """

    def __init__(self, variant: str = "conference", side: int = 128) -> None:
        super().__init__()
        if variant not in _VARIANTS:
            raise UsageError(
                f"Cannot build {CARD.name} as {variant!r}: expected one of "
                f"{', '.join(_VARIANTS)}. Give one with --set variant=…"
            )
        self.body, self.inner, width = _VARIANTS[variant](side)
        self.dropout = nn.Dropout(0.5 if variant == "conference" else 0.0)
        self.head = nn.Linear(width, 2)

    def constrain(self) -> None:
        """Puts the first layer's filters back onto their constraint."""
        cast(ConstrainedConv2d, self.body.constrained).project()

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in 0..255 by the green channel; the embedding is (B, 4096)."""
        embedding = self.inner(self.body(clips[:, GREEN : GREEN + 1, 0]).flatten(1))
        real, fake = self.head(self.dropout(embedding)).unbind(1)
        return Output(logit=fake - real, embedding=embedding)
