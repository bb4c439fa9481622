"""Real clips inside a small sphere, forged ones outside a large one."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from unmask.errors import UsageError


class Radii(NamedTuple):
    """Radii of two spheres around one center, for real clips inside and forged clips outside.

    Real clips belong inside the inner sphere, forged ones outside the outer sphere.
    """

    inner: float
    outer: float


_GIVEN = {256: Radii(0.042, 1.638), 1024: Radii(2.5, 97.5)}


def radial_margin_loss(distance: Tensor, label: Tensor, *, inner: float, outer: float) -> Tensor:
    """Mean excess of reals over the inner radius, plus mean shortfall of fakes below the outer one.

    Masi et al. 2020 (Two-branch Recurrent Network), Eq. 2. Each mean is over its own class, so a
    batch may hold more of one; a class that is missing in a batch adds 0.

    Args:
        distance: (B,), Euclidean, from an embedding to the fixed center.
        label: (B,), 1 = fake.
        inner: radius in which reals cost nothing.
        outer: radius beyond which fakes cost nothing.

    Returns:
        A scalar.

    Raises:
        UsageError: unless 0 < inner < outer.

    >>> import torch
    >>> radial_margin_loss(torch.tensor([3.0, 4.0]), torch.tensor([0.0, 1.0]), inner=1, outer=9)
    tensor(7.)
    """
    if not 0 < inner < outer:
        raise UsageError(
            f"Cannot use the radii {inner:g} and {outer:g}: expected 0 < inner < outer. Give a "
            "smaller inner or a larger outer one."
        )
    fake = label > 0.5
    excess = (distance - inner).relu() * ~fake
    shortfall = (outer - distance).relu() * fake
    return excess.sum() / (~fake).sum().clamp(min=1) + shortfall.sum() / fake.sum().clamp(min=1)


def radii_for(dimensions: int) -> Radii:
    """The radii for embeddings of a given dimension.

    The paper gives those for 256 and 1024, and says that they follow the volume of the sphere.
    They do: a sphere of its inner radius has the same volume in 256 and in 1024 dimensions (to
    the digits printed), and the outer radius is 39 times the inner one in both. Other numbers
    of dimensions get their radii by the same two rules.

    Args:
        dimensions: length of the embedding, at least 1.

    Raises:
        UsageError: fewer than 1.

    >>> radii_for(1024)
    Radii(inner=2.5, outer=97.5)
    """
    if dimensions < 1:
        raise UsageError(
            f"Cannot choose radii for {dimensions} dimensions: expected at least 1. Give the "
            "length of the embedding."
        )
    return _GIVEN.get(dimensions) or _of_equal_volume(dimensions)


def _of_equal_volume(dimensions: int) -> Radii:
    inner, outer = _GIVEN[1024]
    volume = _log_unit_volume(1024) + 1024 * math.log(inner)
    radius = math.exp((volume - _log_unit_volume(dimensions)) / dimensions)
    return Radii(radius, radius * outer / inner)


def _log_unit_volume(dimensions: int) -> float:
    """Natural logarithm of the volume of a ball of radius 1."""
    return dimensions / 2 * math.log(math.pi) - math.lgamma(dimensions / 2 + 1)
