"""EfficientNet-B3 on single face crops: an image detector, and the base of two sequence ones.

The network is that of Tan & Le (ICML 2019), from timm; as a detector it is the second image
baseline of Ganiyusufoglu et al. 2020. What differs is listed in the card.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Paper, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.spatio_temporal import IMAGE_RECIPE, TRAINING_DIFFERENCES
from unmask.nn.efficientnet import B3_FEATURES, efficientnet
from unmask.nn.heads import reset_head, under_net
from unmask.types import InputSpec

_IMAGENET_CLASSES = 1000


def _from_timm(path: Path) -> dict[str, Tensor]:
    """A state dict of timm's network; an ImageNet head is replaced by zeros."""
    state = read_tensors(path)
    reset_head(state, "classifier", _IMAGENET_CLASSES, 1)
    return under_net(state, "classifier")


CARD = Card(
    name="efficientnet_b3",
    summary="EfficientNet-B3 on single face crops, started from ImageNet.",
    paper=Paper(
        title="Spatio-temporal Features for Generalized Detection of Deepfake Videos",
        authors="Ipek Ganiyusufoglu, L. Minh Ngô, Nedko Savov, Sezer Karaoglu, Theo Gevers",
        venue="arXiv",
        year=2020,
        url="https://arxiv.org/abs/2010.11844",
        differences=(
            "Network: timm's, which pads symmetrically. TensorFlow's weights, which most PyTorch "
            "files of 2020 hold, need the padding of TensorFlow and do not fit.",
            "Stochastic depth: none, as the paper names dropout of 0.3 alone.",
            "Faces: CenterFace, tracked and smoothed; the paper uses dlib and FAN, drops boxes "
            "that do not overlap with their neighbors and sizes 10 medians off the median.",
            "Augmentation: the paper's flip and one of eight; how strong it is is ours, as the "
            "paper does not say, and the crop is a box that moves more.",
            *TRAINING_DIFFERENCES,
            "Start: at random, unless an imported ImageNet file is given, as in the paper. Its "
            "head is replaced by zeros instead of random numbers.",
            "Video: mean of the frames' logits; the paper averages probabilities.",
            "Embedding: the 1536 numbers before the last layer, which the paper shows by t-SNE.",
        ),
    ),
    compared_in=("Spatio-Temporal",),
    verified="not verified against the authors' code: none is public; as many parameters as in its "
    "table A.5",
    input=InputSpec(
        region="face",
        margin=1.4,
        size=(224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        frames=1,
        fps=3.0,
    ),
    recipe=IMAGE_RECIPE,
    weights=(
        Weights(
            tag="imagenet",
            license="Apache-2.0",
            trained_on="ImageNet (timm's efficientnet_b3_ra2-cf984f9c.pth): a start for training, "
            "not a detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_timm,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.conv_head",
    aggregate="mean",
    starts_from="imagenet",
)


@detector(CARD)
class EfficientNetB3(nn.Module):
    """Timm's EfficientNet-B3, global average, dropout, and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.net = efficientnet("b3")
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(B3_FEATURES, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W), normalized as for ImageNet; the embedding is (B, 1536)."""
        embedding = self.net(clips.squeeze(2))
        logit = self.head(self.dropout(embedding)).squeeze(1)
        return Output(logit=logit, embedding=embedding)
