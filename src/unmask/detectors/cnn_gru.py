"""CNN-GRU: DenseNet-161 on each of five frames of a face, a GRU both ways over its features.

Recurrent Convolutional Strategies for Face Manipulation Detection in Videos (Sabir et al., CVPR
Workshops 2019), with the DenseNet-161 of LipForensics' comparison (Haliassos et al., CVPR 2021).
No code is public; what differs, and what is chosen here, is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Paper, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.whole_face import RECIPE, TRAINING_DIFFERENCES
from unmask.nn.densenet import present_names
from unmask.nn.frames import features_of_frames
from unmask.nn.fresh import fresh_state
from unmask.nn.recurrent import run_recurrent
from unmask.types import InputSpec

_FEATURES = 2208
"""Numbers by which DenseNet-161 describes a picture."""

_HIDDEN = 128
"""Of the GRU, each way: that of two_branch's LSTM, by some of the same authors."""


def _from_imagenet(path: Path) -> dict[str, Tensor]:
    """Torchvision's or timm's DenseNet-161; the GRU is a new one's, the last layer 0."""
    state = fresh_state(CNNGRU, without=("net.",))
    state |= {key: torch.zeros_like(state[key]) for key in ("head.weight", "head.bias")}
    backbone = present_names(read_tensors(path))
    return {**state, **{f"net.{key}": value for key, value in backbone.items()}}


CARD = Card(
    name="cnn_gru",
    summary="DenseNet-161 on each of five frames of a face, then a GRU both ways.",
    paper=Paper(
        title="Recurrent Convolutional Strategies for Face Manipulation Detection in Videos",
        authors="Ekraam Sabir, Jiaxin Cheng, Ayush Jaiswal, Wael AbdAlmageed, Iacopo Masi, "
        "Prem Natarajan",
        venue="CVPR Workshops",
        year=2019,
        url="https://arxiv.org/abs/1905.00582",
        differences=(
            "Code: none is public; not verified against the authors' code.",
            "Network: DenseNet-161, as LipForensics (Haliassos et al., CVPR 2021) trains it; the "
            "paper names ResNet and DenseNet and was not available for the depth. One GRU layer, "
            "both ways as in the paper, of 128 states each way, which neither text gives; one "
            "linear layer on its last forward and first backward state, that is, on what either "
            "direction has seen of all five frames.",
            "Faces: upright, 1.3 x the longest side of the CenterFace box, 224 px, with "
            "ImageNet's mean and std. The paper aligns by landmarks or by a spatial transformer; "
            "its crop is not known here.",
            "Frames: five in a row, 25 a second; a scan looks at the first five of every second, "
            "where LipForensics takes all (--set input.hop=5).",
            *TRAINING_DIFFERENCES,
            "Batch: eight sequences, four batches for a step, which makes the 32.",
            "Start: at random, unless an imported ImageNet file is given; both papers start from "
            "ImageNet. The last layer is then 0, so that every logit is 0 until trained.",
            "Embedding: the 256 numbers before the last layer.",
        ),
    ),
    compared_in=("LipForensics", "Two-branch"),
    verified="not verified against the authors' code: none is public",
    input=InputSpec(
        region="face",
        align="similarity",
        margin=1.3,
        size=(224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        frames=5,
        fps=25.0,
        hop=25,
    ),
    recipe=RECIPE.changed({"batch_size": 8, "accumulate": 4}),
    weights=(
        Weights(
            tag="imagenet",
            license="BSD-3-Clause",
            trained_on="ImageNet (torchvision's densenet161-8d451a50.pth): a start for training, "
            "not a detector",
            polarity="none: the last layer is 0, so every logit is 0 until trained",
            importer=_from_imagenet,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.features",
    aggregate="mean",
    args={"hidden": _HIDDEN},
    frame_context=0,
    starts_from="imagenet",
)


@detector(CARD)
class CNNGRU(nn.Module):
    """DenseNet-161, a GRU in both directions, and one linear layer.

    Args:
        hidden: states of the GRU in each direction.
    """

    def __init__(self, hidden: int = _HIDDEN) -> None:
        super().__init__()
        self.net = timm.create_model("densenet161", num_classes=0)
        self.gru = nn.GRU(_FEATURES, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, 256)."""
        return self.classify(self.frame_features(clips))

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """Features (B, T, 2208) of clips (B, 3, T, H, W), each frame by itself."""
        return features_of_frames(self.net, clips, context)

    def classify(self, features: Tensor) -> Output:
        """Scores of the features (B, T, 2208) of clips."""
        _, last = run_recurrent(self.gru, features)
        embedding = last.transpose(0, 1).flatten(1)
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
