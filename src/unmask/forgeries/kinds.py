"""Every kind of pseudo-forgery by its name, for pictures and for clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from unmask.errors import UnknownNameError, UsageError, explain_unknown
from unmask.forgeries.animated import animated_still
from unmask.forgeries.blend import Face, self_blend
from unmask.forgeries.cross import cross_blend
from unmask.forgeries.decoders import decoded
from unmask.forgeries.families import LEAST_FRAMES, mouth_swap_in_time
from unmask.forgeries.forgery import Forgery, Maker, Material, gather, steady
from unmask.forgeries.lower_face import lower_face
from unmask.forgeries.traced import everywhere, on_face, warped_face
from unmask.forgeries.traces import patch_code, resampling_grid, smooth_skin, super_resolution
from unmask.forgeries.unsteady import (
    flicker,
    frozen_mouth,
    jittered_mouth,
    of_family,
    swimming_paste,
)
from unmask.forgeries.warp import landmark_warp


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of pseudo-forgery.

    Attributes:
        summary: what it looks like, in one line.
        make: makes it of faces and material.
        least_frames: that a clip must have; 1 serves pictures too.
        needs_person: whether another person is needed.
        moment_share: how often another moment of the same person should be offered, if any.
    """

    summary: str
    make: Maker
    least_frames: int = 1
    needs_person: bool = False
    moment_share: float = 0.0


def _self_blend(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
    moments: Sequence[Face | None] = material.moment or [None] * len(faces)
    seed = int(rng.integers(2**32))
    return gather(
        [
            self_blend(face, np.random.default_rng(seed), other=other, region=material.region)
            for face, other in zip(faces, moments, strict=True)
        ]
    )


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "self_blend": Kind(
            summary="the face, disturbed, over itself or another moment of it",
            make=_self_blend,
            moment_share=0.3,
        ),
        "cross_blend": Kind(
            summary="another person with like landmarks, matched in color (Face X-ray)",
            make=cross_blend,
            needs_person=True,
        ),
        "warped_face": Kind(
            summary="the face made small, blurred and warped back (FWA)", make=warped_face
        ),
        "lower_face": Kind(
            summary="under the eyes another moment or another mouth, drawn small and soft",
            make=lower_face,
            moment_share=0.8,
        ),
        "resampling_grid": Kind(
            summary="upsampling as in a generator: peaks in the spectrum",
            make=on_face(resampling_grid),
        ),
        "re_rendered": Kind(
            summary="the face through a small linear autoencoder of its patches",
            make=on_face(patch_code),
        ),
        "decoded": Kind(
            summary="the face through a small convolutional autoencoder",
            make=on_face(decoded),
        ),
        "smooth_skin": Kind(
            summary="skin without pores, rims too sharp", make=on_face(smooth_skin)
        ),
        "super_resolution": Kind(
            summary="small, enlarged by Lanczos, sharpened until it rings",
            make=on_face(super_resolution),
        ),
        "resampling_grid_everywhere": Kind(
            summary="the grid over the whole picture: no border", make=everywhere(resampling_grid)
        ),
        "re_rendered_everywhere": Kind(
            summary="the whole picture through the autoencoder", make=everywhere(patch_code)
        ),
        "decoded_everywhere": Kind(
            summary="the whole picture through the convolutional autoencoder",
            make=everywhere(decoded),
        ),
        "smooth_skin_everywhere": Kind(
            summary="the whole picture smoothed between sharp rims", make=everywhere(smooth_skin)
        ),
        "super_resolution_everywhere": Kind(
            summary="the whole picture enlarged and sharpened", make=everywhere(super_resolution)
        ),
        "re_rendered_per_frame": Kind(
            summary="the autoencoder fitted anew to every frame: its texture flickers",
            make=on_face(patch_code, is_steady=False),
            least_frames=2,
        ),
        "animated_still": Kind(
            summary="one frame warped to move like the clip (audio-driven portraits)",
            make=animated_still,
            least_frames=2,
        ),
        "mouth_swap_in_time": Kind(
            summary="the mouth of a time half a clip away",
            make=of_family(mouth_swap_in_time),
            least_frames=LEAST_FRAMES,
        ),
        "landmark_warp": Kind(
            summary="mouth and brows pulled to and fro",
            make=of_family(landmark_warp),
            least_frames=2,
        ),
        "jittered_mouth": Kind(
            summary="the mouth of a frame a little earlier or later",
            make=jittered_mouth,
            least_frames=2,
        ),
        "frozen_mouth": Kind(
            summary="one mouth for most of the clip", make=frozen_mouth, least_frames=3
        ),
        "flicker": Kind(
            summary="mask and color change from frame to frame", make=flicker, least_frames=2
        ),
        "swimming_paste": Kind(
            summary="a paste that drifts to and fro", make=swimming_paste, least_frames=2
        ),
    }
)
"""Name -> kind; those with ``least_frames`` 1 serve pictures and clips, the others clips alone."""


def get_kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    if name not in KINDS:
        raise UnknownNameError(explain_unknown("kind of forgery", name, list(KINDS)))
    return KINDS[name]


def forge_faces(
    kind: str,
    faces: Sequence[Face],
    rng: np.random.Generator,
    material: Material = Material(),  # noqa: B008 - frozen
) -> Forgery:
    """Forges a picture or a clip; one draw for all of its frames.

    Args:
        kind: a key of ``KINDS``.
        faces: one of a picture, T of a clip, in pictures of one size.
        rng: source of all randomness.
        material: what else the forgery may be made of, as many frames.

    Returns:
        Real frames, forged ones and masks, as many.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: too few frames, no person where one is needed, or material of other length.
    """
    chosen = get_kind(kind)
    if len(faces) < chosen.least_frames:
        raise UsageError(
            f"Cannot make {kind} of {len(faces)} frames: expected at least {chosen.least_frames}. "
            "Give a longer clip, or another kind."
        )
    for name, given in (("moment", material.moment), ("person", material.person)):
        if given is not None and len(given) != len(faces):
            raise UsageError(
                f"Cannot make {kind}: the other {name} has {len(given)} frames, the face "
                f"{len(faces)}. Give as many."
            )
    moment, person = (given and steady(given) for given in (material.moment, material.person))
    ready = Material(moment=moment, person=person, region=material.region)
    return chosen.make(steady(faces), rng, ready)
