"""Detectors of which it is known where, and when, they look."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from unmask.detectors import Card, Detector, Output, Paper, Recipe, Target, detector
from unmask.types import DetectorUse, InputSpec


def loss(output: Output, target: Target) -> Tensor:
    return (output.logit - target.label).square().mean()


def card_of(
    name: str = "toy",
    frames: int = 1,
    size: tuple[int, int] = (32, 32),
    cam_layer: str = "maps",
    heat_maps: tuple[str, ...] = (),
    fps: float | None = 5.0,
    mean: tuple[float, ...] = (0.5, 0.5, 0.5),
    std: tuple[float, ...] = (0.5, 0.5, 0.5),
) -> Card:
    return Card(
        name=name,
        summary="For tests.",
        paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
        input=InputSpec(size=size, frames=frames, fps=fps, hop=frames, mean=mean, std=std),
        recipe=Recipe(loss=loss),
        cam_layer=cam_layer,
        heat_maps=heat_maps,
    )


class _Looks(nn.Module):
    def __init__(self, look: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.look = look
        self.maps = nn.Identity()
        self.passes = 0

    def forward(self, clips: Tensor) -> Output:
        self.passes += len(clips)
        return Output(logit=self.look(self.maps(clips)))


class BrightSpots(nn.Module):
    """Calls bright spots forged: a mean filter, a threshold, the mean over space and time.

    Args:
        is_framewise: looks at (B * T) pictures one by one, as the sequence detectors do.
    """

    def __init__(self, is_framewise: bool = False, gain: float = 10.0) -> None:
        super().__init__()
        self.is_framewise = is_framewise
        kind = nn.Conv2d if is_framewise else nn.Conv3d
        kernel = (5, 5) if is_framewise else (1, 5, 5)
        padding = (2, 2) if is_framewise else (0, 2, 2)
        self.maps = kind(3, 2, kernel, padding=padding)
        self.gain = nn.Parameter(torch.tensor(gain))
        with torch.no_grad():
            self.maps.weight.fill_(1 / 75)
            self.maps.weight[1] *= -1
            self.maps.bias.fill_(-0.5)
        self.rectify = nn.ReLU(inplace=True)

    def forward(self, clips: Tensor) -> Output:
        given = clips.transpose(1, 2).flatten(0, 1) if self.is_framewise else clips
        bright, dark = self.rectify(self.maps(given)).unbind(1)
        logit = (bright - dark).view(len(clips), -1).mean(dim=1)
        return Output(logit=self.gain * logit)

    def heat_map(self, name: str, clips: Tensor) -> Tensor:
        """A map of its own, (B, H, W) of the first frame."""
        return -clips[:, :, 0].mean(dim=1)


def use_of(card: Card, sha256: str = "0" * 64) -> DetectorUse:
    return DetectorUse(
        name=card.name, weights="toy", sha256=sha256, license="MIT", trained_on="nothing"
    )


def ready(net: nn.Module, card: Card, sha256: str = "0" * 64) -> Detector:
    """As ``load_detector`` gives it."""
    return Detector(network=net.eval(), card=card, weights=use_of(card, sha256))


def looks(look: Callable[[Tensor], Tensor], card: Card) -> Detector:
    """Its logit is any function of the clips that a test gives; it counts its passes."""
    return ready(_Looks(look), card)


def register(card: Card, is_framewise: bool = False) -> Card:
    """Puts a BrightSpots beside the real ones; the test must restore the registry."""

    def init(self: BrightSpots) -> None:
        BrightSpots.__init__(self, is_framewise)

    kind = type(card.name.title(), (BrightSpots,), {"__module__": __name__, "__init__": init})
    detector(card)(kind)
    return card
