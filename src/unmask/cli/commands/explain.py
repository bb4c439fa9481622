"""``unmask explain``: what a detector's score of a video rests on, as pictures and a video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.outputs import check_new_folder
from unmask.cli.terminal import show, show_note, video_progress
from unmask.errors import UsageError

app = typer.Typer()

_Path = Annotated[
    Path,
    typer.Argument(
        metavar="VIDEO",
        help="Video, picture, or folder with the frames of one video.",
        show_default=False,
    ),
]
_Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        metavar="NAME",
        help="occlusion, grad_cam, time, order, or a map of the detector's own such as fer_cam. "
        "Repeatable. Default: all that apply.",
    ),
]
_Out = Annotated[Path | None, options.out("DIR", "Folder to make. Default: VIDEO-DETECTOR.")]
_At = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Explain this moment. Default: the highest score."),
]
_Face = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Explain only this face, as reports number it."),
]
_Size = Annotated[
    int | None,
    typer.Option(
        metavar="PX",
        help="Edge of the gray square. Default: a sixth of a picture, a quarter of a clip.",
    ),
]
_Stride = Annotated[
    int | None,
    typer.Option(metavar="PX", help="Step of the square. Default: half the edge."),
]


@app.command("explain")
def explain(
    path: _Path,
    detector: options.Detector = None,
    weights: options.Weights = None,
    methods: _Maps = None,
    out: _Out = None,
    at: _At = None,
    face: _Face = None,
    size: _Size = None,
    stride: _Stride = None,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
) -> None:
    """Show where, when and in which order of frames a detector sees a forgery in a video."""
    chosen = options.parse_weights(weights)
    options.check_detectors(list(chosen))
    if out is not None:
        check_new_folder(out)
    from unmask.detectors import default_detectors
    from unmask.explain import explain as make
    from unmask.media import probe
    from unmask.weights import load_detector

    probe(path)  # before a network is loaded
    names = default_detectors() if detector is None else [detector]
    if len(names) != 1:
        raise UsageError(f"Cannot explain {len(names)} detectors at once. Name one with -d.")
    for other in chosen.keys() - {names[0]}:
        raise UsageError(
            f"Cannot use -w '{other}={chosen[other]}': {names[0]} is explained, not {other}. "
            f"Give {names[0]}=TAG or {names[0]}=FILE."
        )
    loaded = load_detector(names[0], chosen.get(names[0]), device)
    with video_progress(path, "scanning") as progress:
        made = make(
            path,
            loaded,
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
        show(file)
