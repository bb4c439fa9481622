"""What the two MesoNets share: the paper, the crop, the recipe and where the files lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from unmask.checkpoints.pickle_file import read_tensors
from unmask.detectors.card import Output, Paper, Target, Weights
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.shared import deepfakebench
from unmask.errors import WeightsError
from unmask.types import InputSpec

_URL = "https://raw.githubusercontent.com/DariusAf/MesoNet/2144d56a30e48cdcac1976ff13a1c5cdc86376c6"


def _loss(output: Output, target: Target) -> Tensor:
    """Mean squared error of the probability, as the authors train."""
    return functional.mse_loss(torch.sigmoid(output.logit), target.label)


PAPER = Paper(
    title="MesoNet: a Compact Facial Video Forgery Detection Network",
    authors="Darius Afchar, Vincent Nozick, Junichi Yamagishi, Isao Echizen",
    venue="IEEE International Workshop on Information Forensics and Security (WIFS)",
    year=2018,
    url="https://arxiv.org/abs/1809.00888",
    code="https://github.com/DariusAf/MesoNet",
    differences=(
        "Polarity: the published sigmoid says P(real); the logit here is its negative, above 0 "
        "for fake. The loss is the same either way.",
        "Crop: the authors cut a square of 2.2 x 1.3 times the larger of eye distance and "
        "eye-mouth distance, upright by the eye-mouth line, around the nose, reflecting the "
        "border. Here it is 1.0 x the longest side of the CenterFace box (about the same on "
        "portraits; compared by hand, not kept), upright by the eye line, around the mean of the "
        "five landmarks, repeating the border.",
        "Frames: three a second instead of about 30 spread over the video.",
        "Video: mean of the frame logits; the paper averages the probabilities, the code "
        "counts the share of frames above one half.",
        "Training: batches of 76 and cosine decay from 1e-3 to 0; the paper lowers the rate in "
        "steps and adds small zooms, rotations, flips and changes of brightness and hue, "
        "which are left out here.",
        "Embedding: the 16 numbers of the first dense layer before its activation; the "
        "authors have none.",
    ),
)

INPUT = InputSpec(
    region="face",
    align="similarity",
    margin=1.0,
    size=(256, 256),
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    frames=1,
    fps=3.0,
)

RECIPE = Recipe(
    loss=_loss,
    optimizer=Optimizer(kind="adam", learning_rate=1e-3),
    schedule=Schedule(kind="cosine"),
    sampling=Sampling(batch_size=76),
)


def refuse_port(path: Path) -> None:
    """Refuses a file of the PyTorch port, which is another network of the same name.

    Raises:
        WrongVariantError: it is one.
    """
    if path.suffix.lower() not in (".pt", ".pth"):
        return
    try:
        state = deepfakebench.without_backbone(read_tensors(path))
    except WeightsError:
        return  # Whoever reads it next says why.
    if {"bn1.weight", "fc1.weight", "fc2.weight"} <= state.keys():
        deepfakebench.refuse(
            path,
            found="the PyTorch port of MesoNet (MesoNet-Pytorch, DeepfakeBench), which has no "
            "biases in its convolutions, shares batch norms between layers and has two classes",
            expected="the authors' Keras network",
            give="their .h5 file, such as Meso4_DF.h5",
        )


def published(
    tag: str,
    file: str,
    *,
    sha256: str,
    size_bytes: int,
    importer: Callable[[Path], Mapping[str, Tensor]],
) -> Weights:
    """The entry of one of the authors' four files; ``tag`` is ``df`` or ``f2f``."""
    trained_on = {
        "df": "Deepfakes collected by the authors from video sites",
        "f2f": "Face2Face of FaceForensics",
    }
    return Weights(
        tag=tag,
        url=f"{_URL}/weights/{file}",
        sha256=sha256,
        size_bytes=size_bytes,
        license="Apache-2.0",
        trained_on=trained_on[tag],
        polarity="published output near 1 means real; inverted here",
        importer=importer,
    )
