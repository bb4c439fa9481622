"""Tensors out of torch files, whole pickled modules included, without running their code.

``torch.load(weights_only=True)`` refuses a file that holds a module, as the published
FaceForensics++ models do. Here such a file is read by an unpickler that knows tensors and
ordered dictionaries; whatever else it names is neither imported nor called: an inert object
takes its place and keeps what the file says of it.
"""

from __future__ import annotations

import math
import pickle
import struct
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NamedTuple, NoReturn, cast

import torch
from torch import Tensor

from unmask.errors import WeightsError

_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of a torch file of before 1.6, which is no zip archive."""

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_MAX_DEPTH = 64
_UNREADABLE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, struct.error, EOFError, OSError),
    *(ValueError, TypeError, LookupError, AttributeError, RuntimeError, OverflowError),
    *(MemoryError, NotImplementedError),
)
"""What a damaged or hostile file can raise while it is read."""


class Inert:
    """Stands for an object whose class or function is not loaded; keeps its state, does nothing."""

    def __new__(cls, *args: object, **kwargs: object) -> Inert:
        """Takes whatever the file would have called the real thing with."""
        made = object.__new__(cls)
        made.state = {}
        return made

    state: object

    def __setstate__(self, state: object) -> None:
        """Keeps the state as it stands."""
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        """An item of a mapping of unknown kind: left out."""

    def append(self, value: object) -> None:
        """An item of a list of unknown kind: left out."""

    def extend(self, values: object) -> None:
        """Items of a list of unknown kind: left out."""


class _Storage(NamedTuple):
    """A block of numbers that lies elsewhere in the file."""

    key: str
    dtype: torch.dtype
    offset: int


class _View(NamedTuple):
    """A tensor before its numbers are read."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Reads one pickle; ``find_class`` never imports."""

    def find_class(self, module: str, name: str) -> object:
        """The few things that are known, and a new inert class for all else."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module in ("torch", "torch.storage") and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _view
        if module == "torch._utils" and name.startswith("_rebuild_parameter"):
            return _first
        return type("Inert", (Inert,), {"__module__": __name__})

    def persistent_load(self, pid: object) -> object:
        """A storage, or (in old files) a class with its source code, which is not looked at."""
        kind, *rest = cast("tuple[object, ...]", pid)
        if kind == "module":
            return rest[0]
        dtype, key, _, _, *view = rest
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError(f"unknown storage {kind!r}")
        offset = 0
        if view and view[0] is not None:
            _, offset, _ = cast("tuple[str, int, int]", view[0])
        return _Storage(str(key), dtype, offset)


def _view(storage: _Storage, offset: int, size: object, stride: object, *_: object) -> _View:
    """Takes the place of torch's ``_rebuild_tensor``."""
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without storage")
    sizes, strides = tuple(cast("tuple[int]", size)), tuple(cast("tuple[int]", stride))
    return _View(storage, offset, sizes, strides)


def _first(data: object, *_: object) -> object:
    """Takes the place of torch's ``_rebuild_parameter``: the tensor alone."""
    return data


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The state dict in a torch file: saved by itself, in a dictionary, or as a whole module.

    The prefix ``module.`` of data-parallel training is taken off. The file may be a zip archive
    or of the format before torch 1.6. Nothing of it is executed.

    Raises:
        WeightsError: the file cannot be read, or holds no tensors under names.
    """
    try:
        with path.open("rb") as file:
            found, fetch = _read_zip(file) if zipfile.is_zipfile(file) else _read_old(file)
        views = _collect(found)
        state = {key: _tensor(view, fetch) for key, view in views.items()}
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"Cannot read '{path}' as a torch file ({reason}). Give the published file, or its "
            "state dict saved by itself."
        ) from error
    if not state:
        raise WeightsError(
            f"Cannot find tensors with names in '{path}': expected a state dict or a pickled "
            "module. Give the published file."
        )
    return {key.removeprefix("module."): value for key, value in state.items()}


def rows_of(path: Path, *layers: str) -> set[int]:
    """How many rows the weights of certain layers have: the classes, if it is the last one.

    Args:
        path: as for ``read_tensors``.
        layers: how their names end.
    """
    endings = tuple(f"{layer}.weight" for layer in layers)
    return {len(t) for key, t in read_tensors(path).items() if key.endswith(endings) and t.ndim}


Fetch = Callable[[str], bytes]


def _read_zip(file: IO[bytes]) -> tuple[object, Fetch]:
    with zipfile.ZipFile(file) as archive:
        # Torch never compresses: a small file that swells is none of torch's.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            _refuse("compressed archive")
        (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = pickled.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist():
            _check(archive.read(f"{folder}byteorder") == b"little", "big-endian numbers")
        with archive.open(pickled) as stream:
            found = _Unpickler(stream).load()
        start = f"{folder}data/"
        blocks = {
            name.removeprefix(start): archive.read(name)
            for name in archive.namelist()
            if name.startswith(start)
        }
    return found, blocks.__getitem__


def _read_old(file: IO[bytes]) -> tuple[object, Fetch]:
    """Magic number, version, machine, object, keys of the storages; then each storage's numbers."""
    file.seek(0)
    _check(_Unpickler(file).load() == _MAGIC, "not written by torch")
    _check(_Unpickler(file).load() == 1001, "unknown version")
    machine = _Unpickler(file).load()
    _check(isinstance(machine, dict) and machine["little_endian"] is True, "big-endian numbers")
    noted: dict[str, torch.dtype] = {}

    class Noting(_Unpickler):
        """Remembers the types: the blocks say only how many numbers they hold."""

        def persistent_load(self, pid: object) -> object:
            found = super().persistent_load(pid)
            if isinstance(found, _Storage):
                noted[found.key] = found.dtype
            return found

    found, keys = Noting(file).load(), _Unpickler(file).load()
    blocks: dict[str, bytes] = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        length = count * noted[str(key)].itemsize
        blocks[str(key)] = file.read(length) if length else b""
        _check(len(blocks[str(key)]) == length, "truncated")
    return found, blocks.__getitem__


def _collect(found: object) -> dict[str, _View]:
    """Names and tensors of a module, a state dict, or a dictionary that holds either."""
    for _ in range(3):
        if not isinstance(found, Mapping):
            break
        inner = [found[key] for key in _WRAPPERS if isinstance(found.get(key), (Mapping, Inert))]
        if not inner:
            return {str(key): view for key, view in found.items() if isinstance(view, _View)}
        found = inner[0]
    views: dict[str, _View] = {}
    _walk(found, "", views, 0)
    return views


def _walk(module: object, prefix: str, views: dict[str, _View], depth: int) -> None:
    """Adds a module's parameters and buffers, then those of its children, as torch names them."""
    _check(depth < _MAX_DEPTH, "modules nested too deeply")
    state = module.state if isinstance(module, Inert) else None
    if not isinstance(state, Mapping):
        return
    for kind in ("_parameters", "_buffers"):
        own = state.get(kind, {})
        for name, view in own.items():
            if isinstance(view, _View):
                views[f"{prefix}{name}"] = view
    for name, child in state.get("_modules", {}).items():
        _walk(child, f"{prefix}{name}.", views, depth + 1)


def _tensor(view: _View, fetch: Fetch) -> Tensor:
    """Reads a tensor's numbers; torch checks that they lie within their block."""
    block = fetch(view.storage.key)
    count = len(block) // view.storage.dtype.itemsize
    # A stride of 0 could make a huge tensor out of one number.
    _check(math.prod(view.size) <= count, "a tensor larger than its numbers")
    if not math.prod(view.size):
        return torch.empty(view.size, dtype=view.storage.dtype)
    flat = torch.frombuffer(bytearray(block), dtype=view.storage.dtype)
    offset = view.storage.offset + view.offset
    return flat.as_strided(view.size, view.stride, offset).clone()


def _check(is_fine: bool, reason: str) -> None:
    if not is_fine:
        _refuse(reason)


def _refuse(reason: str) -> NoReturn:
    raise pickle.UnpicklingError(reason)


def read_pickle(path: Path) -> dict[str, Tensor]:
    """The state dict in a ``.pt`` file: tensors and plain containers only, no code is run.

    Raises:
        WeightsError: it holds anything else, or no state dict.
    """
    try:
        with warnings.catch_warnings():
            # Torch warns of uncommon pickle protocols; what it cannot read it refuses anyway.
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"Cannot read '{path}' as a torch file of plain tensors. "
            "Give the published file, or its state dict saved by itself."
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
            break
    if not isinstance(found, dict) or not found:
        raise WeightsError(f"Cannot find a state dict in '{path}'. Give a file that holds one.")
    bad = [key for key, value in found.items() if not isinstance(value, torch.Tensor)]
    if bad:
        raise WeightsError(
            f"Cannot use '{path}': {len(bad)} of its {len(found)} entries are no tensors "
            f"({bad[0]}, …). Give its state dict saved by itself."
        )
    return {str(key).removeprefix("module."): value for key, value in found.items()}
