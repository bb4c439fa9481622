"""The parts of a network that a published file does not hold."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def fresh_state(make: Callable[[], nn.Module], without: tuple[str, ...]) -> dict[str, Tensor]:
    """A new network's state dict, the same every time, without the parts that a file brings.

    Tensors of those parts that the file does not have stay missing, so that it is refused.

    Args:
        make: builds the network; the caller's random numbers go on as if it had not.
        without: prefixes of the names to leave out.

    >>> list(fresh_state(lambda: nn.Linear(2, 1), without=("bias",)))
    ['weight']
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = make().state_dict()
    return {key: value for key, value in state.items() if not key.startswith(without)}
