"""A plot of a detector along an axis: severity, clip length, training size, diversity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.corruptions import CORRUPTIONS, SEVERITIES
from unmask.errors import DataError
from unmask.evaluate.condition import split_condition
from unmask.evaluate.tables import MetricValue
from unmask.plots.canvas import drawing, legend_below, look_of, new_canvas, save
from unmask.plots.sample import Setting

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Points = Sequence[tuple[float, MetricValue]]
"""Places on the x axis, with the value there."""

_COLUMNS = 4


def draw_curve(
    series: Mapping[str, Points],
    x_label: str,
    y_label: str,
    path: Path,
    *,
    title: str = "",
    is_log: bool = False,
    in_percent: bool = True,
) -> list[Path]:
    """Writes one curve for each series, with its intervals, as SVG and PNG.

    A point without a value is left out; the curve has a gap there.

    Args:
        series: by name; the points in any order.
        x_label: of the axis, with its unit.
        y_label: of the axis.
        path: of the files, whose ending is put in its place.
        title: above; empty for none.
        is_log: whether the x axis is logarithmic.
        in_percent: whether plots are shares, to be shown in percent.

    Returns:
        The two files.

    Raises:
        DataError: no point has a value.
        OutputError: the files cannot be written.
        MissingDependencyError: matplotlib is not installed.
    """
    with drawing():
        canvas = curve_canvas(
            series, x_label, y_label, title=title, is_log=is_log, in_percent=in_percent
        )
        return save(canvas, path.with_suffix("") if path.suffix in (".svg", ".png") else path)


def curve_canvas(
    series: Mapping[str, Points],
    x_label: str,
    y_label: str,
    *,
    title: str = "",
    is_log: bool = False,
    in_percent: bool = True,
) -> Canvas:
    """What ``draw_curve`` writes.

    Raises:
        DataError: no point has a value.
    """
    if not any(value.value is not None for points in series.values() for _, value in points):
        notes = dict.fromkeys(f.note for points in series.values() for _, f in points if f.note)
        raise DataError(
            f"Cannot draw {y_label} over {x_label}: no point has a value "
            f"({'; '.join(notes) or 'there are none'}). Expected at least one; measure some first."
        )
    canvas = new_canvas(6.4, 4.4 + 0.18 * len(series))
    axes = canvas.add_subplot()
    for number, (name, points) in enumerate(series.items()):
        _draw_points(axes, name, points, number)
    places = sorted({x for points in series.values() for x, _ in points})
    if is_log:
        axes.set_xscale("log")
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    if in_percent:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    axes.set_xlabel(x_label)
    axes.set_ylabel(f"{y_label}, %" if in_percent else y_label)
    axes.set_title(title)
    legend_below(axes, "bands: 95 % over sources")
    return canvas


def kind_and_severity(condition: str) -> tuple[str, int] | None:
    """What a condition says about a corruption; None if it is something else.

    >>> kind_and_severity("blur 3")
    ('blur', 3)
    >>> kind_and_severity("flip 3") is None
    True
    """
    found = re.fullmatch(r"(\S+) (\d)", split_condition(condition)[0])
    if found is None or found[1] not in CORRUPTIONS or int(found[2]) not in SEVERITIES:
        return None
    return found[1], int(found[2])


def draw_severity(curves: Mapping[str, Mapping[str, Points]], setting: Setting) -> Canvas:
    """Small multiples: the AUC over the severity of each kind of corruption (LipForensics fig. 4).

    Args:
        curves: by kind of corruption, then by the detector's name; severity 0 is the video as
            it is.
        setting: title, how many items a point has, and granularity.
    """
    names = list(dict.fromkeys(name for series in curves.values() for name in series))
    rows = -(-len(curves) // _COLUMNS)
    columns = min(_COLUMNS, len(curves))
    canvas = new_canvas(max(5.0, 2.3 * columns), 2.3 * rows + 0.7 + 0.18 * len(names))
    grid = canvas.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    cells = grid.ravel().tolist()
    for axes, (kind, series) in zip(cells, curves.items(), strict=False):
        for number, name in enumerate(names):
            if name in series:
                _draw_points(axes, name, series[name], number)
        axes.set_title(kind)
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("severity")
        axes.set_xticks(range(len(SEVERITIES) + 1))
        axes.set_xlim(-0.3, len(SEVERITIES) + 0.3)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    for axes in cells[len(curves) :]:
        axes.set_visible(False)
    canvas.suptitle(f"AUC under corruptions: {setting.title}", fontsize=10)
    canvas.supylabel("AUC, %", fontsize=9)
    shown: dict[str, Artist] = {}
    for axes in cells:
        for line, name in zip(*axes.get_legend_handles_labels(), strict=True):
            shown.setdefault(name, line)
    canvas.legend(
        list(shown.values()),
        list(shown),
        loc="outside lower center",
        title="severity 0: as it is; bands: 95 % over sources",
        ncols=min(3, len(shown)),
    )
    return canvas


def _draw_points(axes: Axes, name: str, points: Points, number: int) -> None:
    """A series' line, with a gap where a value is missing, and a bar where it has an interval."""
    look = look_of(number)
    ordered = sorted(points, key=lambda point: point[0])
    places = [x for x, _ in ordered]
    nan = float("nan")
    values = [nan if value.value is None else value.value for _, value in ordered]
    axes.plot(
        places,
        values,
        color=look.color,
        linestyle=look.line,
        marker=look.marker,
        markersize=4,
        label=name,
    )
    for x, value in ordered:
        if value.low is not None and value.high is not None:
            axes.vlines(x, value.low, value.high, color=look.color, alpha=0.4, linewidth=1)
    low, high = (
        [nan if bound is None else bound for bound in bounds]
        for bounds in zip(*((value.low, value.high) for _, value in ordered), strict=True)
    )
    axes.fill_between(places, low, high, color=look.color, alpha=0.1, linewidth=0)
