"""Text that is safe to show on a terminal and in a report, and numbers that stay apart there."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"  # part of normal spelling in several scripts


def printable(text: str) -> str:
    r"""The text with control characters and text-direction overrides made visible.

    A file name may hold line breaks, terminal escapes, or U+202E, which makes ``exe.4pm`` read
    ``mp4.exe``. The result is always a single line.

    >>> printable("a\nb\x1b[2Jc\u202egpj.mp4")
    'a\\nb\\x1b[2Jc\\u202egpj.mp4'
    """
    return "".join(
        char.encode("unicode_escape").decode() if _is_hidden(char) else char for char in text
    )


def _is_hidden(char: str) -> bool:
    is_odd = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    return is_odd and char not in _JOINERS


def decimals_apart(*values: float, least: int = 2, most: int = 6) -> int:
    """So many decimals that values which differ are printed differently.

    >>> decimals_apart(2.4937, 2.494), decimals_apart(0.5, 1.37), decimals_apart(1.0, 1.0)
    (4, 2, 2)
    """
    different = set(values)
    for decimals in range(least, most):
        if len({f"{value:.{decimals}f}" for value in different}) == len(different):
            return decimals
    return most
