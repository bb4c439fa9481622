"""A verdict as JSON: everything but the pixels. ``schema.py`` says what every key means."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from unmask.errors import OutputError
from unmask.report.writers import report_writer
from unmask.types import (
    Calibration,
    ClipScore,
    ErrorRates,
    FaceLook,
    FaceObservation,
    FaceTrack,
    FaceVerdict,
    KeyFrame,
    Verdict,
    VideoInfo,
)

SCHEMA_VERSION = "2.1"
_LINE_WIDTH = 120

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@report_writer(".json")
def to_json(verdict: Verdict, key_frames: Sequence[KeyFrame] = ()) -> str:
    """The whole verdict as JSON text; it validates against ``schema()``.

    Masks are summarized, embeddings and key frames left out. The same verdict always gives the same
    text.

    Raises:
        OutputError: a number is not finite.
    """
    document: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "unmask_version": verdict.unmask_version,
        "scanned_at": verdict.scanned_at,
        "finding": verdict.finding.value,
        "score": verdict.score,
        "threshold": verdict.threshold,
        "llr": verdict.llr,
        "probability": verdict.probability,
        "probability_interval": _pair(verdict.probability_interval),
        "decided_by": verdict.decided_by,
        "reasons": list(verdict.reasons),
        "video": _video(verdict.video),
        "bits_per_pixel": verdict.bits_per_pixel,
        "coverage": asdict(verdict.coverage),
        "faces": [_face(face) for face in verdict.faces],
        "clip_scores": [_clip_score(score) for score in verdict.clip_scores],
        "tracks": [_track(track) for track in verdict.tracks],
        "detectors": [asdict(use) for use in verdict.detectors],
        "calibration": _plain(verdict.calibration),
        "calibrations": [_plain(one) for one in verdict.calibrations],
        "device": verdict.device,
    }
    _check_finite(document, "", path_text(verdict.video.path))
    return _write(document) + "\n"


def path_text(path: Path) -> str:
    r"""A path as text that always encodes as UTF-8: other bytes show as ``\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _video(info: VideoInfo) -> dict[str, Json]:
    values: dict[str, Json] = {
        "path": path_text(info.path),
        "sha256": info.sha256,
        "size_bytes": info.size_bytes,
        "container": info.container,
        "codec": info.codec,
        "width_px": info.width_px,
        "height_px": info.height_px,
        "rotation_deg": info.rotation_deg,
        "fps": f"{info.fps.numerator}/{info.fps.denominator}",
        "duration_s": info.duration_s,
        "start_s": info.start_s,
        "frame_count": info.frame_count,
        "bit_rate_bps": info.bit_rate_bps,
        "video_bit_rate_bps": info.video_bit_rate_bps,
        "is_variable_rate": info.is_variable_rate,
        "has_audio": info.has_audio,
        "is_still": info.is_still,
    }
    return values


def _plain(record: Calibration | ErrorRates | FaceLook | None) -> Json:
    """A record as JSON has it: its tuples become lists."""
    plain: Json = None if record is None else json.loads(json.dumps(asdict(record)))
    return plain


def _pair(interval: tuple[float, float] | None) -> Json:
    return None if interval is None else [float(end) for end in interval]


def _by_name(numbers: Mapping[str, float]) -> dict[str, Json]:
    return {name: float(number) for name, number in sorted(numbers.items())}


def _face(face: FaceVerdict) -> dict[str, Json]:
    return {
        "track_id": face.track_id,
        "start_s": face.start_s,
        "end_s": face.end_s,
        "finding": face.finding.value,
        "score": face.score,
        "threshold": face.threshold,
        "lower": face.lower,
        "llr": face.llr,
        "probability": face.probability,
        "probability_interval": _pair(face.probability_interval),
        "calibration": face.judgement.calibration.name if face.judgement else "",
        "quality": face.quality,
        "errors": _plain(face.errors),
        "gates": list(face.gates),
        "logits": _by_name(face.logits),
        "thresholds": _by_name(face.thresholds),
        "face_px": round(float(face.face_px), 1),
        "clips": face.clips,
        "look": _plain(face.look),
        "reasons": list(face.reasons),
    }


def _clip_score(score: ClipScore) -> dict[str, Json]:
    return {
        "detector": score.detector,
        "track_id": score.track_id,
        "start_s": score.start_s,
        "end_s": score.end_s,
        "logit": float(score.logit),
        "face_px": round(float(score.face_px), 1),
        "frame_indices": [int(index) for index in score.frame_indices],
        "mask": _mask_summary(score),
    }


def _mask_summary(score: ClipScore) -> Json:
    """Where in the frame the mask lies, in three numbers instead of T x h x w."""
    if score.mask is None or score.mask.size == 0:
        return None
    mask = np.asarray(score.mask, dtype=np.float64)
    return {
        "share_over_half": round(float((mask > 0.5).mean()), 4),
        "maximum": round(float(mask.max()), 4),
        "centroid_px": _centroid(mask, score),
    }


def _centroid(mask: np.ndarray, score: ClipScore) -> Json:
    """Centre of mass [x, y] of the mask in the upright full frame, over all pictures."""
    total = float(mask.sum())
    if score.regions_px is None or total <= 0:
        return None
    _, height, width = mask.shape
    regions = np.asarray(score.regions_px, dtype=np.float64)
    across = (np.arange(width) + 0.5) / width
    down = (np.arange(height) + 0.5) / height
    x0, y0, x1, y1 = regions.T
    x_px = x0[:, None] + (x1 - x0)[:, None] * across
    y_px = y0[:, None] + (y1 - y0)[:, None] * down
    x = float((mask.sum(axis=1) * x_px).sum() / total)
    y = float((mask.sum(axis=2) * y_px).sum() / total)
    return [round(x, 1), round(y, 1)]


def _track(track: FaceTrack) -> dict[str, Json]:
    return {
        "track_id": track.track_id,
        "observations": [_observation(seen) for seen in track.observations],
    }


def _observation(seen: FaceObservation) -> dict[str, Json]:
    return {
        "frame_index": seen.frame_index,
        "time_s": round(float(seen.time_s), 6),
        "box_px": [round(float(value), 1) for value in seen.box_px],
        "landmarks_px": [[round(float(x), 1), round(float(y), 1)] for x, y in seen.landmarks_px],
        "confidence": round(float(seen.confidence), 4),
        "is_interpolated": seen.is_interpolated,
    }


def _check_finite(value: Json, where: str, name: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise OutputError(
            f"Cannot write the verdict on {name!r} as JSON: {where.lstrip('.')} is {value}, "
            "expected a finite number. Scan again with another detector or other weights, and "
            "report this as a bug."
        )
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_finite(item, f"{where}.{key}", name)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, item in enumerate(value):
            _check_finite(item, f"{where}[{number}]", name)


def _write(value: Json, indent: int = 0) -> str:
    """JSON text in which what fits on a line stays on one line, and numbers never get their own.

    ``json.dumps(indent=2)`` would put each corner of each box on its own line.
    """
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_write(item, indent + 2)}" for key, item in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list):
        parts = [_write(item, indent + 2) for item in value]
        opening, closing = "[", "]"
    else:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    is_short = sum(map(len, parts)) + 2 * len(parts) + indent <= _LINE_WIDTH
    is_numbers = isinstance(value, list) and all(isinstance(item, int | float) for item in value)
    if is_numbers or (is_short and indent and not any("\n" in part for part in parts)):
        return f"{opening}{', '.join(parts)}{closing}"
    lines = f",\n{inner}".join(parts)
    return f"{opening}\n{inner}{lines}\n{' ' * indent}{closing}"
