"""Weights not for commercial use: asked for when they come in, and recorded in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from unmask.checkpoints.safetensors_file import ACCEPTED
from unmask.detectors.card import Card, Weights
from unmask.errors import WeightsError

NON_COMMERCIAL = "non_commercial"
"""In the metadata of an imported file: ``yes``, or ``no`` where its license was looked at."""

LICENSOR = "licensor"
UNKNOWN = "unknown"


class Terms(NamedTuple):
    """A license that is not for commercial use, who set it, and when it was accepted, in UTC."""

    license: str
    licensor: str
    accepted: str = ""

    def notes(self) -> dict[str, str]:
        """What the metadata of a file under these terms say besides the license."""
        return {NON_COMMERCIAL: "yes", LICENSOR: self.licensor, ACCEPTED: self.accepted}


def terms_in(metadata: Mapping[str, str]) -> Terms | None:
    """The terms that a file of ours says it is under; None where it names none."""
    if metadata.get(NON_COMMERCIAL) != "yes":
        return None
    license, licensor = (metadata.get(key, UNKNOWN) for key in ("license", LICENSOR))
    return Terms(license, licensor, metadata.get(ACCEPTED, ""))


def terms_of_entries(entries: Sequence[Weights], *, is_known: bool) -> Terms | None:
    """The terms of weights on a card; None where all of them are free.

    Args:
        entries: those that a file is, or to judge by its layout could be.
        is_known: the file's hash is the entry's.
    """
    found = [entry for entry in entries if entry.is_non_commercial]
    if not found:
        return None
    licenses = "; ".join(dict.fromkeys(entry.license for entry in found))
    licensor = " and ".join(dict.fromkeys(entry.licensor for entry in found))
    return Terms(licenses if is_known else f"{licenses} (told by the file's layout)", licensor)


def likely_entries(entries: Sequence[Weights], path: Path) -> list[Weights]:
    """Of the weights whose importer reads a file, those that it is, to judge by its layout."""
    certain = [entry for entry in entries if entry.recognizes and entry.recognizes(path)]
    return certain or [entry for entry in entries if entry.recognizes is None]


def accepted(terms: Terms, is_accepted: bool, source: str) -> Terms:
    """The terms with the time of their acceptance, which is now unless it was before.

    Raises:
        WeightsError: nobody accepted them.
    """
    if terms.accepted:
        return terms
    if not is_accepted:
        raise WeightsError(
            f"Weights '{source}' are not for commercial use: their license is {terms.license}, set "
            f"by {terms.licensor}. Nothing was kept. Read it; if your use is allowed, run again "
            "with --accept-license (in Python: accept_license=True)."
        )
    return terms._replace(accepted=datetime.now(UTC).isoformat(timespec="seconds"))


def check_accepted(metadata: Mapping[str, str], card: Card, path: Path) -> None:
    """Refuses a file of ours whose license must be accepted and was not.

    Raises:
        WeightsError: it was not accepted; or the file was imported before licenses were asked
            for, and may be under one of those.
    """
    again = (
        "Import the published file again, to a new place: "
        f"unmask weights import {card.name} FILE -o NEW --accept-license"
    )
    guarded = [entry for entry in card.weights if entry.is_non_commercial]
    terms = terms_in(metadata)
    if terms is None and NON_COMMERCIAL not in metadata:
        same = [entry for entry in guarded if entry.license == metadata.get("license")]
        terms = terms_of_entries(same, is_known=True)
    if terms is not None and not terms.accepted:
        raise WeightsError(
            f"Weights '{path}' are not for commercial use: their license is {terms.license}, set "
            f"by {terms.licensor}, and the file has no record that you accepted it. {again}"
        )
    if guarded and metadata.get("tag") == UNKNOWN and NON_COMMERCIAL not in metadata:
        terms_of_card = "; ".join(
            dict.fromkeys(f"{entry.tag}: {entry.license}" for entry in guarded)
        )
        raise WeightsError(
            f"Weights '{path}' were imported by an unmask that did not ask about licenses, and may "
            f"not be for commercial use ({terms_of_card}). {again}"
        )


def refuse_tag(card: Card, entry: Weights) -> WeightsError:
    """The error for weights that were named by a tag, and whose license nobody accepted."""
    return WeightsError(
        f"Weights {entry.tag!r} of {card.name} are not for commercial use: their license is "
        f"{entry.license}, set by {entry.licensor}. Read it; if your use is allowed, run: "
        f"unmask weights download {card.name} --tag {entry.tag} --accept-license"
    )
