"""Made-up scored copies for tests of ``unmask.calibrate``."""

from __future__ import annotations

import numpy as np

from unmask.calibrate.copies import Copies
from unmask.calibrate.intervals import ScoredVideos

CONDITIONS = {"": (300.0, 0.1), "compression 5": (300.0, 0.01), "half_size": (140.0, 0.5)}


def copies(
    shift: float = 2.0,
    *,
    sources: int = 6,
    each: int = 3,
    seed: int = 0,
    members: int = 1,
    conditions: tuple[str, ...] = ("",),
    codec: str = "h264",
) -> Copies:
    """Of each source ``each`` real videos and as many forgeries, ``shift`` higher, in each copy."""
    rng = np.random.default_rng(seed)
    rows = []
    for source in range(sources):
        for number in range(2 * each):
            label = number % 2
            for condition in conditions:
                logit = rng.normal(size=members) + shift * label
                face_px, bits = CONDITIONS[condition]
                tool = f"tool {source % 2}" if label else ""
                rows.append((f"{source}/{number}.mp4", f"s{source}", tool, condition, codec))
                rows[-1] += (float(label), logit, face_px, bits)  # type: ignore[assignment]
    columns = list(zip(*rows, strict=True))
    return Copies(*(np.array(column) for column in columns))


def videos(*rows: tuple[str, str, float | None]) -> ScoredVideos:
    """Each row: source, tool (empty: a real video), logit (None: nothing could decide)."""
    return ScoredVideos(
        np.array([float(bool(tool)) for _, tool, _ in rows]),
        np.array([np.nan if logit is None else logit for _, _, logit in rows]),
        np.array([source for source, _, _ in rows]),
        np.array([tool for _, tool, _ in rows]),
        np.array([f"{number}.mp4" for number in range(len(rows))]),
    )


def drawn(shift: float, seed: int = 0, sources: int = 12) -> ScoredVideos:
    """Of each source two real videos and two forgeries, ``shift`` higher, by A and by B."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(sources):
        place = random.normal()
        for tool in ("", "", "A" if number % 2 else "B", "A" if number % 2 else "B"):
            rows.append((f"s{number}", tool, place + random.normal() + shift * bool(tool)))
    return videos(*rows)
