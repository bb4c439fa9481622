"""LipForensics: does the mouth move as a speaking mouth does?

A network that learned lip reading looks at 25 gray mouth pictures; all but its temporal part
stays as it was, so it cannot fall for traces of one forgery tool (Haliassos et al., "Lips Don't
Lie", CVPR 2021). What differs from the paper is listed in the card.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from unmask.detectors._card import Ablation, Card, Output, Paper, Recipe, Stage, Target, Weights
from unmask.detectors._import import read_pickle
from unmask.detectors._registry import detector
from unmask.errors import UsageError
from unmask.losses import binary_loss, lip_reading_loss
from unmask.nn.heads import reset_head
from unmask.nn.lip_reading import ActivationName, LipFeatures, LipReader, from_published
from unmask.types import InputSpec

_LRW_WORDS = 500
_STEM_FRAMES = (1, 3, 5)


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


def _from_published(path: Path) -> dict[str, Tensor]:
    """The authors' file, or a lip-reading file as a start: its head of 500 words becomes 0."""
    state = from_published(read_pickle(path), "prelu", str(path))
    reset_head(state, "head", _LRW_WORDS, 1)
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


_INPUT = InputSpec(
    region="mouth",
    align="similarity",
    margin=0.61,
    size=(88, 88),
    load_size=(96, 96),
    color="gray",
    mean=(0.421,),
    std=(0.165,),
    frames=25,
    fps=25.0,
    hop=25,
    landmarks=68,
)

_LIP_READING = Stage(
    summary="Lip reading: which of 500 words does a mouth say?",
    layout="lrw",
    # LRW's clips have 29 frames; all else is the detector's own cut.
    input=dataclasses.replace(_INPUT, frames=29, hop=29),
    # The settings of the lip-reading code that the paper takes its network from.
    recipe=Recipe(
        loss=_loss,
        optimizer="adamw",
        learning_rate=3e-4,
        weight_decay=0.01,
        batch_size=32,
        epochs=80,
        patience=80,
        schedule="cosine",
        augment="crop_flip_and_time_mask",
        mixup=0.4,
        sampling="stratified",
        monitor="accuracy",
    ),
    build=_lip_reader,
    loss=lip_reading_loss,
    into=_from_lip_reader,
)

CARD = Card(
    name="lipforensics",
    summary="Mouth movements over 25 frames, seen by a lip-reading network.",
    paper=Paper(
        title="Lips Don't Lie: A Generalisable and Robust Approach to Face Forgery Detection",
        authors="Alexandros Haliassos, Konstantinos Vougioukas, Stavros Petridis, Maja Pantic",
        venue="CVPR",
        year=2021,
        url="https://arxiv.org/abs/2012.07657",
        code="https://github.com/ahaliassos/LipForensics",
        differences=(
            "Mouth crop: the authors' chain, exactly, where a source of 68 points is installed: "
            "FAN (package face-alignment, the picture not mirrored as well), around the boxes of "
            "CenterFace, where the authors name RetinaFace's; its weights were not at hand to "
            "measure what that changes. A person's frames are smoothed up to a gap of over half a "
            "second or a shot cut; people seen for under 12 frames are smoothed over what there "
            "is, where the authors' code fails.",
            "Without that source, and for a clip in one of whose frames the chain does not work "
            "(where the authors' code stops too: the mouth's square lies more than 5 "
            "px outside the aligned frame; or it would read beyond the pixels kept around the "
            "face): from five points, without smoothing: turned by the eye line, centered "
            "between the mouth corners (the authors: the mean of the lips' 20 points), 0.61 x the "
            "longest side of the CenterFace box. That gives the paper's scale, 96 px where the "
            "mean face's eye centers are 53.5 px apart, at the median over 433 photographs, whose "
            "eyes are 0.341 box sides apart. Outside the frame this crop repeats the border; the "
            "authors' is black there. The report says that five points served.",
            "Rate: 25 frames a second, to which videos of another rate are resampled; the authors "
            "take consecutive frames at any rate.",
            "Videos: the mean logit of all clips without overlap, as in the authors' code, which "
            "takes at most the first 110 frames on FaceForensics++. A video of under 25 frames "
            "repeats its last one, if at least 80 % of the clip is real.",
            "Training: the paper's recipe, for at most 100 epochs; patience counts epochs without "
            "better validation loss. Clips are drawn from 8 sequences of each person, spread over "
            "the video; the paper takes its first 270 frames (prepare --frames 270 --sequences 1).",
            "Start: at random, unless weights are given: of the stage lipreading, or an imported "
            "lip-reading file. Their head is replaced by zeros, so that every logit is 0 until "
            "trained; the authors draw it at random.",
            "Lip reading: the paper takes a published network, the third generation of born-again "
            "distillation. The stage trains one generation (--teacher adds the next) by the "
            "defaults of the published code of today: AdamW, mixup, a time mask; weight decay "
            "spares biases and norms, the rate falls with every step instead of every epoch, and "
            "all words are cut from five or 68 points as for the detector.",
        ),
    ),
    input=_INPUT,
    recipe=Recipe(
        loss=_loss,
        optimizer="adam",
        learning_rate=2e-4,
        batch_size=32,
        epochs=100,
        patience=10,
        freeze=("features.frontend", "features.trunk"),
        augment="crop_and_flip",
        sampling="balanced",
        monitor="negative_loss",
    ),
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
            license="mpc001/Lipreading_using_Temporal_Convolutional_Networks: research only",
            trained_on="LRW (lip reading; PReLU variant of 2020): a start for training, not a "
            "detector",
            polarity="none: the head is replaced by zeros, so every logit is 0 until trained",
            importer=_from_published,
        ),
    ),
    outputs=("embedding",),
    cam_layer="features.trunk.layer4",
    aggregate="mean",
    args={"activation": "prelu", "stem_frames": 5, "is_temporal": True},
    stages={"lipreading": _LIP_READING},
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
            row="2d",
            tables=("lipforensics/table5",),
            settings=("stem_frames=1", "is_temporal=false", "freeze=()"),
            stage="lipreading",
        ),
        Ablation(
            row="3d2d",
            tables=("lipforensics/table5",),
            settings=("is_temporal=false", "freeze=()"),
            stage="lipreading",
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
class LipForensics(nn.Module):
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
        super().__init__()
        if stem_frames not in _STEM_FRAMES:
            raise UsageError(
                f"Cannot build a stem of {stem_frames} frames: expected one of "
                f"{', '.join(map(str, _STEM_FRAMES))}. Give stem_frames one of these."
            )
        self.features = LipFeatures(activation, stem_frames, is_temporal)
        self.head = nn.Linear(self.features.width, 1)

    def forward(self, clips: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Output:
        """Scores (B, 1, T, 88, 88); the embedding is (B, 768).

        Args:
            clips: gray mouth clips, normalized.
            lengths: (B,) frames of each clip that count; None: all T.
        """
        return self.classify(self.frame_features(clips), lengths)

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        """(B, 1, T, 88, 88) to (B, T, 512); a frame's depend on ``stem_frames // 2`` either side.

        Args:
            clips: as for ``forward``.
            context: frames at the start and at the end that serve the others alone and get no
                features.
        """
        return self.features.of_frames(clips, context)

    def classify(self, features: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Output:
        """Scores clips by their frames' features (B, T, 512); ``lengths`` as for ``forward``."""
        embedding = self.features.over_time(features, lengths)
        return Output(logit=self.head(embedding).squeeze(1), embedding=embedding)
