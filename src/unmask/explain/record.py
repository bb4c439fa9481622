"""What was explained, as JSON: which file, detector, clip and face, all numbers, all seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unmask.explain.choose import Chosen
from unmask.explain.methods import Method
from unmask.explain.peak import peak
from unmask.types import Clip, DetectorUse, Floats, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "unmask explanation 1"

Numbers = dict[str, Any]


def header(
    verdict: Verdict, use: DetectorUse, settings: Mapping[str, object], notes: Sequence[str]
) -> Numbers:
    """What holds for all faces."""
    return {
        "format": FORMAT,
        "unmask_version": verdict.unmask_version,
        "made_at": verdict.scanned_at,
        "video": {
            "name": verdict.video.path.name,
            "sha256": verdict.video.sha256,
            "width_px": verdict.video.width_px,
            "height_px": verdict.video.height_px,
            "duration_s": verdict.video.duration_s,
        },
        "detector": {
            "name": use.name,
            "weights": use.weights,
            "sha256": use.sha256,
            "license": use.license,
            "is_untrained": not use.sha256,
        },
        "device": verdict.device,
        "settings": dict(settings),
        "notes": list(notes),
    }


def clip_numbers(chosen: Chosen) -> Numbers:
    """Which clip of a face was explained, and its score."""
    clip, score = chosen.best
    return {
        "track_id": clip.track_id,
        "start_s": score.start_s,
        "end_s": score.end_s,
        "logit": score.logit,
        "face_px": clip.face_px,
        "frame_indices": clip.frame_indices.tolist(),
        "times_s": clip.times_s.tolist(),
        "regions_px": np.round(clip.regions_px.astype(float), 2).tolist(),
    }


def heat_numbers(method: Method, clip: Clip, heat: Floats, passes: int, picture: str) -> Numbers:
    """The range of a heat map, and where it is highest, in the clip and in the full frame."""
    t, y, x = peak(heat)
    x0, y0, x1, y1 = (float(v) for v in clip.regions_px[t])
    height, width = heat.shape[1:]
    where = [x0 + (x + 0.5) / width * (x1 - x0), y0 + (y + 0.5) / height * (y1 - y0)]
    return {
        "kind": method.kind,
        "shows": method.shows,
        "passes": passes,
        "picture": picture,
        "lowest": float(heat.min()),
        "highest": float(heat.max()),
        "highest_at": {
            "frame_index": int(clip.frame_indices[t]),
            "time_s": float(clip.times_s[t]),
            "frame_px": [round(v, 1) for v in where],
            "input_px": [x, y],
        },
    }


def write(path: Path, content: Numbers) -> None:
    """Writes the JSON; what is no finite number is refused, for JSON has no word for it."""
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
