"""A small detector with a pretraining, importable by other processes, and data for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor, nn

from dataset_trees import encode
from unmask.detectors import Card, Output, Paper, Pretraining, Recipe, Target
from unmask.detectors.recipe import Optimizer, Sampling, Schedule
from unmask.losses import lip_reading_loss
from unmask.types import InputSpec, Pixels


def _loss(output: Output, target: Target) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(output.logit, target.label)


def _body(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(3, width, (1, 5, 5), (1, 4, 4)), nn.ReLU())


class Painter(nn.Module):
    """The detector."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.body = _body(width)
        self.head = nn.Linear(width, 1)

    def forward(self, clips: Tensor) -> Output:
        return Output(logit=self.head(self.body(clips).mean((2, 3, 4)))[:, 0])


class ColorReader(nn.Module):
    """The pretraining's network."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.body = _body(width)
        self.head = nn.Linear(width, classes)

    def forward(self, clips: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(clips).mean((2, 3, 4)))
        return logits


def _build(args: Mapping[str, object], classes: int) -> nn.Module:
    width = args["width"]
    assert isinstance(width, int)
    return ColorReader(width, classes)


def _into(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key.startswith("body.")}


_INPUT = InputSpec(size=(32, 32))
COLORS = Pretraining(
    summary="For tests.",
    layout="affectnet",
    input=_INPUT,
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="sgd", learning_rate=0.5, momentum=0.9),
        schedule=Schedule(epochs=2, steps_per_epoch=2, monitor="accuracy"),
        sampling=Sampling(batch_size=4, augment="flip"),
    ),
    build=_build,
    loss=lip_reading_loss,
    into=_into,
)
PAINTER = Card(
    name="painter",
    summary="For tests.",
    paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
    input=_INPUT,
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(learning_rate=0.0),
        schedule=Schedule(epochs=1, steps_per_epoch=1),
        sampling=Sampling(batch_size=4, augment="shared"),
    ),
    args={"width": 8},
    pretraining={"colors": COLORS, "moving": dataclasses.replace(COLORS, layout="lrw")},
)

TINTS = {"surprise": 0, "anger": 1, "happiness": 2}
"""Class -> the channel that is raised; not in the order of the alphabet."""


def tinted(picture: Pixels, channel: int) -> Pixels:
    raised = picture.astype(np.int64) // 2
    raised[..., channel] += 120
    return np.clip(raised, 0, 255).astype(np.uint8)


def write_expressions(root: Path, faces: list[Pixels], classes: Mapping[str, int] = TINTS) -> Path:
    """AffectNet's plain layout: the last face validates, the others train."""
    for name, channel in classes.items():
        for number, face in enumerate(faces):
            split = "val" if number == len(faces) - 1 else "train"
            path = root / split / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(tinted(face, channel)).save(path)
    return root


def write_words(root: Path, words: tuple[str, ...], frames: list[Pixels]) -> Path:
    """LRW's layout with real H.264: of every word one clip trains and one validates."""
    for number, word in enumerate(words):
        for split in ("train", "val"):
            path = root / "lipread_mp4" / word / split / f"{word}_00001.mp4"
            encode(path, [tinted(frame, number % 3) for frame in frames], 23)
    return root
