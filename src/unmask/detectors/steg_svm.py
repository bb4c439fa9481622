"""Steganalysis features and a linear support vector machine.

Co-occurrences of high-pass residuals after Fridrich and Kodovský, Rich Models for Steganalysis of
Digital Images (TIFS 2012), in the size of 162 that FaceForensics++ uses. The machine is fitted by
scikit-learn at the end of an epoch; what it found is stored as plain tensors. What differs is
listed in the card.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.forensic import CROP, margin_loss, middle_of_face
from unmask.errors import import_optional
from unmask.losses.hinge import hinge_loss
from unmask.nn.co_occurrence import (
    FEATURES,
    co_occurrence_maps,
    hard_code,
    luma,
    third_order_filters,
)
from unmask.nn.standardize import Standardize

CARD = Card(
    name="steg_svm",
    summary="162 co-occurrences of high-pass residuals and a linear support vector machine.",
    paper=Paper(
        title="Rich Models for Steganalysis of Digital Images",
        authors="Jessica Fridrich, Jan Kodovský",
        venue="IEEE Transactions on Information Forensics and Security",
        year=2012,
        url="https://doi.org/10.1109/TIFS.2012.2190402",
        differences=(
            "Code: FaceForensics++'s authors publish none for this baseline; not verified against "
            "the authors' code. Filters, quantizer and directions agree with what the group of "
            "Cozzolino and Verdoliva publishes for such features.",
            "Features: one submodel, third-order residuals of the luma (rounded to whole gray "
            "levels) along rows and columns, in steps of 3 gray levels and cut to -1, 0, 1; 81 "
            "co-occurrences of four neighbors along the residual's direction and 81 across it, "
            "means of both directions, without merging words of similar meaning. The paper has "
            "many submodels and merges; FaceForensics++ says no more than four pixels and 162.",
            CROP,
            "Machine: scikit-learn's LinearSVC with C = 1 on standardized features, fitted once on "
            "one epoch's clips, both classes equally often; the papers give neither C nor scaling. "
            "Every further epoch fits again on its own clips; the best by validation is kept.",
            "Frames: three a second; the video's logit is the mean distance from the plane. The "
            "embedding is the 162 features.",
        ),
    ),
    compared_in=("Two-branch", "EMD", "Anti-Compression"),
    verified="not verified against the authors' code: none is public for this baseline",
    input=middle_of_face(128, unit=1 / 255),
    recipe=Recipe(
        loss=margin_loss,
        optimizer=Optimizer(kind="sgd", learning_rate=1e-2),
        schedule=Schedule(epochs=1),
        sampling=Sampling(batch_size=32),
    ),
    outputs=("embedding",),
    cam_layer="words",
    args={"penalty": 1.0},
)


class _Words(nn.Module):
    """Marks at every place which code word its residuals are: maps whose means are a histogram."""

    def __init__(self) -> None:
        super().__init__()
        self.filters: Tensor
        self.register_buffer("filters", third_order_filters())

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) in 0..255 to (B, 162, H - 8, W - 8)."""
        maps = co_occurrence_maps(nn.functional.conv2d(gray, self.filters), hard_code)
        # No gradient passes a count: the empty term says 0 where there would be an error.
        return maps + 0 * gray.mean(dim=(2, 3), keepdim=True)


@detector(CARD)
class StegSvm(nn.Module):
    """The histogram of code words, standardized, and the distance from a plane.

    Args:
        penalty: C of the support vector machine.
    """

    def __init__(self, penalty: float = 1.0) -> None:
        super().__init__()
        self.words = _Words()
        self.standardize = Standardize(FEATURES)
        self.head = nn.Linear(FEATURES, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self._penalty = penalty

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in 0..255; the embedding (B, 162) is the histogram."""
        embedding = self.words(luma(clips[:, :, 0]).round()).mean(dim=(2, 3))
        return Output(logit=self.head(self.standardize(embedding))[:, 0], embedding=embedding)

    def fit_last_part(self, features: Tensor, label: Tensor) -> Tensor:
        """Sets scaling and plane.

        Args:
            features: (N, 162) embeddings.
            label: (N,), 1 = fake.

        Returns:
            The mean hinge loss of the same features.

        Raises:
            MissingDependencyError: scikit-learn is not installed.
        """
        svm = import_optional("sklearn.svm", "train")
        scaled = self.standardize.fit(features)
        machine = svm.LinearSVC(C=self._penalty, max_iter=100_000, random_state=0)
        machine.fit(scaled.cpu().numpy(), label.numpy())
        self.head.weight.copy_(torch.from_numpy(machine.coef_))
        self.head.bias.copy_(torch.from_numpy(machine.intercept_))
        return hinge_loss(self.head(scaled)[:, 0].cpu(), label)
