"""Miniature data sets in their official layouts, made on the fly: for tests only.

The faces are ``skimage.data.astronaut()`` (public domain) in as many looks as there are names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Pairs = Sequence[tuple[str, str]]

CRF = {"raw": 0, "c23": 23, "c40": 40}
"""Rate factors of x264 that FaceForensics++ names its levels of compression by."""

IDS: Pairs = (("000", "003"), ("011", "012"), ("720", "672"), ("953", "974"))

_FACE_CENTER, _FACE_AXES = (222, 118), (46, 60)  # px in the astronaut's 512x512 portrait


def write_faceforensics(
    root: Path,
    ids: Pairs = IDS,
    methods: Sequence[str] = ("Deepfakes",),
    compressions: Sequence[str] = ("c23", "c40"),
    frames: int = 12,
    size: tuple[int, int] = (160, 160),
    with_masks: bool = True,
) -> Path:
    """Writes a FaceForensics++ tree with real H.264 and the three lists of splits.

    Each pair (a, b) gives the real videos a and b and, per method, the forgeries a_b and b_a.
    The last pair is the test split, the one before it validates (with two pairs: the second
    validates; with one: it trains). All levels of compression are encoded from the same pixels.

    Args:
        root: folder to write below; made if need be.
        ids: pairs of names of three digits; each name is one look of the face.
        methods: folders below ``manipulated_sequences``.
        compressions: keys of ``CRF``.
        frames: frames per video, at 25 per second.
        size: (H, W) in pixels, even; the face fills about 6/10 of the height.
        with_masks: whether the forgeries get their mask videos.
    """
    write_splits(root, ids)
    for name in sorted({one for pair in ids for one in pair}):
        for compression in compressions:
            encode(
                root / "original_sequences/youtube" / compression / "videos" / f"{name}.mp4",
                _person(name, frames, size)[0],
                CRF[compression],
            )
    for number, method in enumerate(methods):
        folder = root / "manipulated_sequences" / method
        for target, source in [(a, b) for pair in ids for a, b in (pair, pair[::-1])]:
            pixels, masks = _forged(target, source, frames, size, number)
            for compression in compressions:
                path = folder / compression / "videos" / f"{target}_{source}.mp4"
                encode(path, pixels, CRF[compression])
            if with_masks:
                encode(folder / "masks/videos" / f"{target}_{source}.mp4", masks, 0)
    return root


def touch(root: Path, *names: str) -> Path:
    """Empty files below ``root``, with their folders: enough for an index."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def touch_faceforensics(
    root: Path,
    ids: Pairs = IDS,
    methods: Sequence[str] = ("Deepfakes",),
    compressions: Sequence[str] = ("c23", "c40"),
    with_masks: bool = True,
) -> Path:
    """The tree of ``write_faceforensics`` with empty files, for tests of the index alone."""
    write_splits(root, ids)
    names = {name for pair in ids for name in pair}
    fakes = [f"{a}_{b}" for pair in ids for a, b in (pair, pair[::-1])]
    for level in compressions:
        folder = f"original_sequences/youtube/{level}/videos"
        touch(root, *(f"{folder}/{name}.mp4" for name in names))
    for method in methods:
        for level in [*compressions, *(["masks"] if with_masks else [])]:
            folder = f"manipulated_sequences/{method}/{level}/videos"
            touch(root, *(f"{folder}/{name}.mp4" for name in fakes))
    return root


def write_splits(root: Path, ids: Pairs = IDS) -> dict[str, list[list[str]]]:
    """Writes ``splits/{train,val,test}.json`` as ``write_faceforensics`` deals the pairs."""
    tail = min(len(ids) - 1, 2)
    head = len(ids) - tail
    lists = {
        "train": [list(pair) for pair in ids[:head]],
        "val": [list(pair) for pair in ids[head : head + 1]],
        "test": [list(pair) for pair in ids[head + 1 :]],
    }
    (root / "splits").mkdir(parents=True, exist_ok=True)
    for split, pairs in lists.items():
        (root / "splits" / f"{split}.json").write_text(json.dumps(pairs))
    return lists


def encode(path: Path, pixels: Sequence[Pixels], crf: int, fps: int = 25) -> Path:
    """Frames (H, W, 3) RGB uint8 of even sides -> H.264 at a rate factor; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.height, stream.width = pixels[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        for index, picture in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@cache
def _astronaut() -> Pixels:
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[..., :3])


def _look(name: str) -> Pixels:
    """The portrait as another person would have it: mirrored or not, other colors."""
    random = np.random.default_rng(list(name.encode()))
    picture = _astronaut()
    if random.integers(2):
        picture = cv2.flip(picture, 1)[:, -2 * _FACE_CENTER[0] - 1 :]
        picture = cv2.copyMakeBorder(picture, 0, 0, 0, 512 - picture.shape[1], cv2.BORDER_REPLICATE)
    colored = picture.astype(np.float32) * random.uniform(0.75, 1.1, 3) + random.uniform(-10, 25)
    return np.clip(colored, 0, 255).astype(np.uint8)


def _places(name: str, frames: int, size: tuple[int, int]) -> Iterator[NDArray[np.float64]]:
    """Portrait -> frame, (2, 3), for every frame: the face sways by a few pixels."""
    random = np.random.default_rng([7, *name.encode()])
    zoom = min(size) / 160 * random.uniform(0.75, 0.9)
    phase, reach = random.uniform(0, 6), 0.03 * min(size)
    for index in range(frames):
        x = size[1] / 2 + reach * np.sin(index / 5 + phase)
        y = size[0] / 2 + reach * np.cos(index / 7 + phase)
        yield np.array(
            [[zoom, 0, x - zoom * _FACE_CENTER[0]], [0, zoom, y - zoom * _FACE_CENTER[1]]]
        )


@cache
def _person(
    name: str, frames: int, size: tuple[int, int]
) -> tuple[list[Pixels], list[NDArray[np.float64]]]:
    """The real frames of one person, and where the portrait lies in each."""
    look, places = _look(name), list(_places(name, frames, size))
    return [_warp(look, place, size) for place in places], places


def _forged(
    target: str, source: str, frames: int, size: tuple[int, int], number: int
) -> tuple[list[Pixels], list[Pixels]]:
    """The target's frames with the source's face in them, and the masks (white = forged)."""
    look = cv2.convertScaleAbs(_look(source), alpha=1 - 0.08 * number, beta=6 * number)
    oval = np.zeros((512, 512), np.uint8)
    cv2.ellipse(oval, _FACE_CENTER, _FACE_AXES, 0, 0, 360, 255, -1)
    pictures, masks = [], []
    for real, place in zip(*_person(target, frames, size), strict=True):
        mask = _warp(oval, place, size)
        soft = cv2.GaussianBlur(mask, (7, 7), 0)[..., None] / 255
        pictures.append((real * (1 - soft) + _warp(look, place, size) * soft).astype(np.uint8))
        masks.append(np.repeat(np.where(mask > 127, 255, 0)[..., None], 3, 2).astype(np.uint8))
    return pictures, masks


def _warp(picture: Pixels, place: NDArray[np.float64], size: tuple[int, int]) -> Pixels:
    border = cv2.BORDER_REPLICATE if picture.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(picture, place, size[::-1], flags=cv2.INTER_AREA, borderMode=border),
        np.uint8,
    )
