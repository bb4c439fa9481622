"""Keras layers as torch modules, and a reader for Keras weight files (``.h5``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unmask.errors import WeightsError, import_optional
from unmask.types import Floats

_MAX_BYTES = 1 << 28
_PARTS = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "kernel": "weight",
    "bias": "bias",
}

KerasLayers = dict[str, list[dict[str, Floats]]]


def same_conv(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv2d:
    """A stride-1 convolution that keeps the size, with Keras's initial values."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation)
    _glorot(conv.weight, conv.bias)
    return conv


def dense(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer with Keras's initial values."""
    linear = nn.Linear(inputs, outputs)
    _glorot(linear.weight, linear.bias)
    return linear


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm as Keras has it: eps 1e-3; its momentum 0.99 is torch's 0.01."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _glorot(weight: Tensor, bias: Tensor | None) -> None:
    """Glorot-uniform weights and zero biases, where torch would draw both smaller."""
    nn.init.xavier_uniform_(weight)
    if bias is not None:
        nn.init.zeros_(bias)


def flatten_hwc(maps: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H * W * C), in the order in which Keras flattens."""
    return maps.permute(0, 2, 3, 1).flatten(1)


def read_layers(path: Path) -> KerasLayers:
    """The layers with weights of a Keras ``.h5`` file, by kind, in the order they were made.

    Keras numbers the layers of a session (``conv2d_5`` … ``conv2d_8``); only their order
    matters, so each kind (``conv2d``, ``batch_normalization``, ``dense``) becomes a list.

    Returns:
        For each kind a list of layers, each a mapping of ``kernel``, ``bias``, ``gamma`` … to
        its array, as stored.

    Raises:
        WeightsError: the file is not HDF5, holds links to other files or no layers.
        MissingDependencyError: h5py is not installed.
    """
    h5py = import_optional("h5py", "import")
    found: dict[str, list[tuple[int, dict[str, Floats]]]] = {}
    try:
        with h5py.File(path, "r") as file:
            nested = isinstance(file.get("model_weights", getlink=True), h5py.HardLink)
            root = file["model_weights"] if nested else file
            for layer in root:
                arrays = _arrays(h5py, root, layer, path)
                kind, _, number = layer.rpartition("_")
                if not number.isdigit():
                    kind, number = layer, "0"
                if arrays:
                    found.setdefault(kind, []).append((int(number), arrays))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"Cannot read '{path}' as a Keras weights file (HDF5). Give the published .h5 file."
        ) from error
    if not found:
        raise WeightsError(
            f"Cannot find any layer with weights in '{path}'. Give the published .h5 file."
        )
    order = {kind: sorted(layers, key=lambda layer: layer[0]) for kind, layers in found.items()}
    return {kind: [arrays for _, arrays in layers] for kind, layers in order.items()}


def to_state_dict(path: Path, names: Mapping[str, Iterable[str]]) -> dict[str, Tensor]:
    """A Keras file's layers under torch names, in torch's layout.

    Args:
        path: the ``.h5`` file.
        names: for each kind of layer our module names, in the order in which Keras made them.

    Raises:
        WeightsError: the file has other layers, or is no Keras file.
    """
    layers, state = read_layers(path), dict[str, Tensor]()
    wanted = {kind: list(modules) for kind, modules in names.items()}
    have = {kind: len(found) for kind, found in layers.items()}
    need = {kind: len(modules) for kind, modules in wanted.items()}
    if have != need:
        raise WeightsError(
            f"Weights '{path}' have other layers: expected {_count(need)}, got {_count(have)}. "
            "Give the published file of this detector."
        )
    for kind, modules in wanted.items():
        for module, arrays in zip(modules, layers[kind], strict=True):
            for part, array in arrays.items():
                key = f"{module}.{_PARTS.get(part, part)}"
                state[key] = torch.from_numpy(np.ascontiguousarray(_to_torch(array)))
            if "moving_mean" in arrays:
                state[f"{module}.num_batches_tracked"] = torch.zeros((), dtype=torch.long)
    return state


def _to_torch(array: Floats) -> Floats:
    """Kernels (kh, kw, in, out) and (in, out) turned to (out, in, kh, kw) and (out, in)."""
    turned: Floats = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
    return turned


def _arrays(h5py: Any, root: Any, layer: str, path: Path) -> dict[str, Floats]:
    """The arrays of one layer. Links are not followed: they may point at other files."""
    arrays: dict[str, Floats] = {}
    waiting = [(root, layer)]
    while waiting:
        group, name = waiting.pop()
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise WeightsError(f"Cannot use '{path}': '{name}' is a link. Give the published file.")
        item = group[name]
        if isinstance(item, h5py.Group):
            waiting += [(item, child) for child in item]
            continue
        if item.external or item.is_virtual or item.nbytes > _MAX_BYTES:
            raise WeightsError(
                f"Cannot use '{path}': '{item.name}' lies in another file or claims "
                f"{item.nbytes:,} bytes. Give the published file."
            )
        arrays[name.partition(":")[0]] = np.asarray(item, dtype=np.float32)
    return arrays


def _count(layers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(layers.items()))
