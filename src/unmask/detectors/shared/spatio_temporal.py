"""What the video networks share: the paper that made detectors of them, its input and recipe."""

from __future__ import annotations

from torch import Tensor

from unmask.detectors.card import Ablation, Output, Paper, Target
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.losses import binary_loss
from unmask.types import InputSpec


def _loss(output: Output, target: Target) -> Tensor:
    return binary_loss(output.logit, target.label)


PAPER = Paper(
    title="Spatio-temporal Features for Generalized Detection of Deepfake Videos",
    authors="Ipek Ganiyusufoglu, L. Minh Ngô, Nedko Savov, Sezer Karaoglu, Theo Gevers",
    venue="arXiv",
    year=2020,
    url="https://arxiv.org/abs/2010.11844",
)
"""Without differences: each network adds its own to those below."""

TRAINING_DIFFERENCES = (
    "Training: weight decay spares biases and norms. It ends after 15 epochs without a lower "
    "validation loss, or after 100; Ganiyusufoglu et al. stop when the loss diverges, overfits or "
    "stabilizes. Rates fall on plateaus, one of their two schedules.",
    "Epoch: as many pairs of a real and a fake clip as clips are kept (of each person 12 "
    "moments or 8 sequences, spread over the video); they draw one clip of every video.",
)

DIFFERENCES = (
    "Faces: CenterFace, tracked and smoothed; the paper uses dlib and FAN, drops boxes "
    "that do not overlap with their neighbors and sizes 10 medians off the median.",
    "Short videos: the last frame is repeated, and a clip with under 80 % real frames is "
    "dropped; the paper loops the video.",
    "Windows: no overlap, as the paper has it on FaceForensics++; on DFDC it moves by 2 "
    "frames (--set input.hop=2).",
    "Video: mean of the windows' logits; the paper averages probabilities.",
    "Augmentation: the paper's flip and one of eight; how strong it is is ours, as the paper "
    "does not say, and the crop is a box that moves more.",
    *TRAINING_DIFFERENCES,
)

INPUT = InputSpec(
    region="face",
    margin=1.4,
    size=(224, 224),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    frames=16,
    fps=3.0,
    hop=16,
)

RECIPE = Recipe(
    loss=_loss,
    optimizer=Optimizer(kind="adam", learning_rate=1e-5, weight_decay=1e-7),
    schedule=Schedule(epochs=100, kind="plateau", patience=15, monitor="negative_loss"),
    sampling=Sampling(
        batch_size=4, augment="one_of_eight", cycle_methods=True, clips_anywhere=True
    ),
)

IMAGE_RECIPE = RECIPE.changed({"learning_rate": 1e-4, "weight_decay": 1e-5, "batch_size": 8})
"""Of the image classifiers that the paper compares with."""

DOWNSAMPLING = (
    Ablation(row="full", tables=("spatio_temporal/section3",)),
    Ablation(
        row="downsampled",
        tables=("spatio_temporal/section3",),
        settings=("temporal_downsampling=true",),
    ),
)
"""With and without the strides in time that the paper removes (section 3.1)."""
