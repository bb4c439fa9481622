"""What the detectors that learned lip reading share: mouths, pretraining, recipe, and network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import rows_of
from unmask.detectors.card import Output, Paper, Pretraining, Target
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.losses import binary_loss, lip_reading_loss
from unmask.nn.lip_reading import LipFeatures
from unmask.types import InputSpec

INPUT = InputSpec(
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

PAPER = Paper(
    title="Lips Don't Lie: A Generalisable and Robust Approach to Face Forgery Detection",
    authors="Alexandros Haliassos, Konstantinos Vougioukas, Stavros Petridis, Maja Pantic",
    venue="CVPR",
    year=2021,
    url="https://arxiv.org/abs/2012.07657",
    code="https://github.com/ahaliassos/LipForensics",
)
"""Without differences: each detector adds its own to those below."""

DIFFERENCES = (
    "Mouth crop: the authors' chain, exactly, where a source of 68 landmarks is installed: "
    "FAN (package face-alignment, the picture not mirrored as well), around the boxes of "
    "CenterFace, where the authors name RetinaFace's; its weights were not available to "
    "measure what that changes. A person's frames are smoothed up to a gap of over half a "
    "second or a shot cut; people seen for under 12 frames are smoothed over what there "
    "is, where the authors' code fails.",
    "Without that source, and for a clip in one of whose frames the chain does not work "
    "(where the authors' code stops too: the mouth's square lies more than 5 "
    "px outside the aligned frame; or it would read beyond the pixels kept around the "
    "face): from five landmarks, without smoothing: turned by the eye line, centered "
    "between the mouth corners (the authors: the mean of the lips' 20 points), 0.61 x the "
    "longest side of the CenterFace box. That gives the paper's scale, 96 px where the "
    "mean face's eye centers are 53.5 px apart, at the median over 433 photographs, whose "
    "eyes are 0.341 box sides apart. Outside the frame this crop repeats the border; the "
    "authors' is black there. The report says that five landmarks served.",
    "Rate: 25 frames a second, to which videos of another rate are resampled; the authors "
    "take consecutive frames at any rate.",
    "Videos: the mean logit of all clips without overlap, as in the authors' code, which "
    "takes at most the first 110 frames on FaceForensics++. A video of under 25 frames "
    "repeats its last one, if at least 80 % of the clip is real.",
    "Training: the paper's recipe, for at most 100 epochs; patience counts epochs without "
    "better validation loss. Clips are drawn from 8 sequences of each person, spread over "
    "the video; the paper takes its first 270 frames (prepare --frames 270 --sequences 1).",
)

READING_DIFFERENCES = (
    "Lip reading: the paper takes a published network, the third generation of born-again "
    "distillation. The pretraining trains one generation (--teacher adds the next) by the "
    "defaults of the published code of today: AdamW, mixup, a time mask; weight decay "
    "spares biases and norms, the rate falls with every step instead of every epoch, and "
    "all words are cut from five or 68 landmarks as for the detector.",
)

LICENSE = "mpc001/Lipreading_using_Temporal_Convolutional_Networks: research only"
"""Of the published lip-reading weights."""

LICENSOR = "its authors (clauses 4 and 5 of that repository's license)"

WORDS = 500


def reads_words(path: Path) -> bool:
    """Whether a file is laid out as a lip reader: its last layer tells the words of LRW apart."""
    return WORDS in rows_of(path, "tcn_output")


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


RECIPE = Recipe(
    loss=_loss,
    optimizer=Optimizer(kind="adam", learning_rate=2e-4),
    schedule=Schedule(epochs=100, patience=10, monitor="negative_loss"),
    sampling=Sampling(batch_size=32, augment="crop_and_flip", kind="balanced"),
)
"""Of forgery finetuning, of the whole network; what is frozen is each detector's own."""


def reading_pretraining(
    build: Callable[[Mapping[str, object], int], nn.Module],
    into: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]],
) -> Pretraining:
    """Lip reading as pretraining; both arguments as in ``Pretraining``."""
    return Pretraining(
        summary="Lip reading: recognize which of 500 words a mouth says",
        layout="lrw",
        # LRW's clips have 29 frames; all else is the detector's own cut.
        input=dataclasses.replace(INPUT, frames=29, hop=29),
        # The settings of the lip-reading code that the paper takes its network from.
        recipe=Recipe(
            loss=_loss,
            optimizer=Optimizer(kind="adamw", learning_rate=3e-4, weight_decay=0.01),
            schedule=Schedule(epochs=80, patience=80, kind="cosine", monitor="accuracy"),
            sampling=Sampling(
                batch_size=32, augment="crop_flip_and_time_mask", mixup=0.4, kind="stratified"
            ),
        ),
        build=build,
        loss=lip_reading_loss,
        into=into,
    )


def without_time(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A lip reader's state dict without its MS-TCN, and with a head of one logit that is 0."""
    left_out = ("features.temporal.", "head.")
    ours = {key: value for key, value in state.items() if not key.startswith(left_out)}
    return ours | {"head.weight": torch.zeros(1, 512), "head.bias": torch.zeros(1)}


class MouthClassifier(nn.Module):
    """Features of lip reading and a linear layer; (B, 1, T, 88, 88) to one logit a clip.

    Args:
        features: what sees the mouths; its ``width`` is the embedding's.
    """

    def __init__(self, features: LipFeatures) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Linear(features.width, 1)

    def forward(self, clips: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Output:
        """Scores (B, 1, T, 88, 88); the embedding is (B, width).

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
