"""``unmask demo``: makes a clip whose manipulated half is known, and scans it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.outputs import Reports, check_target, writable
from unmask.cli.terminal import show, show_summary, video_progress

app = typer.Typer()

_NAME = "demo.mp4"
_STORY = (
    "The clip shows Eileen Collins (NASA portrait, public domain). From 0 to {half:g} s the "
    "picture is untouched; from {half:g} to {whole:g} s the face is manipulated: a coarser, "
    "warmer copy of it is blended over it."
)

_Out = Annotated[Path, options.out("DIR", "Folder for clip and reports. Default: unmask-demo.")]


@app.command("demo")
def demo(out: _Out = Path("unmask-demo"), overwrite: options.Overwrite = False) -> None:
    """Make a clip, half untouched and half manipulated, and scan it. Needs no other file."""
    clip = out / _NAME
    check_target(clip, overwrite=overwrite)
    reports = Reports(out, [clip], overwrite=overwrite)
    with writable(out):
        from unmask import demo_clip
        from unmask.pipeline.scan import scan

        demo_clip.write_demo_clip(clip, overwrite=overwrite)
        with video_progress(clip, _NAME) as progress:
            verdict = scan(clip, progress=progress)
        report = reports.write(0, verdict)
    show(_STORY.format(half=demo_clip.HALF_S, whole=2 * demo_clip.HALF_S))
    show_summary(verdict)
    show(f"  Clip: {clip}")
    show(f"  Report: {report}")
