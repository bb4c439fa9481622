"""What is done to a video or its clips before they are scored, as a value with a stable text.

``blur 3`` corrupts the video's frames (a kind of ``unmask.corruptions`` and a severity), as
LipForensics, table 3; ``flip_1`` changes the order of frames in every clip (one of
``unmask.clips.ORDERS``), as the spatio-temporal paper, table 4; ``half_size`` halves the video's
width and height. ``first 110`` takes the first frames
alone, also after another condition (``blur 3, first 110``). The empty text is no change.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from unmask.clips import ORDERS, reorder
from unmask.corruptions import CORRUPTIONS, SEVERITIES
from unmask.errors import UnknownNameError
from unmask.evaluate.corrupt_video import corrupt_video
from unmask.evaluate.halve_video import halve_video
from unmask.pipeline.scan import ChangeClip
from unmask.types import InputSpec

CORRUPTED: Final = tuple(f"{kind} {severity}" for kind in CORRUPTIONS for severity in SEVERITIES)
"""Conditions of a video, from ``unmask.corruptions``."""

HALF_SIZE: Final = "half_size"
"""The condition of a video at half its width and height."""

GROUPS: Final = {"all-corruptions": CORRUPTED, "all-orders": ORDERS}
"""Short words for several conditions; as they are the videos stand in every one of them."""


_FIRST = re.compile(r"(?:(.+), )?first ([1-9]\d*)")


def split_condition(text: str) -> tuple[str, int | None]:
    """What is done to a video, and how many of its first frames count.

    >>> split_condition("blur 3, first 110"), split_condition("blur 3")
    (('blur 3', 110), ('blur 3', None))
    """
    found = _FIRST.fullmatch(text)
    return (found[1] or "", int(found[2])) if found else (text, None)


def first_frames(text: str, count: int | None) -> str:
    """The condition of a text on the first frames of each video; None: on all of them.

    >>> first_frames("blur 3", 110), first_frames("", 110), first_frames("blur 3", None)
    ('blur 3, first 110', 'first 110', 'blur 3')
    """
    change = split_condition(text)[0]
    return ", ".join(filter(None, (change, f"first {count}" if count else "")))


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; ``text`` is what tells its scores from others.

    Raises:
        UnknownNameError: there is no such condition; the message lists the known ones.
    """

    text: str = ""

    def __post_init__(self) -> None:
        if self.change not in ("", HALF_SIZE, *CORRUPTED, *ORDERS):
            kinds = ", ".join(CORRUPTIONS)
            raise UnknownNameError(
                f"Unknown condition {self.text!r}. Known: a corruption and its severity from 1 to "
                f"5 as in 'blur 3' ({kinds}); an order of frames ({', '.join(ORDERS)}); "
                f"{HALF_SIZE}; the first frames as in 'first 110' or 'blur 3, first 110'."
            )

    @property
    def change(self) -> str:
        """What is done to the video or its clips; empty: nothing."""
        return split_condition(self.text)[0]

    @property
    def frames(self) -> int | None:
        """How many frames from the start count; None: all."""
        return split_condition(self.text)[1]

    @property
    def is_order(self) -> bool:
        """Whether it changes clips, not the video."""
        return self.change in ORDERS

    def missing_reason(self, spec: InputSpec) -> str | None:
        """Why a detector with this input cannot be scored so; None if it can."""
        if not self.is_order:
            return None
        needed = max(2, *(int(word) for word in self.change.split("_") if word.isdigit()), 0)
        if spec.frames >= needed:
            return None
        return (
            f"{self.change} needs clips of at least {needed} frames, its clips have {spec.frames}"
        )

    def change_clip(self, seed: int) -> ChangeClip | None:
        """What changes each clip; None where the clips stay as they are."""
        return partial(reorder, order=self.change, seed=seed) if self.is_order else None

    @contextmanager
    def video(self, path: Path, seed: int) -> Iterator[Path]:
        """The video to score: a changed copy that is deleted again, else the video itself.

        Raises:
            MediaError: the video cannot be read.
            OutputError: the copy cannot be written.
        """
        if not self.change or self.is_order:
            yield path
            return
        kind, _, severity = self.change.partition(" ")
        with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
            copy = Path(folder) / "corrupted.mp4"
            if self.change == HALF_SIZE:
                halve_video(path, copy)
            else:
                corrupt_video(path, copy, kind, int(severity), seed=seed)
            yield copy


def seed_of(dataset: str, path: str) -> int:
    """A seed for a video: the same on every machine, another one for every video.

    It does not depend on the condition: a corruption that grows with the severity covers what it
    covered before.

    Args:
        dataset: the video's data set.
        path: of the video, relative to the data set's root.
    """
    digest = hashlib.sha256(f"{dataset}/{path}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def find_conditions(words: Sequence[str], frames: int | None = None) -> tuple[str, ...]:
    """Conditions by their texts or by the words of ``GROUPS``, each once, in order.

    Args:
        words: the texts.
        frames: only so many first frames of a video count; None: as the texts say.

    Raises:
        UnknownNameError: there is no such condition.
    """
    texts = [
        text for word in words for text in (("", *GROUPS[word]) if word in GROUPS else (word,))
    ]
    if frames is not None:
        texts = [first_frames(text, frames) for text in texts]
    return tuple(dict.fromkeys(Condition(text).text for text in texts))
