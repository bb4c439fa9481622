"""ResNet-18 behind a stem of five frames, from lip reading: how the mouth moves for an instant.

A row of LipForensics' table 5 (Haliassos et al., "Lips Don't Lie", CVPR 2021), there called
ResNet-3D/2D: LipForensics without the network that looks at the whole clip. What differs from
the paper is listed in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_pickle
from unmask.detectors.card import Ablation, Card, Weights
from unmask.detectors.registry import detector
from unmask.detectors.shared.lip_reading import (
    DIFFERENCES,
    INPUT,
    LICENSE,
    LICENSOR,
    PAPER,
    READING_DIFFERENCES,
    RECIPE,
    MouthClassifier,
    reading_pretraining,
    reads_words,
    without_time,
)
from unmask.nn.lip_reading import ActivationName, LipFeatures, LipReader, from_published


def _from_published(path: Path) -> dict[str, Tensor]:
    """Stem and trunk of a lip-reading file, or of LipForensics', where they stayed as they were."""
    return without_time(from_published(read_pickle(path), "prelu", str(path)))


def _lip_reader(args: Mapping[str, object], words: int) -> nn.Module:
    """The network that learns to read lips: LipForensics' own, with an MS-TCN behind it."""
    return LipReader(words, cast(ActivationName, args["activation"]))


_START = "none: the MS-TCN is left out and the head is 0, so every logit is 0 until trained"

CARD = Card(
    name="resnet3d_lipreading",
    summary="Mouth movements of five frames at a time, seen by a network that learned lip reading.",
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
            "Start: at random, unless weights are given: pretrained to read lips, or an imported "
            "file of lip reading or of LipForensics, whose MS-TCN is left out. The head is 0, so "
            "that every logit is 0 until trained; the authors draw it at random.",
            *READING_DIFFERENCES,
        ),
    ),
    compared_in=("LipForensics",),
    fixtures=("lipforensics.json",),
    verified="parts: stem and trunk; the row is not verified against the authors' code: none is "
    "public for it",
    input=INPUT,
    recipe=RECIPE,
    weights=(
        Weights(
            tag="lrw",
            license=LICENSE,
            trained_on="LRW (lip reading; PReLU variant of 2020): a start for training, not a "
            "detector",
            polarity=_START,
            importer=_from_published,
            is_non_commercial=True,
            licensor=LICENSOR,
            recognizes=reads_words,
        ),
        Weights(
            tag="ff",
            license="MIT",
            trained_on="LRW (lip reading): stem and trunk in the authors' lipforensics_ff.pth, "
            "which were frozen when that was trained: a start for training, not a detector",
            polarity=_START,
            importer=_from_published,
        ),
    ),
    outputs=("embedding",),
    cam_layer="features.trunk.layer4",
    aggregate="mean",
    args={"activation": "prelu"},
    pretraining={"lipreading": reading_pretraining(_lip_reader, without_time)},
    frame_context=2,
    starts_from="lrw",
    ablations=(Ablation(row="full", tables=("lipforensics/table5",)),),
)


@detector(CARD)
class ResNet3DLipReading(MouthClassifier):
    """Features of frames, each seen with two on either side, their mean, and a linear layer.

    Args:
        activation: ``prelu`` or ``swish``.
    """

    def __init__(self, activation: ActivationName = "prelu") -> None:
        super().__init__(LipFeatures(activation, stem_frames=5, is_temporal=False))
