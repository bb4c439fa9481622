"""Frame-wise re-rendering: a small autoencoder draws every face of a clip anew.

It is fitted to the aligned faces of that one clip and to nothing else, so it can draw no other
person. What it leaves behind is what decoders leave behind: lost texture, soft upsampling.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.paste import crop_points, lay_over, match_color, put_back, region_mask
from unmask.forgeries.registry import kind
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

if TYPE_CHECKING:
    from torch import Tensor, nn

CROP_PX: Final = 96
_STEPS: Final = 240
_BATCH: Final = 8
_CODE: Final = 48
_WIDTHS: Final = (16, 32, 48, 64)

_EYES_SHARE: Final = 1 / 3
"""Distance of the eyes in the crop, as a share of its side."""


@kind("the inner face drawn by an autoencoder that is fitted to this clip", least_frames=2)
def re_rendering(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """Draws the inner face of every frame by an autoencoder of this clip, blended back in."""
    outline, feather = int(rng.integers(2**32)), rng.uniform(0.03, 0.06)
    points = crop_points(CROP_PX, _EYES_SHARE)
    matrices = [similarity(landmarks, points) for landmarks in clip.landmarks_px]
    size = (CROP_PX, CROP_PX)
    crops = [
        cv2.warpAffine(p, m, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        for p, m in zip(clip.frames, matrices, strict=True)
    ]
    drawn = redraw(np.stack(crops), int(rng.integers(2**31)), _STEPS)
    frames = []
    for crop, matrix, face in zip(drawn, matrices, clip.faces, strict=True):
        real = face.pixels
        weight = region_mask(face, "inner", outline, wobble=0.06, feather=feather)
        changed = match_color(put_back(crop, matrix, real), real, weight)
        frames.append(ForgedFrame(real, *lay_over(real, changed, weight)))
    return frames


def redraw(crops: Pixels, seed: int, steps: int) -> Pixels:
    """Fits an autoencoder to pictures and returns what it makes of them.

    One thread and a seed: the same pictures give the same result on the same machine.

    Args:
        crops: (T, 96, 96, 3) RGB uint8.
        seed: of the first weights and the order of the pictures.
        steps: of training.

    Returns:
        (T, 96, 96, 3) RGB uint8.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            pictures = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
            mean = pictures.mean(dim=0)
            net = _fitted(pictures, mean, steps)
            with torch.inference_mode():
                drawn = torch.cat([mean + net(part) for part in torch.split(pictures, _BATCH)])
    finally:
        torch.set_num_threads(threads)
    values: Floats = drawn.clamp(0, 1).permute(0, 2, 3, 1).numpy()
    return np.rint(values * 255).astype(np.uint8)


def _fitted(pictures: Tensor, mean: Tensor, steps: int) -> nn.Module:
    """Adam with L1 on random pictures; the network draws what differs from their mean."""
    import torch
    from torch.nn import functional

    net = _autoencoder()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    for _ in range(steps):
        batch = pictures[torch.randint(len(pictures), (_BATCH,))]
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(functional.l1_loss(mean + net(batch), batch))
        optimizer.step()
        schedule.step()
    return net.eval()


def _autoencoder() -> nn.Module:
    """Four convolutions down to a code of ``_CODE`` numbers, and four up again."""
    import torch
    from torch import nn

    side = CROP_PX // 2 ** len(_WIDTHS)
    widest = _WIDTHS[-1]
    down: list[nn.Module] = []
    for width_in, width_out in zip((3, *_WIDTHS), _WIDTHS, strict=False):
        down += [nn.Conv2d(width_in, width_out, 3, stride=2, padding=1), nn.LeakyReLU(0.1)]
    code = [
        nn.Flatten(),
        nn.Linear(widest * side**2, _CODE),
        nn.Linear(_CODE, widest * side**2),
        nn.LeakyReLU(0.1),
        nn.Unflatten(1, (widest, side, side)),
    ]
    up: list[nn.Module] = []
    for width_in, width_out in itertools.pairwise(_WIDTHS[::-1]):
        up += [
            nn.Upsample(scale_factor=2.0, mode="nearest"),
            nn.Conv2d(width_in, width_out, 3, padding=1),
            nn.LeakyReLU(0.1),
        ]
    last = nn.Conv2d(_WIDTHS[0], 3 * 4, 3, padding=1)
    with torch.no_grad():
        last.weight.mul_(0.1)
    # Four values of each color for every pixel of half the size: a quarter of the work.
    return nn.Sequential(*down, *code, *up, last, nn.PixelShuffle(2))
