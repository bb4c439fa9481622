"""Every corruption by its name; a file in this folder registers its own.

The seven of LipForensics, table 3, are written after what the perturbation code of
DeeperForensics-1.0 computes (Jiang et al., CVPR 2020; the robustness protocol of LipForensics,
section 4.3, uses it); their parameters are those of ``get_distortion_parameter`` in its
``perturbation/add_distortion_to_video.py``. Values are rounded where the original cuts off the
fraction, which differs by at most 1 of 255.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from unmask.corruptions.registry import REGISTERED, Corruption
from unmask.errors import UnknownNameError

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

CORRUPTIONS: Final[Mapping[str, Corruption]] = MappingProxyType(
    {c.name: c for c in sorted(REGISTERED.values(), key=lambda c: c.stream)}
)
"""By name; the seven of LipForensics, table 3, come first, in its order."""


def get_corruption(name: str) -> Corruption:
    """The corruption of this name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    if name in CORRUPTIONS:
        return CORRUPTIONS[name]
    close = get_close_matches(name, CORRUPTIONS, 1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    raise UnknownNameError(f"Unknown corruption '{name}'.{hint} Known: {', '.join(CORRUPTIONS)}.")
