"""``unmask prepare``: a data set in, the faces that training reads out."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from unmask.cli import prepare_options as options
from unmask.cli.printing import one_line, show_note
from unmask.errors import UsageError

if TYPE_CHECKING:
    from unmask.prepared import Keep, Prepared

_MOST_SHOWN = 10


def prepare(
    layout: options.Layout,
    path: options.Root,
    out: options.Out,
    detector: options.For = None,
    sequences: options.Sequences = None,
    frames: options.Frames = None,
    fps: options.Fps = None,
    stride: options.Stride = None,
    min_face: options.MinFace = None,
    largest_face: options.LargestFace = None,
    is_native: options.IsNative = False,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    split: options.Split = None,
    workers: options.Workers = 1,
    as_json: options.AsJson = False,
) -> None:
    """Find a data set's faces once; train reads them from OUT. Run again, it goes on."""
    from unmask.datasets import read_dataset
    from unmask.prepared import prepare as prepare_all

    given = {"frames": frames, "fps": fps, "stride": stride, "min_face_px": min_face}
    given["largest_face_px"] = largest_face
    keep = _keep(detector, sequences, {k: v for k, v in given.items() if v is not None}, is_native)
    rows = read_dataset(
        layout, path.absolute(), split=split, methods=methods, compressions=compressions
    )
    with _progress() as report:
        found = prepare_all(rows, out, keep, workers=workers, report=report)
    _show(found, as_json)
    if found.problems:
        raise typer.Exit(1)


def _keep(
    detector: str | None, sequences: str | None, given: dict[str, Any], is_native: bool
) -> Keep:
    """What a detector's training reads, with the changes that were asked for."""
    from unmask.clips import is_by_68_points
    from unmask.detectors import default_detectors, get_card
    from unmask.prepared import lacking_points
    from unmask.train import keep_for

    card = get_card(detector or default_detectors()[0])
    keep = keep_for(card)
    if is_by_68_points(card.input) and keep.landmarks == 5:
        show_note(f"{card.name}: 5 points are kept instead of 68. {lacking_points()}.")
    if given.get("frames") == 1:
        keep = dataclasses.replace(keep, frames=1, fps=None, stride=1)
    if given.get("fps") == 0:
        given["fps"] = None
    if is_native:
        if "largest_face_px" in given:
            raise UsageError("Cannot reduce faces and keep them native: leave one of them out.")
        given["largest_face_px"] = None
    if sequences is not None:
        if sequences != "all" and not sequences.isdecimal():
            raise UsageError(f"Cannot keep {sequences!r} sequences: expected a number, or all.")
        given["sequences"] = None if sequences == "all" else int(sequences)
    return dataclasses.replace(keep, **given)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("Looking for faces", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(found: Prepared, as_json: bool) -> None:
    counts = {
        "videos": len({s.group for s in found.sequences}),
        "persons": len({(s.group, s.track) for s in found.sequences}),
        "sequences": len(found.sequences),
    }
    size = sum(file.stat().st_size for file in found.path.iterdir())
    unused = len(found.problems)
    if as_json:
        content = {"path": str(found.path), **counts, "size_bytes": size}
        print(json.dumps({**content, "problems": list(found.problems)}, indent=2))
    else:
        said = [f"{n:,} {what[:-1] if n == 1 else what}" for what, n in counts.items()]
        files = f"{unused:,} file{'' if unused == 1 else 's'} could not be used"
        print(one_line(f"{found.path}: {', '.join(said)}, {size / 1e6:,.1f} MB; {files}."))
    for line in found.problems[:_MOST_SHOWN]:
        show_note(line)
    if unused > _MOST_SHOWN:
        show_note(f"... and {unused - _MOST_SHOWN:,} more.")
