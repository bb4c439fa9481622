"""``unmask corrupt``: a copy of a video with one corruption at one severity."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show, show_json, show_note, video_progress
from unmask.corruptions import CORRUPTIONS

app = typer.Typer()

_Path = Annotated[
    Path,
    typer.Argument(metavar="VIDEO", help="Video, or folder with its frames.", show_default=False),
]
_Kind = Annotated[
    str,
    typer.Option(
        "--kind",
        "-k",
        metavar="NAME",
        help=f"One of: {', '.join(CORRUPTIONS)}.",
        show_default=False,
    ),
]
_Severity = Annotated[
    int,
    typer.Option(
        "--severity", "-s", metavar="1..5", help="From mild to strong.", show_default=False
    ),
]
_Out = Annotated[Path, options.out("FILE", "File to write: .mp4, .mkv, .mov or .m4v.")]
_Jumping = Annotated[
    bool, typer.Option("--jumping", help="Draw the blocks anew for every frame (kind block).")
]


@app.command("corrupt")
def corrupt(
    path: _Path,
    kind: _Kind,
    severity: _Severity,
    out: _Out,
    seed: options.Seed = 0,
    jumping: _Jumping = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Write a corrupted copy of a video, as the robustness protocol does. The video is only read.

    The copy is H.264: nearly lossless (CRF 10), or the CRF of the severity for compression.
    It has no sound.
    """
    from unmask.evaluate import corrupt_video

    with video_progress(path, kind) as progress:
        done = corrupt_video(
            path,
            out,
            kind,
            severity,
            seed=seed,
            jumping=jumping,
            overwrite=overwrite,
            progress=progress,
        )
    for note in done.notes:
        show_note(f"note: {note}")
    if as_json:
        show_json(asdict(done))
    else:
        show(done.path)
