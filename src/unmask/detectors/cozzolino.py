"""Cozzolino et al.: the co-occurrences of high-pass residuals, as a network that is trained.

Recasting Residual-based Local Descriptors as Convolutional Neural Networks (IH&MMSec 2017). A
convolution takes residuals, a second one compares four neighbors with every code word, softmax
stands for the hard choice, and the mean over the picture for the histogram. It begins as the
hand-made features and is then trained throughout. What differs is listed in the card.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.forensic import CROP, FRAMES, label_loss, middle_of_face
from unmask.nn.co_occurrence import (
    FEATURES,
    STEP,
    WORDS,
    co_occurrence_maps,
    code_words,
    luma,
    third_order_filters,
)

CARD = Card(
    name="cozzolino",
    summary="Steganalysis features (residuals and their co-occurrences) as a small CNN.",
    paper=Paper(
        title="Recasting Residual-based Local Descriptors as Convolutional Neural Networks: an "
        "Application to Image Forgery Detection",
        authors="Davide Cozzolino, Giovanni Poggi, Luisa Verdoliva",
        venue="IH&MMSec",
        year=2017,
        url="https://arxiv.org/abs/1703.04615",
        differences=(
            "Code: none is public, and the paper was not available; built from descriptions, not "
            "verified against the authors' code.",
            "Features: 162, as in FaceForensics++: third-order residuals of the luma along rows "
            "and columns, three values in steps of 3 gray levels, four neighbors along and across; "
            "both directions share their code words.",
            "Softmax: of (code word x residuals - half the code word's square) x sharpness; the "
            "sharpness of 4 is ours. Against its limit the features are the histogram exactly.",
            "Trained: residual filters, code words and their offsets, and the last layer, all "
            "without constraints. A batch norm without weights before the last layer stands for "
            "the scaling of the features; it is ours.",
            CROP,
            "Training: Adam at 1e-4 in batches of 16, at most 20 epochs, the best by validation: "
            "ours. The last layer starts at random, not from a support vector machine.",
            FRAMES,
        ),
    ),
    compared_in=("Two-branch", "EMD"),
    verified="not verified against the authors' code: none is public",
    input=middle_of_face(128, unit=1 / 255),
    recipe=Recipe(
        loss=label_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-4),
        schedule=Schedule(epochs=20, monitor="negative_loss"),
        sampling=Sampling(batch_size=16),
    ),
    outputs=("embedding",),
    cam_layer="words",
    args={"sharpness": 4.0},
)


class _SoftWords(nn.Module):
    """How near four neighboring residuals are to each of 81 code words, along and across.

    Args:
        sharpness: of the softmax; the larger, the more a place counts for one word alone.
    """

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.words = nn.Parameter(code_words().repeat(2, 1, 1))
        # The nearest word has the greatest product with the residuals, less half its square.
        self.offset = nn.Parameter(-self.words.detach().square().sum(dim=2) / 2)
        self.sharpness = sharpness

    def forward(self, residuals: Tensor) -> Tensor:
        """(B, 2, h, w) in steps to (B, 162, h - 4, w - 4)."""
        return co_occurrence_maps(residuals, self._code)

    def _code(self, neighbors: Tensor, direction: int) -> Tensor:
        kernel = self.words[direction].view(WORDS, -1, 1, 1)
        nearness = nn.functional.conv2d(neighbors, kernel, self.offset[direction])
        return (self.sharpness * nearness).softmax(dim=1)


@detector(CARD)
class Cozzolino(nn.Module):
    """Residuals, soft code words, their means over the picture, one linear layer.

    Args:
        sharpness: of the softmax over code words.
    """

    def __init__(self, sharpness: float = 4.0) -> None:
        super().__init__()
        self.residuals = nn.Conv2d(1, 2, 5, bias=False)
        with torch.no_grad():
            self.residuals.weight.copy_(third_order_filters() / STEP)
        self.words = _SoftWords(sharpness)
        self.norm = nn.BatchNorm1d(FEATURES, affine=False)
        self.head = nn.Linear(FEATURES, 2)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in 0..255; the embedding (B, 162) is the soft histogram."""
        embedding = self.words(self.residuals(luma(clips[:, :, 0]))).mean(dim=(2, 3))
        real, fake = self.head(self.norm(embedding)).unbind(1)
        return Output(logit=fake - real, embedding=embedding)
