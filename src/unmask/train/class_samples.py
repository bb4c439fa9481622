"""Samples of a pretraining: clips with the number of their class, made on the fly.

As in ``samples``, every number seeds its own draw: a killed run goes on with what it would have
had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.detectors import Recipe
from unmask.errors import DataError, UsageError
from unmask.prepare import FaceSequence
from unmask.train.augment import change_of
from unmask.train.clip import augment_alike, cut_clip, read_clip, working_size
from unmask.types import InputSpec


class ClassBatch(NamedTuple):
    """Samples as a loader gives them, B in a batch.

    ``pixels`` (B, T, H, W, C) uint8; ``label`` (B,) int64, the number of the class; ``item``
    (B,), the number of the item.
    """

    pixels: Tensor
    label: Tensor
    item: Tensor


class ClassSamples(Dataset[ClassBatch]):
    """One clip for every item.

    With ``sampling="stratified"`` one file after the other is visited, in an order of its own in
    every epoch; with ``balanced`` a class is drawn, then one of its files.

    Args:
        sequences: stored faces; their videos bear the class in ``method``.
        classes: in the order of their numbers.
        spec: what the network sees.
        recipe: says how items are drawn and augmented.
        seed: of everything random.
        is_checking: visits all files, without augmentation.

    Raises:
        UsageError: a ``sampling`` or ``augment`` that classes do not have.
        DataError: there is no face.
    """

    def __init__(
        self,
        sequences: Sequence[FaceSequence],
        classes: Sequence[str],
        spec: InputSpec,
        recipe: Recipe,
        seed: int,
        *,
        is_checking: bool = False,
    ) -> None:
        if not sequences:
            raise DataError(
                "The data hold no face for one of the splits train and val; both are needed. "
                "Give more data, or --validation."
            )
        if recipe.sampling.kind == "pairs":
            raise UsageError(
                "Cannot use sampling='pairs': pretraining has classes, not pairs of real and fake. "
                "Use 'balanced' (all classes equally) or 'stratified' (every file once)."
            )
        self._sequences, self._spec, self._seed = list(sequences), spec, seed
        self._change = change_of(None if is_checking else recipe.sampling.augment)
        self._label_of = {name: number for number, name in enumerate(classes)}
        files: dict[int, list[FaceSequence]] = {}
        for sequence in sequences:
            files.setdefault(sequence.group, []).append(sequence)
        self._files = list(files.values())
        by_class: dict[str, list[list[FaceSequence]]] = {}
        for file in self._files:
            by_class.setdefault(file[0].video.method, []).append(file)
        self._by_class = [by_class[name] for name in sorted(by_class)]
        self._is_balanced = recipe.sampling.kind == "balanced" and not is_checking
        self._count = len(self._files)
        if recipe.schedule.steps_per_epoch is not None and not is_checking:
            self._count = (
                recipe.schedule.steps_per_epoch
                * recipe.sampling.batch_size
                * recipe.optimizer.accumulate
            )

    @property
    def clips_per_item(self) -> int:
        """Always 1."""
        return 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> ClassBatch:
        rng = np.random.default_rng([self._seed, number])
        change = self._change.draw(rng)
        file = self._file(number, rng)
        sequence = file[int(rng.integers(len(file)))]
        clip = read_clip(sequence, self._spec.frames, rng)
        clip = working_size(clip, rng) if change.has_sizes else clip
        (clip,) = augment_alike([clip], rng, change.pixels)
        is_flipped = bool(change.flip) and float(rng.random()) < change.flip
        cut = cut_clip(clip, self._spec, change, rng, is_flipped=is_flipped)
        return ClassBatch(
            pixels=torch.from_numpy(cut.pixels)[None],
            label=torch.tensor([self._label_of[sequence.video.method]]),
            item=torch.tensor([number]),
        )

    def _file(self, number: int, rng: np.random.Generator) -> list[FaceSequence]:
        if self._is_balanced:
            files = self._by_class[int(rng.integers(len(self._by_class)))]
            return files[int(rng.integers(len(files)))]
        visit, place = divmod(number, len(self._files))
        order = np.random.default_rng([self._seed, 1, visit]).permutation(len(self._files))
        return self._files[int(order[place])]
