"""A paper's pictures of what a detector looks at, on test videos at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from unmask.errors import MediaError, UsageError
from unmask.evaluate.condition import seed_of
from unmask.evaluate.data import Data
from unmask.evaluate.run import load_detectors
from unmask.explain import explain
from unmask.papers.protocol import Protocol
from unmask.types import LabelledVideo

_METHOD = "occlusion"


def explain_samples(
    protocol: Protocol,
    data: Sequence[Data],
    detectors: Sequence[str],
    out: Path,
    *,
    weights: Mapping[str, str | Path],
    device: str = "cpu",
    log: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Explains one test video of each method, and a real one, by each detector.

    A video that was explained into the same folder before is left alone.

    Args:
        protocol: says which videos count as test videos.
        data: all data sets at hand.
        detectors: their names.
        out: the results folder; the pictures go into ``occlusion`` below it.
        weights: for some detectors, another tag or a safetensors file.
        device: ``cpu`` or ``cuda``.
        log: receives a line for each video that has no picture.

    Returns:
        The files that were made.

    Raises:
        UsageError: there is no such video.
    """
    samples = _samples(protocol, data)
    if not samples:
        parts = (protocol.train_dataset, protocol.train_compression, "test")
        place = " ".join(part for part in parts if part)
        raise UsageError(
            f"Cannot make {protocol.name}: no data: needs videos in {place}. Give them with --data."
        )
    files: list[Path] = []
    for name, detector in load_detectors(detectors, weights, device).items():
        for row in samples:
            folder = out / _METHOD / f"{name}-{row.method or 'real'}-{row.path.stem}"
            if folder.exists():
                continue
            try:
                made = explain(row.path, detector, folder, methods=[_METHOD], device=device)
            except MediaError as error:
                log(f"no picture: {error}")
                continue
            files += made.files
    return files


def _samples(protocol: Protocol, data: Sequence[Data]) -> list[LabelledVideo]:
    """One test video of each method, and a real one: drawn, and always the same."""
    found: dict[str, LabelledVideo] = {}
    rows = [row for part in data for row in part.rows if row.dataset == protocol.train_dataset]
    rows = [row for row in rows if row.split == "test"]
    if protocol.train_compression:
        rows = [row for row in rows if row.compression == protocol.train_compression]
    for row in sorted(rows, key=lambda row: seed_of(row.dataset, row.path.name)):
        if not row.label or row.method in protocol.train_methods:
            found.setdefault(row.method if row.label else "", row)
    return [found[method] for method in sorted(found)]
