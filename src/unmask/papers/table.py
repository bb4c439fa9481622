"""A paper's table by its name, ours beside the paper's: all that ``unmask evaluate`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from unmask.errors import UsageError
from unmask.evaluate.data import read_data
from unmask.evaluate.faces import face_rule_named
from unmask.evaluate.printed import Printed, progress_line
from unmask.evaluate.scores import VideoScore
from unmask.evaluate.tables import rule_named
from unmask.papers.measure import run_protocol
from unmask.papers.occlusion import explain_samples
from unmask.papers.plot import draw_protocol
from unmask.papers.registry import get_protocol
from unmask.papers.show import show_protocol, to_json
from unmask.papers.stand_in import get_stand_in, on

_PAPER = "paper:"


def print_table(
    name: str,
    places: Sequence[tuple[Path, str | None]],
    detectors: Sequence[str],
    out: Path | None,
    *,
    weights: Mapping[str, str | Path],
    stand_in: str | None = None,
    threshold: str | None = None,
    faces: str | None = None,
    frames: int | None = None,
    device: str = "cpu",
    resamples: int = 10_000,
    as_json: bool = False,
    log: Callable[[str], None] = lambda line: None,
) -> Printed:
    """Runs a paper's table with the data at hand; without detectors, says what it takes.

    Args:
        name: ``paper:NAME/TABLE``.
        places: data sets at hand, each with its layout; a place without one has the layouts of the
            stand-in, else it is a plain folder.
        detectors: their names.
        out: the results folder; needed with detectors.
        weights: see ``run_protocol``.
        stand_in: other data that take the place of the paper's.
        threshold: what accuracies are measured at, see ``RULES``; None: as in the paper.
        faces: which faces of a video count, see ``FACE_RULES``; None: as in the paper.
        frames: so many first frames of a test video count; None: as in the paper.
        device: ``cpu`` or ``cuda``.
        resamples: number of bootstrap samples.
        as_json: whether the text is JSON, else a table for people.
        log: receives a line for each new score.

    Returns:
        The table; where the protocol is a picture, the files that were made.

    Raises:
        UsageError: the name has another form, or ``out`` is missing.
        UnknownNameError: there is no such table, stand-in, threshold or rule of faces.
        DataError, OutputError, WeightsError: see ``run_protocol``.
    """
    if not name.startswith(_PAPER):
        raise UsageError(
            f"Cannot evaluate {name!r}: expected paper:NAME/TABLE. Data are given with --data."
        )
    protocol = get_protocol(name.removeprefix(_PAPER))
    known = None if stand_in is None else get_stand_in(stand_in)
    if known is not None:
        protocol = on(protocol, known)
    if threshold is not None:
        protocol = replace(protocol, threshold=rule_named(threshold))
    if frames is not None:
        protocol = replace(protocol, frames=frames)
    if faces is not None:
        protocol = replace(protocol, faces=face_rule_named(faces))
    data = [
        read_data(path, each)
        for path, layout in places
        for each in ([layout] if layout or known is None else known.layouts(path))
    ]
    show = to_json if as_json else show_protocol
    if not detectors:
        return Printed(show(protocol, data), [])
    if out is None:
        raise UsageError("Cannot evaluate: expected a folder for the scores. Name it with -o.")
    if protocol.elsewhere:
        files = explain_samples(
            protocol, data, detectors, out, weights=weights, device=device, log=log
        )
        return Printed("\n".join(map(str, files)), [])

    def report(number: int, total: int, video: VideoScore) -> None:
        log(progress_line(number, total, video))

    ours = run_protocol(
        protocol,
        data,
        detectors,
        out,
        weights=weights,
        device=device,
        report=report,
        resamples=resamples,
    )
    files = draw_protocol(protocol, ours, out)
    return Printed(show(protocol, data, ours), list(map(str, files)))
