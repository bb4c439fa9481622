"""R3D-18: a 3-D residual network that looks for forgery in space and time at once.

Spatio-temporal Features for Generalized Detection of Deepfake Videos (Ganiyusufoglu et al.,
2020): a Kinetics network that keeps every frame up to its last layer generalizes better to
unseen forgeries than image and sequence detectors. What differs is listed in the card.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.spatio_temporal import DIFFERENCES, DOWNSAMPLING, INPUT, PAPER, RECIPE
from unmask.nn.heads import reset_head, under_net
from unmask.nn.video_resnet import FEATURES, video_resnet

_KINETICS_CLASSES = 400


def _from_torchvision(path: Path) -> dict[str, Tensor]:
    """A state dict of torchvision's ``r3d_18``; a Kinetics head is replaced by zeros."""
    state = read_tensors(path)
    reset_head(state, "fc", _KINETICS_CLASSES, 1)
    return under_net(state, "fc")


CARD = Card(
    name="r3d18",
    summary="3-D ResNet-18 over 16 frames of a face, 5 seconds, without loss of time resolution.",
    paper=replace(
        PAPER,
        differences=(
            *DIFFERENCES,
            "Start: at random, unless an imported Kinetics-400 file is given, as in the paper. "
            "Its head is replaced by zeros instead of random numbers.",
            "Embedding: the 512 numbers before the last layer, which the paper shows by t-SNE.",
        ),
    ),
    compared_in=("Spatio-Temporal",),
    fixtures=("r3d18.json", "r3d18_notdown.json"),
    verified="fixture, of torchvision's network",
    input=INPUT,
    recipe=RECIPE,
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
    starts_from="kinetics",
    ablations=(
        *DOWNSAMPLING,
        Ablation(row="hop2", tables=("spatio_temporal/table4",), settings=("input.hop=2",)),
    ),
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
