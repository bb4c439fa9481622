"""Makes docs/report.png: the top of the report on the demo clip.

    python scripts/report_picture.py [-o FILE]

It runs ``unmask demo`` and photographs its HTML report with a headless browser: Chromium, Chrome
or the program that ``--browser`` names. The demo's face is a NASA portrait in the public domain.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

OUT = Path(__file__).resolve().parent.parent / "docs" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
MOST_BYTES = 300_000
_WIDTH_PX, _HEIGHT_PX, _COLORS = 1000, 2005, 256


def photograph(browser: str, page: Path, picture: Path) -> None:
    """Writes the top of an HTML page as PNG."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = f"--window-size={_WIDTH_PX},{_HEIGHT_PX}"
    command = [browser, *options, size, f"--screenshot={picture}", page.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True)


def reduce(picture: Path, out: Path) -> int:
    """Writes the picture with fewer colors; returns its size in bytes."""
    with Image.open(picture) as image:
        image.convert("RGB").quantize(_COLORS).save(out, optimize=True)
    return out.stat().st_size


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Make docs/report.png.")
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    parser.add_argument("--browser", default=next(filter(shutil.which, BROWSERS), None))
    options = parser.parse_args(arguments)
    if options.browser is None:
        parser.error(f"no browser found ({', '.join(BROWSERS)}). Name one with --browser.")
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "unmask", "demo", "-o", folder]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
        picture = Path(folder) / "report.png"
        photograph(options.browser, Path(folder) / "demo.html", picture)
        size = reduce(picture, options.out)
    print(f"{options.out}: {size:,} bytes")
    return int(size > MOST_BYTES)


if __name__ == "__main__":
    raise SystemExit(main())
