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


class Quality(NamedTuple):
    """Bits per pixel and frame (None: unknown) and the codec, as ``VideoInfo`` names it."""

    bits: float | None
    codec: str


Known = dict[tuple[str, str], Quality]
"""By the path of a score's key and its condition."""


def qualities(
    rows: Sequence[LabelledVideo],
    root: Path | None,
    conditions: Sequence[str],
    cache: Path,
    say: Callable[[str], None] = lambda line: None,
) -> Known:
    """Of every row under every condition; a copy that is not known yet is encoded for it.

    The cache is trusted as long as the original has the size that it had.
    """
    stored = json.loads(cache.read_text()) if cache.is_file() else {}
    found: Known = {}
    for row in rows:
        path = key_of(row, root, "", "").path
        for text in conditions:
            size = row.path.stat().st_size if row.path.is_file() else 0
            name = f"{path}|{text}|{size}"
            if name not in stored:
                stored[name] = list(_measured(row, path, text))
                say(f"bits per pixel: {path} {text or 'as it is'} {stored[name]}")
                cache.parent.mkdir(parents=True, exist_ok=True)
                cache.write_text(json.dumps(stored, indent=0) + "\n")
            found[path, text] = Quality(*stored[name])
    return found


def _measured(row: LabelledVideo, path: str, text: str) -> Quality:
    try:
        with Condition(text).video(row.path, seed_of(row.dataset, path)) as copy:
            info = probe(copy)
            return Quality(bits_per_pixel(info), info.codec)
    except MediaError:
        return Quality(None, "")
