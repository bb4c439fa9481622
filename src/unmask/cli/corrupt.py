"""``unmask corrupt``: a copy of a video with one corruption at one severity."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.printing import one_line, show_note
from unmask.cli.progress import show_progress

_Path = Annotated[
    Path,
    typer.Argument(
        metavar="VIDEO", help="A video, or a folder with its frames.", show_default=False
    ),
]
_Kind = Annotated[
    str,
    typer.Option(
        "--kind",
        "-k",
        metavar="NAME",
        help="saturation, contrast, block, noise, blur, pixelation or compression.",
        show_default=False,
    ),
]
_Severity = Annotated[
    int,
    typer.Option(
        "--severity", "-s", metavar="1..5", help="From mild to strong.", show_default=False
    ),
]
_Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="The copy: .mp4, .mkv, .mov or .m4v.",
        show_default=False,
    ),
]
_Seed = Annotated[
    int, typer.Option(metavar="N", help="Of everything random; give every video its own.")
]
_Jumping = Annotated[
    bool, typer.Option("--jumping", help="Draw the blocks anew for every frame (kind block).")
]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]


def corrupt(
    path: _Path,
    kind: _Kind,
    severity: _Severity,
    out: _Out,
    seed: _Seed = 0,
    jumping: _Jumping = False,
    overwrite: _Overwrite = False,
    as_json: _AsJson = False,
) -> None:
    """Write a corrupted copy of a video, as the robustness protocol does. The video is only read.

    The copy is H.264: nearly lossless (CRF 10), or the CRF of the severity for compression.
    It has no sound.
    """
    from unmask.evaluate import corrupt_video

    with show_progress(path, kind) as progress:
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
        print(json.dumps({**asdict(done), "path": str(done.path)}, indent=2))
    else:
        print(one_line(str(done.path)))
