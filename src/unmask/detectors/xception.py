"""Xception on single face crops: the image detector that FaceForensics++ made the yardstick.

FaceForensics++: Learning to Detect Manipulated Facial Images (Rössler et al., ICCV 2019), with
the recipe of Ganiyusufoglu et al. 2020, who train it as their baseline. The network is timm's
``legacy_xception``, the same as the authors'; what else differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

import timm
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Ablation, Card, Output, Paper, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared import deepfakebench
from unmask.detectors.shared.spatio_temporal import IMAGE_RECIPE, TRAINING_DIFFERENCES
from unmask.detectors.shared.xception import (
    FACEFORENSICS_FILES,
    FACEFORENSICS_LICENSE,
    FACEFORENSICS_LICENSOR,
    INPUT,
    imagenet_start,
    is_forensic,
)
from unmask.nn.heads import under_net
from unmask.nn.xception import from_published


def _from_published(path: Path) -> dict[str, Tensor]:
    """Released models, their state dicts, DeepfakeBench's, or ImageNet's as a start."""
    return under_net(from_published(read_tensors(path)), "last_linear")


CARD = Card(
    name="xception",
    summary="Xception on single face crops, the baseline of FaceForensics++.",
    paper=Paper(
        title="FaceForensics++: Learning to Detect Manipulated Facial Images",
        authors="Andreas Rössler, Davide Cozzolino, Luisa Verdoliva, Christian Riess, "
        "Justus Thies, Matthias Nießner",
        venue="ICCV",
        year=2019,
        url="https://arxiv.org/abs/1901.08971",
        code="https://github.com/ondyari/FaceForensics",
        differences=(
            "Crop: 1.3 x the longest side of the CenterFace box instead of dlib's box, moved into "
            "the frame; the authors clip it at the frame's border.",
            "Training: the recipe of Ganiyusufoglu et al. 2020 (arXiv 2010.11844): Adam at 1e-4, "
            "batches of 8, weight decay 1e-5, rate x 0.1 after 5 epochs without better "
            "validation. The authors first train the head alone for 3 epochs, then all at 2e-4 "
            "in batches of 32.",
            "Augmentation: that of Ganiyusufoglu et al., a flip and one of eight changes; the "
            "authors have none.",
            *TRAINING_DIFFERENCES,
            "Start: at random, unless an imported ImageNet file is given; both papers start from "
            "ImageNet. Its head is replaced by zeros.",
            "Loss: binary cross entropy of z_fake - z_real, which equals the authors' cross "
            "entropy over two classes.",
            "Frames: three a second; the video's logit is the mean of the frames'. The papers "
            "average probabilities.",
            "Embedding: the 2048 numbers before the last layer; the authors have none.",
        ),
    ),
    compared_in=("LipForensics", "Two-branch", "EMD", "Anti-Compression", "Spatio-Temporal"),
    fixtures=("ff_xception.json",),
    verified="fixture; no published file available",
    input=INPUT,
    recipe=IMAGE_RECIPE,
    weights=(
        Weights(
            tag="ffpp",
            license=FACEFORENSICS_LICENSE,
            trained_on=f"FaceForensics++: one of the models in the authors' {FACEFORENSICS_FILES} "
            "(whole pickled modules)",
            polarity="two logits, real and fake; the logit here is their difference",
            importer=_from_published,
            is_non_commercial=True,
            licensor=FACEFORENSICS_LICENSOR,
            recognizes=lambda path: is_forensic(path) and not deepfakebench.is_benchs(path),
        ),
        Weights(
            tag="deepfakebench",
            license=deepfakebench.LICENSE,
            trained_on=deepfakebench.TRAINED_ON.format(file="xception_best.pth"),
            polarity=deepfakebench.POLARITY,
            importer=_from_published,
            is_non_commercial=True,
            licensor=deepfakebench.LICENSOR,
            recognizes=deepfakebench.is_benchs,
        ),
        imagenet_start(_from_published, zeroed="the head is"),
    ),
    outputs=("embedding",),
    cam_layer="net.conv4",
    aggregate="mean",
    starts_from="imagenet",
    ablations=(
        Ablation(row="c40", tables=("two_branch/table3",)),
        Ablation(row="c23", tables=("two_branch/table3",), compressions=("c23",)),
    ),
)


@detector(CARD)
class Xception(nn.Module):
    """Xception, global average, and a linear layer to the classes real and fake."""

    def __init__(self) -> None:
        super().__init__()
        self.net = timm.create_model("legacy_xception", num_classes=0)
        self.head = nn.Linear(2048, 2)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, 299, 299) in -1..1; the embedding is (B, 2048)."""
        embedding = self.net(clips.squeeze(2))
        real, fake = self.head(embedding).unbind(1)
        return Output(logit=fake - real, embedding=embedding)
