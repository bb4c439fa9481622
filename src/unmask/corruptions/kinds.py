"""The registry: every family with its parameter at the five severities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from unmask.corruptions import frames
from unmask.errors import UnknownNameError, UsageError
from unmask.types import Pixels

SEVERITIES: Final = (1, 2, 3, 4, 5)

Act = Callable[[Pixels, float, np.random.Generator], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One family of corruption.

    Attributes:
        name: as the command line takes it.
        parameter: what is changed, with its unit.
        values: the parameter at severity 1 to 5.
        draws: what is random: nothing, one draw for the whole clip, or one for each frame.
        act: changes one frame; None where a whole clip is encoded.
    """

    name: str
    parameter: str
    values: tuple[float, float, float, float, float]
    draws: Literal["nothing", "clip", "frame"]
    act: Act | None

    def value(self, severity: int) -> float:
        """The parameter at a severity.

        Raises:
            UsageError: the severity is not one of 1 to 5.

        >>> KINDS["blur"].value(3)
        13
        """
        if severity not in SEVERITIES:
            raise UsageError(
                f"Cannot corrupt with severity {severity!r}: expected a whole number from 1 "
                "(mild) to 5 (strong)."
            )
        return self.values[int(severity) - 1]


# Parameters: get_distortion_parameter in perturbation/add_distortion_to_video.py of
# DeeperForensics-1.0. Names: table 3 of LipForensics.
_ALL: Final = (
    Kind(
        name="saturation",
        parameter="factor of the chroma",
        values=(0.4, 0.3, 0.2, 0.1, 0.0),
        draws="nothing",
        act=frames.saturate,
    ),
    Kind(
        name="contrast",
        parameter="factor of all values",
        values=(0.85, 0.725, 0.6, 0.475, 0.35),
        draws="nothing",
        act=frames.reduce_contrast,
    ),
    Kind(
        name="block",
        parameter="number of gray blocks of 8 px for each 256 px of the shorter side",
        values=(16, 32, 48, 64, 80),
        draws="clip",
        act=frames.cover_blocks,
    ),
    Kind(
        name="noise",
        parameter="variance of white Gaussian noise, of values in 0..1",
        values=(0.001, 0.002, 0.005, 0.01, 0.05),
        draws="frame",
        act=frames.add_noise,
    ),
    Kind(
        name="blur",
        parameter="edge of the Gaussian kernel, px",
        values=(7, 9, 13, 17, 21),
        draws="nothing",
        act=frames.blur,
    ),
    Kind(
        name="pixelation",
        parameter="factor down and up again",
        values=(2, 3, 4, 5, 6),
        draws="nothing",
        act=frames.pixelate,
    ),
    Kind(
        name="compression",
        parameter="constant rate factor of H.264",
        values=(30, 32, 35, 38, 40),
        draws="nothing",
        act=None,
    ),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""The seven families by name, in the order of LipForensics, table 3."""


def get_kind(name: str) -> Kind:
    """The family of this name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    if name in KINDS:
        return KINDS[name]
    close = get_close_matches(name, KINDS, 1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    raise UnknownNameError(f"Unknown corruption '{name}'.{hint} Known: {', '.join(KINDS)}.")
