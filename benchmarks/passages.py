"""Half-forged validation clips: whether the forged stretch is found, and where.

    python -m benchmarks passages --media ../shared/media [-w screener[=FILE]] [--videos 10]

Each real video of ``val`` is cut to its first seconds and written twice by the same encoder: as it
is, and with a stretch in its middle replaced by its own forged version (the kinds of forgery take
turns). Both are scanned. The threshold of a video is the highest window of the real videos of other
sources, at a share of false alarms; so no figure is judged by a threshold that saw its source.
Clips and scores are kept in ``--work``: what is there is not made twice.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks import _result
from benchmarks._shares import wilson
from benchmarks.field import write_list
from unmask.datasets import read_dataset
from unmask.detectors import Detector
from unmask.errors import DataError
from unmask.forgeries import FaceClip, forge
from unmask.media import open_video, write_video
from unmask.pipeline.scan import scan_with
from unmask.types import ClipScore, FaceObservation, Floats, LabelledVideo, Pixels, Verdict
from unmask.verdict.passages import Passage, passages, temporal_iou, windows
from unmask.weights import load_detector

KINDS: Final = ("self_blend", "lower_face", "decoded")
RATES: Final = (0.02, 0.05, 0.1)
_MOST_S, _LEAST_S = 10.0, 5.0
_STRETCH: Final = (0.35, 0.75)
_CONTEXT: Final = 1.9
_LARGEST_PX: Final = 1280
_LONGEST_GAP_S: Final = 0.5
_LEAST_SOURCES: Final = 4
_IOU: Final = 0.5
_SEED: Final = 23


def forged_stretch(
    frames: Sequence[Pixels], faces: Mapping[int, FaceObservation], kind: str, first: int, last: int
) -> list[Pixels]:
    """Frames ``first`` to ``last``, forged where the face is known; all others as they are.

    Args:
        frames: (H, W, 3) of the whole clip.
        faces: one face's geometry by frame.
        kind: a key of ``KINDS`` of forgeries.
        first: frame with which the stretch begins.
        last: frame after its end.
    """
    numbers = [number for number in range(first, last) if number in faces]
    boxes = np.stack([faces[number].box_px for number in numbers])
    x, y = _around(boxes, frames[0])
    corner = np.array([x.start, y.start], np.float32)
    clip = FaceClip(
        frames=[np.ascontiguousarray(frames[number][y, x]) for number in numbers],
        landmarks_px=np.stack([faces[n].landmarks_px - corner for n in numbers]),
        box_px=boxes - np.tile(corner, 2),
    )
    made = forge(kind, clip, np.random.default_rng(_SEED))
    changed = list(frames)
    for number, pixels in zip(numbers, made.fake.frames, strict=True):
        changed[number] = frames[number].copy()
        changed[number][y, x] = pixels
    return changed


def _around(boxes: Floats, frame: Pixels) -> tuple[slice, slice]:
    """Columns and rows about all boxes (N, 4), within the frame."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    reach = (_CONTEXT - 1) / 2 * float((boxes[:, 2:] - boxes[:, :2]).max())
    height, width = frame.shape[:2]
    starts = np.maximum(np.floor(low - reach), 0).astype(int)
    ends = np.minimum(np.ceil(high + reach), (width, height)).astype(int)
    return slice(int(starts[0]), int(ends[0])), slice(int(starts[1]), int(ends[1]))


def measure(rows: Sequence[Mapping[str, Any]], rate: float) -> dict[str, Any]:
    """Figures at a share of false alarms, from rows as ``scan_both`` makes them.

    A forged clip counts as found if a passage overlaps its stretch by a temporal IoU of 0.5.
    """
    found, hits, alarms, overlaps = 0, 0, 0, []
    for row in rows:
        others = [highest(r["real"]) for r in rows if r["source"] != row["source"]]
        threshold = real_threshold(others, rate)
        over = passages([Passage(*w) for w in row["half"]], threshold)
        overlap = temporal_iou(over, [tuple(row["stretch"])])
        overlaps.append(overlap)
        hits += bool(over)
        found += overlap >= _IOU
        alarms += highest(row["real"]) >= threshold
    count = len(rows)
    return {
        "rate": rate,
        "clips": count,
        "found": _share(found, count),
        "with any passage": _share(hits, count),
        "false alarms": _share(alarms, count),
        "mean temporal IoU": round(float(np.mean(overlaps)), 3),
    }


def highest(found: Sequence[Sequence[float]]) -> float:
    """Of a video's windows; minus infinity without any."""
    return max((window[3] for window in found), default=-math.inf)


def real_threshold(real: Sequence[float], rate: float) -> float:
    """The lowest score that at most a share ``rate`` of real videos reaches, counted one higher.

    With so few videos that even none of them is more than the share, it is above all of them by
    the distance of the two highest: a hair above would promise what is not known.

    >>> real_threshold([0.0, 1.0, 2.0, 3.0], 0.2)
    3.0
    >>> real_threshold([0.0, 1.0, 2.0, 3.0], 0.1)
    4.0
    """
    ordered = sorted(real)
    allowed = math.floor(rate * (len(ordered) + 1)) - 1
    if allowed < 0:
        return 2 * ordered[-1] - ordered[-2]
    return ordered[len(ordered) - 1 - allowed]


def _share(over: int, count: int) -> dict[str, Any]:
    low, high = wilson(over, count)
    return {
        "over": over,
        "of": count,
        "value": round(over / count, 3),
        "interval": [round(low, 3), round(high, 3)],
    }


def scan_both(
    row: LabelledVideo, kind: str, detector: Detector, work: Path
) -> dict[str, Any] | None:
    """Windows of a real clip and of the same half forged; None if no face is there for long."""
    kept = work / f"{Path(row.path).stem}-{kind}-{detector.weights.sha256[:12]}.json"
    if not kept.is_file():
        kept.write_text(json.dumps(_scanned(row, kind, detector)))
    found: dict[str, Any] | None = json.loads(kept.read_text())
    return found


def _scanned(row: LabelledVideo, kind: str, detector: Detector) -> dict[str, Any] | None:
    with open_video(row.path) as video:
        fps = Fraction(video.info.fps or 25.0).limit_denominator(1001)
        count = round(_MOST_S * fps)
        frames = [_reduced(frame.pixels) for frame in itertools.islice(video.frames(), count)]
    if len(frames) < _LEAST_S * fps:
        return None
    with tempfile.TemporaryDirectory() as folder:
        real = _written(Path(folder) / "real.mp4", frames, fps, detector)
        faces = _longest_face(real)
        first, last = (round(share * len(frames)) for share in _STRETCH)
        if sum(number in faces for number in range(first, last)) < 0.8 * (last - first):
            return None
        changed = forged_stretch(frames, faces, kind, first, last)
        half = _written(Path(folder) / "half.mp4", changed, fps, detector)
    return {
        "path": Path(row.path).name,
        "source": row.source_id,
        "kind": kind,
        "stretch": [float(first / fps), float(last / fps)],
        "real": _windows(real.clip_scores),
        "half": _windows(half.clip_scores),
    }


def _reduced(pixels: Pixels) -> Pixels:
    """The frame, its longest side at most 1280 px: seconds of larger ones do not fit in memory."""
    share = _LARGEST_PX / max(pixels.shape[:2])
    if share >= 1:
        return pixels
    size = (round(pixels.shape[1] * share), round(pixels.shape[0] * share))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _written(path: Path, frames: Sequence[Pixels], fps: Fraction, detector: Detector) -> Verdict:
    write_video(path, iter(frames), fps)
    return scan_with(path, [detector])


def _longest_face(verdict: Verdict) -> dict[int, FaceObservation]:
    """The face that is seen most often; between two observations close to each other, the mean
    of both by their distance.
    """
    if not verdict.tracks:
        return {}
    seen = max(verdict.tracks, key=lambda one: len(one.observations)).observations
    return filled(seen, round(_LONGEST_GAP_S * float(verdict.video.fps or 25)))


def filled(seen: Sequence[FaceObservation], longest_gap: int) -> dict[int, FaceObservation]:
    """Observations by frame, with those in between where the gap is at most so many frames."""
    faces = {one.frame_index: one for one in seen}
    for before, after in itertools.pairwise(seen):
        gap = after.frame_index - before.frame_index
        for step in range(1, gap if gap <= longest_gap else 1):
            share = np.float32(step / gap)
            number = before.frame_index + step
            faces[number] = dataclasses.replace(
                before,
                frame_index=number,
                box_px=(1 - share) * before.box_px + share * after.box_px,
                landmarks_px=(1 - share) * before.landmarks_px + share * after.landmarks_px,
                is_interpolated=True,
            )
    return faces


def _windows(scores: Sequence[ClipScore]) -> list[list[float]]:
    return [[round(float(value), 3) for value in window] for window in windows(scores)]


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a clip was, and its highest windows."""
    kept = {key: row[key] for key in ("path", "source", "kind", "stretch")}
    return {**kept, "real": highest(row["real"]), "half": highest(row["half"])}


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks passages")
    parser.add_argument("--media", required=True, type=Path)
    parser.add_argument("-w", "--weights", default="screener", help="NAME or NAME=FILE")
    parser.add_argument("--videos", type=int, help="at most so many real videos")
    parser.add_argument("--work", type=Path, default=Path("runs/passages"))
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    name, _, file = given.weights.partition("=")
    detector = load_detector(name, file or None)
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "val.csv"
        write_list(given.media.resolve() / "manifest.csv", listed)
        real = [row for row in read_dataset("csv", listed) if not row.label]
    rows = []
    for number, video in enumerate(sorted(real, key=lambda row: row.path)[: given.videos]):
        row = scan_both(video, KINDS[number % len(KINDS)], detector, given.work)
        print(number, Path(video.path).name, "left out" if row is None else "scanned", flush=True)
        rows += [row] if row else []
    if len({row["source"] for row in rows}) < _LEAST_SOURCES:
        raise DataError(
            f"Cannot measure passages on {len(rows)} videos: expected at least {_LEAST_SOURCES} "
            "sources, since a threshold comes from the others. Give more --videos."
        )
    result = {
        "weights_sha256": detector.weights.sha256,
        "kinds": list(KINDS),
        "figures": [measure(rows, rate) for rate in RATES],
        "by kind": {kind: sum(1 for row in rows if row["kind"] == kind) for kind in KINDS},
        "clips": [_summary(row) for row in rows],
    }
    command = " ".join(["python -m benchmarks passages", *arguments])
    print(_result.write(f"passages_{name}", command, result))
    print(json.dumps(result["figures"], indent=1))
    return 0
