"""Masks of eyes, mouth, nose and face from 5 or 68 points."""

from __future__ import annotations

import torch
from torch import Tensor

_ELLIPSES = {
    # Half axes across and along, in distances of the eyes.
    "eye": (0.22, 0.11),
    "nose": (0.25, 0.2),
    "face": (1.1, 1.45),
}
_MOUTH = (0.45, 0.2)
"""Half axes in distances of the mouth's corners."""

_POLYGONS = {
    "left_eye": tuple(range(36, 42)),
    "right_eye": tuple(range(42, 48)),
    "nose": tuple(range(30, 36)),
    "mouth": tuple(range(60, 68)),
    "face": (*range(17), *range(26, 16, -1)),
}


def eyes(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Both eyes: (B, 1, H, W), 1 inside, from points (B, 5 or 68, 2) in pixels."""
    if points.shape[1] == 5:
        left, right = (_ellipse(points, points[:, at], "eye", size) for at in (0, 1))
    else:
        left, right = (_polygon(points, name, size) for name in ("left_eye", "right_eye"))
    return torch.maximum(left, right)


def mouth(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Between the lips; of five points, around the middle of the mouth's corners."""
    if points.shape[1] != 5:
        return _polygon(points, "mouth", size)
    corners = points[:, 3:5]
    across, along = (share * _apart(corners[:, 0], corners[:, 1]) for share in _MOUTH)
    return _inside(corners.mean(dim=1), corners[:, 1] - corners[:, 0], across, along, size)


def nose(points: Tensor, size: tuple[int, int]) -> Tensor:
    """The lower half of the nose."""
    if points.shape[1] == 5:
        return _ellipse(points, points[:, 2], "nose", size)
    return _polygon(points, "nose", size)


def face(points: Tensor, size: tuple[int, int]) -> Tensor:
    """From the jaw to the brows; of five points, an ellipse around their mean."""
    if points.shape[1] == 5:
        return _ellipse(points, points.mean(dim=1), "face", size)
    return _polygon(points, "face", size)


def brighter_half(gray: Tensor, mask: Tensor, rounds: int = 10) -> Tensor:
    """The brighter of two kinds of pixels in a mask, separated by two means.

    Args:
        gray: (B, 1, H, W).
        mask: (B, 1, H, W), 1 inside.
        rounds: rounds of moving the means, which begin at the darkest and the brightest.

    Returns:
        (B, 1, H, W), 1 where the mask is 1 and the pixel nearer to the brighter mean.
    """
    far = gray.detach().abs().amax(dim=(2, 3), keepdim=True) + 1
    dark = torch.where(mask > 0, gray, far).amin(dim=(2, 3), keepdim=True)
    light = torch.where(mask > 0, gray, -far).amax(dim=(2, 3), keepdim=True)
    for _ in range(rounds):
        upper = mask * (gray > (dark + light) / 2)
        light = _mean(gray, upper, light)
        dark = _mean(gray, mask - upper, dark)
    return mask * (gray > (dark + light) / 2)


def _mean(gray: Tensor, mask: Tensor, otherwise: Tensor) -> Tensor:
    total = mask.sum(dim=(2, 3), keepdim=True)
    mean = (gray * mask).sum(dim=(2, 3), keepdim=True) / total.clamp(min=1)
    return torch.where(total > 0, mean, otherwise)


def _apart(first: Tensor, second: Tensor) -> Tensor:
    distance: Tensor = (first - second).norm(dim=1)
    return distance.clamp(min=1)


def _ellipse(points: Tensor, middle: Tensor, name: str, size: tuple[int, int]) -> Tensor:
    distance = _apart(points[:, 0], points[:, 1])
    across, along = (share * distance for share in _ELLIPSES[name])
    return _inside(middle, points[:, 1] - points[:, 0], across, along, size)


def _places(size: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """X and y of every pixel's middle, (H, W)."""
    ys = torch.arange(size[0], device=like.device, dtype=like.dtype) + 0.5
    xs = torch.arange(size[1], device=like.device, dtype=like.dtype) + 0.5
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    return x, y


def _inside(
    middle: Tensor, direction: Tensor, across: Tensor, along: Tensor, size: tuple[int, int]
) -> Tensor:
    """An ellipse whose first half axis lies in a direction, all (B, 2) or (B,)."""
    x, y = _places(size, middle)
    unit = direction / direction.norm(dim=1, keepdim=True).clamp(min=1e-6)
    dx, dy = x - middle[:, 0, None, None], y - middle[:, 1, None, None]
    cosine, sine = unit[:, 0, None, None], unit[:, 1, None, None]
    first = (dx * cosine + dy * sine) / across[:, None, None]
    second = (dy * cosine - dx * sine) / along[:, None, None]
    is_inside: Tensor = first.square() + second.square() <= 1
    return is_inside.to(middle.dtype)[:, None]


def _polygon(points: Tensor, name: str, size: tuple[int, int]) -> Tensor:
    """Whether a ray to the right of a pixel crosses the outline an odd number of times."""
    corners = points[:, list(_POLYGONS[name])]
    x, y = _places(size, points)
    crossings = torch.zeros(len(points), *size, device=points.device, dtype=points.dtype)
    for at in range(corners.shape[1]):
        x0, y0 = (corners[:, at - 1, axis, None, None] for axis in (0, 1))
        x1, y1 = (corners[:, at, axis, None, None] for axis in (0, 1))
        is_between = (y0 > y) != (y1 > y)
        slope = (x1 - x0) / torch.where(y1 == y0, torch.ones_like(y0), y1 - y0)
        crossings = crossings + (is_between & (x < x0 + (y - y0) * slope)).to(points.dtype)
    return (crossings % 2)[:, None]
