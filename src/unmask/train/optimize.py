"""Optimizers and their rates, by the recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from unmask.detectors import Recipe
from unmask.detectors.recipe import Optimizer
from unmask.train.parts import BY_STEP, is_below
from unmask.train.sharpness import SharpnessAware


def optimizer_for(net: nn.Module, recipe: Recipe, steps_per_epoch: int) -> Any:
    """The recipe's optimizer as Lightning takes it; with an adversary, a list of two.

    Weight decay applies to weights only, never to biases and norm parameters. Parts that warm
    up later are included: without a gradient they stay as they are.
    """
    named = [
        (name, parameter)
        for name, parameter in net.named_parameters()
        if not is_below(name, recipe.freeze)
    ]
    parts = recipe.adversary.parts
    ours = _optimizer((pair for pair in named if not is_below(pair[0], parts)), recipe.optimizer)
    if parts:
        others = (pair for pair in named if is_below(pair[0], parts))
        return [ours, _optimizer(others, recipe.optimizer)]
    if recipe.schedule.kind not in BY_STEP:
        return ours
    total = recipe.schedule.epochs * max(1, steps_per_epoch // recipe.optimizer.accumulate)
    share = partial(_cosine if recipe.schedule.kind == "cosine" else _late_line, total=total)
    shares = torch.optim.lr_scheduler.LambdaLR(ours, share)
    return {"optimizer": ours, "lr_scheduler": {"scheduler": shares, "interval": "step"}}


def _cosine(step: int, total: int) -> float:
    """A short linear rise, then half a cosine to 0."""
    warm = max(1, min(100, total // 20))
    rise = min(1.0, (step + 1) / warm)
    return rise * 0.5 * (1 + math.cos(math.pi * min(step, total) / total))


def _late_line(step: int, total: int) -> float:
    """1 for three quarters of all steps, then a line to 0.

    >>> [_late_line(step, 8) for step in (0, 6, 7, 8)]
    [1.0, 1.0, 0.5, 0.0]
    """
    return min(1.0, max(0.0, 4 * (1 - step / total)))


def _optimizer(
    named: Iterable[tuple[str, nn.Parameter]], chosen: Optimizer
) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        rate = rate_of(name, chosen.learning_rates, chosen.learning_rate)
        decay = chosen.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    parts = [
        {"params": params, "lr": rate, "weight_decay": decay}
        for (rate, decay), params in groups.items()
    ]
    if chosen.kind == "sam":
        return SharpnessAware(parts, chosen.learning_rate, chosen.momentum)
    if chosen.kind == "sgd":
        return torch.optim.SGD(parts, chosen.learning_rate, momentum=chosen.momentum)
    kind = torch.optim.Adam if chosen.kind == "adam" else torch.optim.AdamW
    return kind(parts, chosen.learning_rate, betas=chosen.betas, eps=chosen.eps)


def rate_of(name: str, rates: Mapping[str, float], default: float) -> float:
    """The learning rate of the longest prefix that names this parameter.

    >>> rate_of("body.0.weight", {"body": 0.1, "body.0": 0.2}, 1.0)
    0.2
    >>> rate_of("head.weight", {"body": 0.1}, 1.0)
    1.0
    """
    fitting = [prefix for prefix in rates if name == prefix or name.startswith(prefix + ".")]
    return float(rates[max(fitting, key=len)]) if fitting else default
