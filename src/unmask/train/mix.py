"""Which kinds of forgery a recipe mixes, by which codecs they go, and who is pasted on whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unmask.detectors import Recipe
from unmask.errors import DataError, MissingDependencyError, UsageError
from unmask.forgeries import FaceClip, deliver, get_kind
from unmask.forgeries.kinds.cross_blend import landmark_distances
from unmask.prepare import FaceSequence

_POOL = 4000
_LOOKED_AT = 100
"""Faces of other people among which the one with the nearest landmarks is taken."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Names and how often each is drawn; the shares sum to 1."""

    names: tuple[str, ...]
    shares: tuple[float, ...]

    def draw(self, rng: np.random.Generator) -> str:
        """One name."""
        return self.names[int(rng.choice(len(self.names), p=self.shares))]


def mix_of(recipe: Recipe, frames: int) -> Shares | None:
    """The kinds of forgery that a recipe mixes; None if it names none.

    Args:
        recipe: with a ``mix``.
        frames: of the detector's clips.

    Raises:
        UnknownNameError: an unknown kind; the message lists the known ones.
        UsageError: shares that are none, a kind that needs longer clips, or no ``synthesize``.
    """
    if not recipe.synthesis.mix:
        return None
    if recipe.synthesis.kind != "self_blend":
        raise UsageError(
            f"Cannot mix kinds of forgery with synthesize={recipe.synthesis.kind!r}: expected "
            "self_blend. Add --set synthesize=self_blend, or leave the mix out."
        )
    for name in recipe.synthesis.mix:
        least = get_kind(name).least_frames
        if frames < least:
            raise UsageError(
                f"Cannot mix in {name}: it needs clips of at least {least} frames, this detector "
                f"takes {frames}. Leave it out, or set input.frames={least} or more."
            )
    return _shares("mix", recipe.synthesis.mix)


def codecs_of(recipe: Recipe) -> Shares | None:
    """The codecs and ways that samples go by after all; None if the recipe names none.

    Raises:
        UnknownNameError: an unknown way; the message lists the known ones.
        UsageError: shares that are none, or twins, which have their own compression.
        MissingDependencyError: PyAV has no encoder for it.
    """
    if not recipe.synthesis.codecs:
        return None
    for name, share in recipe.synthesis.codecs.items():
        reason = deliver.missing_reason(name)
        if reason and share:
            raise MissingDependencyError(
                f"Cannot code by {name}: {reason}. Leave it out of the codecs, or install PyAV "
                "from its wheels (pip install av)."
            )
    if recipe.sampling.twins:
        raise UsageError(
            f"Cannot use codecs with twins={recipe.sampling.twins!r}: they are compressed already, "
            "twice. Leave one of the two out."
        )
    return _shares("codecs", recipe.synthesis.codecs)


def check_mix(recipe: Recipe, frames: int) -> None:
    """Refuses a mix or codecs that could not be drawn from, see ``mix_of`` and ``codecs_of``."""
    mix_of(recipe, frames)
    codecs_of(recipe)


def _shares(key: str, given: Mapping[str, float]) -> Shares:
    values = [float(share) for share in given.values()]
    total = math.fsum(values)
    if not all(math.isfinite(v) and v >= 0 for v in values) or not total > 0:
        raise UsageError(
            f"Cannot draw by {key}={dict(given)!r}: expected shares of 0 or more, not all 0."
        )
    return Shares(tuple(given), tuple(value / total for value in values))


class People:
    """Real faces of one split, among which another person with like landmarks is found."""

    def __init__(self, sequences: Sequence[FaceSequence], seed: int) -> None:
        real = [sequence for sequence in sequences if not sequence.label]
        if len(real) > _POOL:
            chosen = np.random.default_rng(seed).choice(len(real), _POOL, replace=False)
            real = [real[int(number)] for number in sorted(chosen)]
        self._real = real
        if not any(not _is_same(s, real[0]) for s in real):
            raise DataError(
                "Cannot blend across people: the data hold real faces of one person alone. Give "
                "more real files, or leave cross_blend out of the mix."
            )

    @cached_property
    def _points(self) -> NDArray[np.float32]:
        return np.stack([sequence.landmarks_px[0] for sequence in self._real])

    def like(
        self, sequence: FaceSequence, face: FaceClip, rng: np.random.Generator
    ) -> FaceSequence:
        """Of some other people's faces the one whose landmarks are nearest.

        Never a face of the same file, nor of a file that shares an identity or a source with it.
        If nobody else is found among those looked at, everybody is looked at.
        """
        order = rng.permutation(len(self._real))
        others: list[int] = []
        for number in order:
            if not _is_same(self._real[int(number)], sequence):
                others.append(int(number))
            if len(others) == _LOOKED_AT:
                break
        distances = landmark_distances(face.landmarks_px[0], self._points[others])
        return self._real[others[int(distances.argmin())]]


def _is_same(sequence: FaceSequence, other: FaceSequence) -> bool:
    if sequence.group == other.group:
        return True
    ours, theirs = sequence.video, other.video
    if set(ours.identities) & set(theirs.identities):
        return True
    return any(
        getattr(ours, key) and (ours.dataset, getattr(ours, key)) == (theirs.dataset, value)
        for key, value in (("source_id", theirs.source_id), ("subject", theirs.subject))
    )
