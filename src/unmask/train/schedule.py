"""When learning rates are reduced, and when that has gone on long enough."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch.optim import Optimizer

from unmask.detectors import Recipe


@dataclass(slots=True)
class Reductions:
    """Reduces all learning rates of a run by a factor, again and again.

    Attributes:
        kind: ``plateau`` waits for ``epochs`` without a lower validation loss, ``step`` for
            ``epochs`` whatever happens.
        factor: that rates are multiplied by.
        times: at most so many reductions; when one more is due, the run is over.

    >>> plan = Reductions("plateau", epochs=2, factor=0.1, times=1)
    >>> [plan.after(loss) for loss in (1.0, 1.0, 1.0, 0.5, 0.5, 0.5)]
    [False, False, True, False, False, False]
    >>> plan.is_over
    True
    """

    kind: Literal["plateau", "step"]
    epochs: int
    factor: float
    times: int | None = None
    best: float = math.inf
    waited: int = 0
    done: int = 0
    is_over: bool = False

    def after(self, loss: float) -> bool:
        """Takes note of an epoch's validation loss; True if rates are to be reduced now."""
        if self.kind == "plateau" and loss < self.best:
            self.best, self.waited = loss, 0
            return False
        self.waited += 1
        if self.waited < self.epochs:
            return False
        self.waited = 0
        if self.times is not None and self.done >= self.times:
            self.is_over = True
            return False
        self.done += 1
        return True

    def reduce(self, optimizer: Optimizer) -> None:
        """Multiplies the rates of all groups."""
        for group in optimizer.param_groups:
            group["lr"] *= self.factor

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        kept = asdict(self)
        return {key: kept[key] for key in ("best", "waited", "done", "is_over")}

    def resume(self, state: dict[str, Any]) -> None:
        """Takes back what a checkpoint kept."""
        for key, value in state.items():
            setattr(self, key, value)


def reductions_of(recipe: Recipe) -> Reductions | None:
    """The reductions that a recipe asks for; None with any other schedule."""
    if recipe.schedule.kind not in ("plateau", "step"):
        return None
    return Reductions(
        recipe.schedule.kind,
        recipe.schedule.wait_epochs,
        recipe.schedule.factor,
        recipe.schedule.times,
    )
