"""How a head is turned, from points of its face: perspective-n-point with an average head."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_HALF: tuple[tuple[float, float, float], ...] = (
    # Jaw 0 to 7: the vertices 127, 234, 93, 58, 172, 136, 149, 148.
    (-7.743095, 2.364999, -2.005167),
    (-7.664182, 0.673132, -2.435867),
    (-7.542244, -1.049282, -2.431321),
    (-6.719682, -4.788645, -1.745401),
    (-5.940524, -6.223629, -0.631468),
    (-5.085276, -7.178590, 0.714711),
    (-3.210651, -8.533278, 2.802001),
    (-1.292924, -9.295920, 4.094063),
)
_CHIN = (0.0, -9.403378, 4.264492)
_BROW: tuple[tuple[float, float, float], ...] = (
    # 17 to 21: 70, 63, 105, 66, 107.
    (-5.720968, 4.254584, 2.830852),
    (-4.985894, 4.802461, 3.751977),
    (-3.986562, 5.109487, 4.466315),
    (-2.760292, 5.100971, 5.015990),
    (-1.395634, 5.011963, 5.316032),
)
_NOSE: tuple[tuple[float, float, float], ...] = (
    # 27 to 33: 168, 197, 5, 4, 75, 97, 2.
    (0.0, 3.271027, 5.236015),
    (0.0, 1.728369, 6.316750),
    (0.0, 0.365669, 7.242870),
    (0.0, -0.463170, 7.586580),
    (-1.043625, -1.464973, 5.662455),
    (-0.597442, -2.013686, 5.866456),
    (0.0, -2.089024, 6.058267),
)
_NOSE_TIP = (0.0, -1.126865, 7.475604)
_MOUTH_CORNER = (-2.456206, -4.342621, 4.283884)
_EYE = (-3.151146, 2.624618, 3.465663)
"""The middle of the corners of an eye, 33 and 133."""


def _mirrored(points: tuple[tuple[float, float, float], ...]) -> list[tuple[float, float, float]]:
    return [(-x, y, z) for x, y, z in reversed(points)]


_TURN = np.array([0.1, -0.1, -0.1])
"""From centimeters, y up and z to the viewer, to tenths of a meter in a camera's axes."""

CENTRAL_OF_68 = (*range(17, 36), 48, 54)
WHOLE_OF_68 = (*range(36), 48, 54)
"""Brows, nose and mouth corners; the same and the jaw (Yang et al., the ids of their code - 1)."""

HEAD_OF_68: npt.NDArray[np.float64] = (
    np.array(
        [
            *(*_HALF, _CHIN, *_mirrored(_HALF)),
            *(*_BROW, *_mirrored(_BROW)),
            *(*_NOSE, *_mirrored(_NOSE[4:6])),
            *(_MOUTH_CORNER, *_mirrored((_MOUTH_CORNER,))),
        ]
    )
    * _TURN
)
"""(38, 3): the points of ``WHOLE_OF_68`` on MediaPipe's canonical face model (Apache-2.0)."""

HEAD_OF_5: npt.NDArray[np.float64] = (
    np.array([_EYE, *_mirrored((_EYE,)), _NOSE_TIP, _MOUTH_CORNER, *_mirrored((_MOUTH_CORNER,))])
    * _TURN
)
"""(5, 3): eyes, nose tip and mouth corners on the same model."""

_MOST = 10.0


@torch.library.custom_op("unmask::solve_poses", mutates_args=())
def solve_poses(points: Tensor, head: Tensor, focal_px: float, side_px: list[int]) -> Tensor:
    """Rotation and translation of heads, by OpenCV's ``solvePnP``.

    Args:
        points: (B, K, 2) pixels.
        head: (K, 3), the same points on a head.
        focal_px: focal length of the camera, which looks at the middle of the picture.
        side_px: height and width of the picture.

    Returns:
        (B, 12) float32: the rotation matrix row by row, then the translation in units of
        ``head``, cut to -10..10; zeros where no pose was found.
    """
    model = head.detach().cpu().double().numpy()
    camera = np.array([[focal_px, 0, side_px[1] / 2], [0, focal_px, side_px[0] / 2], [0, 0, 1.0]])
    found = [_pose(each, model, camera) for each in points.detach().cpu().double().numpy()]
    return torch.from_numpy(np.stack(found).astype(np.float32)).to(points.device)


@solve_poses.register_fake
def _(points: Tensor, head: Tensor, focal_px: float, side_px: list[int]) -> Tensor:
    return points.new_empty(points.shape[0], 12, dtype=torch.float32)


def _pose(
    points: npt.NDArray[np.float64],
    model: npt.NDArray[np.float64],
    camera: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    # The iterative way, the published one, needs six points to begin with.
    how = cv2.SOLVEPNP_ITERATIVE if len(points) > 5 else cv2.SOLVEPNP_SQPNP
    try:
        is_found, turn, shift = cv2.solvePnP(
            model, np.ascontiguousarray(points), camera, None, flags=how
        )
    except cv2.error:
        is_found = False
    if not is_found:
        return np.zeros(12)
    pose = np.concatenate([cv2.Rodrigues(turn)[0].ravel(), shift.ravel()])
    bounded: npt.NDArray[np.float64] = np.clip(np.nan_to_num(pose), -_MOST, _MOST)
    return bounded
