"""The augmentations that a recipe names: one draw for a clip, the same for both classes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from unmask.errors import UsageError
from unmask.forgeries import Augmentation

NOTHING = Augmentation(light=0, resize=0, blur=0, noise=0, codec_shares=(1, 0, 0))
_STRONG = Augmentation(
    light=0.7,
    resize=0.65,
    resize_share=(0.35, 1.6),
    blur=0.3,
    noise=0.3,
    codec_shares=(0.15, 0.3, 0.55),
    h264_crf=(18, 42),
)
_ONE_OF_EIGHT: tuple[Augmentation | None, ...] = (
    None,  # a crop: the box wanders more
    dataclasses.replace(NOTHING, codec_shares=(0, 1, 0)),
    dataclasses.replace(NOTHING, noise=1),
    dataclasses.replace(NOTHING, blur=1),
    dataclasses.replace(NOTHING, resize=1, resize_share=(0.3, 0.9)),
    dataclasses.replace(NOTHING, light=1, light_gain=0.0),
    dataclasses.replace(NOTHING, light=1, light_offset=0.0),
    dataclasses.replace(NOTHING, color=1),
)


def _blur_and_jpeg(chance: float) -> Augmentation:
    """Those of Wang et al., "CNN-generated images are surprisingly easy to spot" (CVPR 2020)."""
    return dataclasses.replace(
        NOTHING,
        blur=chance,
        blur_sigma=(0.01, 3.0),  # from nothing; OpenCV refuses 0
        codec_shares=(1 - chance, chance, 0),
        jpeg_quality=(30, 101),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done to a training sample.

    Attributes:
        pixels: chances and ranges of what changes pixels.
        one_of: chance that one of eight changes is made (crop, JPEG, noise, blur, downscaling,
            brightness, contrast, color), instead of ``pixels``.
        shift: standard deviation of the box's shift, as a share of its side.
        scale: standard deviation of the logarithm of its size.
        flip: chance of a mirror image.
        is_crop_random: whether ``size`` is cut from anywhere in ``load_size``.
        time_mask: most frames of one stretch that the clip's mean replaces.
        has_sizes: whether half of the large faces are reduced beforehand.
    """

    pixels: Augmentation = NOTHING
    one_of: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    flip: float = 0.5
    is_crop_random: bool = False
    time_mask: int = 0
    has_sizes: bool = False

    def draw(self, rng: np.random.Generator) -> Change:
        """This change with one of the eight, where that is to be drawn."""
        if not self.one_of or rng.random() >= self.one_of:
            return self
        drawn = _ONE_OF_EIGHT[int(rng.integers(len(_ONE_OF_EIGHT)))]
        if drawn is None:
            return dataclasses.replace(self, shift=0.08, scale=0.1)
        return dataclasses.replace(self, pixels=drawn)


_NO_CHANGE = Change(flip=0)
CHANGES = {
    "shared": Change(pixels=Augmentation(), shift=0.04, scale=0.06, has_sizes=True),
    "strong": Change(pixels=_STRONG, shift=0.04, scale=0.06, has_sizes=True),
    "box": Change(shift=0.04, scale=0.06, flip=0, has_sizes=True),
    "flip": Change(),
    "crop_and_flip": Change(is_crop_random=True),
    "crop_flip_and_time_mask": Change(is_crop_random=True, time_mask=15),
    "one_of_eight": Change(one_of=0.5),
    "blur_and_jpeg": Change(pixels=_blur_and_jpeg(0.1), is_crop_random=True),
    "blur_and_jpeg_half": Change(pixels=_blur_and_jpeg(0.5), is_crop_random=True),
    "color": Change(
        pixels=dataclasses.replace(NOTHING, light=0.5, color=0.5), shift=0.04, scale=0.06
    ),
    "color_and_jpeg": Change(
        pixels=dataclasses.replace(
            NOTHING, light=0.3, color=0.3, codec_shares=(0.5, 0.5, 0), jpeg_quality=(40, 101)
        ),
        shift=0.04,
        scale=0.06,
    ),
    "resize_and_jpeg": Change(
        pixels=dataclasses.replace(
            NOTHING,
            resize=0.5,
            resize_share=(0.25, 1.0),
            codec_shares=(0.5, 0.5, 0),
            jpeg_quality=(60, 101),
        ),
        shift=0.04,
        scale=0.06,
    ),
}


def change_of(named: str | Augmentation | None) -> Change:
    """The change that a recipe names, none for None; an augmentation given as such comes with
    the wandering box of ``shared``.

    Raises:
        UsageError: an unknown name.
    """
    if isinstance(named, Augmentation):
        return Change(pixels=named, shift=0.04, scale=0.06, has_sizes=True)
    if named is None:
        return _NO_CHANGE
    found = CHANGES.get(named)
    if found is None:
        raise UsageError(f"Unknown augment={named!r}. Known: {', '.join(CHANGES)}.")
    return found
