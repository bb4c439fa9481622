"""How many pseudo-forgeries one core makes per second, by kind, and what each way of coding costs.

    OMP_NUM_THREADS=1 python -m benchmarks generators --photos ../shared/media/train/photos

Faces of photographs, with the longest side of the picture 260 px as training stores them, are
forged one pair at a time; clip kinds forge a clip of 8 frames, made of one photograph that drifts.
Ways are timed on a pair of pictures and on one such clip. Times are of the processor, in one
process with one thread, which other processes on the machine change less than the clock: the
quickest and the median of the repeats are given. Differences are the mean of absolute ones under
the mask, of values in 0..255.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import _result
from unmask.forgeries import Face, FaceClip
from unmask.imaging.boxes import longest_side
from unmask.types import Floats, Pixels

SIDE_PX = 260
FRAMES = 8


def read_faces(folder: Path, count: int) -> list[Face]:
    """The first ``count`` photographs that show a face of 80 px or more, cut around it."""
    from unmask.faces import FaceFinder

    finder, faces = FaceFinder(), []
    for path in sorted(folder.iterdir()):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        pixels = np.ascontiguousarray(picture[..., ::-1])
        found = finder(pixels)
        if len(found.boxes_px):
            box = found.boxes_px[0]
            if longest_side(box) >= 80:
                faces.append(cut(pixels, box, found.landmarks_px[0]))
        if len(faces) == count:
            return faces
    raise SystemExit(f"{folder} has {len(faces)} photographs with a face, fewer than {count}.")


def cut(pixels: Pixels, box: Floats, points: Floats) -> Face:
    """Nine tenths of the longest side of the box about its middle, as large as is stored."""
    middle, half = (box[:2] + box[2:]) / 2, 0.9 * longest_side(box)
    x0, y0 = (max(0, int(v)) for v in middle - half)
    x1, y1 = (int(v) for v in middle + half)
    crop = pixels[y0:y1, x0:x1]
    share = min(1.0, SIDE_PX / max(crop.shape[:2]))
    if share < 1:
        crop = cv2.resize(crop, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    origin = np.float32([x0, y0])
    return Face(
        np.ascontiguousarray(crop),
        (points - origin) * np.float32(share),
        (box - np.tile(origin, 2)) * np.float32(share),
    )


def drift(face: Face) -> FaceClip:
    """Eight frames of one face that moves by a pixel and a half a frame."""
    size, faces = (face.pixels.shape[1], face.pixels.shape[0]), []
    for number in range(FRAMES):
        shift = np.float32([1.5 * number, 0.5 * number])
        matrix = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
        moved = cv2.warpAffine(face.pixels, matrix, size, borderMode=cv2.BORDER_REFLECT)
        points, box = face.landmarks_px + shift, face.box_px + np.tile(shift, 2)
        faces.append(Face(np.asarray(moved, np.uint8), points, box))
    return clip_of(faces)


def clip_of(faces: Sequence[Face]) -> FaceClip:
    """Faces in pictures of one size as a clip."""
    return FaceClip(
        frames=[face.pixels for face in faces],
        landmarks_px=np.stack([face.landmarks_px for face in faces]),
        box_px=np.stack([face.box_px for face in faces]),
    )


def timed(make: Callable[[int], object], repeats: int) -> dict[str, float]:
    """Milliseconds of the processor for one call, the quickest and the median."""
    spent = []
    for number in range(repeats):
        start = time.process_time()
        make(number)
        spent.append(1e3 * (time.process_time() - start))
    quickest, median = min(spent), statistics.median(spent)
    return {
        "ms_quickest": round(quickest, 2),
        "ms_median": round(median, 2),
        "per_second_median": round(1e3 / median, 1),
    }


def time_kinds(faces: Sequence[Face], repeats: int) -> list[dict[str, Any]]:
    """Of every kind, on pictures where it serves them, else on clips."""
    from unmask.forgeries import KINDS, Material, forge

    clips, rows = [drift(face) for face in faces], []
    for name, kind in KINDS.items():
        is_still = kind.least_frames == 1
        material = [clip_of([face]) for face in faces] if is_still else clips
        differences: list[float] = []

        def make(
            number: int, name: str = name, given: Any = material, seen: list[float] = differences
        ) -> None:
            chosen, other = given[number % len(given)], given[(number + 1) % len(given)]
            rng = np.random.default_rng(number)
            real, fake = forge(name, chosen, rng, Material(person=other))
            inside = fake.all_masks[0] > 0.5
            if inside.any():
                gap = np.abs(real.frames[0].astype(np.float32) - fake.frames[0])[inside].mean()
                seen.append(float(gap))

        row = timed(make, repeats if is_still else max(repeats // 4, 3))
        gap = statistics.median(differences)
        frames = 1 if is_still else FRAMES
        rows.append({"kind": name, "frames": frames, **row, "difference_median": round(gap, 2)})
        print(rows[-1])
    return rows


def time_ways(faces: Sequence[Face], repeats: int) -> list[dict[str, Any]]:
    """Of every way, for a pair of pictures and for a clip."""
    from unmask.forgeries.deliver import WAYS, deliver, deliver_still, missing_reason

    rows: list[dict[str, Any]] = []
    for way in WAYS:
        if reason := missing_reason(way):
            rows.append({"way": way, "missing_reason": reason})
            continue

        def pair(number: int, way: str = way) -> None:
            pixels = faces[number % len(faces)].pixels
            deliver_still([pixels, pixels], way, np.random.default_rng(number))

        def clip(number: int, way: str = way) -> None:
            deliver(drift(faces[number % len(faces)]).frames, way, np.random.default_rng(number))

        few = max(repeats // 4, 3)
        rows.append({"way": way, "pair": timed(pair, few), f"clip_of_{FRAMES}": timed(clip, few)})
        print(rows[-1])
    return rows


def main(arguments: list[str]) -> int:
    """Times kinds and ways and writes ``results/generators.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks generators")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=96)
    parser.add_argument("--out", type=Path, default=_result.RESULTS)
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    faces = read_faces(given.photos, given.faces)
    content = {
        "note": "The machine was shared with other work; processor time, one thread.",
        "load_1_min": round(os.getloadavg()[0], 1),
        "photos": str(given.photos),
        "faces": len(faces),
        "repeats": given.repeats,
        "kinds": time_kinds(faces, given.repeats),
        "ways": time_ways(faces, given.repeats),
    }
    command = "OMP_NUM_THREADS=1 python -m benchmarks generators --photos " + str(given.photos)
    print(_result.write("generators", command, content, given.out))
    return 0
