"""R3D-18: a 3-D residual network that looks for forgery in space and time at once.

Spatio-temporal Features for Generalized Detection of Deepfake Videos (Ganiyusufoglu et al.,
2020): a Kinetics network that keeps every frame up to its last layer generalizes better to
unseen forgeries than image and sequence detectors. What differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from unmask.detectors._card import Card, Output, Paper, Recipe, Target, Weights
from unmask.detectors._pickle import read_tensors
from unmask.detectors._registry import detector
from unmask.losses import binary_loss
from unmask.nn.heads import reset_head, under_net
from unmask.nn.video_resnet import FEATURES, video_resnet
from unmask.types import InputSpec

_KINETICS_CLASSES = 400


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


def _from_torchvision(path: Path) -> dict[str, Tensor]:
    """A state dict of torchvision's ``r3d_18``; a Kinetics head is replaced by zeros."""
    state = read_tensors(path)
    reset_head(state, "fc", _KINETICS_CLASSES, 1)
    return under_net(state, "fc")


CARD = Card(
    name="r3d18",
    summary="3-D ResNet-18 over 16 frames of a face, 5 seconds, without loss of time resolution.",
    paper=Paper(
        title="Spatio-temporal Features for Generalized Detection of Deepfake Videos",
        authors="Ipek Ganiyusufoglu, L. Minh Ngô, Nedko Savov, Sezer Karaoglu, Theo Gevers",
        venue="arXiv",
        year=2020,
        url="https://arxiv.org/abs/2010.11844",
        differences=(
            "Faces: CenterFace, tracked and smoothed; the paper uses dlib and FAN, drops boxes "
            "that do not overlap with their neighbors and sizes 10 medians off the median.",
            "Short videos: the last frame is repeated, and a clip with under 80 % real frames is "
            "dropped; the paper loops the video.",
            "Windows: no overlap, as the paper has it on FaceForensics++; on DFDC it moves by 2 "
            "frames (--set input.hop=2).",
            "Video: mean of the windows' logits; the paper averages probabilities.",
            "Augmentation: ours (JPEG, resize, blur, noise, crop, flip, H.264), shared by both "
            "classes; the paper flips half of the samples and gives half of them one of crop, "
            "JPEG, noise, blur, downscaling, brightness, contrast and color shift.",
            "Batches: real and fake in equal numbers; the paper also cycles through the methods.",
            "Start: at random, unless an imported Kinetics-400 file is given, as in the paper. "
            "Its head is replaced by zeros instead of random numbers.",
            "Embedding: the 512 numbers before the last layer, which the paper shows by t-SNE.",
        ),
    ),
    input=InputSpec(
        region="face",
        margin=1.4,
        size=(224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        frames=16,
        fps=3.0,
        hop=16,
    ),
    recipe=Recipe(
        loss=_loss,
        optimizer="adam",
        learning_rate=1e-5,
        weight_decay=1e-7,
        batch_size=4,
        epochs=100,
        schedule="plateau",
        patience=15,
        augment="shared",
        monitor="negative_loss",
    ),
    weights=(
        Weights(
            tag="kinetics",
            license="BSD-3-Clause",
            trained_on="Kinetics-400 (torchvision's r3d_18-b3b3357e.pth): a start for training, "
            "not a detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_torchvision,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.layer4",
    aggregate="mean",
    args={"temporal_downsampling": False},
)


@detector(CARD)
class R3D18(nn.Module):
    """Torchvision's R3D-18, the average over time and space, and one linear layer.

    Args:
        temporal_downsampling: halves the frames three times on the way, as for actions; the
            paper removes that.
    """

    def __init__(self, temporal_downsampling: bool = False) -> None:
        super().__init__()
        self.net = video_resnet("r3d", temporal_downsampling)
        self.head = nn.Linear(FEATURES, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, 512)."""
        embedding = self.net(clips)
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
