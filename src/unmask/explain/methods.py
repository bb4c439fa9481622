"""Which explanations there are, for which detectors, what they cost and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from unmask.detectors import Card, Detector
from unmask.errors import UnknownNameError, UsageError
from unmask.explain.cam import grad_cam, own_heat
from unmask.explain.occlusion import cover_for, occlusion, places
from unmask.explain.pictures import Scale

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_FRAMES: Final = 5
"""Fewest frames of a clip whose order can be disturbed: the paper mirrors five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to explain a score.

    Attributes:
        kind: ``heat`` over pixels, or numbers for each frame (``time``) or order (``order``).
        shows: what is seen, in one sentence.
        scale: how heat becomes colors.
        low, high: what the two ends of the color scale mean.
    """

    name: str
    kind: Literal["heat", "time", "order"]
    shows: str
    scale: Scale = "signed"
    low: str = ""
    high: str = ""


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        "occlusion": Method(
            name="occlusion",
            kind="heat",
            shows="How far the score falls when the place is covered with gray.",
            low="covering raises the score: speaks against",
            high="covering lowers the score: speaks for a forgery",
        ),
        "grad_cam": Method(
            name="grad_cam",
            kind="heat",
            shows="Where the detector's last maps are active for a forgery (Grad-CAM).",
            scale="positive",
            low="nothing that speaks for a forgery",
            high="most",
        ),
        "time": Method(
            name="time",
            kind="time",
            shows="How far the score falls when a frame is gray, and how sensitive it is to it.",
        ),
        "order": Method(
            name="order",
            kind="order",
            shows="The score with some frames mirrored, or with all frames shuffled.",
        ),
    }
)
"""What is there for every detector; a card's ``heat_maps`` come in addition."""


def methods_of(card: Card) -> dict[str, Method]:
    """All methods that can be asked of a detector, in the order in which they run."""
    own = {
        name: Method(
            name=name,
            kind="heat",
            shows=f"A map of this detector's own: {name}.",
            scale="range",
            low="its lowest value",
            high="its highest value",
        )
        for name in card.heat_maps
    }
    return {**METHODS, **own}


def missing_reason(card: Card, method: Method) -> str | None:
    """Why a method does not apply to a detector, in words; None where it does."""
    if method.name == "grad_cam" and not card.cam_layer:
        return f"the card of {card.name} names no layer for a class activation map"
    if method.kind == "heat":
        return None
    frames = card.input.frames
    if frames == 1:
        return f"{card.name} looks at single pictures"
    if method.kind == "order" and frames < _LEAST_FRAMES:
        return f"{card.name} looks at {frames} frames, and {_LEAST_FRAMES} are needed"
    return None


def choose_methods(card: Card, names: Sequence[str] | None) -> tuple[list[Method], dict[str, str]]:
    """The methods that run, and the named ones that do not apply, with the reason.

    Args:
        card: the detector's card.
        names: names of methods; None takes all that apply.

    Raises:
        UnknownNameError: there is no such method.
        UsageError: none was named, or none of those applies.
    """
    known = methods_of(card)
    for name in names or ():
        if name not in known:
            raise UnknownNameError(
                f"Unknown method {name!r} for {card.name}. Known: {', '.join(known)}."
            )
    chosen_names = list(known) if names is None else list(dict.fromkeys(names))
    reasons = {name: missing_reason(card, known[name]) for name in chosen_names}
    chosen = [known[name] for name, reason in reasons.items() if not reason]
    if not chosen:
        problems = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        usable = ", ".join(n for n, method in known.items() if not missing_reason(card, method))
        raise UsageError(
            f"Cannot explain {card.name} so ({problems or 'no method was named'}). Use: {usable}."
        )
    return chosen, {name: reason for name, reason in reasons.items() if reason}


def heat_of(
    method: Method, detector: Detector, clips: Tensor, size_px: int | None, stride_px: int | None
) -> Tensor:
    """A heat method's map of clips (B, C, T, H, W): (B, T, H, W) float32 on the CPU."""
    if method.name == "occlusion":
        return occlusion(detector, clips, size_px=size_px, stride_px=stride_px)
    if method.name == "grad_cam":
        return grad_cam(detector, clips)
    return own_heat(detector, clips, method.name)


def passes_of(
    method: Method, card: Card, size_px: int | None, stride_px: int | None, draws: int
) -> int:
    """Forward passes that a method costs for one clip (two methods add one backward pass)."""
    frames, (height, width) = card.input.frames, card.input.size
    if method.name == "occlusion":
        shape = (frames, height, width)
        return 1 + len(places(shape, cover_for(shape, size_px, stride_px)))
    return {"heat": 1, "time": frames + 2, "order": 2 + 4 * draws}[method.kind]
