"""LipForensics: does the mouth move as a speaking mouth does?

A network that learned lip reading looks at 25 gray mouth pictures; all but its temporal part
stays as it was, so it cannot fall for traces of one forgery tool (Haliassos et al., "Lips Don't
Lie", CVPR 2021). What differs from the paper is listed in the card.
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
    WORDS,
    MouthClassifier,
    reading_pretraining,
    reads_words,
)
from unmask.errors import UsageError
from unmask.nn.heads import reset_head
from unmask.nn.lip_reading import ActivationName, LipFeatures, LipReader, from_published

_STEM_FRAMES = (1, 3, 5)


def _from_published(path: Path) -> dict[str, Tensor]:
    """The authors' file, or a lip-reading file as a start: its head of 500 words becomes 0."""
    state = from_published(read_pickle(path), "prelu", str(path))
    reset_head(state, "head", WORDS, 1)
    return state


def _lip_reader(args: Mapping[str, object], words: int) -> nn.Module:
    """The network that learns to read lips, for the detector's arguments."""
    return LipReader(
        words,
        cast(ActivationName, args["activation"]),
        cast(int, args["stem_frames"]),
        cast(bool, args["is_temporal"]),
    )


def _from_lip_reader(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A trained lip reader as a start: its head becomes 0, as with a published file."""
    ours = dict(state)
    reset_head(ours, "head", len(ours["head.bias"]), 1)
    return ours


CARD = Card(
    name="lipforensics",
    summary="Mouth movements over 25 frames, seen by a lip-reading network.",
    paper=replace(
        PAPER,
        differences=(
            *DIFFERENCES,
            "Start: at random, unless weights are given: pretrained to read lips, or an imported "
            "lip-reading file. Their head is replaced by zeros, so that every logit is 0 until "
            "trained; the authors draw it at random.",
            *READING_DIFFERENCES,
        ),
    ),
    compared_in=("LipForensics",),
    fixtures=("lipforensics.json", "lipforensics_alignment.json"),
    verified="fixture, of the network and of the mouth crop; no published file available",
    input=INPUT,
    recipe=RECIPE.changed({"freeze": ("features.frontend", "features.trunk")}),
    weights=(
        Weights(
            tag="ff",
            license="MIT",
            trained_on="FaceForensics++ c23, all four methods; before that LRW (lip reading): "
            "the authors' lipforensics_ff.pth",
            importer=_from_published,
        ),
        Weights(
            tag="lrw",
            license=LICENSE,
            trained_on="LRW (lip reading; PReLU variant of 2020): a start for training, not a "
            "detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_published,
            is_non_commercial=True,
            licensor=LICENSOR,
            recognizes=reads_words,
        ),
    ),
    outputs=("embedding",),
    cam_layer="features.trunk.layer4",
    aggregate="mean",
    args={"activation": "prelu", "stem_frames": 5, "is_temporal": True},
    pretraining={"lipreading": reading_pretraining(_lip_reader, _from_lip_reader)},
    frame_context=2,
    starts_from="lrw",
    ablations=(
        Ablation(
            row="scratch",
            tables=(
                *("lipforensics/table1", "lipforensics/table2", "lipforensics/table6"),
                "lipforensics/figure5-left",
            ),
            settings=("freeze=()",),
            starts_from="",
        ),
        Ablation(
            row="whole",
            tables=(
                *("lipforensics/table1", "lipforensics/table2", "lipforensics/table5"),
                *("lipforensics/table6", "lipforensics/figure5-left"),
            ),
            settings=("freeze=()",),
        ),
        Ablation(
            row="full",
            tables=(
                *("lipforensics/table1", "lipforensics/table2", "lipforensics/table5"),
                *("lipforensics/table6", "lipforensics/figure5-left"),
            ),
        ),
    ),
)


@detector(CARD)
class LipForensics(MouthClassifier):
    """Features of lip reading and a linear layer.

    Args:
        activation: ``prelu`` or ``swish`` (lip-reading files since 2022).
        stem_frames: frames that the first convolution sees; 1 for the paper's plain ResNet-18.
        is_temporal: whether the MS-TCN follows; without it the frames' features are averaged.

    Raises:
        UsageError: the first convolution would see more frames than the card says, or not as
            many before a frame as behind it.
    """

    def __init__(
        self,
        activation: ActivationName = "prelu",
        stem_frames: int = 5,
        is_temporal: bool = True,
    ) -> None:
        if stem_frames not in _STEM_FRAMES:
            raise UsageError(
                f"Cannot build a stem of {stem_frames} frames: expected one of "
                f"{', '.join(map(str, _STEM_FRAMES))}. Give stem_frames one of these."
            )
        super().__init__(LipFeatures(activation, stem_frames, is_temporal))
