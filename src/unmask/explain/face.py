"""The explanations of one face: computed, drawn and written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unmask.clips import to_tensor
from unmask.detectors import Detector
from unmask.explain import record
from unmask.explain.charts import draw_order, draw_time
from unmask.explain.choose import Chosen
from unmask.explain.methods import Method, heat_of, passes_of
from unmask.explain.moments import frame_occlusion, frame_saliency
from unmask.explain.order import order_logits
from unmask.explain.overlay import HeatTrack, write_overlay
from unmask.explain.pictures import Legend, in_units, strip
from unmask.report.wording import clock, face_name, score_text
from unmask.types import ArrayRepr, Clip, Floats, Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Explanation(ArrayRepr):
    """Where a detector looked: ``heat`` (h, w) float32 over one frame of one person."""

    detector: str
    method: str
    track_id: int
    frame_index: int
    heat: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be chosen; see ``explain``."""

    size_px: int | None = None
    stride_px: int | None = None
    draws: int = 5
    seed: int = 0

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One face's part of the JSON, and the heat of every frame."""

    numbers: dict[str, Any]
    heats: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What all methods of one face need."""

    chosen: Chosen
    detector: Detector
    verdict: Verdict
    settings: Settings
    folder: Path

    @property
    def clip(self) -> Clip:
        return self.chosen.best.clip

    @property
    def stem(self) -> str:
        return f"face-{self.clip.track_id + 1}"

    @property
    def warning(self) -> str:
        return "" if self.detector.is_trained else "UNTRAINED: means nothing"

    def title(self, what: str) -> str:
        """Method, detector, face, moment and score in one line."""
        start_s, logit = self.chosen.best.score.start_s, self.chosen.best.score.logit
        where = "" if self.verdict.video.is_still else f" at {clock(start_s, decimals=2)}"
        parts = (
            what.replace("_", " "),
            self.detector.name,
            f"{face_name(self.clip.track_id)}{where}",
            f"score {score_text(logit)}",
            self.warning,
        )
        return "  ·  ".join(part for part in parts if part)

    def heat(self, method: Method, clip: Clip) -> Floats:
        """(T, H, W) of one clip."""
        pixels = to_tensor([clip], self.verdict.device)
        found = heat_of(
            method, self.detector, pixels, self.settings.size_px, self.settings.stride_px
        )
        return np.asarray(found[0].numpy(), np.float32)

    def passes(self, method: Method) -> int:
        chosen = self.settings
        return passes_of(method, self.detector.card, chosen.size_px, chosen.stride_px, chosen.draws)


def explain_face(
    chosen: Chosen,
    detector: Detector,
    verdict: Verdict,
    methods: Sequence[Method],
    settings: Settings,
    folder: Path,
    report: Callable[[str], None],
) -> Explained:
    """Explains the clip chosen of a face by every method, into files of the folder.

    Args:
        chosen: the clip.
        detector: the one that scored it.
        verdict: the result of the scan that the clip comes from.
        methods: those that apply.
        settings: settings of the methods.
        folder: where files are written.
        report: receives a line before each method.
    """
    work = _Work(
        chosen=chosen, detector=detector, verdict=verdict, settings=settings, folder=folder
    )
    numbers = {"name": face_name(work.clip.track_id), **record.clip_numbers(chosen)}
    results: dict[str, Any] = {}
    heats: dict[str, Floats] = {}
    for method in methods:
        passes = work.passes(method)
        report(f"{numbers['name']}: {method.name} ({passes} pass{'' if passes == 1 else 'es'})")
        if method.kind == "heat":
            heats[method.name] = work.heat(method, work.clip)
            results[method.name] = _show_heat(work, method, heats[method.name])
        else:
            results[method.name] = (_time if method.kind == "time" else _order)(work, method)
    numbers["methods"] = results
    shown = [method for method in methods if method.kind == "heat"]
    numbers["video"] = None
    if shown and not verdict.video.is_still:
        cheapest = min(shown, key=work.passes)
        numbers["video"] = _video(work, cheapest, heats[cheapest.name])
    return Explained(
        numbers=numbers,
        heats=tuple(
            Explanation(
                detector=work.detector.name,
                method=name,
                track_id=work.clip.track_id,
                frame_index=int(index),
                heat=heat[t],
            )
            for name, heat in heats.items()
            for t, index in enumerate(work.clip.frame_indices)
        ),
    )


def _show_heat(work: _Work, method: Method, heat: Floats) -> dict[str, Any]:
    name = f"{work.stem}-{method.name}.png"
    low, high = method.low, method.high
    if method.scale == "signed":
        strongest = float(np.abs(heat).max())
        low, high = f"-{strongest:.3g}: {low}", f"+{strongest:.3g}: {high}"
    legend = Legend(title=work.title(method.name), lines=(method.shows,), low=low, high=high)
    strip(work.clip, heat, method.scale, legend).save(work.folder / name)
    return record.heat_numbers(method, work.clip, heat, work.passes(method), name)


def _time(work: _Work, method: Method) -> dict[str, Any]:
    clips = to_tensor([work.clip], work.verdict.device)
    falls = np.asarray(frame_occlusion(work.detector, clips)[0].numpy(), np.float32)
    shares = np.asarray(frame_saliency(work.detector, clips)[0].numpy(), np.float32)
    name = f"{work.stem}-{method.name}.png"
    draw_time(work.folder / name, work.clip, falls, shares, work.title(method.name))
    return {
        "kind": method.kind,
        "shows": method.shows,
        "passes": work.passes(method),
        "picture": name,
        "fall_when_gray": falls.tolist(),
        "sensitivity_share": shares.tolist(),
    }


def _order(work: _Work, method: Method) -> dict[str, Any]:
    chosen = work.settings
    logits = order_logits(
        work.detector, work.clip, draws=chosen.draws, seed=chosen.seed, device=work.verdict.device
    )
    name = f"{work.stem}-{method.name}.png"
    draw_order(work.folder / name, logits, work.title(method.name))
    return {
        "kind": method.kind,
        "shows": method.shows,
        "passes": work.passes(method),
        "picture": name,
        "logits": {order: list(values) for order, values in logits.items()},
        "mean_logits": {order: float(np.mean(values)) for order, values in logits.items()},
    }


def _video(work: _Work, method: Method, heat: Floats) -> dict[str, Any] | None:
    """The frames of a clip, or the frames around a single picture, each with its own heat."""
    best = work.chosen.best
    if work.detector.card.input.frames > 1:
        moments, heats = [best], heat
        times, regions = work.clip.times_s, work.clip.regions_px
        logits = [best.score.logit] * len(times)
    else:
        moments = list(work.chosen.around)
        heats = np.concatenate([work.heat(method, moment.clip) for moment in moments])
        times = np.concatenate([moment.clip.times_s for moment in moments])
        regions = np.concatenate([moment.clip.regions_px for moment in moments])
        logits = [moment.score.logit for moment in moments]
    label = f"{work.detector.name}  {method.name.replace('_', ' ')}"
    end = f"  {work.warning}" if work.warning else ""
    track = HeatTrack(
        times_s=times,
        regions_px=regions,
        values=in_units(heats, method.scale),
        labels=tuple(f"{label}  score {score_text(logit)}{end}" for logit in logits),
    )
    name, start_s = f"{work.stem}.mp4", float(times[0])
    end_s = max(moments[-1].score.end_s, float(times[-1]))
    frames = write_overlay(work.verdict.video.path, work.folder / name, track, start_s, end_s)
    if not frames:
        return None
    return {
        "file": name,
        "method": method.name,
        "start_s": start_s,
        "end_s": end_s,
        "frames": frames,
    }
