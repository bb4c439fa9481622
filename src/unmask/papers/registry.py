"""The tables and measured figures of the five papers, as values.

A protocol says what a detector is trained on, what it is tested on and what the paper found. The
published values are the papers' own, read in their tables and text and never off a plot; shares
are in percent (log wP and log losses as they are). Running one is in ``run_protocol``.
"""

from __future__ import annotations

from unmask.errors import UnknownNameError
from unmask.papers.protocol import Protocol
from unmask.papers.protocols import (
    anti_compression,
    emd,
    lipforensics,
    spatio_temporal,
    two_branch,
)

PROTOCOLS: tuple[Protocol, ...] = (
    *lipforensics.PROTOCOLS,
    *two_branch.PROTOCOLS,
    *emd.PROTOCOLS,
    *anti_compression.PROTOCOLS,
    *spatio_temporal.PROTOCOLS,
)


def get_protocol(name: str) -> Protocol:
    """The protocol of a name such as paper/table1.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    if name not in known:
        raise UnknownNameError(f"Unknown protocol {name!r}. Known: {', '.join(known)}.")
    return known[name]
