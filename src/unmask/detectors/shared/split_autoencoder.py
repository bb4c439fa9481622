"""What ForensicTransfer and its descendant share where their papers are not at hand."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from unmask.detectors.card import Output, Target
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.types import InputSpec

INPUT = InputSpec(
    region="face",
    margin=1.3,
    size=(256, 256),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    frames=1,
    fps=3.0,
)

DIFFERENCES = (
    "Recipe: Adam at 1e-3, batches of 64, at most 100 epochs, ended by 30 without better "
    "validation accuracy; no augmentation; both classes equally often. Frames (three a second), "
    "crop (1.3 x the box) and start (at random) are ours.",
    "Video: the mean logit of the frames. Embedding: the mean of each of the 128 latent maps.",
)


def recipe_with(loss: Callable[[Output, Target], Tensor], *, needs_masks: bool) -> Recipe:
    """The recipe, for a detector with a training loss of its own."""
    return Recipe(
        loss=loss,
        optimizer=Optimizer(kind="adam", learning_rate=1e-3),
        schedule=Schedule(epochs=100, patience=30, monitor="accuracy"),
        sampling=Sampling(batch_size=64, needs_masks=needs_masks),
    )
