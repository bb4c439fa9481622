"""The mean of the weights of several runs: one network that is as fast as each of them.

Wortsman et al., "Model soups" (ICML 2022): networks that were trained from one start, each by a
recipe of its own, lie so close to each other that the mean of their weights works. Here they differ
in what their forgeries are made of. Batch norms are seen anew: their means do not average.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from benchmarks.compare_recipes._draws import draws
from benchmarks.compare_recipes._plan import Run
from benchmarks.compare_recipes._train import card_of, clips_of, frozen_parts, read_net
from unmask.detectors import Card
from unmask.errors import DataError

State = Mapping[str, Tensor]

_BATCHES: Final = 6
"""Of each run's material, that the batch norms see."""


def soup_of(run: Run, work: Path, runs: Mapping[str, Run]) -> tuple[nn.Module, Card]:
    """The mean of a run's ``soup``, in eval mode, and its card.

    Args:
        run: with a soup of runs that have the same arguments.
        work: where their networks and materials lie.
        runs: by name, at least those of the soup.

    Raises:
        DataError: one of them was not done here, or nothing is known of it.
    """
    unknown = [name for name in run.soup if name not in runs]
    if unknown:
        raise DataError(f"Cannot average {', '.join(unknown)}: not in the plan. Put it there.")
    card = card_of(run)
    net = card.build()
    net.load_state_dict(averaged([read_net(work, name) for name in run.soup]))

    def batches() -> Iterator[Tensor]:
        for name in run.soup:
            one = runs[name]
            if one.soup:
                continue
            material = draws(work, one.material, one.size, one.seed)
            for at in range(_BATCHES):
                yield clips_of(material, slice(at * one.pairs, (at + 1) * one.pairs), card)

    see_anew(net, [net.get_submodule(part) for part in frozen_parts(run.frozen)], batches())
    return net, card


def averaged(states: Sequence[State]) -> dict[str, Tensor]:
    """The mean of each tensor; counters are those of the first.

    >>> averaged([{"a": torch.tensor([0.0])}, {"a": torch.tensor([1.0])}])
    {'a': tensor([0.5000])}
    """
    first = states[0]
    return {
        key: torch.stack([state[key].double() for state in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value.clone()
        for key, value in first.items()
    }


def see_anew(net: nn.Module, frozen: Sequence[nn.Module], batches: Iterable[Tensor]) -> None:
    """Sets the running statistics of batch norms to the mean over batches of input.

    Args:
        net: in eval mode afterwards.
        frozen: parts whose statistics stay as they are.
        batches: as the network takes them.
    """
    kept = {module for part in frozen for module in part.modules()}
    norms = [
        module
        for module in net.modules()
        if isinstance(module, nn.BatchNorm2d) and module not in kept
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # The plain mean over all batches.
    net.train()
    for part in frozen:
        part.eval()
    with torch.no_grad():
        for batch in batches:
            net(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.eval()
