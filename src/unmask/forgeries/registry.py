"""How a kind of forgery makes itself known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material

Maker = Callable[[FaceClip, np.random.Generator, Material], list[ForgedFrame]]
"""Forges a clip whose landmarks do not tremble: one forged frame for each of its frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of pseudo-forgery.

    Attributes:
        name: as recipes and the command line take it.
        summary: what it looks like, in one line.
        make: makes it.
        least_frames: that a clip must have; 1 serves pictures too.
        needs_person: whether another person is needed.
        moment_share: how often another moment of the same person should be offered, if any.
    """

    name: str
    summary: str
    make: Maker
    least_frames: int = 1
    needs_person: bool = False
    moment_share: float = 0.0


REGISTERED: dict[str, Kind] = {}
"""All kinds registered so far; read ``unmask.forgeries.kinds.KINDS``, which loads every file."""


def kind(
    summary: str,
    *,
    name: str | None = None,
    least_frames: int = 1,
    needs_person: bool = False,
    moment_share: float = 0.0,
) -> Callable[[Maker], Maker]:
    """Registers what it decorates as a kind of forgery.

    Args:
        summary: see ``Kind``.
        name: None takes the function's.
        least_frames: see ``Kind``.
        needs_person: see ``Kind``.
        moment_share: see ``Kind``.

    Raises:
        ValueError: the name is taken.
    """

    def register(make: Maker) -> Maker:
        own = name or make.__name__
        if own in REGISTERED:
            raise ValueError(f"Two kinds of forgery are named {own}.")
        REGISTERED[own] = Kind(
            name=own,
            summary=summary,
            make=make,
            least_frames=least_frames,
            needs_person=needs_person,
            moment_share=moment_share,
        )
        return make

    return register
