"""Everything that unmask raises on purpose.

Each message says what is wrong, what was expected, what was found and what to do.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from types import ModuleType


class UnmaskError(Exception):
    """Root of every error that unmask raises on purpose; the CLI prints it as one line."""


class MediaError(UnmaskError):
    """The media file cannot be read, is not media, or is larger than the limits allow."""


class WeightsError(UnmaskError):
    """A weights file is missing, damaged, or does not fit the detector."""


class WrongVariantError(WeightsError):
    """A weights file was understood, but is of another variant of the network."""


class UnknownNameError(UnmaskError):
    """A name (detector, tag, setting) is not known; the message lists the known ones."""


class MissingDependencyError(UnmaskError):
    """An optional dependency is not installed; the message gives the command that installs it."""


class OutputError(UnmaskError):
    """A result cannot be written where it was asked for, or would overwrite something."""


class DataError(UnmaskError):
    """A training or evaluation data set lacks what the recipe needs."""


class NotMeasurableError(DataError):
    """A metric has no value on these data; the message says what they lack."""


class UsageError(UnmaskError):
    """The arguments contradict each other or are out of range; the CLI exits with 2."""


def import_optional(module: str, extra: str) -> ModuleType:
    """Imports a module that only the extra ``unmask[extra]`` brings.

    Raises:
        MissingDependencyError: it is not installed; the message gives the command.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = module.partition(".")[0]
        raise MissingDependencyError(
            f"{name} is not installed. Install it with: pip install 'unmask[{extra}]'"
        ) from error


def explain_unknown(kind: str, name: str, known: list[str]) -> str:
    """The message for a name that is not known, with the closest known one.

    >>> explain_unknown("detector", "blue", ["blur", "red"])
    "Unknown detector 'blue'. Did you mean 'blur'? Known: blur, red."
    """
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"Unknown {kind} {name!r}.{hint} Known: {', '.join(known) or 'none'}."
