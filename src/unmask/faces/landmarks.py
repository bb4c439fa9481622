"""68 points of a face, for detectors whose published weights expect pictures cut by them.

FAN (Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D Face Alignment problem?",
ICCV 2017) comes in the PyPI package ``face-alignment``, without its weights. Of the package the
network and its crop are used; never its face detectors, and never its own download: the weights
come from a file whose hash was checked.
"""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.errors import WeightsError, import_optional
from unmask.types import Floats, Pixels

if TYPE_CHECKING:
    from torch import nn

_PACKAGE, _EXTRA = "face_alignment", "landmarks"
_STACKS = 4

_REFERENCE_PX = 165.0
"""The package's figure for finders trained on WIDER FACE, as CenterFace is (RetinaFace, SCRFD,
YuNet); it has 195 for others. A box of this side becomes 200 px before the crop is reduced."""

_UP = 0.12
"""Share of the box's height by which the crop lies above the box, as in the package."""


class PublishedPoints(NamedTuple):
    """A published weights file: where it is, what it must be, and on what terms."""

    file: str
    url: str
    sha256: str
    license: str
    trained_on: str


POINT_WEIGHTS = PublishedPoints(
    file="landmarks-2DFAN4-11f355bf06.pth.tar",
    url="https://www.adrianbulat.com/downloads/python-fan/2DFAN4-11f355bf06.pth.tar",
    # Its first ten digits are in the name; the others are those that public repositories pin.
    sha256="11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
    license="BSD-3-Clause (the package's; its author names none for the weights apart)",
    trained_on="300W-LP: FAN of four hourglasses, 68 points in two dimensions (about 96 MB)",
)
"""What ``face-alignment`` 1.5 downloads for 2D points."""


def landmarks_missing_reason(path: Path) -> str | None:
    """What must be installed or downloaded before 68 points can be found; None if nothing.

    Args:
        path: where the weights file should lie.
    """
    steps = []
    if importlib.util.find_spec(_PACKAGE) is None:
        steps.append(f"install face-alignment: pip install 'unmask[{_EXTRA}]'")
    if not path.is_file():
        steps.append(f"download its weights to '{path}': unmask weights download {_EXTRA}")
    return f"For 68 points, {'; and '.join(steps)}" if steps else None


class PointFinder:
    """Finds 68 points in faces whose boxes are known.

    Args:
        net: FAN in eval mode: (N, 3, 256, 256) in 0..1 to a list whose last entry is (N, 68, 64,
            64) heat maps.
        device: where it runs.

    Raises:
        MissingDependencyError: ``face-alignment`` is not installed.
    """

    def __init__(self, net: nn.Module, device: str = "cpu") -> None:
        self._package = import_optional(f"{_PACKAGE}.utils", _EXTRA)
        self._net = net.to(device).eval()
        self._device = device

    @classmethod
    def load(
        cls, path: Path, device: str = "cpu", sha256: str = POINT_WEIGHTS.sha256
    ) -> PointFinder:
        """Reads the published weights; only tensors are read, nothing in the file is executed.

        Raises:
            MissingDependencyError: ``face-alignment`` is not installed.
            WeightsError: the file is missing, damaged, or not FAN's.
        """
        import torch

        models = import_optional(f"{_PACKAGE}.models", _EXTRA)
        _check(path, sha256)
        net: nn.Module = models.FAN(_STACKS)
        try:
            net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except (RuntimeError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise WeightsError(
                f"Weights '{path}' do not fit: expected the tensors of FAN in the installed "
                f"face-alignment, got others ({type(error).__name__}). Install the version that "
                f"unmask is tested with: pip install 'unmask[{_EXTRA}]'"
            ) from error
        return cls(net, device)

    def __call__(self, pixels: Pixels, boxes_px: Floats) -> Floats:
        """Finds the points of every face, one face at a time: memory does not depend on them.

        Args:
            pixels: (H, W, 3) RGB uint8.
            boxes_px: (N, 4) in it.

        Returns:
            (N, 68, 2) float32 in it, in whole pixels, as the package gives them.
        """
        found = [self._points(pixels, box) for box in boxes_px]
        return np.asarray(found, np.float32).reshape(-1, 68, 2)

    def _points(self, pixels: Pixels, box: Floats) -> Floats:
        import torch

        x0, y0, x1, y1 = (float(v) for v in box)
        center = np.array([(x0 + x1) / 2, (y0 + y1) / 2 - _UP * (y1 - y0)])
        scale = (x1 - x0 + y1 - y0) / _REFERENCE_PX
        crop = self._package.crop(pixels, center, scale)
        face = torch.from_numpy(crop.transpose(2, 0, 1).astype(np.float32) / 255)[None]
        with torch.inference_mode():
            heat = self._net(face.to(self._device))[-1].float().cpu().numpy()
        return _read_heat(heat[0], center, scale)


def _read_heat(heat: Floats, center: npt.NDArray[np.float64], scale: float) -> Floats:
    """Where (68, 64, 64) heat maps peak in the frame: (68, 2) whole pixels.

    As the package's ``get_preds_fromhm`` does, which first compiles itself for seconds: a quarter
    of a cell towards the higher neighbor, then fractions of the frame's pixels are cut off.
    """
    side = heat.shape[-1]
    y, x = np.divmod(heat.reshape(len(heat), -1).argmax(axis=1), side)
    cells = np.stack([x, y], axis=1) + 0.5
    inner = ((x > 0) & (x < side - 1) & (y > 0) & (y < side - 1)).nonzero()[0]
    x, y = x[inner], y[inner]
    right = heat[inner, y, x + 1] - heat[inner, y, x - 1]
    down = heat[inner, y + 1, x] - heat[inner, y - 1, x]
    cells[inner] += 0.25 * np.sign(np.stack([right, down], axis=1))
    there = center + (cells - side / 2) * (200 * scale / side)
    whole: Floats = there.astype(np.int32).astype(np.float32)
    return whole


def _check(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise WeightsError(f"No weights at '{path}'. Run: unmask weights download {_EXTRA}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise WeightsError(
            f"Weights '{path}' are damaged: sha256 is {found[:8]}…, expected {sha256[:8]}…. "
            f"Delete the file and run: unmask weights download {_EXTRA}"
        )
