"""The parts of a network that a recipe names by prefixes."""

from __future__ import annotations

from torch import nn

from unmask.detectors import Card
from unmask.detectors.behaviors import FitsLastPart, HasAdversary, HasTrainingLoss
from unmask.errors import UsageError

BY_STEP = ("cosine", "late_linear")
"""Schedules that change the rate after every step."""


def is_below(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a module or a parameter is one of the parts or lies in one.

    >>> is_below("body.0.weight", ("body.0",)), is_below("body.01", ("body.0",))
    (True, False)
    """
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def overlaps(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a module is one of the parts, lies in one, or holds one."""
    return is_below(name, parts) or any(part.startswith(f"{name}.") for part in parts)


def check_parts(card: Card, net: nn.Module) -> None:
    """Refuses a misspelled part: it would silently be trained, or at the wrong rate.

    Raises:
        UsageError: the recipe names a part that the network does not have, trains against an
            adversary that it does not have, or in a way that two optimizers cannot take turns in,
            or changes the steps of a detector that is fitted without any.
    """
    recipe = card.recipe
    _check_behaviors(card, net)
    _check_separation(card, net)
    if recipe.adversary.parts and (
        recipe.optimizer.accumulate > 1 or recipe.schedule.kind in BY_STEP
    ):
        raise UsageError(
            "Cannot train against an adversary with accumulate above 1 or a cosine or late_linear "
            "schedule: two optimizers take turns. Change the batch size or the schedule instead."
        )
    parts = {name for name, _ in net.named_modules() if name}
    parts |= {name for name, _ in net.named_parameters()}
    named = {
        "freeze": recipe.freeze,
        "learning_rates": tuple(recipe.optimizer.learning_rates),
        "warmup_parts": recipe.schedule.warmup_parts,
        "adversary": recipe.adversary.parts,
    }
    for key, names in named.items():
        for name in names:
            if name not in parts:
                known = ", ".join(part for part, _ in net.named_children())
                raise UsageError(
                    f"Cannot use {key} of {name!r}: {card.name} has no such part. "
                    f"Its parts: {known}, and theirs after a dot."
                )


def _check_behaviors(card: Card, net: nn.Module) -> None:
    """Refuses an adversary that the network lacks, and steps where there are none."""
    recipe = card.recipe
    if recipe.adversary.parts and not isinstance(net, HasAdversary):
        raise UsageError(
            f"Cannot train {card.name} against {', '.join(recipe.adversary.parts)}: it has no loss "
            "for an adversary. Use --set 'adversary=()'."
        )
    if not isinstance(net, FitsLastPart):
        return
    if recipe.adversary.parts or recipe.optimizer.accumulate > 1 or recipe.schedule.kind in BY_STEP:
        raise UsageError(
            f"Cannot fit {card.name} with an adversary, accumulate above 1 or a cosine schedule: "
            "it is set at once from all clips of an epoch. Leave them out."
        )


def _check_separation(card: Card, net: nn.Module) -> None:
    """Refuses a term over pairs where nothing adds it, or where there are no pairs."""
    recipe = card.recipe
    if not recipe.synthesis.separation_weight:
        return
    if isinstance(net, HasTrainingLoss | FitsLastPart):
        raise UsageError(
            f"Cannot use separation_weight with {card.name}: it learns by losses of its own. "
            "Use --set separation_weight=0."
        )
    if not recipe.synthesis.kind:
        raise UsageError(
            "Cannot use separation_weight with the forgeries of the data: a real clip and a forged "
            "one beside it are of different videos. Use --set synthesize=self_blend, or --set "
            "separation_weight=0."
        )
