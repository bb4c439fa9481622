"""The two explanations that are curves: which frames matter, and what the order of frames does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from unmask.errors import import_optional
from unmask.explain.order import ORIGINAL
from unmask.types import Clip, Floats, Pixels

_WARM: Final = "#b5367a"
_COLD: Final = "#2171b5"
_GRAY: Final = "#6b6b75"
_THUMBNAIL_PX: Final = 160
_MOST_THUMBNAILS: Final = 8
_DPI: Final = 110


def need_charts() -> None:
    """Refuses, before any work, if what draws charts is not installed.

    Raises:
        MissingDependencyError: matplotlib is not there.
    """
    import_optional("matplotlib", "explain")


def draw_time(path: Path, clip: Clip, falls: Floats, shares: Floats, title: str) -> None:
    """Writes a PNG: the clip's frames, and below each what it does to the score.

    Args:
        path: the file.
        clip: whose frames are shown.
        falls: (T,), of ``frame_occlusion``.
        shares: (T,), of ``frame_saliency``.
        title: one line.
    """
    figure_of = import_optional("matplotlib.figure", "explain").Figure
    count = len(falls)
    figure = figure_of(figsize=(12, 6.6), dpi=_DPI, layout="constrained")
    frames, falling, sharing = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": (1.4, 2.2, 1.5)}
    )
    row = _thumbnails(clip)
    frames.imshow(row, extent=(-0.5, count - 0.5, 0, 1), aspect="auto")
    frames.set_axis_off()
    frames.set_title(title, loc="left", fontsize=11)
    places = np.arange(count)
    falling.bar(places, falls, color=[_WARM if v > 0 else _COLD for v in falls])
    falling.axhline(0, color=_GRAY, linewidth=0.8)
    falling.set_ylabel("fall of the score\nwhen the frame is gray")
    sharing.bar(places, 100 * shares, color=_GRAY)
    sharing.set_ylabel("sensitivity,\n% of the clip")
    ticks = places[:: max(1, count // 8)]
    sharing.set_xticks(ticks, [f"{clip.times_s[t]:.2f}" for t in ticks])
    sharing.set_xlabel("seconds of the video")
    for axes in (falling, sharing):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Software": None})


def _thumbnails(clip: Clip) -> Pixels:
    """Frames evenly over the clip side by side, (h, w, 3), each above the bars around it."""
    count = len(clip.pixels)
    shown = min(count, _MOST_THUMBNAILS)
    middles = ((np.arange(shown) + 0.5) * count / shown).astype(int)
    size = (_THUMBNAIL_PX, _THUMBNAIL_PX)
    tiles = [cv2.resize(clip.pixels[t], size, interpolation=cv2.INTER_AREA) for t in middles]
    tiles = [t if t.ndim == 3 else np.stack([t] * 3, axis=-1) for t in tiles]
    return np.asarray(np.concatenate(tiles, axis=1), np.uint8)


def draw_order(path: Path, logits: Mapping[str, tuple[float, ...]], title: str) -> None:
    """Writes a PNG: the score of the clip as it is, and of each alteration, with all draws.

    Args:
        path: the file.
        logits: from ``order_logits``.
        title: one line.
    """
    figure_of = import_optional("matplotlib.figure", "explain").Figure
    figure = figure_of(figsize=(10, 5), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    axes.axhline(logits[ORIGINAL][0], color=_GRAY, linewidth=1, linestyle="--")
    for place, values in enumerate(logits.values()):
        axes.scatter([place] * len(values), values, s=18, color=_COLD, alpha=0.6, linewidths=0)
        axes.scatter(place, np.mean(values), marker="_", s=700, color=_WARM, linewidths=2.5)
        axes.annotate(
            f"{np.mean(values):+.3g}",
            (place, float(np.mean(values))),
            xytext=(22, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.set_xticks(range(len(logits)), [name.replace("_", " ") for name in logits])
    axes.set_xlim(-0.5, len(logits) - 0.2)
    axes.margins(y=0.15)
    axes.set_ylabel("score (above 0: forged)")
    axes.set_title(title, loc="left", fontsize=11)
    axes.text(
        0.0,
        -0.14,
        "bar: mean; dots: single draws; dashed: the clip as it is",
        transform=axes.transAxes,
        fontsize=9,
        color=_GRAY,
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Software": None})
