"""Sharpness-aware minimization: gradients are taken where the loss is worst nearby."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor

RADIUS = 0.05
"""How far away, in the norm of all weights together (the paper's and its users' value)."""


class SharpnessAware(torch.optim.SGD):
    """Plain steps with momentum, by gradients of the worst point within ``RADIUS``.

    Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization" (ICLR
    2021), Eq. 2 and algorithm 1, with plain steps as base. Every step computes the loss twice,
    so the training loss that a run notes is of both.

    Args:
        parts: parameter groups, as for any optimizer of torch.
        rate: learning rate of groups that name none.
        momentum: of the steps.
    """

    def __init__(self, parts: Iterable[dict[str, Any]], rate: float, momentum: float) -> None:
        super().__init__(parts, rate, momentum=momentum)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; without a closure, which computes loss and gradients, a plain one."""
        if closure is None:
            return super().step()
        with torch.enable_grad():
            loss = closure()
        moved = self._to_the_worst()
        with torch.enable_grad():
            closure()
        for parameter, way in moved:
            parameter.sub_(way)
        super().step()
        return loss

    def _to_the_worst(self) -> list[tuple[Tensor, Tensor]]:
        """Moves all parameters up the gradient; returns each with the way it went."""
        parameters = [
            cast(Tensor, parameter)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if not parameters:
            return []
        gradients = [cast(Tensor, parameter.grad) for parameter in parameters]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        ways = [gradient * (RADIUS / (norm + 1e-12)) for gradient in gradients]
        for parameter, way in zip(parameters, ways, strict=True):
            parameter.add_(way)
        return list(zip(parameters, ways, strict=True))
