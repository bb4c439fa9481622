"""A file -> the perceptual hashes of a few of its moments.

The hash is ``imagehash.phash``: signs of the low frequencies of the gray picture's cosine
transform against their median. It changes little with codec, size and brightness, and much with
what is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.errors import MediaError, import_optional
from unmask.faces import FoundFaces
from unmask.imaging.boxes import longest_sides
from unmask.imaging.geometry import similarity
from unmask.media import open_video
from unmask.types import Floats, Pixels

SIDE: Final = 16
"""Side of the block of frequencies: a hash has ``SIDE`` squared bits."""

MOST_MOMENTS: Final = 12
SMALLEST_FACE_PX: Final = 32.0

_MOST_FACES = 3
# Where the five points of a face come to lie, as shares of its square. Boxes jump by some percent
# when the picture is cropped or reduced, points hardly do.
_POINTS: Final = np.array([[0.34, 0.42], [0.66, 0.42], [0.5, 0.6], [0.37, 0.77], [0.63, 0.77]])
_FACE_SIDE_PX = 256
_SHORTEST_STEP_S = 0.25
# Below this spread of gray values (of 255) a picture is black, white or one color: its hash is
# made of noise, and all such pictures would be near each other.
_LEAST_SPREAD = 4.0

Hashes = NDArray[np.uint64]
FindFaces = Callable[[Pixels], FoundFaces]


class Mark(NamedTuple):
    """One hashed picture: ``bits`` (W,) uint64, and those of its mirror image."""

    time_s: float
    is_face: bool
    bits: Hashes
    mirrored: Hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a file looks like. ``marks`` is empty where every moment was plain."""

    sha256: str
    marks: tuple[Mark, ...]

    @property
    def has_face(self) -> bool:
        """Whether any face was large enough to be hashed."""
        return any(mark.is_face for mark in self.marks)


def moments(duration_s: float, most: int = MOST_MOMENTS) -> list[float]:
    """The times to look at: multiples of a power of two, at most ``most``.

    A copy that was cut shorter is compared at the same moments, or at every second one.

    >>> moments(3.0)
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75]
    >>> moments(10.0, most=4)
    [0.0, 4.0, 8.0]
    """
    step_s = _SHORTEST_STEP_S
    while duration_s / step_s > most:
        step_s *= 2
    return [step_s * number for number in range(max(1, int(np.ceil(duration_s / step_s))))]


def fingerprint(path: str | Path, find_faces: FindFaces, most: int = MOST_MOMENTS) -> Fingerprint:
    """Hashes whole pictures and faces of a file at a few moments, found by seeking.

    Args:
        path: a video, picture or folder of frames.
        find_faces: such as a ``FaceFinder``.
        most: moments looked at.

    Raises:
        MediaError: the file cannot be read, or nothing in it decodes.
        MissingDependencyError: imagehash is not installed.
    """
    marks: list[Mark] = []
    seen: set[float] = set()
    with open_video(path) as video:
        times_s = [0.0] if video.info.is_still else moments(video.info.duration_s, most)
        for frame in video.frames_at(times_s):
            if frame.time_s not in seen:
                seen.add(frame.time_s)
                marks += _marks(frame.pixels, frame.time_s, find_faces)
        if not seen:
            raise MediaError(f"Cannot read '{path}': no picture decodes. Get the file again.")
        return Fingerprint(sha256=video.info.sha256, marks=tuple(marks))


def _marks(pixels: Pixels, time_s: float, find_faces: FindFaces) -> list[Mark]:
    gray: Pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if gray.std() < _LEAST_SPREAD:
        return []
    marks = [Mark(time_s, False, *hashes(gray))]
    found = find_faces(pixels)
    sides = longest_sides(found.boxes_px)
    for number in np.argsort(-sides, kind="stable")[:_MOST_FACES]:
        if sides[number] >= SMALLEST_FACE_PX:
            face = _upright(gray, found.landmarks_px[number])
            marks.append(Mark(time_s, True, *hashes(face)))
    return marks


def _upright(gray: Pixels, points_px: Floats) -> Pixels:
    """The face with its points (5, 2) in their places, (256, 256)."""
    matrix = similarity(points_px, _POINTS * _FACE_SIDE_PX)
    size = (_FACE_SIDE_PX, _FACE_SIDE_PX)
    face: Pixels = cv2.warpAffine(
        gray, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return face


def hashes(gray: Pixels, side: int = SIDE) -> tuple[Hashes, Hashes]:
    """The hash of a gray picture (H, W) uint8 and of its mirror image, (side² / 64,) uint64.

    Raises:
        MissingDependencyError: imagehash is not installed.
    """
    from PIL import Image

    imagehash = import_optional("imagehash", "overlap")

    def words(shown: Pixels) -> Hashes:
        bits = imagehash.phash(Image.fromarray(shown), hash_size=side).hash
        return np.packbits(bits.ravel()).view(np.uint64)

    return words(gray), words(np.ascontiguousarray(gray[:, ::-1]))
