"""SE-ResNet-50 that learned to recognize faces, on single face crops.

A row of LipForensics' table 6 (Haliassos et al., CVPR 2021), which asks whether pretraining on
faces (ArcFace, Deng et al., CVPR 2019) serves as well as lip reading. What differs is listed in
the card.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.whole_face import RECIPE, TRAINING_DIFFERENCES, UNDECIDED
from unmask.nn.face_resnet import FACE_FEATURES, FACE_SIZE, FaceResNet50, with_red_first
from unmask.nn.heads import add_batch_counters
from unmask.types import InputSpec


def _from_insightface(path: Path) -> dict[str, Tensor]:
    """A state dict of InsightFace_Pytorch's IR-SE50, for RGB, with a head of one logit that is 0.

    That code trained on pictures whose blue came first.
    """
    state = read_tensors(path)
    with_red_first(state)
    add_batch_counters(state)
    ours = {f"net.{key}": value for key, value in state.items()}
    return ours | {"head.weight": torch.zeros(1, FACE_FEATURES), "head.bias": torch.zeros(1)}


CARD = Card(
    name="se_resnet50",
    summary="SE-ResNet-50 on single face crops, from face recognition.",
    paper=Paper(
        title="ArcFace: Additive Angular Margin Loss for Deep Face Recognition",
        authors="Jiankang Deng, Jia Guo, Niannan Xue, Stefanos Zafeiriou",
        venue="CVPR",
        year=2019,
        url="https://arxiv.org/abs/1801.07698",
        code="https://github.com/TreB1eN/InsightFace_Pytorch",
        differences=(
            "Purpose: the network tells people apart; it is a detector in table 6 of LipForensics "
            '(Haliassos et al., CVPR 2021: below "the paper"), whose authors publish no code for '
            "it: not verified against the authors' code. It is the IR-SE50 of the repository that "
            "the paper links, whose parameters are as many as that table counts, 43.8 M "
            "(ImageNet's SE-ResNet-50 has 26.0 M); names and sizes of its tensors are those of "
            "that repository, no numbers of which were available to compare with.",
            "Head: one linear layer on the 512 numbers before they are scaled to length 1; the "
            "paper does not say.",
            "Crop: 112 px, upright, centered on the mean of five landmarks, 1.08 x the longest "
            "side of the CenterFace box: the scale of the repository's five-point template at the "
            "median over 433 photographs. That template is centered 16 px higher in the crop. "
            "The paper does not say what this network sees.",
            "Colors: red, green, blue; the repository trained on blue, green, red, so the "
            "importer reverses the first layer's channels.",
            *TRAINING_DIFFERENCES,
            "Frames: three a second.",
            "Start: at random, unless the repository's file is imported; the head is then 0, so "
            "that every logit is 0 until trained.",
            "Embedding: the 512 numbers before the last layer.",
        ),
    ),
    compared_in=("LipForensics",),
    verified="layout only: that of the repository named by the paper; no published file available",
    input=InputSpec(
        region="face",
        align="similarity",
        margin=1.08,
        size=FACE_SIZE,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        frames=1,
        fps=3.0,
    ),
    recipe=RECIPE,
    weights=(
        Weights(
            tag="faces",
            license="MIT; data: research only",
            trained_on="faces of MS-Celeb-1M, refined (model_ir_se50.pth of InsightFace_Pytorch): "
            "a start for training, not a detector",
            polarity=UNDECIDED,
            importer=_from_insightface,
            is_non_commercial=True,
            licensor="those of MS-Celeb-1M, for the data",
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.body",
    aggregate="mean",
    args={"dropout": 0.6},
    starts_from="faces",
    ablations=(
        Ablation(row="scratch", tables=("lipforensics/table6",), starts_from=""),
        Ablation(row="full", tables=("lipforensics/table6",)),
    ),
)


@detector(CARD)
class SEResNet50(nn.Module):
    """IR-SE50 and one linear layer.

    Args:
        dropout: before the layer that makes 512 numbers of all places; 0.6 as published.
    """

    def __init__(self, dropout: float = 0.6) -> None:
        super().__init__()
        self.net = FaceResNet50(dropout)
        self.head = nn.Linear(FACE_FEATURES, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 112, 112) in -1..1; the embedding is (B, 512)."""
        embedding = self.net(clips.squeeze(2))
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
