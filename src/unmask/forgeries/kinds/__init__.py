"""Every kind of pseudo-forgery by its name; a file in this folder registers its own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from unmask.errors import UnknownNameError, UsageError, explain_unknown
from unmask.forgeries.clip import FaceClip, Forgery, Material, forgery_of, steady
from unmask.forgeries.registry import REGISTERED, Kind

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def _is_for_clips(kind: Kind) -> bool:
    return kind.least_frames > 1


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {k.name: k for k in sorted(REGISTERED.values(), key=lambda k: (_is_for_clips(k), k.name))}
)
"""Name -> kind: first those that serve pictures and clips, then those for clips alone."""


def get_kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    if name not in KINDS:
        raise UnknownNameError(explain_unknown("kind of forgery", name, list(KINDS)))
    return KINDS[name]


def forge(
    kind: str,
    clip: FaceClip,
    rng: np.random.Generator,
    material: Material = Material(),  # noqa: B008 - frozen
) -> Forgery:
    """Forges a picture or a clip; one draw for all of its frames.

    Args:
        kind: a key of ``KINDS``.
        clip: of a real face.
        rng: source of all randomness.
        material: what else the forgery may be made of, as many frames.

    Returns:
        The real clip (which may be disturbed) and the forged one.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: too few frames, no person where one is needed, or material of other length.
    """
    chosen = get_kind(kind)
    if len(clip) < chosen.least_frames:
        raise UsageError(
            f"Cannot make {kind} of {len(clip)} frames: expected at least {chosen.least_frames}. "
            "Give a longer clip, or another kind."
        )
    if chosen.needs_person and material.person is None:
        raise UsageError(
            f"Cannot make {kind}: expected another person's face, got none. Give faces of more "
            f"than one person, or leave {kind} out of the mix."
        )
    for name, given in (("moment", material.moment), ("person", material.person)):
        if given is not None and len(given) != len(clip):
            raise UsageError(
                f"Cannot make {kind}: the other {name} has {len(given)} frames, the face "
                f"{len(clip)}. Give as many."
            )
    moment, person = (given and steady(given) for given in (material.moment, material.person))
    ready = Material(moment=moment, person=person, region=material.region)
    return forgery_of(clip, chosen.make(steady(clip), rng, ready))
