"""EfficientNet-B3 on every frame, an LSTM over its features: the paper's first sequence baseline.

Ganiyusufoglu et al. 2020 build it after Güera and Delp (AVSS 2018), on their trained and frozen
image baseline. What differs from the paper is listed in the card.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from unmask.detectors.card import Ablation, Card, Output
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
    return EfficientNetB3LSTM()


CARD = Card(
    name="efficientnet_b3_lstm",
    summary="EfficientNet-B3 on each of 16 frames of a face, 5 seconds, then a two-layer LSTM.",
    paper=replace(
        PAPER,
        differences=(
            *SEQUENCE_DIFFERENCES,
            "LSTM: 1024 states in each layer; then linear layers to 512, 256 and 1. Both dropouts "
            "are of 0.5, which the paper does not give.",
            "Embedding: the 256 numbers before the last layer, which the paper shows by t-SNE.",
        ),
    ),
    compared_in=("Spatio-Temporal",),
    verified="not verified against the authors' code: none is public; as many parameters as in its "
    "table A.5",
    input=INPUT,
    recipe=SEQUENCE_RECIPE.changed({"freeze": ("net",)}),
    weights=sequence_weights(_new, last="head.5"),
    outputs=("embedding",),
    cam_layer="net.conv_head",
    aggregate="mean",
    args={"dropout": 0.5},
    frame_context=0,
    starts_from="image_detector",
    ablations=(
        Ablation(row="hop2", tables=("spatio_temporal/table4",), settings=("input.hop=2",)),
    ),
)


@detector(CARD)
class EfficientNetB3LSTM(nn.Module):
    """EfficientNet-B3, a two-layer LSTM in one direction, three linear layers on its last state.

    Args:
        dropout: behind the LSTM, and before the second linear layer.
    """

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        self.net = efficientnet("b3")
        self.lstm = nn.LSTM(B3_FEATURES, HIDDEN, num_layers=2, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(
            nn.Linear(HIDDEN, 512),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Linear(256, 1),
        )

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, T, H, W), normalized as for ImageNet; the embedding is (B, 256)."""
        return self.classify(self.frame_features(clips))

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """Features (B, T, 1536) of clips (B, 3, T, H, W), each frame by itself."""
        return features_of_frames(self.net, clips, context)

    def classify(self, features: Tensor) -> Output:
        """Scores of the features (B, T, 1536) of clips."""
        outputs, _ = run_recurrent(self.lstm, features)
        embedding = self.head[:-1](self.dropout(outputs[:, -1]))
        return Output(logit=self.head[-1](embedding).squeeze(1), embedding=embedding)
