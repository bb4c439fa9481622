"""Two streams: one sees the face, the other the noise of its patches.

Two-Stream Neural Networks for Tampered Face Detection (Zhou et al., CVPR Workshops 2017): an
Inception network classifies the face; steganalysis features of patches go through a small network
whose triplet loss draws patches of one picture together. No code is public; what is built here
from the paper's description, and what is left open, is listed in the card.
"""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.card import Card, Output, Paper, Target
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.losses import binary_loss
from unmask.losses.patch_triplet import patch_triplet_loss
from unmask.nn.co_occurrence import (
    FEATURES,
    co_occurrence_maps,
    hard_code,
    luma,
    third_order_filters,
)
from unmask.nn.patches import patches_of
from unmask.types import InputSpec

_FACE_FEATURES = 2048
_SIDE, _STEP = 96, 64
_HIDDEN, _EMBEDDED = 1024, 512
_MARGIN = 0.2
_GRAY_LEVELS = 127.5


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


CARD = Card(
    name="two_stream",
    summary="Inception-v3 on the face beside steganalysis features of its patches.",
    paper=Paper(
        title="Two-Stream Neural Networks for Tampered Face Detection",
        authors="Peng Zhou, Xintong Han, Vlad I. Morariu, Larry S. Davis",
        venue="CVPR Workshops",
        year=2017,
        url="https://arxiv.org/abs/1803.11276",
        differences=(
            "Code: none is public, so this is not verified against the authors' code. The paper's "
            "text was not available: built from its abstract and from what others write of it.",
            "Face stream: timm's Inception-v3 on 299 pixels, mean and spread 0.5, one linear layer "
            "to two classes; the side branch that it was published with is left out.",
            "Noise features: 162 co-occurrences of third-order residuals of each patch (those of "
            "steganalysis features with an SVM), where the paper takes steganalysis features that "
            "know the camera's color filter and are far more. They are counted, not learned.",
            "Patches: 16 of 96 pixels, 64 apart, of the face crop; the paper takes patches of the "
            "whole picture and compares those of the face with the others.",
            "Triplets: a patch's partner is the next patch of the same picture, its opposite lies "
            "at the same place in the next picture of the batch; embeddings of 512 numbers and "
            "length 1 behind a layer of 1,024, margin 0.2: our choices.",
            "Noise score: a linear layer on the embeddings, the mean of the patches' logits; the "
            "paper fits an SVM to the embeddings.",
            "Fusion: the sum of both logits. Both streams and the triplets are trained at once, "
            "each by its own loss, weighted alike; the paper trains them one after the other.",
            "Recipe: Adam 1e-4, batches of 32, at most 50 epochs, a flip: our choices.",
            "Crop: 1.3 x the longest side of the CenterFace box, resized to 299, which disturbs "
            "the noise that the second stream looks at; the paper cuts patches unscaled.",
            "Start: at random; the paper starts its face stream from ImageNet.",
            "Frames: three a second; the video's logit is the mean of the frames'.",
        ),
    ),
    compared_in=("Two-branch", "EMD"),
    verified="not verified against the authors' code: none is public",
    input=InputSpec(region="face", margin=1.3, size=(299, 299), fps=3.0),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-4),
        schedule=Schedule(epochs=50),
        sampling=Sampling(batch_size=32, augment="flip"),
    ),
    outputs=("embedding",),
    cam_layer="face.Mixed_7c",
    aggregate="mean",
    args={"margin": _MARGIN},
)


class _NoiseStream(nn.Module):
    """Steganalysis features of a picture's patches, and an embedding of length 1 for each."""

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", third_order_filters(), persistent=False)
        self.norm = nn.BatchNorm1d(FEATURES)
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _EMBEDDED)
        )
        self.head = nn.Linear(_EMBEDDED, 1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in -1..1 to logits (B,) and embeddings (B, N, 512)."""
        features = self.counted(pictures)
        batch, count = features.shape[:2]
        embedded = self.layers(self.norm(features.flatten(0, 1))).unflatten(0, (batch, count))
        embedded = functional.normalize(embedded, dim=2)
        return self.head(embedded).mean(dim=(1, 2)), embedded

    @torch.no_grad()
    def counted(self, pictures: Tensor) -> Tensor:
        """How often each of 162 sequences occurs in each patch: (B, N, 162), no gradient."""
        levels = luma((pictures.float() + 1) * _GRAY_LEVELS).round()
        residuals = functional.conv2d(levels, self.filters)
        side = min(_SIDE, residuals.shape[-2], residuals.shape[-1])
        patches = patches_of(residuals, side, _STEP).unbind(1)
        # One place after the other: 162 maps of all patches would be a gigabyte.
        counts = [co_occurrence_maps(patch, hard_code).mean(dim=(2, 3)) for patch in patches]
        return torch.stack(counts, dim=1)


@detector(CARD)
class TwoStream(nn.Module):
    """Inception-v3 on the face, a small network on the noise of its patches; logits are added.

    Args:
        margin: of the triplets.
    """

    def __init__(self, margin: float = _MARGIN) -> None:
        super().__init__()
        self.face = timm.create_model("inception_v3", num_classes=0, aux_logits=False)
        self.head = nn.Linear(_FACE_FEATURES, 2)
        self.noise = _NoiseStream()
        self._margin = margin

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in -1..1; the embedding (B, 2560) is of both streams."""
        face, noise, seen, embedded = self._streams(clips)
        both = torch.cat([seen, embedded.mean(dim=1)], dim=1)
        return Output(logit=face + noise, embedding=both)

    def _streams(self, clips: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pictures = clips.squeeze(2)
        seen = self.face(pictures)
        real, fake = self.head(seen).unbind(1)
        noise, embedded = self.noise(pictures)
        return fake - real, noise, seen, embedded

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        """Cross entropy of each stream, and the triplets of the patches, weighted alike."""
        face, noise, _, embedded = self._streams(clips)
        loss = binary_loss(face.float(), target.label) + binary_loss(noise.float(), target.label)
        return loss + patch_triplet_loss(embedded.float(), margin=self._margin)
