r"""How near are copies of a video, how near are different videos, and what crosses the media pack.

    python -m benchmarks overlap --data ../shared/media --people benchmarks/media_people.csv

``copies`` makes copies of the first four seconds of some real videos, and gives the distance of
their nearest moments from the whole original. ``different`` gives the same distance for pairs of
videos of different sources, and for pairs of photographs. From both follow the limits of
``unmask.overlap``. ``media`` is ``unmask datasets overlap`` on the pack, training against
validation.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks import _result
from unmask.datasets import MEDIA_SUFFIXES
from unmask.faces import FaceFinder
from unmask.media import open_video, write_video
from unmask.overlap import FACE_LIMIT, FRAME_LIMIT, find_overlap, read_sides
from unmask.overlap.compare import hamming
from unmask.overlap.fingerprint import Fingerprint, fingerprint
from unmask.overlap.kept import KeptFingerprints
from unmask.types import Pixels

SECONDS = 4.0
FAST = {"preset": "veryfast"}
LIMITS = (10, 20, 30, 40, 50, 60, 70)
WIDE = 76


class Copy(NamedTuple):
    """What is done to every frame, how much of the start is cut away, the rate factor of x264."""

    scale: float = 1.0
    kept: float = 1.0
    is_mirrored: bool = False
    from_s: float = 0.0
    crf: int = 23


COPIES = {
    "H.264 CRF 40": Copy(crf=40),
    "half size": Copy(scale=0.5),
    "mirrored": Copy(is_mirrored=True),
    "cropped to 95 %": Copy(kept=0.95),
    "cropped to 80 %": Copy(kept=0.8),
    "starts 0.6 s later": Copy(from_s=0.6),
    "half size, mirrored, CRF 40": Copy(scale=0.5, is_mirrored=True, crf=40),
}


def changed(pixels: Pixels, how: Copy) -> Pixels:
    """A frame of the copy."""
    height, width = pixels.shape[:2]
    y, x = (round(side * (1 - how.kept) / 2) for side in (height, width))
    cut = pixels[y : height - y, x : width - x]
    if how.is_mirrored:
        cut = cut[:, ::-1]
    size = [max(2, round(side * how.scale)) for side in cut.shape[1::-1]]
    return np.ascontiguousarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA))


def first_frames(path: Path) -> Iterator[tuple[float, Pixels]]:
    with open_video(path) as video:
        for frame in video.frames():
            if frame.time_s > SECONDS:
                return
            yield frame.time_s, frame.pixels


def distance(a: Fingerprint, b: Fingerprint, is_face: bool) -> int | None:
    """Of the nearest moments, mirrored or not; None where one of both has no such picture."""
    one = [mark.bits for mark in a.marks if mark.is_face == is_face]
    other = [mark for mark in b.marks if mark.is_face == is_face]
    if not one or not other:
        return None
    both = [mark.bits for mark in other] + [mark.mirrored for mark in other]
    return int(hamming(np.stack(one), np.stack(both)).min())


def measure_copies(files: list[Path], seen: dict[Path, Fingerprint]) -> dict[str, Any]:
    found: dict[str, list[tuple[int | None, int | None]]] = {name: [] for name in COPIES}
    finder = FaceFinder(threads=1)
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            with open_video(path) as video:
                fps = video.info.fps
            frames = list(first_frames(path))
            for name, how in COPIES.items():
                copy = Path(folder) / "copy.mp4"
                kept = [changed(px, how) for time_s, px in frames if time_s >= how.from_s]
                if not kept:  # the video is shorter than what is cut away
                    continue
                write_video(copy, kept, fps, crf=how.crf, options=FAST, overwrite=True)
                its = fingerprint(copy, finder)
                found[name].append(
                    (distance(seen[path], its, False), distance(seen[path], its, True))
                )
            print("copied", path.name, [its[-1:] for its in found.values()], flush=True)
    return {name: summary_of_copies(its) for name, its in found.items()}


def summary_of_copies(pairs: list[tuple[int | None, int | None]]) -> dict[str, Any]:
    """Distances of pictures and faces, and how many copies either limit finds."""
    hits = [
        (frame is not None and frame <= FRAME_LIMIT, face is not None and face <= FACE_LIMIT)
        for frame, face in pairs
    ]
    return {
        "copies": len(pairs),
        "found": sum(any(hit) for hit in hits),
        "found_by_picture": sum(hit[0] for hit in hits),
        "found_by_face": sum(hit[1] for hit in hits),
        "picture": spread([frame for frame, _ in pairs if frame is not None]),
        "face": spread([face for _, face in pairs if face is not None]),
    }


def spread(distances: list[int] | np.ndarray) -> dict[str, Any]:
    """How distances lie, and how many are within each of some limits."""
    if len(distances) == 0:
        return {"n": 0}
    low, middle, high = np.quantile(distances, [0.01, 0.5, 0.99]).tolist()
    return {
        "n": len(distances),
        "least": int(min(distances)),
        "q01": low,
        "median": middle,
        "q99": high,
        "most": int(max(distances)),
        "within": {limit: int(np.sum(np.asarray(distances) <= limit)) for limit in LIMITS},
    }


def measure_different(groups: dict[Path, str], seen: dict[Path, Fingerprint]) -> dict[str, Any]:
    """Pairs of videos of different sources, and of one source."""
    apart: dict[str, list[tuple[int, str, str]]] = {}
    for a, b in combinations(groups, 2):
        kind = "one source" if groups[a] == groups[b] else "different sources"
        for is_face in (False, True):
            bits = distance(seen[a], seen[b], is_face)
            if bits is not None:
                key = f"{kind}, {'faces' if is_face else 'pictures'}"
                apart.setdefault(key, []).append((bits, a.name, b.name))
    return {key: with_nearest(its) for key, its in sorted(apart.items())}


def with_nearest(pairs: list[tuple[int, str, str]]) -> dict[str, Any]:
    nearest = [[int(bits), *names] for bits, *names in sorted(pairs)[:10]]
    return {**spread([bits for bits, _, _ in pairs]), "nearest": nearest}


def measure_photos(seen: dict[Path, Fingerprint]) -> dict[str, Any]:
    """All pairs of photographs; the nearest may show the same photograph."""
    found = {}
    for is_face in (False, True):
        marks = [(m, p) for p, its in seen.items() for m in its.marks if m.is_face == is_face]
        plain = np.stack([mark.bits for mark, _ in marks])
        bits = hamming(plain, plain)
        bits = np.minimum(bits, hamming(plain, np.stack([mark.mirrored for mark, _ in marks])))
        owners = np.array([path.name for _, path in marks])
        rows, columns = np.triu_indices(len(marks), 1)
        other = owners[rows] != owners[columns]
        rows, columns = rows[other], columns[other]
        far = bits[rows, columns]
        near = np.argsort(far, kind="stable")[:20]
        listed = [[int(far[i]), str(owners[rows[i]]), str(owners[columns[i]])] for i in near]
        found["faces" if is_face else "pictures"] = {**spread(far), "nearest": listed}
    return found


def sources(data: Path) -> dict[Path, str]:
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {data / row["path"]: row["source"] for row in csv.DictReader(file)}


def measure_media(data: Path, people: Path | None, cache: Path) -> dict[str, Any]:
    rows = read_sides("folder", [data / "train", data / "val"])
    found = find_overlap(rows, people=people, cache=cache, find_faces=FaceFinder(threads=1))
    wide = find_overlap(rows, cache=cache, frame_limit=WIDE, face_limit=WIDE)
    print("\n".join(found.lines()), flush=True)

    def name(path: Path) -> str:
        return path.relative_to(data).as_posix()

    def named(persons: Any) -> list[dict[str, Any]]:
        return [
            {"name": p.name, "sides": p.sides, "files": [name(file) for file in p.files]}
            for p in persons
        ]

    return {
        "files": found.sides,
        "pairs_compared": found.pairs,
        "pictures": found.moments,
        "faces": found.faces,
        "files_without_face": found.without_face,
        "matches": [[name(m.a), name(m.b), m.distance, m.line()] for m in found.matches],
        f"nearest_within_{WIDE}": [
            [name(m.a), name(m.b), "face" if m.is_face else "picture", m.distance]
            for m in wide.matches[:10]
        ],
        "persons_crossing": named(found.people.shared),
        "files_that_name_a_person": found.people.named,
        "files_that_do_not": found.people.unnamed,
        "words_on_both_sides": named(found.people.words),
        "not_readable": found.unreadable,
        "not_hashed": [name(path) for path in found.plain],
        "train_files_to_leave_out": sorted(name(p) for p in found.crossing(rows, "train")),
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks overlap")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/unmask_overlap.jsonl"))
    parser.add_argument("--every", type=int, default=4, help="copies are made of every n-th video")
    given = parser.parse_args(arguments)
    media = measure_media(given.data, given.people, given.cache)
    origin = sources(given.data)
    files = sorted(p for p in origin if p.suffix.lower() in MEDIA_SUFFIXES and p.exists())
    kept = KeptFingerprints(given.cache)
    seen = {path: found for path in files if (found := kept.get(path)) is not None}
    photos = {path: its for path, its in seen.items() if path.parent.name == "photos"}
    videos = {path: origin[path] for path in seen if path not in photos}
    real = [path for path in videos if path.parent.name == "real"]
    different = measure_different(videos, seen)
    content = {
        "bits": 256,
        "frame_limit": FRAME_LIMIT,
        "face_limit": FACE_LIMIT,
        "copied_videos": [path.name for path in real[:: given.every]],
        "copies": measure_copies(real[:: given.every], seen),
        "different": {**different, "photographs": measure_photos(photos)},
        "media": media,
    }
    path = _result.write("overlap", "python -m benchmarks overlap " + " ".join(arguments), content)
    print(path)
    return 0
