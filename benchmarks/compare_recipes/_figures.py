"""Figures of a run, and how much one run's exceed another's, with intervals over sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.compare_recipes._judged import MAKERS, RATES
from unmask.metrics import auc, bootstrap_intervals

SWAPS: Final = ("GHOST", "LatentSync", "ATVGnet")
"""Tools of ``val`` that paste a face or a mouth; all others draw whole frames."""

MAIN: Final = "mesh swap, mean of rates"
"""The figure to choose by: a way to forge that no material holds, raw and coded."""

RATE: Final = 0.05
"""Of real videos that a threshold may let through."""

SHOWN: Final = (
    MAIN,
    *(f"mesh_swap, {rate}" for rate in RATES),
    *("decoded, crf32", "lower_face, crf32", "self_blend, crf32"),
    *(f"pairs in order, {rate}" for rate in RATES),
    "mask IoU, raw",
    *("swaps, as is", "swaps, alike", "frames, as is", "frames, alike"),
    *("false alarms, as is", "found, as is", "swaps found, as is"),
)

Rows = Mapping[str, Sequence[Sequence[Any]]]
Weights = NDArray[np.float64]


class Figure(NamedTuple):
    """``measure`` maps weights (R, N) to (R,); ``source`` (N,) is drawn as a whole."""

    measure: Callable[[Weights], Weights]
    source: NDArray[np.str_]
    items: str


def figures(rows: Rows) -> dict[str, Figure]:
    """All figures of rows as ``chosen_score`` makes them."""
    found = {}
    for delivery in ("as is", "alike"):
        found |= _of_videos([row for row in rows["videos"] if row[0] == delivery], delivery)
    for rate in RATES:
        clips = [row for row in rows["clips"] if row[1] == rate]
        found |= {
            f"{maker}, {rate}": _clip_auc([row for row in clips if row[0] == maker])
            for maker in MAKERS
        }
        values = np.array([row[5:8] for row in clips], np.float64)
        in_order = (values[:, 1] > values[:, 0]) + (values[:, 1] == values[:, 0]) / 2
        found[f"pairs in order, {rate}"] = _mean(in_order, clips)
        found[f"mask IoU, {rate}"] = _mean(values[:, 2], clips)
    found[MAIN] = _mean_of_rates([row for row in rows["clips"] if row[0] == "mesh_swap"])
    return found


def _of_videos(videos: Sequence[Sequence[Any]], delivery: str) -> dict[str, Figure]:
    """Forged videos by kind and by tool against all real ones."""
    real = [row for row in videos if not row[4]]
    forged = [row for row in videos if row[4]]
    kinds = {
        "swaps": [row for row in forged if row[3].startswith(SWAPS)],
        "frames": [row for row in forged if not row[3].startswith(SWAPS)],
        "all tools": forged,
    }
    for tool in sorted({row[3] for row in forged}):
        kinds[tool.partition(" (")[0]] = [row for row in forged if row[3] == tool]
    found = {f"{name}, {delivery}": _video_auc(real + some) for name, some in kinds.items()}
    over = _over_threshold(videos)
    for name, some in (("false alarms", real), ("found", forged), ("swaps found", kinds["swaps"])):
        found[f"{name}, {delivery}"] = _share(some, over)
    return found


def _over_threshold(videos: Sequence[Sequence[Any]]) -> dict[str, bool]:
    """By file, whether a video scores above the threshold that real videos of other sources give.

    At most ``RATE`` of them are above it, the one judged counted among them. So few real videos
    stand behind it that the share of false alarms is known but roughly.
    """
    found = {}
    for row in videos:
        others = sorted(one[5] for one in videos if not one[4] and one[2] != row[2])
        above = math.floor(RATE * (len(others) + 1)) - 1
        found[row[1]] = row[5] > others[len(others) - 1 - max(above, 0)]
    return found


def _share(videos: Sequence[Sequence[Any]], over: Mapping[str, bool]) -> Figure:
    is_over = np.array([float(over[row[1]]) for row in videos])
    source = np.array([row[2] for row in videos])
    return Figure(lambda w: (w @ is_over) / w.sum(axis=1), source, f"{len(videos)} videos")


def _video_auc(videos: Sequence[Sequence[Any]]) -> Figure:
    label = np.array([float(row[4]) for row in videos])
    score = np.array([row[5] for row in videos], np.float64)
    source = np.array([row[2] for row in videos])
    items = f"{int((label == 0).sum())} real, {int(label.sum())} forged"
    return Figure(lambda w: auc(label, score, weights=w), source, items)


def _clip_auc(clips: Sequence[Sequence[Any]]) -> Figure:
    label = np.repeat([0.0, 1.0], len(clips))
    score = np.array([row[5] for row in clips] + [row[6] for row in clips], np.float64)
    source = np.array([row[2] for row in clips])
    return Figure(lambda w: auc(label, score, weights=np.tile(w, 2)), source, f"{len(clips)} pairs")


def _mean_of_rates(clips: Sequence[Sequence[Any]]) -> Figure:
    parts = [_clip_auc([row for row in clips if row[1] == rate]) for rate in RATES]
    keys = [[(row[3], row[4]) for row in clips if row[1] == rate] for rate in RATES]
    assert keys[0] == keys[1] == keys[2]  # So one weight of a clip serves all rates.
    return Figure(
        lambda w: np.mean([part.measure(w) for part in parts], axis=0),
        parts[0].source,
        f"{len(keys[0])} pairs at {len(RATES)} rates",
    )


def _mean(values: NDArray[np.float64], clips: Sequence[Sequence[Any]]) -> Figure:
    source = np.array([row[2] for row in clips])
    return Figure(lambda w: (w @ values) / w.sum(axis=1), source, f"{len(clips)} pairs")


def estimates(rows: Rows, resamples: int, names: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Figures of these names (none: all) with 95 % intervals of a bootstrap over sources."""
    found = figures(rows)
    return {name: _plain(found[name].measure, found[name], resamples) for name in names or found}


def differences(
    rows: Rows, base: Rows, resamples: int, names: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Figures of these names (none: all) less those of ``base``, on the same draws of sources."""
    ours, theirs = figures(rows), figures(base)
    found = {}
    for name in names or ours:
        figure, other = ours[name], theirs[name]

        def less(w: Weights, a: Figure = figure, b: Figure = other) -> Weights:
            return a.measure(w) - b.measure(w)

        found[name] = _plain(less, figure, resamples)
    return found


def _plain(measure: Callable[[Weights], Weights], figure: Figure, resamples: int) -> dict[str, Any]:
    one = bootstrap_intervals({"it": measure}, figure.source, resamples=resamples)["it"]
    ends = [round(one.low, 4), round(one.high, 4)]
    items = f"{figure.items}, {len(np.unique(figure.source))} sources"
    return {"value": round(one.value, 4), "interval": ends, "n": items}


def summed(records: Sequence[Rows]) -> Rows:
    """The mean score of several runs, each in spreads of its scores of real clips; of masks, the
    first run's overlap.
    """
    scaled = [in_spreads(rows) for rows in records]
    first = scaled[0]
    videos = [
        [*row[:5], float(np.mean([one["videos"][n][5] for one in scaled]))]
        for n, row in enumerate(first["videos"])
    ]
    clips = [
        [*row[:5], *np.mean([one["clips"][n][5:7] for one in scaled], axis=0).tolist(), row[7]]
        for n, row in enumerate(first["clips"])
    ]
    return {"videos": videos, "clips": clips}


def in_spreads(rows: Rows, without: str = "") -> Rows:
    """Rows with scores less the mean of real clips, over their spread.

    Args:
        rows: as ``chosen_score`` makes them.
        without: a source whose clips do not count.
    """
    real = np.array([row[5] for row in rows["clips"] if row[2] != without], np.float64)
    middle, spread = float(real.mean()), max(float(real.std()), 1e-6)

    def move(score: float) -> float:
        return (score - middle) / spread

    return {
        "videos": [[*row[:5], move(row[5])] for row in rows["videos"]],
        "clips": [[*row[:5], move(row[5]), move(row[6]), row[7]] for row in rows["clips"]],
    }
