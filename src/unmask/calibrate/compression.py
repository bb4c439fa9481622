"""How strongly each copy of a video is compressed, kept in a file so that none is made twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from unmask.errors import MediaError
from unmask.evaluate.condition import Condition, seed_of
from unmask.evaluate.score_videos import key_of
from unmask.media.probe import probe
from unmask.types import LabelledVideo
from unmask.verdict.quality import bits_per_pixel


class Compression(NamedTuple):
    """Bits per pixel and frame (None: unknown) and the codec, as ``VideoInfo`` names it."""

    bits: float | None
    codec: str


CompressionOf = tuple[str, str]
"""The path of a score's key and its condition: which copy is meant."""


def measure_compression(
    rows: Sequence[LabelledVideo],
    root: Path | None,
    conditions: Sequence[str],
    cache: Path,
    report: Callable[[str], None] = lambda line: None,
) -> dict[CompressionOf, Compression]:
    """How strongly every row is compressed under every condition.

    Args:
        rows: the videos.
        root: that paths are noted relative to, as in ``evaluate``.
        conditions: see ``unmask.evaluate.condition``; a copy that is not known yet is encoded.
        cache: JSON file of what is known; trusted as long as the original keeps its size.
        report: hears a line for each copy that is measured.
    """
    stored = json.loads(cache.read_text()) if cache.is_file() else {}
    found: dict[CompressionOf, Compression] = {}
    for row in rows:
        path = key_of(row, root, "", "").path
        size = row.path.stat().st_size if row.path.is_file() else 0
        for condition in conditions:
            name = f"{path}|{condition}|{size}"
            if name not in stored:
                stored[name] = list(_measured(row, path, condition))
                report(f"bits per pixel: {path} {condition or 'as it is'} {stored[name]}")
                cache.parent.mkdir(parents=True, exist_ok=True)
                cache.write_text(json.dumps(stored, indent=0) + "\n")
            found[path, condition] = Compression(*stored[name])
    return found


def _measured(row: LabelledVideo, path: str, condition: str) -> Compression:
    try:
        with Condition(condition).video(row.path, seed_of(row.dataset, path)) as copy:
            info = probe(copy)
            return Compression(bits_per_pixel(info), info.codec)
    except MediaError:
        return Compression(None, "")
