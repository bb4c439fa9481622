"""How a corruption makes itself known, with its parameter at the five severities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from unmask.errors import UsageError
from unmask.types import Pixels

SEVERITIES: Final = (1, 2, 3, 4, 5)

Act = Callable[[Pixels, float, np.random.Generator], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """One corruption, at five severities.

    Attributes:
        name: as the command line takes it.
        parameter: what is changed, with its unit.
        values: the parameter at severity 1 to 5.
        draws: what is random: nothing, one draw for the whole clip, or one for each frame.
        act: changes one frame; None where a whole clip is encoded with H.264, the parameter being
            the constant rate factor.
        stream: number of its random draws beside the seed, and its place in ``CORRUPTIONS``. No
            other has it, and it never changes: so one more corruption changes no draw.
    """

    name: str
    parameter: str
    values: tuple[float, float, float, float, float]
    draws: Literal["nothing", "clip", "frame"]
    act: Act | None
    stream: int

    def value(self, severity: int) -> float:
        """The parameter at a severity.

        Raises:
            UsageError: the severity is not one of 1 to 5.

        >>> from unmask.corruptions import get_corruption
        >>> get_corruption("blur").value(3)
        13
        """
        if severity not in SEVERITIES:
            raise UsageError(
                f"Cannot corrupt with severity {severity!r}: expected a whole number from 1 "
                "(mild) to 5 (strong)."
            )
        return self.values[int(severity) - 1]


REGISTERED: dict[str, Corruption] = {}
"""All registered so far; read ``unmask.corruptions.CORRUPTIONS``, which loads every file."""


def register(corruption: Corruption) -> None:
    """Makes a corruption known; called by the file that defines it.

    Raises:
        ValueError: its name or its stream is taken.
    """
    for other in REGISTERED.values():
        if corruption.name == other.name or corruption.stream == other.stream:
            names = f"{other.name}, {corruption.name}"
            raise ValueError(f"Two corruptions have one name or stream: {names}.")
    REGISTERED[corruption.name] = corruption
