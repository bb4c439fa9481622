"""The weights of detectors, and those for 68 landmarks: listed, checked, downloaded."""

from __future__ import annotations

from pathlib import Path

from unmask.checkpoints import cache_dir, check_hash
from unmask.detectors import Weights, get_card, list_detectors
from unmask.errors import UnknownNameError, WeightsError
from unmask.faces import POINT_WEIGHTS
from unmask.weights import download, import_weights, load_detector, published_path
from unmask.weights.states import WeightsState, states_of

LANDMARKS = "landmarks"
"""Takes the place of a detector's name; also the extra that installs the package they are for."""


def states(name: str | None) -> list[WeightsState]:
    """The state of all weights of one detector; without a name, of everything there is.

    Raises:
        UnknownNameError: there is no such detector.
    """
    if name is None:
        found = [state for known in list_detectors() for state in states_of(get_card(known))]
        return [*found, _landmarks()]
    return [_landmarks()] if name == LANDMARKS else states_of(get_card(name))


def damage(state: WeightsState) -> str | None:
    """What is wrong with the file; None if it is whole, or not on this machine."""
    if state.path is None:
        return None
    try:
        if state.name == LANDMARKS:
            check_hash(state.path, state.entry.sha256)
        else:
            load_detector(state.name, state.entry.tag)
    except WeightsError as error:
        return str(error)
    return None


def fetch_weights(name: str, tag: str | None, accept_license: bool = False) -> Path:
    """Downloads weights unless they are on this machine, and checks them.

    Args:
        name: a detector, or ``LANDMARKS``.
        tag: which of its weights; None takes the first.
        accept_license: whether a license that forbids commercial use is accepted.

    Returns:
        The file.

    Raises:
        UnknownNameError: there is no such detector or tag.
        WeightsError: no address is known, there is no network, the file is not the published one,
            or its license was not accepted.
    """
    state = _state(name, tag)
    if name != LANDMARKS:
        if accept_license and state.entry.is_non_commercial and state.path is None:
            _import_accepted(state)
        load_detector(name, state.entry.tag)
    elif state.path is None:
        path = _landmarks_path()
        download(
            *(name, state.entry, path),
            by_hand=f"Fetch it on another machine and put it at '{path}' (sha256 "
            f"{state.entry.sha256}).",
        )
    else:
        check_hash(state.path, state.entry.sha256)
    path_now = _state(name, state.entry.tag).path
    assert path_now is not None
    return path_now


def _state(name: str, tag: str | None) -> WeightsState:
    known = states(name)
    for state in known:
        if tag in (None, state.entry.tag):
            return state
    tags = ", ".join(state.entry.tag for state in known) or "none"
    raise UnknownNameError(f"Unknown weights {tag!r} of {name}. Known: {tags}.")


def _import_accepted(state: WeightsState) -> None:
    """Fetches weights whose license was accepted, and records that beside them."""
    published = published_path(state.name, state.entry)
    if published is None:
        return  # Loading says what to do.
    if not published.is_file():
        download(state.name, state.entry, published)
    check_hash(published, state.entry.sha256)
    safe = published.with_suffix(".safetensors")
    import_weights(state.name, published, safe, accept_license=True)


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
