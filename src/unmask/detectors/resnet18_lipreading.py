"""ResNet-18 that learned lip reading, on single frames: what the mouth's look alone can tell.

A row of LipForensics' table 5 (Haliassos et al., "Lips Don't Lie", CVPR 2021): a stem without
depth in time and no temporal network behind it, so that no motion is seen. What differs from
the paper is listed in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from torch import nn

from unmask.detectors.card import Ablation, Card
from unmask.detectors.registry import detector
from unmask.detectors.shared.lip_reading import (
    DIFFERENCES,
    INPUT,
    PAPER,
    READING_DIFFERENCES,
    RECIPE,
    MouthClassifier,
    reading_pretraining,
    without_time,
)
from unmask.nn.lip_reading import ActivationName, LipFeatures, LipReader


def _lip_reader(args: Mapping[str, object], words: int) -> nn.Module:
    """The network that learns to read lips: as the paper has it, with an MS-TCN behind it."""
    return LipReader(words, cast(ActivationName, args["activation"]), stem_frames=1)


CARD = Card(
    name="resnet18_lipreading",
    summary="Single mouth pictures, 25 averaged, seen by a ResNet-18 that learned lip reading.",
    paper=replace(
        PAPER,
        differences=(
            "Code: the authors publish none for this row of table 5. The layers and their order "
            "are those of their LipForensics, which agrees with their code; the row itself is not "
            "verified against the authors' code.",
            "Average: that of the 512 numbers of the frames, before one linear layer; the paper "
            "does not say how the frames become one score.",
            "Finetuning: of the whole network, as table 5 has it, by LipForensics' recipe.",
            *DIFFERENCES,
            "Start: at random, unless lip reading was pretrained; its MS-TCN is then left "
            "out, and the head is 0, so that every logit is 0 until trained. No file of this "
            "network is published.",
            *READING_DIFFERENCES,
        ),
    ),
    compared_in=("LipForensics",),
    verified="not verified against the authors' code: none is public for this row",
    input=INPUT,
    recipe=RECIPE,
    outputs=("embedding",),
    cam_layer="features.trunk.layer4",
    aggregate="mean",
    args={"activation": "prelu"},
    pretraining={"lipreading": reading_pretraining(_lip_reader, without_time)},
    frame_context=0,
    ablations=(Ablation(row="full", tables=("lipforensics/table5",), pretraining="lipreading"),),
)


@detector(CARD)
class ResNet18LipReading(MouthClassifier):
    """Features of single frames, their mean, and a linear layer.

    Args:
        activation: ``prelu`` or ``swish``.
    """

    def __init__(self, activation: ActivationName = "prelu") -> None:
        super().__init__(LipFeatures(activation, stem_frames=1, is_temporal=False))
