"""``unmask evaluate paper:NAME/TABLE``: ours beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unmask.cli.evaluate_inputs import find_rows, report, root_of
from unmask.cli.evaluate_occlusion import show_occlusion
from unmask.cli.terminal import show_lines, show_note
from unmask.errors import UsageError

_PAPER = "paper:"


def show_paper(
    table: str,
    places: Sequence[tuple[Path, str]],
    detectors: Sequence[str],
    weights: dict[str, str | Path],
    out: Path | None,
    *,
    stand_in: str | None,
    device: str,
    resamples: int,
    as_json: bool,
) -> None:
    """A paper's table with what is at hand; without detectors, what it takes."""
    from unmask.papers.measure import Data, run_protocol
    from unmask.papers.plot import draw_protocol
    from unmask.papers.registry import get_protocol
    from unmask.papers.show import show_protocol, to_json
    from unmask.papers.stand_in import get_stand_in, on

    if not table.startswith(_PAPER):
        raise UsageError(
            f"Cannot evaluate {table!r}: expected paper:NAME/TABLE. Data are given with --data."
        )
    protocol = get_protocol(table.removeprefix(_PAPER))
    if stand_in is not None:
        protocol = on(protocol, get_stand_in(stand_in))
    at_hand = [Data(find_rows(path, layout), root_of(path)) for path, layout in places]
    show = to_json if as_json else show_protocol
    if not detectors:
        show_lines(show(protocol, at_hand).splitlines())
        return
    if out is None:
        raise UsageError("Cannot evaluate: expected a folder for the scores. Name it with -o.")
    if protocol.elsewhere:
        show_occlusion(protocol, at_hand, detectors, weights, out, device)
        return
    ours = run_protocol(
        protocol,
        at_hand,
        detectors,
        out,
        weights=weights,
        device=device,
        report=report,
        resamples=resamples,
    )
    show_lines(show(protocol, at_hand, ours).splitlines())
    for file in draw_protocol(protocol, ours, out):
        show_note(file)
