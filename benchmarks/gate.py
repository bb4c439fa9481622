"""Where the gates for drawings and still pictures lie, measured on the media pack's real videos.

    unmask prepare FOLDER --out FACES …
    python -m benchmarks gate --faces FACES [--faces FACES …]

Takes faces that ``unmask prepare`` kept. Each real video is looked at as a scan does it, at up to
12 moments: as it is, at H.264 CRF 40, and as what the gates are for: one of its frames shown all
the time (as it is, recompressed, and filmed by an unsteady hand), and drawings made of it
(posterised; OpenCV's stylisation with few shades). No drawing here was made by an artist, and
faces are placed as in the real video: whether a face finder finds a drawn face is not asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import _result
from unmask.imaging.codecs import h264_stream
from unmask.prepare import FaceSequence, read_prepared
from unmask.types import FaceLook, FaceObservation, FacePatch, Pixels
from unmask.verdict.gate import LEAST_CHANGE, MOST_FLAT
from unmask.verdict.look import FaceLooks

STEP = 9
SEQUENCES = 4
DRAWN = 2
VIDEOS = (".mp4", ".webm", ".mov", ".mkv", ".avi")


def patches_of(sequences: Sequence[FaceSequence]) -> list[FacePatch]:
    """Patches of one video at moments ``STEP`` frames apart, of its first face."""
    found = []
    for one in sequences[:SEQUENCES]:
        places = list(range(0, len(one), STEP))
        for place, pixels in zip(places, one.pixels(places), strict=True):
            seen = FaceObservation(
                track_id=0,
                frame_index=one.frame_indices[place],
                time_s=one.times_s[place],
                box_px=one.box_px[place],
                landmarks_px=one.landmarks_px[place],
                confidence=1.0,
            )
            size = (pixels.shape[1], pixels.shape[0])
            found.append(
                FacePatch(observation=seen, pixels=pixels, origin_px=(0, 0), frame_size_px=size)
            )
    return found


def look(patches: Iterable[FacePatch]) -> FaceLook | None:
    """What the one face looks like."""
    looks = FaceLooks()
    for _ in looks.watch(patches):
        pass
    return next(iter(looks.found().values()), None)


def _repainted(patches: list[FacePatch], pixels: Iterable[Pixels]) -> list[FacePatch]:
    return [replace(p, pixels=image) for p, image in zip(patches, pixels, strict=False)]


def still(patches: list[FacePatch], crf: int | None) -> list[FacePatch]:
    """The first patch again and again, where and when the others were."""
    first = patches[0]
    shown = [
        replace(
            first,
            observation=replace(
                first.observation,
                time_s=p.observation.time_s,
                frame_index=p.observation.frame_index,
            ),
        )
        for p in patches
    ]
    images = [first.pixels for _ in shown]
    return shown if crf is None else _repainted(shown, h264_stream(images, crf))


def unsteady(patches: list[FacePatch]) -> list[FacePatch]:
    """The first patch filmed by hand: shifted, turned, with grain and points that tremble."""
    rng = np.random.default_rng(0)
    made = []
    for patch in still(patches, None):
        height, width = patch.pixels.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 0.6), 1.0)
        turn[:, 2] += rng.normal(0, 0.01 * width, 2)
        pixels = cv2.warpAffine(patch.pixels, turn, (width, height), borderMode=1).astype(float)
        pixels += rng.normal(0, 3, pixels.shape)
        points = patch.observation.landmarks_px - patch.origin_px
        points = points @ turn[:, :2].T + turn[:, 2] + rng.normal(0, 0.006 * width, points.shape)
        seen = replace(
            patch.observation, landmarks_px=(points + patch.origin_px).astype(np.float32)
        )
        image = np.clip(pixels, 0, 255).astype(np.uint8)
        made.append(replace(patch, pixels=image, observation=seen))
    return made


def drawn(pixels: Pixels, *, is_styled: bool) -> Pixels:
    """A drawing: edges kept, everything else filled with one of few shades."""
    if is_styled:
        pixels = np.asarray(cv2.stylization(pixels, sigma_s=60, sigma_r=0.45), np.uint8)
    for _ in range(4):
        pixels = np.asarray(cv2.bilateralFilter(pixels, 9, 40, 9), np.uint8)
    step = 48
    return np.asarray(np.minimum(pixels.astype(int) // step * step + step // 2, 255), np.uint8)


def kinds(patches: list[FacePatch]) -> Iterator[tuple[str, FaceLook | None]]:
    """Every kind of picture that is made of one real video."""
    yield "real, as it is", look(patches)
    height = min(p.pixels.shape[0] for p in patches)
    width = min(p.pixels.shape[1] for p in patches)
    same = [replace(p, pixels=p.pixels[:height, :width].copy()) for p in patches]
    yield "real, H.264 CRF 40", look(_repainted(same, h264_stream([p.pixels for p in same], 40)))
    yield "one frame", look(still(patches, None))
    yield "one frame, H.264 CRF 28", look(still(patches, 28))
    yield "one frame, unsteady hand", look(unsteady(patches))
    few = patches[:DRAWN]
    for name, is_styled in (("posterised", False), ("stylised, few shades", True)):
        yield name, look(_repainted(few, (drawn(p.pixels, is_styled=is_styled) for p in few)))


def summary(looks: list[FaceLook]) -> dict[str, Any]:
    """Quantiles, and how many each gate closes."""
    flat = np.array([one.flat_share for one in looks])
    change = np.array([np.nan if one.change is None else one.change for one in looks])
    at = [0, 0.01, 0.05, 0.5, 0.95, 0.99, 1]
    return {
        "videos": len(looks),
        "quantiles": at,
        "flat share": np.round(np.quantile(flat, at), 3).tolist(),
        "change": np.round(np.nanquantile(change, at), 2).tolist(),
        "taken for a drawing": int((flat > MOST_FLAT).sum()),
        "taken for a still picture": int((change < LEAST_CHANGE).sum()),
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gate")
    parser.add_argument("--faces", required=True, action="append", type=Path)
    given = parser.parse_args(arguments)
    videos: dict[Path, list[FaceSequence]] = {}
    for folder in given.faces:
        for one in read_prepared(folder).sequences:
            if one.label == 0 and one.video.path.suffix in VIDEOS:
                videos.setdefault(one.video.path, []).append(one)
    found: dict[str, list[FaceLook]] = {}
    each: list[dict[str, Any]] = []
    for number, (path, sequences) in enumerate(sorted(videos.items()), 1):
        first = [one for one in sequences if one.track == sequences[0].track]
        patches = patches_of(sorted(first, key=lambda one: one.times_s[0]))
        for kind, one in kinds(patches) if len(patches) > 2 else ():
            if one is not None:
                found.setdefault(kind, []).append(one)
                measured = {"flat": one.flat_share, "change": one.change}
                each.append({"video": path.name, "kind": kind, **measured})
        print(f"{number}/{len(videos)} {path.name} {len(patches)}", flush=True)
    result = {kind: summary(looks) for kind, looks in found.items()}
    command = " ".join(["python -m benchmarks gate", *arguments])
    limits = {"most flat": MOST_FLAT, "least change": LEAST_CHANGE}
    path = _result.write("gate", command, {**limits, "kinds": result, "each": each})
    for kind, one in result.items():
        print(kind, one)
    print(path)
    return 0
