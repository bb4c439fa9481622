"""Makes docs/corruptions.png: every corruption at every severity, as LipForensics, figure 3.

    python scripts/corruption_sheet.py [-o FILE]

The face is ``skimage.data.astronaut()``, a NASA portrait in the public domain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.data import astronaut

from unmask.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from unmask.types import Pixels

OUT = Path(__file__).resolve().parent.parent / "docs" / "corruptions.png"
# The face in the portrait, and how much of it a tile shows, in native pixels.
TOP, LEFT, TILE = 44, 148, 144
GAP, LABEL, HEAD = 4, 96, 24
FRAMES = 12


def sheet() -> Image.Image:
    """One row for each kind; the first column is untouched."""
    portrait = astronaut()[..., :3]
    # Compression needs motion: the portrait slides by a pixel from frame to frame.
    clip = np.stack([np.roll(portrait, i - FRAMES // 2, axis=1) for i in range(FRAMES)])
    width = LABEL + (1 + len(SEVERITIES)) * (TILE + GAP)
    page = Image.new("RGB", (width, HEAD + len(CORRUPTIONS) * (TILE + GAP)), "white")
    heads = ["untouched", *(f"severity {s}" for s in SEVERITIES)]
    for column, head in enumerate(heads):
        _write(page, LABEL + column * (TILE + GAP), 4, head)
    for row, kind in enumerate(CORRUPTIONS):
        top = HEAD + row * (TILE + GAP)
        _write(page, 4, top + TILE // 2 - 8, kind)
        tiles = [clip, *(corrupt(clip, kind, severity) for severity in SEVERITIES)]
        for column, frames in enumerate(tiles):
            page.paste(_tile(frames[FRAMES // 2]), (LABEL + column * (TILE + GAP), top))
    return page


def _tile(frame: Pixels) -> Image.Image:
    return Image.fromarray(frame[TOP : TOP + TILE, LEFT : LEFT + TILE])


def _write(page: Image.Image, x: int, y: int, text: str) -> None:
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(page).text((x, y), text, fill="black", font=font)


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Make docs/corruptions.png.")
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    sheet().save(given.out, optimize=True)
    print(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
