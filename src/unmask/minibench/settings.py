"""What a miniature benchmark is made with, and the sentence that goes with it everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from unmask.errors import UsageError

FORMAT: Final = 1
"""Of ``minibench.json`` and of an unfinished build; a build of another format is not continued."""

SENTENCE: Final = "It measures machinery and trends, not field accuracy."

COMPRESSIONS: Final[Mapping[str, int]] = MappingProxyType({"raw": 0, "c23": 23, "c40": 40})
"""Folder of a compression -> rate factor of x264. ``raw`` is c0: H.264 without loss of its own."""

KINDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "whole_face_blend": 1,
        "inner_face_blend": 5,
        "mouth_swap_in_time": 2,
        "landmark_warp": 3,
        "re_rendering": 4,
    }
)
"""Kind of forgery -> number of its stream of random draws, beside the source's seed.

Every one takes pixels of its own clip alone and leaves the real frames as they are.
"""

ORIGINALS: Final = "own"
"""Folder of the real videos below ``original_sequences``."""

OTHER: Final = "other"
"""Folder of the second tree, and the name of its part."""

MAIN: Final = "main"

_OTHER_SHARE: Final = 0.625
_SMALLEST_SIZE_PX, _LARGEST_SIZE_PX = 128, 4096
_SHORTEST_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of a build; the defaults are the small setting.

    Attributes:
        videos: real videos of the first tree, at most.
        other: real videos of the second tree, at most; 0 leaves it out.
        seconds: length of every clip.
        size_px: longest side of the first tree's videos; smaller ones are not enlarged.
        seed: of everything random.
    """

    videos: int = 12
    other: int = 4
    seconds: float = 3.0
    size_px: int = 320
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("videos", self.videos, 3, 10_000),
            ("other videos", self.other, 0, 10_000),
            ("seconds", self.seconds, _SHORTEST_S, 600),
            ("pixels", self.size_px, _SMALLEST_SIZE_PX, _LARGEST_SIZE_PX),
        ):
            if not least <= value <= most:
                raise UsageError(
                    f"Cannot build a miniature benchmark of {value:g} {what}: expected "
                    f"{least:g} to {most:g}."
                )
        if self.seed < 0:
            raise UsageError(
                f"Cannot build a miniature benchmark with seed {self.seed}: expected 0 or more."
            )

    def longest_px(self, part: str) -> int:
        """Longest side of the videos of a part: the second tree has smaller faces."""
        return self.size_px if part == MAIN else round(self.size_px * _OTHER_SHARE)

    @property
    def least_videos(self) -> int:
        """So many are needed: one for each split, and one for the second tree."""
        return 3 + (1 if self.other else 0)
