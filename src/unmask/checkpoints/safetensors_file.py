"""Our weights files: safetensors that say whose they are, and checks that run before loading."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import struct
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from unmask._version import __version__
from unmask.errors import OutputError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from unmask.types import InputSpec

ACCEPTED = "license_accepted"
"""In the metadata: when a license that must be accepted was, in UTC."""

_SHOWN = 4
_MAX_HEADER_BYTES = 100_000_000


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensors_sha256(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and values; independent of order and of metadata."""
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key].detach().cpu().contiguous()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).numpy().tobytes())
    return digest.hexdigest()


def read_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself; empty when it says nothing.

    Raises:
        WeightsError: the file cannot be read or is not safetensors.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(_MAX_HEADER_BYTES, path.stat().st_size):
                raise ValueError("header longer than the file")
            header = json.loads(file.read(length))
        metadata = header.get("__metadata__", {})
        return {str(key): str(value) for key, value in metadata.items()}
    except OSError as error:
        raise WeightsError(f"Cannot read weights '{path}': {error.strerror}.") from error
    except (ValueError, AttributeError, struct.error) as error:
        raise WeightsError(_not_ours(path)) from error


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, on the CPU, checked against the hash it carries.

    Raises:
        WeightsError: the file is not safetensors, is truncated, or its values were changed.
    """
    import safetensors
    import safetensors.torch

    expected = read_metadata(path).get("tensors_sha256")
    try:
        state: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise WeightsError(_not_ours(path)) from error
    if expected is not None and (got := tensors_sha256(state)) != expected:
        raise WeightsError(_damaged(path, got, expected))
    return state


def save_weights(
    state: Mapping[str, Tensor],
    path: Path,
    *,
    detector: str,
    tag: str,
    license: str,
    trained_on: str,
    source: str = "",
    source_sha256: str = "",
    args: Mapping[str, object] | None = None,
    input: InputSpec | None = None,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Writes a state dict as safetensors of ours, with what is known of it in the metadata.

    ``args`` and ``input`` are those of the network, where it may differ from its card: whoever
    loads the file gets a network with them. ``notes`` are more of the metadata, under names of
    their own.

    An existing file is never overwritten: the same tensors of the same source leave it as it
    is, anything else is refused. A partial file never stays.

    Raises:
        OutputError: the file exists with other contents, or cannot be written.
        WeightsError: a value is not finite.
    """
    import safetensors.torch

    check_finite(state, str(path))
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
    metadata = {
        "detector": detector,
        "tag": tag,
        "license": license,
        "trained_on": trained_on,
        "source": source,
        "source_sha256": source_sha256,
        "unmask_version": __version__,
        "tensors_sha256": tensors_sha256(tensors),
        **({} if args is None else {"args": json.dumps(dict(args))}),
        **({} if input is None else {"input": json.dumps(dataclasses.asdict(input))}),
        **(notes or {}),
    }
    if path.exists():
        _refuse_other_contents(path, metadata)
        return path
    metadata["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    write_atomically(path, safetensors.torch.save(tensors, metadata))
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file that is either whole or not there.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    partial: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            partial = Path(file.name)
            file.write(data)
        # A temporary file is private; a weights file is as readable as any other new file.
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        partial.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"Cannot write '{path}': {reason}. Choose another place.") from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def check_hash(path: Path, expected: str | None) -> str:
    """The file's SHA-256, which is the expected one where one is known.

    Raises:
        WeightsError: it differs.
    """
    got = file_sha256(path)
    if expected is not None and got != expected:
        raise WeightsError(_damaged(path, got, expected))
    return got


def check_owner(metadata: Mapping[str, str], detector: str, path: Path) -> None:
    """Raises ``WeightsError`` where the file says that it belongs to another detector."""
    owner = metadata.get("detector", detector)
    if owner != detector:
        raise WeightsError(
            f"Weights '{path}' are for detector {owner!r}, expected {detector!r}. "
            f"Load them with {owner!r} or give another file."
        )


def check_fit(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str, detector: str
) -> None:
    """Raises ``WeightsError`` with the difference where keys or shapes do not fit the network."""
    missing = [key for key in wanted if key not in state]
    unexpected = [key for key in state if key not in wanted]
    misshapen = [
        f"{key} is {tuple(state[key].shape)}, expected {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    parts = [
        f"{len(found)} {word} ({_first(found)})"
        for word, found in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("of wrong shape", misshapen),
        )
        if found
    ]
    if parts:
        raise WeightsError(
            f"Weights '{source}' do not fit {detector}: of {len(wanted)} tensors "
            f"{'; '.join(parts)}. Nothing was loaded; give weights made for {detector}."
        )


def check_finite(state: Mapping[str, Tensor], source: str) -> None:
    """Raises ``WeightsError`` where a value is NaN or infinite."""
    bad = [key for key, value in state.items() if not bool(value.isfinite().all())]
    if bad:
        raise WeightsError(
            f"Weights '{source}' hold values that are not finite, in {len(bad)} of {len(state)} "
            f"tensors ({_first(bad)}). The training went wrong or the file is damaged: "
            "give another file."
        )


def _refuse_other_contents(path: Path, metadata: Mapping[str, str]) -> None:
    try:
        found = read_metadata(path)
    except WeightsError:
        found = {}
    # An acceptance counts, its date does not.
    found, wanted = ({**one, ACCEPTED: str(bool(one.get(ACCEPTED)))} for one in (found, metadata))
    if any(found.get(key) != value for key, value in wanted.items() if key != "unmask_version"):
        raise OutputError(
            f"Cannot write '{path}': it exists with other contents. "
            "Give another name or delete it first."
        )


def _first(found: list[str]) -> str:
    return ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")


def _damaged(path: Path, got: str, expected: str) -> str:
    return (
        f"Weights '{path}' are damaged: sha256 is {got[:8]}…, expected {expected[:8]}…. "
        "Delete the file and run again."
    )


def _not_ours(path: Path) -> str:
    return (
        f"Cannot read weights '{path}': not a whole safetensors file. Give one that unmask wrote, "
        "or make one with: unmask weights import NAME FILE"
    )
