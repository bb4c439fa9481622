"""What ``unmask weights`` does with weights of detectors, and with those for 68 points alike."""

from __future__ import annotations

from pathlib import Path

from unmask.cli.weights_state import WeightsState, states_of
from unmask.detectors import Weights, get_card, import_weights, list_detectors, load_detector
from unmask.detectors.weights import cache_dir, check_hash, download, published_path
from unmask.errors import UnknownNameError, WeightsError
from unmask.faces import POINT_WEIGHTS

LANDMARKS = "landmarks"
"""What stands for a detector's name; also the extra that installs the package they are for."""


def states(name: str | None) -> list[WeightsState]:
    """All weights of one detector, or of all and those for 68 points."""
    if name is None:
        known = [state for one in list_detectors() for state in states_of(get_card(one))]
        return [*known, _landmarks()]
    return [_landmarks()] if name == LANDMARKS else states_of(get_card(name))


def problem(one: WeightsState) -> str:
    """What is wrong with the file; empty if it is whole, or not here."""
    if one.path is None:
        return ""
    try:
        if one.name == LANDMARKS:
            check_hash(one.path, one.entry.sha256)
        else:
            load_detector(one.name, one.entry.tag)
    except WeightsError as error:
        return str(error)
    return ""


def fetch(name: str, tag: str | None, accept_license: bool = False) -> Path:
    """Downloads weights unless they are here, checks them, and says where they lie.

    Raises:
        UnknownNameError: no such detector or tag.
        WeightsError: no address is known, no network, or what is here or came is not the file;
            or it is not for commercial use, and that was not accepted.
    """
    found = [one for one in states(name) if tag in (None, one.entry.tag)]
    if not found:
        known = ", ".join(one.entry.tag for one in states(name)) or "none"
        raise UnknownNameError(f"Unknown weights {tag!r} of {name}. Known: {known}.")
    one = found[0]
    if one.name != LANDMARKS:
        if accept_license and one.entry.is_non_commercial and one.path is None:
            _import_accepted(one)
        load_detector(name, one.entry.tag)
    elif one.path is None:
        path = _landmarks_path()
        download(
            *(name, one.entry, path),
            by_hand=f"Fetch it on another machine and put it at '{path}' (sha256 "
            f"{one.entry.sha256}).",
        )
    else:
        check_hash(one.path, one.entry.sha256)
    (here,) = [now for now in states(name) if now.entry.tag == one.entry.tag]
    assert here.path is not None
    return here.path


def _import_accepted(one: WeightsState) -> None:
    """Fetches weights whose license was accepted, and puts the file that records it beside."""
    published = published_path(one.name, one.entry)
    if published is None:
        return  # Loading says what to do.
    if not published.is_file():
        download(one.name, one.entry, published)
    check_hash(published, one.entry.sha256)
    import_weights(one.name, published, published.with_suffix(".safetensors"), accept_license=True)


def _landmarks() -> WeightsState:
    entry = Weights(
        tag="fan",
        url=POINT_WEIGHTS.url,
        sha256=POINT_WEIGHTS.sha256,
        license=POINT_WEIGHTS.license,
        trained_on=POINT_WEIGHTS.trained_on,
        polarity="none: points, no score",
    )
    path = _landmarks_path()
    if path.is_file():
        return WeightsState(LANDMARKS, entry, "in cache", path)
    return WeightsState(LANDMARKS, entry, "to download", None)


def _landmarks_path() -> Path:
    return cache_dir() / POINT_WEIGHTS.file
