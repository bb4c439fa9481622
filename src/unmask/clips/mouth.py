"""Mouth crops from 68 landmarks, step by step as lip reading and LipForensics make them.

Every frame is turned and scaled so that five steady points lie where a mean face has them;
a square around the mouth is then cut. The published weights expect exactly these pictures.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from unmask.imaging.geometry import Points, similarity, transform
from unmask.types import Pixels

STEADY_POINTS = (33, 36, 39, 42, 45)
"""Indices of 68 landmarks: base of the nose, and the corners of both eyes."""

MEAN_FACE_PX: Points = np.array(
    [
        [128.870180, 137.302534],
        [92.522456, 94.368760],
        [112.772417, 94.943609],
        [145.525115, 94.534999],
        [166.677101, 93.565623],
    ]
)
"""Positions of the steady landmarks in the aligned frame: means over 20 words of LRW."""

MOUTH_POINTS = slice(48, 68)
ALIGNED_SIDE_PX = 256
MOUTH_SIDE_PX = 96
WINDOW = 12


def smooth_ahead(landmarks_px: Points, window: int = WINDOW) -> Points:
    """The mean landmarks of every frame and the ones that follow it.

    The last frames, which too few follow, get the last full window's mean; a clip shorter than
    the window gets the mean of all its frames throughout (the published code fails there).

    Args:
        landmarks_px: (T, K, 2), T at least 1.
        window: frames to average, this one included.

    Returns:
        (T, K, 2).

    >>> smooth_ahead(np.array([0.0, 2.0, 10.0]).reshape(3, 1, 1), window=2).ravel().tolist()
    [1.0, 6.0, 6.0]
    """
    count = len(landmarks_px)
    last = max(count - window, 0)
    starts = [min(frame, last) for frame in range(count)]
    return np.stack([landmarks_px[start : start + window].mean(axis=0) for start in starts])


def align_window(landmarks_px: Points) -> Points:
    """The (2, 3) matrix from a frame's pixels to the aligned 256 x 256 frame.

    Args:
        landmarks_px: (N, 68, 2) of the frame and of those that follow it in its window.
    """
    return similarity(landmarks_px.mean(axis=0)[list(STEADY_POINTS)], MEAN_FACE_PX)


def align_to_mean_face(landmarks_px: Points) -> Points:
    """The (2, 3) matrix of every frame, from its pixels to the aligned 256 x 256 frame.

    Args:
        landmarks_px: (T, 68, 2) in the frame.

    Returns:
        (T, 2, 3).
    """
    return np.stack([align_window(points[None]) for points in smooth_ahead(landmarks_px)])


def mouth_corner(landmarks_px: Points, matrix: Points, side_px: int = MOUTH_SIDE_PX) -> Points:
    """The mouth's center in the aligned frame and the (x, y) where the square around it begins.

    Args:
        landmarks_px: (68, 2) of this frame alone, not smoothed.
        matrix: (2, 3) from ``align_to_mean_face``.
        side_px: side of the square.

    Returns:
        (2, 2): the center, and the first pixel of the square, in whole pixels. The square stays
        inside the aligned frame.
    """
    center = transform(landmarks_px[MOUTH_POINTS], matrix).mean(axis=0)
    half = side_px // 2
    kept = np.clip(center, half, ALIGNED_SIDE_PX - half)
    return np.stack([center, np.rint(kept) - half])


def mouth_places(landmarks_px: Points, matrix: Points, side_px: int = MOUTH_SIDE_PX) -> Points:
    """Position in the frame of every pixel of the square around the mouth.

    Args:
        landmarks_px: (68, 2) of this frame alone, not smoothed.
        matrix: (2, 3) from ``align_to_mean_face``.
        side_px: side of the square.

    Returns:
        (side_px, side_px, 2): x and y, 0 is the center of the frame's first pixel.
    """
    left, top = mouth_corner(landmarks_px, matrix, side_px)[1]
    ys, xs = np.mgrid[0:side_px, 0:side_px]
    wanted = np.stack([xs + left, ys + top], axis=-1) - matrix[:, 2]
    places: Points = wanted @ np.linalg.inv(matrix[:, :2]).T
    return places


def sample(pixels: Pixels, places: Points, origin_px: tuple[int, int] = (0, 0)) -> Pixels:
    """The picture's values at places in the frame: bilinear, 0 outside, fractions cut off.

    Args:
        pixels: (H, W, 3) RGB uint8, the frame or a part of it.
        places: (h, w, 2) from ``mouth_places``.
        origin_px: (x, y) of the part's first pixel in the frame.

    Returns:
        (h, w, 3) uint8.
    """
    corner = np.floor(places).astype(np.int64)
    here = corner - np.array(origin_px)
    limit = np.array([pixels.shape[1], pixels.shape[0]])
    start = np.clip(here.min(axis=(0, 1)), 0, limit)
    end = np.clip(here.max(axis=(0, 1)) + 2, 0, limit)
    read = pixels[start[1] : end[1], start[0] : end[0]]
    # Through 0..1 and back, like the published code: the rounding decides about whole numbers.
    mixed = _bilinear(read * np.float64(1 / 255), here - start, places - corner)
    return np.asarray(mixed * 255, np.uint8)


def cut_mouth(
    pixels: Pixels, landmarks_px: Points, matrix: Points, side_px: int = MOUTH_SIDE_PX
) -> Pixels:
    """The square around the mouth, cut from the aligned frame.

    Args:
        pixels: (H, W, 3) RGB uint8, the whole frame.
        landmarks_px: (68, 2) of this frame alone, not smoothed.
        matrix: (2, 3) from ``align_to_mean_face``.
        side_px: side of the square.

    Returns:
        (side_px, side_px, 3) uint8: bilinear, 0 outside the frame, fractions cut off.
    """
    return sample(pixels, mouth_places(landmarks_px, matrix, side_px))


def _bilinear(picture: Points, corner: npt.NDArray[np.int64], share: Points) -> Points:
    """Values of (H, W, C) at (h, w, 2) places: ``share`` past pixel ``corner``; 0 outside."""
    right, down = np.moveaxis(share, -1, 0)[..., None]
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)))
    limit = np.array([picture.shape[1], picture.shape[0]]) + 1

    def neighbor(x: int, y: int) -> Points:
        column, row = np.moveaxis(np.clip(corner + np.array([x + 1, y + 1]), 0, limit), -1, 0)
        found: Points = padded[row, column]
        return found

    above = (1 - right) * neighbor(0, 0) + right * neighbor(1, 0)
    below = (1 - right) * neighbor(0, 1) + right * neighbor(1, 1)
    mixed: Points = (1 - down) * above + down * below
    return mixed


def to_gray(pixels: Pixels, side_px: int) -> Pixels:
    """The center of an RGB picture in gray (ITU-R 601, rounded as Pillow does).

    Args:
        pixels: (H, W, 3) uint8.
        side_px: side of the center square.

    Returns:
        (side_px, side_px) uint8.
    """
    gray: Pixels = np.asarray(Image.fromarray(pixels).convert("L"), np.uint8)
    top, left = (gray.shape[0] - side_px) // 2, (gray.shape[1] - side_px) // 2
    return gray[top : top + side_px, left : left + side_px]


def mouth_clip(
    frames: npt.NDArray[np.uint8], landmarks_px: Points, side_px: int = MOUTH_SIDE_PX
) -> Pixels:
    """The whole chain: gray mouth pictures of one person.

    Args:
        frames: (T, H, W, 3) RGB uint8.
        landmarks_px: (T, 68, 2) float64 in the frames.
        side_px: side of the pictures.

    Returns:
        (T, side_px, side_px, 1) uint8.
    """
    matrices = align_to_mean_face(landmarks_px)
    cuts = (
        cut_mouth(pixels, points, matrix)
        for pixels, points, matrix in zip(frames, landmarks_px, matrices, strict=True)
    )
    return np.stack([to_gray(cut, side_px) for cut in cuts])[..., None]
