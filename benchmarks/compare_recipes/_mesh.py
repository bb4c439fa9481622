r"""468 points of stored faces, by the network of MediaPipe; for these comparisons alone.

The network is ``mediapipe/modules/face_landmark/face_landmark.tflite`` of the wheel
mediapipe==0.10.21 (Apache-2.0; later wheels lack it). It runs by ``ai-edge-litert``, which stands
in no extra: install both into an environment of their own and put its packages behind ours.

    pip download --no-deps mediapipe==0.10.21 && unzip mediapipe-*.whl
    python -m venv mesh && mesh/bin/pip install ai-edge-litert
    PYTHONPATH=src:mesh/lib/python3.11/site-packages python -m benchmarks compare_recipes \
        mesh --work WORK --model mediapipe/modules/face_landmark/face_landmark.tflite
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from unmask.prepare import read_prepared
from unmask.types import Floats, Pixels

_SIDE: Final = 192
_POINTS: Final = 468
_CORNERS: Final = (33, 263)
"""Outer corners of the eyes."""

See = Callable[[Pixels, Floats], Floats]


def write_mesh(folder: Path, model: Path, out: Path) -> None:
    """Finds the points of every frame that ``folder`` holds, and writes them one after the other.

    ``out`` gets ``points`` (N, 468, 2) in the stored pictures, and ``starts``, where each
    sequence's frames begin.
    """
    see = _network(model)
    found: list[Floats] = []
    starts = [0]
    for sequence in read_prepared(folder).sequences:
        pictures = sequence.pixels(range(len(sequence)))
        for pixels, points in zip(pictures, sequence.landmarks_px, strict=True):
            rough = see(pixels, _by_five_points(points))
            found.append(see(pixels, _by_all_points(rough)))
        starts.append(len(found))
    np.savez(out, points=np.stack(found), starts=np.array(starts))


def _network(model: Path) -> See:
    from ai_edge_litert.interpreter import Interpreter

    net = Interpreter(str(model), num_threads=1)
    net.allocate_tensors()
    given = net.get_input_details()[0]["index"]
    points_at = net.get_output_details()[0]["index"]

    def see(pixels: Pixels, matrix: Floats) -> Floats:
        crop = cv2.warpAffine(pixels, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
        net.set_tensor(given, crop[None].astype(np.float32) / 255)
        net.invoke()
        points = net.get_tensor(points_at).reshape(_POINTS, 3)[:, :2]
        back = cv2.invertAffineTransform(matrix)
        return np.asarray(points @ back[:, :2].T + back[:, 2], np.float32)

    return see


def _by_five_points(points: Floats) -> Floats:
    eyes, mouth = points[:2].mean(axis=0), points[3:5].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    unit = max(float(np.linalg.norm(across)), 0.9 * float(np.linalg.norm(down)))
    angle = float(np.arctan2(across[1], across[0]))
    return _square(eyes + 0.5 * down, angle, 3.4 * unit)


def _by_all_points(points: Floats) -> Floats:
    across = points[_CORNERS[1]] - points[_CORNERS[0]]
    angle = float(np.arctan2(across[1], across[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = points @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    return _square(turn.T @ ((low + high) / 2), angle, 1.5 * float((high - low).max()))


def _square(center: Floats, angle: float, side: float) -> Floats:
    """(2, 3) that takes a picture's pixels to those of the network's square."""
    scale = _SIDE / side
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = np.array([[cosine, sine, 0], [-sine, cosine, 0]])
    matrix[:, 2] = _SIDE / 2 - matrix[:, :2] @ center
    return matrix
