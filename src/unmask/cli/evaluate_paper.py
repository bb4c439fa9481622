"""``unmask evaluate paper:NAME/TABLE``: ours beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unmask.cli.evaluate_inputs import find_rows, report, root_of
from unmask.errors import UsageError

_PAPER = "paper:"


def show_paper(
    table: str,
    places: Sequence[tuple[Path, str]],
    detectors: Sequence[str],
    weights: dict[str, str | Path],
    out: Path | None,
    device: str,
    resamples: int,
) -> None:
    """A paper's table with what is at hand; without detectors, what could be run."""
    from unmask.evaluate.protocols import get_protocol
    from unmask.evaluate.run_protocol import Data, run_protocol
    from unmask.evaluate.show_protocol import show_protocol

    if not table.startswith(_PAPER):
        raise UsageError(
            f"Cannot evaluate {table!r}: expected paper:NAME/TABLE. Data are given with --data."
        )
    protocol = get_protocol(table.removeprefix(_PAPER))
    at_hand = [Data(find_rows(path, layout), root_of(path)) for path, layout in places]
    if not detectors or protocol.elsewhere:
        print(show_protocol(protocol, at_hand))
        return
    if out is None:
        raise UsageError("Cannot evaluate: expected a folder for the scores. Name it with -o.")
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
    print(show_protocol(protocol, at_hand, ours))
