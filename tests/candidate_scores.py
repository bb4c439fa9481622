"""Made-up scores of candidates."""

from __future__ import annotations

import numpy as np
from benchmarks.candidates._pairs import Pairs
from benchmarks.candidates._scores import Videos


def videos(*rows: tuple[str, str, float | None]) -> Videos:
    """Each row: source, tool (empty: a real video), logit (None: nothing could decide)."""
    return Videos(
        np.array([float(bool(tool)) for _, tool, _ in rows]),
        np.array([np.nan if logit is None else logit for _, _, logit in rows]),
        np.array([source for source, _, _ in rows]),
        np.array([tool for _, tool, _ in rows]),
        np.array([f"{number}.mp4" for number in range(len(rows))]),
    )


def drawn(shift: float, seed: int = 0, sources: int = 12) -> Videos:
    """Of each source two real videos and two forgeries, ``shift`` higher, by A and by B."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(sources):
        place = random.normal()
        for tool in ("", "", "A" if number % 2 else "B", "A" if number % 2 else "B"):
            rows.append((f"s{number}", tool, place + random.normal() + shift * bool(tool)))
    return videos(*rows)


def pairs(shift: float, seed: int = 0, count: int = 48, *, has_masks: bool = True) -> Pairs:
    """Pairs of four sources."""
    random = np.random.default_rng(seed)
    real = random.normal(size=count)
    return Pairs(
        real,
        real + shift + random.normal(size=count),
        np.array([f"s{number % 4}" for number in range(count)]),
        random.random(count) if has_masks else None,
    )
