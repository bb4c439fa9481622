"""Published weights files into the cache: one address, one size, one hash, whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import tempfile
import urllib.request
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from unmask.detectors.card import Weights
from unmask.errors import OutputError, WeightsError

_LOG = logging.getLogger("unmask")
_CHUNK_BYTES = 1 << 16
_TIMEOUT_S = 30.0


def download(detector: str, weights: Weights, target: Path, *, by_hand: str = "") -> Path:
    """Fetches ``weights.url`` to ``target``, checks size and hash, and leaves no partial file.

    Args:
        detector: the name that messages give.
        weights: with address and hash.
        target: the file to write.
        by_hand: what errors advise; else to fetch the file elsewhere or to import it.

    Raises:
        WeightsError: no network, or what came is not the published file.
        OutputError: the cache folder cannot be written to.
    """
    url, expected = weights.url or "", weights.sha256
    if urlsplit(url).scheme not in ("http", "https") or expected is None:
        raise WeightsError(
            f"Cannot download weights {weights.tag!r} of {detector}: expected an http address and "
            f"a sha256, got {url!r} and {expected}. Correct the detector's card."
        )
    size = f"{weights.size_bytes:,} bytes" if weights.size_bytes else "size unknown"
    _LOG.info(
        "Downloading %s:%s (%s, licence %s) from %s to %s",
        *(detector, weights.tag, size, weights.license, url, target),
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part"
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"Cannot write to the cache '{target.parent}': {reason}. "
            "Set UNMASK_CACHE to a folder that can be written to."
        ) from error
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _fetch(url, file, weights, by_hand or _by_hand(detector, weights, target))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _by_hand(detector: str, weights: Weights, target: Path) -> str:
    return (
        f"Fetch it on another machine and put it at '{target}' (sha256 {weights.sha256}), or run: "
        f"unmask weights import {detector} FILE"
    )


def _fetch(url: str, file: IO[bytes], weights: Weights, remedy: str) -> None:
    """Copies the answer of ``url`` into ``file`` and checks what came."""
    digest, count = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            while chunk := answer.read(_CHUNK_BYTES):
                digest.update(chunk)
                count += len(chunk)
                if weights.size_bytes is not None and count > weights.size_bytes:
                    break
                file.write(chunk)
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(f"Cannot download '{url}': {_reason(error)}. {remedy}") from error
    if weights.size_bytes is not None and count != weights.size_bytes:
        got = f"{count:,}" if count < weights.size_bytes else f"more than {weights.size_bytes:,}"
        raise WeightsError(
            f"The download of '{url}' has the wrong size: {got} bytes came, expected "
            f"{weights.size_bytes:,}. Nothing was kept; run again. {remedy}"
        )
    if digest.hexdigest() != weights.sha256:
        raise WeightsError(
            f"The download of '{url}' is not the published file: sha256 is "
            f"{digest.hexdigest()[:8]}…, expected {(weights.sha256 or '')[:8]}…. "
            f"Nothing was kept; run again. {remedy}"
        )


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__).rstrip(".")
