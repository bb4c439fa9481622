"""EfficientNet-B3 on every frame, a GRU over its features: the paper's second sequence baseline.

Ganiyusufoglu et al. 2020 build it after Sabir et al. (CVPR Workshops 2019), on their trained
image baseline, whose last blocks are trained further. What differs is listed in the card.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from unmask.detectors.card import Card, Output
from unmask.detectors.registry import detector
from unmask.detectors.shared.sequence import (
    HIDDEN,
    SEQUENCE_DIFFERENCES,
    SEQUENCE_RECIPE,
    sequence_weights,
)
from unmask.detectors.shared.spatio_temporal import INPUT, PAPER
from unmask.nn.efficientnet import B3_FEATURES, efficientnet
from unmask.nn.frames import features_of_frames
from unmask.nn.recurrent import run_recurrent


def _new() -> nn.Module:
    return EfficientNetB3BiGRU()


CARD = Card(
    name="efficientnet_b3_bigru",
    summary="EfficientNet-B3 on each of 16 frames of a face, 5 seconds, then a GRU both ways.",
    paper=replace(
        PAPER,
        differences=(
            *SEQUENCE_DIFFERENCES,
            "GRU: 1024 states in each direction. Dropout is of 0.5, which the paper does not give.",
            "Last step: the GRU's output at the last frame, as the paper says, whose backward half "
            "has seen that frame alone.",
            "Frozen: the first layer and the first 20 blocks. The paper counts 25 blocks; the "
            "network has 26, so 6 are trained, and the last convolution.",
            "Embedding: the 2048 numbers before the last layer, which the paper shows by t-SNE.",
        ),
    ),
    compared_in=("Spatio-Temporal",),
    verified="not verified against the authors' code: none is public; as many parameters as in its "
    "table A.5",
    input=INPUT,
    # The stages hold 2, 3, 3, 5, 5, 6 and 2 blocks.
    recipe=SEQUENCE_RECIPE.changed(
        {
            "freeze": (
                "net.conv_stem",
                "net.bn1",
                *(f"net.blocks.{stage}" for stage in range(5)),
                "net.blocks.5.0",
                "net.blocks.5.1",
            )
        }
    ),
    weights=sequence_weights(_new, last="head"),
    outputs=("embedding",),
    cam_layer="net.conv_head",
    aggregate="mean",
    args={"dropout": 0.5},
    frame_context=0,
    starts_from="image_detector",
)


@detector(CARD)
class EfficientNetB3BiGRU(nn.Module):
    """EfficientNet-B3, a one-layer GRU in both directions, one linear layer on its last output.

    Args:
        dropout: behind the GRU.
    """

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        self.net = efficientnet("b3")
        self.gru = nn.GRU(B3_FEATURES, HIDDEN, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * HIDDEN, 1)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, 2048)."""
        return self.classify(self.frame_features(clips))

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """Features (B, T, 1536) of clips (B, 3, T, H, W), each frame by itself."""
        return features_of_frames(self.net, clips, context)

    def classify(self, features: Tensor) -> Output:
        """Scores of the features (B, T, 1536) of clips."""
        outputs, _ = run_recurrent(self.gru, features)
        embedding = outputs[:, -1]
        return Output(logit=self.head(self.dropout(embedding)).squeeze(1), embedding=embedding)
