"""``unmask explain``: what a detector's score of a video rests on, as pictures and a video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.evaluate_inputs import find_weights
from unmask.cli.printing import one_line, show_note
from unmask.cli.progress import show_progress
from unmask.errors import UsageError

_Path = Annotated[
    Path,
    typer.Argument(
        metavar="VIDEO",
        help="A video, a picture, or a folder with the frames of one video.",
        show_default=False,
    ),
]
_Detector = Annotated[
    str | None,
    typer.Option(
        "--detector", "-d", metavar="NAME", help="See: unmask list. Else the one that scans."
    ),
]
_Weights = Annotated[
    str | None,
    typer.Option("--weights", "-w", metavar="NAME=TAG|FILE", help="Other weights for it."),
]
_Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        metavar="NAME",
        help="occlusion, grad_cam, time, order, or a map of the detector's own such as fer_cam. "
        "Repeatable; without it, all that apply.",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="The folder to make; else VIDEO-DETECTOR."),
]
_At = Annotated[
    float | None,
    typer.Option(
        "--at", metavar="SECONDS", help="The clip shown then, instead of the highest score."
    ),
]
_Face = Annotated[
    int | None,
    typer.Option("--face", metavar="N", min=1, help="This face alone, as reports number it."),
]
_Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        metavar="PX",
        help="Edge of the gray square; else a sixth of a picture, a quarter of a clip.",
    ),
]
_Stride = Annotated[
    int | None,
    typer.Option("--stride", metavar="PX", help="From place to place; else half the edge."),
]
_Seed = Annotated[int, typer.Option(metavar="N", help="Of the frames that are disturbed.")]
_Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the network runs.")]


def explain(
    path: _Path,
    detector: _Detector = None,
    weights: _Weights = None,
    methods: _Methods = None,
    out: _Out = None,
    at: _At = None,
    face: _Face = None,
    size: _Size = None,
    stride: _Stride = None,
    seed: _Seed = 0,
    device: _Device = "cpu",
) -> None:
    """Show where, when and in which order of frames a detector sees a forgery in a video."""
    from unmask.detectors import default_detectors, load_detector
    from unmask.explain import explain as make

    names = default_detectors() if detector is None else [detector]
    if len(names) != 1:
        raise UsageError(f"Cannot explain {len(names)} detectors at once. Name one with -d.")
    chosen = find_weights([weights] if weights else [])
    for other in chosen.keys() - {names[0]}:
        raise UsageError(
            f"Cannot use -w '{weights}': {names[0]} is explained, not {other}. "
            f"Give {names[0]}=TAG or {names[0]}=FILE."
        )
    net = load_detector(names[0], chosen.get(names[0]), device)
    with show_progress(path, "scanning") as progress:
        made = make(
            path,
            net,
            out or Path(f"{path.absolute().stem}-{names[0]}"),
            methods=methods,
            device=device,
            at_s=at,
            face=face,
            size_px=size,
            stride_px=stride,
            seed=seed,
            progress=progress,
            report=show_note,
        )
    for file in made.files:
        print(one_line(str(file)))
