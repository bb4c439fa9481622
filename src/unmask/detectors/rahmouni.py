"""Rahmouni et al.: two convolutions, then mean, least, greatest and variance of every map.

Distinguishing Computer Graphics from Natural Images Using Convolution Neural Networks (WIFS 2017),
the variant Stats-2L, which FaceForensics++ and the papers after it compare with. What differs is
listed in the card.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.forensic import CROP, FRAMES, GREEN, label_loss, middle_of_face

CARD = Card(
    name="rahmouni",
    summary="Two convolutions and four statistics of each of their maps; 284 thousand parameters.",
    paper=Paper(
        title="Distinguishing Computer Graphics from Natural Images Using Convolution Neural "
        "Networks",
        authors="Nicolas Rahmouni, Vincent Nozick, Junichi Yamagishi, Isao Echizen",
        venue="IEEE International Workshop on Information Forensics and Security (WIFS)",
        year=2017,
        url="https://doi.org/10.1109/WIFS.2017.8267647",
        code="https://github.com/NicoRahm/CGvsPhoto",
        differences=(
            "Layers: as in the authors' code (Stats-2L); the number of parameters is that of their "
            "published file, 284,034. No outputs of their code were available to compare with, and "
            "their file (a TensorFlow 1 checkpoint) is not read.",
            CROP + " The authors have patches of 100 x 100, and let those of a picture vote.",
            "Training: Adam at 1e-4 in batches of 50, as in their code; at most 20 epochs, the "
            "best by validation, which is ours.",
            FRAMES,
        ),
    ),
    compared_in=("Two-branch", "EMD", "Anti-Compression"),
    verified="not verified against the authors' code; as many parameters as its published file",
    input=middle_of_face(100),
    recipe=Recipe(
        loss=label_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-4),
        schedule=Schedule(epochs=20, monitor="negative_loss"),
        sampling=Sampling(batch_size=50),
    ),
    outputs=("embedding",),
    cam_layer="conv2",
)


def four_statistics(maps: Tensor) -> Tensor:
    """Mean, least, greatest and variance of every map, one map after the other.

    Args:
        maps: (B, C, H, W).

    Returns:
        (B, 4 C); the variance is that of the whole map, divided by its number of places.

    >>> four_statistics(torch.tensor([[[[0.0, 2.0]]]]))
    tensor([[1., 0., 2., 1.]])
    """
    flat = maps.flatten(2)
    columns = flat.mean(2), flat.amin(2), flat.amax(2), flat.var(2, unbiased=False)
    return torch.stack(columns, dim=2).flatten(1)


@detector(CARD)
class Rahmouni(nn.Module):
    """Convolutions of 32 and 64 filters, four statistics of each map, two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.inner = nn.Linear(4 * 64, 1024)
        self.dropout = nn.Dropout(0.35)
        self.head = nn.Linear(1024, 2)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in 0..1 by the green channel; the embedding is (B, 1024)."""
        maps = self.conv1(clips[:, GREEN : GREEN + 1, 0]).relu()
        embedding = self.inner(four_statistics(self.conv2(maps).relu())).relu()
        real, fake = self.head(self.dropout(embedding)).unbind(1)
        return Output(logit=fake - real, embedding=embedding)
