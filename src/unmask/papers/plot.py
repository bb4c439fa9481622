"""The plots of a protocol: its columns as curves, or its embeddings as maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unmask.errors import NotMeasurableError
from unmask.evaluate.scores import read_clips, read_scores
from unmask.evaluate.tables import MetricValue
from unmask.papers.measure import Ours, scores_folder
from unmask.papers.protocol import Protocol
from unmask.plots.canvas import drawing, save
from unmask.plots.curve import draw_curve
from unmask.plots.feature_map import REAL, draw_clips, draw_feature_map
from unmask.plots.sample import Setting


def draw_protocol(protocol: Protocol, ours: Sequence[Ours], out: Path) -> list[Path]:
    """Draws what a protocol shows as a plot into ``plots`` of the results folder.

    Args:
        protocol: that was run.
        ours: what ``run_protocol`` found.
        out: the results folder.

    Returns:
        The files; none for a table, or where nothing could be measured.

    Raises:
        OutputError: a plot cannot be written.
        MissingDependencyError: matplotlib or scikit-learn is not installed.
    """
    is_measured = any(found.value is not None for one in ours for found in one.values)
    name = protocol.name.replace("/", "-")
    if is_measured and protocol.axis:
        metrics = {cell.metric for cell in protocol.cells}
        return draw_curve(
            _series(protocol, ours),
            protocol.axis,
            metrics.pop() if len(metrics) == 1 else "share",
            out / "plots" / name,
            title=f"{protocol.name}, {protocol.train_dataset}",
            is_log=protocol.kind == "training size",
        )
    return _maps(protocol, out, name) if is_measured and protocol.keeps_embeddings else []


def _series(protocol: Protocol, ours: Sequence[Ours]) -> dict[str, list[tuple[float, MetricValue]]]:
    """Curves by detector, row and what the cells say; a column without a place has none."""
    found: dict[str, list[tuple[float, MetricValue]]] = {}
    for one in ours:
        for cells, found_value in zip(protocol.columns.values(), one.values, strict=True):
            if (place := cells[0].at) is not None:
                curve = " ".join(filter(None, (one.detector, one.row, cells[0].curve)))
                found.setdefault(curve, []).append((place, found_value))
    return found


def _maps(protocol: Protocol, out: Path, name: str) -> list[Path]:
    """A map for each detector; one with too few clips has none."""
    folder, paths = scores_folder(protocol, out), []
    places = {(cell.dataset, cell.compression) for cell in protocol.cells}
    methods = {
        row.key: row.key.method if row.label else REAL
        for row in read_scores(folder)
        if (row.key.dataset, row.key.compression) in places
    }
    clips = (clip for clip in read_clips(folder) if clip.key in methods)
    with drawing():
        for group, drawn in draw_clips(clips, methods, first_s=protocol.first_s).items():
            model = f"{group.detector}@{group.weights_sha256[:8]}"
            setting = Setting(f"{group.dataset} {group.compression} {group.split}")
            try:
                canvas = draw_feature_map(drawn, model, setting)
            except NotMeasurableError:
                continue
            paths += save(canvas, out / "plots" / f"{name}-{model}")
    return paths
