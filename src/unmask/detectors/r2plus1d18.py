"""R(2+1)D-18: a video network whose 3-D convolutions are split into space and time.

A Closer Look at Spatiotemporal Convolutions for Action Recognition (Tran et al., CVPR 2018), as a
detector after Ganiyusufoglu et al. 2020, who train its sibling R3D-18: no frame is lost before
the last layer. What differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.spatio_temporal import DIFFERENCES, INPUT, RECIPE
from unmask.nn.heads import reset_head, under_net
from unmask.nn.video_resnet import FEATURES, video_resnet

_KINETICS_CLASSES = 400


def _from_torchvision(path: Path) -> dict[str, Tensor]:
    """A state dict of torchvision's ``r2plus1d_18``; a Kinetics head is replaced by zeros."""
    state = read_tensors(path)
    reset_head(state, "fc", _KINETICS_CLASSES, 1)
    return under_net(state, "fc")


CARD = Card(
    name="r2plus1d18",
    summary="(2+1)-D ResNet-18 over 16 frames of a face, 5 seconds, at full time resolution.",
    paper=Paper(
        title="A Closer Look at Spatiotemporal Convolutions for Action Recognition",
        authors="Du Tran, Heng Wang, Lorenzo Torresani, Jamie Ray, Yann LeCun, Manohar Paluri",
        venue="CVPR",
        year=2018,
        url="https://arxiv.org/abs/1711.11248",
        code="https://github.com/facebookresearch/VMZ",
        differences=(
            "Purpose: the network tells 400 actions apart; everything that makes it a detector "
            'of forgery is taken from Ganiyusufoglu et al. 2020 (arXiv 2010.11844: below "the '
            'paper"), who train R3D-18 and do not have this network.',
            "Time: strides in time are 1 past the stem (temporal_downsampling=False).",
            *DIFFERENCES,
            "Start: at random, unless an imported Kinetics-400 file is given. "
            "Its head is replaced by zeros.",
            "Embedding: the 512 numbers before the last layer.",
        ),
    ),
    compared_in=("LipForensics",),
    fixtures=("r2plus1d18.json", "r2plus1d18_notdown.json"),
    verified="fixture, of torchvision's network",
    input=INPUT,
    recipe=RECIPE,
    weights=(
        Weights(
            tag="kinetics",
            license="BSD-3-Clause",
            trained_on="Kinetics-400 (torchvision's r2plus1d_18-91a641e6.pth): a start for "
            "training, not a detector",
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
        Ablation(row="scratch", tables=("lipforensics/table6",), starts_from=""),
        Ablation(row="full", tables=("lipforensics/table6",)),
    ),
)


@detector(CARD)
class R2Plus1D18(nn.Module):
    """Torchvision's R(2+1)D-18, the average over time and space, and one linear layer.

    Args:
        temporal_downsampling: halves the frames three times on the way, as for actions; the
            paper removes that.
    """

    def __init__(self, temporal_downsampling: bool = False) -> None:
        super().__init__()
        self.net = video_resnet("r2plus1d", temporal_downsampling)
        self.head = nn.Linear(FEATURES, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, 512)."""
        embedding = self.net(clips)
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
