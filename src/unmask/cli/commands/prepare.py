"""``unmask prepare``: a data set in, the faces that training reads out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import count_progress, show, show_json, show_note

if TYPE_CHECKING:
    from unmask.detectors import Card
    from unmask.prepare import Prepared, PrepareSpec

app = typer.Typer()

_MOST_SHOWN = 10

_Out = Annotated[Path, options.out("DIR", "Folder; new, or of an earlier run, which goes on.")]
_Sequences = Annotated[str | None, typer.Option(metavar="N|all", help="Sequences of each person.")]
_Frames = Annotated[
    int | None, typer.Option(min=1, help="Frames in a sequence; 1: single moments.")
]
_Fps = Annotated[
    float | None, typer.Option(help="Frame rate of a sequence; 0: the video's own rate.")
]
_Stride = Annotated[int | None, typer.Option(min=1, help="Keep every n-th of these frames.")]
_MinFace = Annotated[float | None, typer.Option(metavar="PX", help="Leave out smaller faces.")]
_LargestFace = Annotated[
    float | None,
    typer.Option(metavar="PX", help="Reduce larger faces to this. Default: by the detector."),
]
_IsNative = Annotated[bool, typer.Option("--native", help="Do not reduce large faces.")]


@app.command("prepare")
def prepare(
    layout: options.DatasetName,
    path: options.DatasetRoot,
    out: _Out,
    detector: options.Detector = None,
    sequences: _Sequences = None,
    frames: _Frames = None,
    fps: _Fps = None,
    stride: _Stride = None,
    min_face: _MinFace = None,
    largest_face: _LargestFace = None,
    is_native: _IsNative = False,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    split: options.Split = None,
    workers: options.Workers = 1,
    as_json: options.AsJson = False,
) -> None:
    """Find a data set's faces once; train reads them from DIR. Run again, it goes on.

    The detector decides what is kept: what its training reads.
    """
    from unmask.datasets import read_dataset

    rows = read_dataset(
        layout, path.absolute(), split=split, methods=methods, compressions=compressions
    )
    from unmask.detectors import default_detectors, get_card
    from unmask.prepare import prepare as prepare_all
    from unmask.train import prepare_spec_for

    card = get_card(detector or default_detectors()[0])
    spec = prepare_spec_for(card)
    _note_landmarks(card, spec)
    spec = spec.changed(
        sequences=sequences,
        frames=frames,
        fps=fps,
        stride=stride,
        min_face_px=min_face,
        largest_face_px=largest_face,
        is_native=is_native,
    )
    with count_progress("Looking for faces") as report:
        found = prepare_all(rows, out, spec, workers=workers, report=report)
    _show(found, as_json)
    if found.problems:
        raise typer.Exit(1)


def _note_landmarks(card: Card, spec: PrepareSpec) -> None:
    from unmask.clips import is_by_68_points
    from unmask.prepare import landmarks_missing_reason

    if is_by_68_points(card.input) and spec.landmarks == 5:
        show_note(f"{card.name}: 5 points are kept instead of 68. {landmarks_missing_reason()}.")


def _show(found: Prepared, as_json: bool) -> None:
    counts = {
        "videos": len({s.group for s in found.sequences}),
        "persons": len({(s.group, s.track) for s in found.sequences}),
        "sequences": len(found.sequences),
    }
    size = sum(file.stat().st_size for file in found.path.iterdir())
    unused = len(found.problems)
    if as_json:
        content = {"path": found.path, **counts, "size_bytes": size}
        show_json({**content, "problems": list(found.problems)})
    else:
        parts = [f"{n:,} {what[:-1] if n == 1 else what}" for what, n in counts.items()]
        files = f"{unused:,} file{'' if unused == 1 else 's'} could not be used"
        show(f"{found.path}: {', '.join(parts)}, {size / 1e6:,.1f} MB; {files}.")
    for line in found.problems[:_MOST_SHOWN]:
        show_note(line)
    if unused > _MOST_SHOWN:
        show_note(f"... and {unused - _MOST_SHOWN:,} more.")
