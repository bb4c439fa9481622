"""The last layer of a network that was published for another question than real or fake."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import torch
from torch import Tensor


def rename(state: MutableMapping[str, Tensor], old: str, new: str) -> None:
    """Gives every tensor of the module ``old`` the name it has in the module ``new``.

    >>> state = {"fc.weight": torch.zeros(1), "fcs.weight": torch.zeros(1)}
    >>> rename(state, "fc", "head")
    >>> sorted(state)
    ['fcs.weight', 'head.weight']
    """
    for key in [key for key in state if key.startswith(f"{old}.")]:
        state[f"{new}{key.removeprefix(old)}"] = state.pop(key)


def reset_head(state: MutableMapping[str, Tensor], name: str, published: int, ours: int) -> None:
    """Replaces a head of ``published`` classes by one of ``ours`` that is 0 throughout.

    So a network that was trained for something else starts undecided: every logit is 0 until it
    is trained. A head of any other size stays as it is.

    Args:
        state: changed in place.
        name: name of the linear layer (or the 1x1 convolution).
        published: rows of the head to be replaced.
        ours: rows of the new one.
    """
    weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
    if weight is not None and bias is not None and len(weight) == len(bias) == published:
        state[f"{name}.weight"] = weight.new_zeros(ours, *weight.shape[1:])
        state[f"{name}.bias"] = bias.new_zeros(ours)


def add_batch_counters(state: MutableMapping[str, Tensor]) -> None:
    """Adds the counters that batch norms did not have before torch 0.4.1."""
    for key in [key for key in state if key.endswith(".running_mean")]:
        counter = f"{key.removesuffix('running_mean')}num_batches_tracked"
        state.setdefault(counter, torch.zeros((), dtype=torch.long))


def under_net(state: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
    """A published state dict for a detector that has the network as ``net`` beside its ``head``.

    >>> list(under_net({"stem.weight": torch.zeros(1), "fc.bias": torch.zeros(1)}, "fc"))
    ['net.stem.weight', 'head.bias']
    """
    ours = {f"net.{key}": value for key, value in state.items()}
    rename(ours, f"net.{head}", "head")
    return ours
