"""``unmask demo``: makes a clip of which it is known what is forged, and scans it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.printing import show_summary
from unmask.cli.progress import show_progress
from unmask.cli.results import Results, check_target, writable

_NAME = "demo.mp4"
_STORY = (
    "The clip shows Eileen Collins (NASA portrait, public domain). From 0 to {half:g} s the "
    "picture is untouched; from {half:g} to {whole:g} s a part of the face is forged: a coarser, "
    "warmer copy of it is blended over it."
)

_Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for clip, reports.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


def demo(out: _Out = Path("unmask-demo"), overwrite: _Overwrite = False) -> None:
    """Make a clip, half untouched and half forged, and scan it; needs no file from outside."""
    clip = out / _NAME
    check_target(clip, overwrite=overwrite)
    results = Results(out, [clip], overwrite=overwrite)
    with writable(out):
        from unmask.cli.demo_clip import HALF_S, write_demo_clip
        from unmask.pipeline.scan import scan

        write_demo_clip(clip, overwrite=overwrite)
        with show_progress(clip, _NAME) as progress:
            verdict = scan(clip, progress=progress)
        report = results.write(0, verdict)
    print(_STORY.format(half=HALF_S, whole=2 * HALF_S))
    show_summary(verdict)
    print(f"  Clip: {clip}\n  Report: {report}")
