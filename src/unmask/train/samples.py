"""Training samples made on the fly: what a loader asks for by number, it gets by that number.

Every number seeds its own random draw, so a run that was killed goes on with the very samples
it would have had, on any number of workers.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.datasets import MEDIA_SUFFIXES, VIDEO_SUFFIXES
from unmask.detectors import Recipe
from unmask.errors import DataError, UsageError
from unmask.forgeries import KINDS, Augmentation, FaceClip, Forgery, Material, forge
from unmask.prepare import FaceSequence
from unmask.train.augment import change_of
from unmask.train.clip import (
    augment_alike,
    compressed_twice,
    cut_clip,
    deliver_alike,
    read_clip,
    rolled,
    scaled,
    working_size,
)
from unmask.train.mix import People, codecs_of, mix_of
from unmask.types import InputSpec

_FORGERIES = ("self_blend", "coarse_blend")


class Batch(NamedTuple):
    """Samples as a loader gives them, n in one item, B in a batch.

    ``pixels`` (n, T, H, W, C) uint8; ``label`` (n,), 1 = fake; ``mask`` (n, T, H, W) in 0..1;
    ``pair`` (n,), the number of the item; ``twin`` like ``pixels``, or None.
    """

    pixels: Tensor
    label: Tensor
    mask: Tensor
    pair: Tensor
    twin: Tensor | None = None


class Samples(Dataset[Batch]):
    """Clips of real and forged faces.

    An item is a pair: a real clip and a forged one. With ``synthesize`` the forged one is made
    of the real one; without, a random forgery of the data stands beside a random real face.
    With ``sampling="stratified"`` an item is one clip of one video, and an epoch visits every
    video.

    Args:
        sequences: stored faces.
        spec: the detector's input.
        recipe: says how items are drawn, forged and augmented.
        count: items in an epoch that the loader may number; any number works. The epochs of
            ``stratified`` follow from the videos instead.
        seed: of everything random.
        augment: takes the place of the recipe's.
        region: where to forge; None draws it for every pair.
        in_order: takes the stored real and fake faces one after the other instead of drawing them.

    Raises:
        UsageError: an unknown ``synthesize`` or ``augment``, a mix or codecs that do not fit.
        DataError: a class, the twins, or a second person to blend with are missing.
    """

    def __init__(
        self,
        sequences: Sequence[FaceSequence],
        spec: InputSpec,
        recipe: Recipe,
        count: int,
        seed: int,
        *,
        augment: Augmentation | None = None,
        region: str | None = None,
        in_order: bool = False,
    ) -> None:
        self._in_order = in_order
        self._sequences = list(sequences)
        self._spec, self._recipe, self._seed = spec, recipe, seed
        self._change, self._region = change_of(augment or recipe.sampling.augment), region
        if recipe.synthesis.kind not in (None, *_FORGERIES):
            known = ", ".join(_FORGERIES)
            raise UsageError(f"Unknown synthesize={recipe.synthesis.kind!r}. Known: {known}.")
        self._mix, self._codecs = mix_of(recipe, spec.frames), codecs_of(recipe)
        self._is_synthetic = recipe.synthesis.kind is not None
        self._kind = recipe.synthesis.kind or ""
        self._is_stratified = recipe.sampling.kind == "stratified"
        self._real = _by_file(self._sequences, 0)
        self._fake = _by_file(self._sequences, 1)
        self._methods = _by_method(self._sequences, self._fake)
        self._check()
        is_crossed = self._mix is not None and any(KINDS[n].needs_person for n in self._mix.names)
        self._people = People(self._sequences, seed) if is_crossed else None
        self._same_person: dict[tuple[int, int], list[FaceSequence]] = {}
        for sequence in self._sequences:
            person = (sequence.group, sequence.track)
            self._same_person.setdefault(person, []).append(sequence)
        sizes = zip(self._files, recipe.sampling.balance, strict=True)
        self._visits = [math.ceil(len(files) * times) for files, times in sizes]
        if self._is_synthetic:
            self._visits[1] = 0
        self._count = sum(self._visits) if self._is_stratified else count

    @property
    def _files(self) -> tuple[list[list[int]], list[list[int]]]:
        return self._real, self._fake

    def _check(self) -> None:
        if not self._real or not (self._is_synthetic or self._fake):
            raise DataError(
                f"The data hold {len(self._real)} real and {len(self._fake)} fake files with "
                "faces; both are needed. Put fake files below 'fake/', or train with "
                "--set synthesize=self_blend."
            )
        is_paired = self._is_synthetic or all(s.has_twins for s in self._sequences)
        if self._recipe.sampling.twins and not is_paired:
            raise DataError(
                "This detector learns from pairs of compression levels, but the data were "
                "prepared without them. Prepare both levels, or set twins=none."
            )

    @property
    def clips_per_item(self) -> int:
        """2 for a pair, 1 for a video of ``stratified``."""
        return 1 if self._is_stratified and not self._is_synthetic else 2

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self._seed, number])
        change = self._change.draw(rng)
        clips = self._clips(number, rng)
        if self._codecs is None:
            clips = augment_alike(clips, rng, change.pixels)
        else:  # They take the place of the augmentation's own codecs.
            pixels = dataclasses.replace(change.pixels, codec_shares=(1.0, 0.0, 0.0))
            clips = augment_alike(clips, rng, pixels)
            clips = deliver_alike(clips, self._codecs.draw(rng), rng)
        seed = int(rng.integers(2**32))
        is_flipped = bool(change.flip) and float(rng.random()) < change.flip
        cuts = [
            cut_clip(clip, self._spec, change, np.random.default_rng(seed), is_flipped=is_flipped)
            for clip in clips
        ]
        twins = [cut.twin for cut in cuts if cut.twin is not None]
        return Batch(
            pixels=torch.from_numpy(np.stack([cut.pixels for cut in cuts])),
            label=torch.tensor([float(clip.label) for clip in clips]),
            mask=torch.from_numpy(np.stack([cut.mask for cut in cuts])),
            pair=torch.full((len(clips),), number),
            twin=torch.from_numpy(np.stack(twins)) if twins else None,
        )

    def real_clips(self) -> Iterator[Tensor]:
        """A clip (T, H, W, C) uint8 of every stored real sequence, cut as in ``scan``.

        Nothing is augmented; the order is shuffled by the seed.
        """
        numbers = [number for file in self._real for number in file]
        plain = change_of(None)
        for at in np.random.default_rng([self._seed, 2]).permutation(len(numbers)):
            rng = np.random.default_rng([self._seed, 2, int(at)])
            clip = self._read_as_stored(self._sequences[numbers[at]], rng)
            cut = cut_clip(clip, self._spec, plain, rng, is_flipped=False)
            yield torch.from_numpy(cut.pixels)

    def group_of(self, number: int) -> int:
        """The file that an item's real clip comes from."""
        rng = np.random.default_rng([self._seed, number])
        self._change.draw(rng)
        return self._start(number, rng).group

    def _start(self, number: int, rng: np.random.Generator) -> FaceSequence:
        """The sequence that an item begins with."""
        if self._is_stratified:
            return self._any_of(self._visited(number), rng)
        return self._in_turn(0, number) if self._in_order else self._draw(self._real, rng)

    def _clips(self, number: int, rng: np.random.Generator) -> Sequence[FaceClip]:
        """One clip of an epoch's videos, or a real one and a forged one."""
        sequence = self._start(number, rng)
        real = self._read(sequence, rng)
        if self._is_synthetic:
            forged = self._forged(sequence, real, rng)
            twins = self._recipe.sampling.twins
            return [compressed_twice(c, twins) for c in forged] if twins else forged
        if self._is_stratified:
            return [real]
        if self._in_order:
            return [real, self._read(self._in_turn(1, number), rng)]
        is_cycling = self._recipe.sampling.cycle_methods
        fake = self._methods[number % len(self._methods)] if is_cycling else self._fake
        return [real, self._read(self._draw(fake, rng), rng)]

    def _forged(self, sequence: FaceSequence, real: FaceClip, rng: np.random.Generator) -> Forgery:
        """The real clip and a forgery of it, of a kind that is drawn where the recipe mixes."""
        name = self._kind if self._mix is None else self._mix.draw(rng)
        kind, person = KINDS[name], None
        other = self._other_moment(sequence, real, rng, kind.moment_share)
        if kind.needs_person and self._people is not None:
            stranger = self._people.like(sequence, real, rng)
            person = read_clip(stranger, self._spec.frames, rng)
            person = scaled(person, real.side_px / person.side_px)
        material = Material(moment=other, person=person, region=self._region)
        return forge(name, real, rng, material)

    def _read(self, sequence: FaceSequence, rng: np.random.Generator) -> FaceClip:
        clip = self._read_as_stored(sequence, rng)
        return working_size(clip, rng) if self._change.has_sizes else clip

    def _read_as_stored(self, sequence: FaceSequence, rng: np.random.Generator) -> FaceClip:
        has_twins = self._recipe.sampling.twins is not None and not self._is_synthetic
        return read_clip(sequence, self._spec.frames, rng, has_twins=has_twins)

    def _in_turn(self, label: int, number: int) -> FaceSequence:
        mine = [n for file in self._files[label] for n in file]
        return self._sequences[mine[number % len(mine)]]

    def _any_of(self, file: list[int], rng: np.random.Generator) -> FaceSequence:
        """A sequence of a file; a longer one as often as more clips begin in it."""
        starts = [max(1, len(self._sequences[n]) - self._spec.frames + 1) for n in file]
        if len(set(starts)) == 1:
            return self._sequences[file[int(rng.integers(len(file)))]]
        place = int(rng.integers(sum(starts)))
        return self._sequences[file[int(np.searchsorted(np.cumsum(starts), place, "right"))]]

    def _draw(self, files: list[list[int]], rng: np.random.Generator) -> FaceSequence:
        """A random face: a file first, so that every video is drawn alike, however long it is.

        A video is drawn twelve times as often as a photograph.
        """
        weights = np.array([1.0 if self._is_photograph(file) else 12.0 for file in files])
        return self._any_of(files[int(rng.choice(len(files), p=weights / weights.sum()))], rng)

    def _is_photograph(self, file: list[int]) -> bool:
        path = self._sequences[file[0]].video.path
        return self._spec.frames == 1 and path.suffix.lower() in MEDIA_SUFFIXES - VIDEO_SUFFIXES

    def _visited(self, number: int) -> list[int]:
        """The file that an epoch of ``stratified`` visits at this place."""
        epoch, place = divmod(number, self._count)
        order = np.random.default_rng([self._seed, 1, epoch]).permutation(self._count)
        at = int(order[place])
        is_fake = at >= self._visits[0]
        files = self._files[is_fake]
        at -= self._visits[0] if is_fake else 0
        # A broken balance visits another part in every epoch: the count goes on where it was.
        return files[(epoch * self._visits[is_fake] + at) % len(files)]

    def _other_moment(
        self, sequence: FaceSequence, face: FaceClip, rng: np.random.Generator, share: float
    ) -> FaceClip | None:
        """In a share of cases the same person at another time, at the face's working size."""
        if rng.random() > share:
            return None
        same = [s for s in self._same_person[sequence.group, sequence.track] if s is not sequence]
        if not same:
            return rolled(face, rng) if self._spec.frames > 1 else None
        other = read_clip(same[int(rng.integers(len(same)))], self._spec.frames, rng)
        return scaled(other, face.side_px / other.side_px)


def _by_file(sequences: Sequence[FaceSequence], label: int) -> list[list[int]]:
    files: dict[int, list[int]] = {}
    for number, sequence in enumerate(sequences):
        if sequence.label == label:
            files.setdefault(sequence.group, []).append(number)
    return list(files.values())


def _by_method(
    sequences: Sequence[FaceSequence], files: Sequence[list[int]]
) -> list[list[list[int]]]:
    methods: dict[str, list[list[int]]] = {}
    for file in files:
        methods.setdefault(sequences[file[0]].video.method, []).append(file)
    return [methods[name] for name in sorted(methods)]
