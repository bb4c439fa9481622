"""The parts of a network that a recipe names by prefixes."""

from __future__ import annotations

from torch import nn

from unmask.detectors import Card
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
        UsageError: the recipe names a part or a method that the network does not have, trains
            against an adversary in a way that two optimizers cannot take turns in, or changes the
            steps of a detector that is fitted without any.
    """
    recipe = card.recipe
    check_methods(card, net)
    check_separation(card)
    if recipe.adversary and (recipe.accumulate > 1 or recipe.schedule in BY_STEP):
        raise UsageError(
            "Cannot train against an adversary with accumulate above 1 or a cosine or late_linear "
            "schedule: two optimizers take turns. Change the batch size or the schedule instead."
        )
    parts = {name for name, _ in net.named_modules() if name}
    parts |= {name for name, _ in net.named_parameters()}
    named = {
        "freeze": recipe.freeze,
        "learning_rates": tuple(recipe.learning_rates),
        "warmup_parts": recipe.warmup_parts,
        "adversary": recipe.adversary,
    }
    for key, names in named.items():
        for name in names:
            if name not in parts:
                known = ", ".join(part for part, _ in net.named_children())
                raise UsageError(
                    f"Cannot use {key} of {name!r}: {card.name} has no such part. "
                    f"Its parts: {known}, and theirs after a dot."
                )


def check_methods(card: Card, net: nn.Module) -> None:
    """Refuses methods of the recipe that the network lacks, and steps where there are none.

    Raises:
        UsageError: there is no such method, or the recipe changes the steps of a detector that is
            fitted at once.
    """
    recipe = card.recipe
    for key, name in {"after_step": recipe.after_step, "fit": recipe.fit}.items():
        if name is not None and not callable(getattr(net, name, None)):
            raise UsageError(
                f"Cannot use {key}={name!r}: {card.name} has no such method. Leave the recipe's "
                f"own, or use --set {key}=none."
            )
    if recipe.fit and (recipe.adversary or recipe.accumulate > 1 or recipe.schedule in BY_STEP):
        raise UsageError(
            f"Cannot fit {card.name} with an adversary, accumulate above 1 or a cosine schedule: "
            "it is set at once from all clips of an epoch. Leave them out."
        )


def check_separation(card: Card) -> None:
    """Refuses a term over pairs where nothing adds it, or where there are no pairs.

    Raises:
        UsageError: the detector has losses of its own, or forgeries are not made of real clips.
    """
    recipe = card.recipe
    if recipe.separation_weight and (recipe.step or recipe.fit):
        raise UsageError(
            f"Cannot use separation_weight with {card.name}: it learns by "
            f"{recipe.step or recipe.fit}, which has losses of its own. Use --set "
            "separation_weight=0."
        )
    if recipe.separation_weight and not recipe.synthesize:
        raise UsageError(
            "Cannot use separation_weight with the forgeries of the data: a real clip and a forged "
            "one beside it are of different videos. Use --set synthesize=self_blend, or --set "
            "separation_weight=0."
        )
