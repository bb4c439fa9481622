"""Small convolutional autoencoders that draw pictures anew, as generators' decoders do.

Their weights are fitted to real training faces by ``python -m benchmarks decoders`` and ship
with the package: about 30,000 numbers each. They draw no other person; they leave what learned
upsampling leaves: soft or doubled texture, and grids where strides meet.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from unmask.types import Pixels

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE: Final = "decoders.safetensors"

Upsampling = Literal["nearest", "bilinear", "transposed", "shuffle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The shape of one autoencoder.

    Attributes:
        up: how its decoder doubles the size: repeated or bilinear before a convolution, by a
            transposed convolution of kernel 4, or by sub-pixel shuffling.
        halvings: of the picture's size in the code.
        code: channels of the code.
        width: channels at half size; twice as many below.
    """

    up: Upsampling
    halvings: int
    code: int
    width: int = 24


LAYOUTS: Final = (
    Layout(up="nearest", halvings=2, code=4),
    Layout(up="nearest", halvings=3, code=16),
    Layout(up="bilinear", halvings=2, code=6),
    Layout(up="transposed", halvings=2, code=4),
    Layout(up="transposed", halvings=3, code=16),
    Layout(up="shuffle", halvings=2, code=6),
)
"""Of the shipped autoencoders."""


def autoencoder(layout: Layout) -> nn.Module:
    """(B, 3, H, W) in -1..1 to as many, H and W multiples of 2 to the power of the halvings."""
    from torch import nn

    widths = [8, layout.width] + [2 * layout.width] * (layout.halvings - 1)
    ends = zip([3, *widths[1:]], widths[1:], strict=False)
    down: list[nn.Module] = []
    for inputs, outputs in ends:
        down += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.SiLU()]
    widest = widths[-1]
    code = [nn.Conv2d(widest, layout.code, 3, 1, 1), nn.Conv2d(layout.code, widest, 3, 1, 1)]
    up: list[nn.Module] = [nn.SiLU(), nn.Conv2d(widest, widest, 3, 1, 1), nn.SiLU()]
    for inputs, outputs in zip(widths[:0:-1], widths[-2::-1], strict=True):
        up += [*_doubling(layout.up, inputs, outputs), nn.SiLU()]
    return nn.Sequential(*down, *code, *up, nn.Conv2d(widths[0], 3, 3, 1, 1))


def _doubling(how: Upsampling, inputs: int, outputs: int) -> list[nn.Module]:
    from torch import nn

    if how == "transposed":
        return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
    if how == "shuffle":
        return [nn.Conv2d(inputs, 4 * outputs, 3, 1, 1), nn.PixelShuffle(2)]
    return [nn.Upsample(scale_factor=2.0, mode=how), nn.Conv2d(inputs, outputs, 3, 1, 1)]


def decoded(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A picture through one of the shipped autoencoders, at a drawn size.

    Generators seldom draw at the size they are shown in, so in half of the cases the picture is
    made 0.6 to 1.4 times as large for it. A share of what was lost is given back, at most 0.6: a
    generator's adversary makes it draw detail too.

    Args:
        pixels: (H, W, 3) RGB uint8.
        rng: source of all randomness.

    Returns:
        As many.
    """
    import cv2
    import torch
    from torch.nn import functional

    layout, net = shipped()[int(rng.integers(len(LAYOUTS)))]
    share = float(rng.uniform(0.6, 1.4)) if rng.random() < 0.5 else 1.0
    kept = np.float32(max(0.0, rng.uniform(-0.3, 0.6)))
    height, width = pixels.shape[:2]
    given = pixels
    if share != 1:
        size = (max(16, round(width * share)), max(16, round(height * share)))
        how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
        given = np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)
    step = 2**layout.halvings
    rows, columns = given.shape[:2]
    picture = torch.from_numpy(given.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    padded = functional.pad(picture, (0, -columns % step, 0, -rows % step), mode="replicate")
    with torch.inference_mode():
        drawn = net(padded)[0, :, :rows, :columns]
    values = (drawn.permute(1, 2, 0).numpy() + 1) * np.float32(127.5)
    made = values + kept * (given - values)
    made = np.asarray(np.clip(np.rint(made), 0, 255), np.uint8)
    if share != 1:
        how = cv2.INTER_CUBIC if share < 1 else cv2.INTER_AREA
        made = np.asarray(cv2.resize(made, (width, height), interpolation=how), np.uint8)
    return made


@cache
def shipped() -> tuple[tuple[Layout, nn.Module], ...]:
    """The autoencoders that ship with the package."""
    from safetensors.torch import load_file

    tensors = load_file(Path(str(resources.files("unmask.forgeries"))) / FILE)
    return tuple(
        (layout, _with_weights(layout, f"{number}.", tensors))
        for number, layout in enumerate(LAYOUTS)
    )


def _with_weights(layout: Layout, prefix: str, tensors: dict[str, Tensor]) -> nn.Module:
    net = autoencoder(layout)
    own = {k.removeprefix(prefix): t.float() for k, t in tensors.items() if k.startswith(prefix)}
    net.load_state_dict(own)
    return net.eval().requires_grad_(False)


def layouts_as_json() -> str:
    """All layouts, for the file's metadata."""
    return json.dumps([asdict(layout) for layout in LAYOUTS])
