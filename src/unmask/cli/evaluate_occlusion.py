"""A paper's pictures of what a detector looks at, on test videos at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.terminal import show, show_note
from unmask.errors import MediaError, UsageError

if TYPE_CHECKING:
    from unmask.papers.measure import Data
    from unmask.papers.protocol import Protocol
    from unmask.types import LabelledVideo

_METHOD = "occlusion"


def show_occlusion(
    protocol: Protocol,
    data: Sequence[Data],
    detectors: Sequence[str],
    weights: dict[str, str | Path],
    out: Path,
    device: str,
) -> None:
    """Explains one test video of each method, and a real one, by each detector.

    A video that was explained into the same folder before is left alone.
    """
    from unmask.evaluate.run import load_nets
    from unmask.explain import explain

    samples = _samples(protocol, data)
    if not samples:
        level = protocol.train_compression
        place = " ".join(part for part in (protocol.train_dataset, level, "test") if part)
        raise UsageError(
            f"Cannot make {protocol.name}: no data: needs videos in {place}. Give them with --data."
        )
    nets = load_nets(detectors, weights, device)
    for name, net in nets.items():
        for row in samples:
            folder = out / _METHOD / f"{name}-{row.method or 'real'}-{row.path.stem}"
            if folder.exists():
                continue
            try:
                made = explain(row.path, net, folder, methods=[_METHOD], device=device)
            except MediaError as error:
                show_note(f"no picture: {error}")
                continue
            for file in made.files:
                show(file)


def _samples(protocol: Protocol, data: Sequence[Data]) -> list[LabelledVideo]:
    """Of each method one test video, and a real one: drawn, and always the same."""
    from unmask.evaluate.condition import seed_of

    found: dict[str, LabelledVideo] = {}
    rows = [row for one in data for row in one.rows if row.dataset == protocol.train_dataset]
    rows = [row for row in rows if row.split == "test"]
    if protocol.train_compression:
        rows = [row for row in rows if row.compression == protocol.train_compression]
    for row in sorted(rows, key=lambda row: seed_of(row.dataset, row.path.name)):
        if not row.label or row.method in protocol.train_methods:
            found.setdefault(row.method if row.label else "", row)
    return [found[method] for method in sorted(found)]
