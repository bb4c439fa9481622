"""Detectors of one multiplication, for tests of what surrounds detectors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unmask.checkpoints import save_weights
from unmask.detectors import (
    Card,
    Output,
    Paper,
    Recipe,
    Target,
    detector,
    get_card,
    list_detectors,
    registry,
)
from unmask.types import InputSpec

SPEC = InputSpec(size=(32, 32), fps=5.0)


def loss(output: Output, target: Target) -> Tensor:
    return (output.logit - target.label).square().mean()


class Bright(nn.Module):
    """Calls bright pictures forged: logit = gain x mean + offset; the mask is the brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))
        self.offset = nn.Parameter(torch.tensor(0.0))
        self.batches: list[int] = []

    def forward(self, clips: Tensor) -> Output:
        self.batches.append(len(clips))
        logit = self.gain * clips.mean(dim=(1, 2, 3, 4)) + self.offset
        return Output(logit=logit, mask=nn.functional.avg_pool2d(clips.mean(dim=1), 8))


def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test register detectors of its own: the registry is a copy until the test ends.

    All real ones are imported before. An import registers a detector only once, so what the test
    imports first would be missing from the registry afterwards.
    """
    for name in list_detectors():
        get_card(name)
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))


def register(name: str, spec: InputSpec = SPEC) -> Card:
    """Puts a detector beside the real ones; the test must restore the registry."""
    card = Card(
        name=name,
        summary="For tests.",
        paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
        input=spec,
        recipe=Recipe(loss=loss),
        outputs=("mask",),
    )
    detector(card)(type(name.title(), (Bright,), {"__module__": __name__}))
    return card


def weights_file(
    path: Path, name: str, gain: float = 1.0, offset: float = 0.0, license: str = "MIT"
) -> Path:
    state = {"gain": torch.tensor(gain), "offset": torch.tensor(offset)}
    about = {"detector": name, "tag": "t", "license": license, "trained_on": "nothing"}
    return save_weights(state, path, **about)


class Recurrent(nn.Module):
    """A GRU over features of single frames; it counts the frames that it computed them for.

    Args:
        context: frames on either side that a frame's features depend on.
    """

    def __init__(self, context: int = 0) -> None:
        super().__init__()
        self.stem = nn.Conv3d(3, 8, (2 * context + 1, 4, 4), (1, 4, 4), (context, 0, 0))
        self.rnn = nn.GRU(8, 6, batch_first=True)
        self.head = nn.Linear(6, 1)
        self.computed: list[int] = []

    def forward(self, clips: Tensor) -> Output:
        return self.classify(self.frame_features(clips))

    def frame_features(self, clips: Tensor, context: tuple[int, int] = (0, 0)) -> Tensor:
        first, last = context
        maps = self.stem(clips)[:, :, first : clips.shape[2] - last]
        self.computed.append(maps.shape[0] * maps.shape[2])
        return maps.relu().mean(dim=(3, 4)).transpose(1, 2)

    def classify(self, features: Tensor) -> Output:
        last = self.rnn(features)[0][:, -1]
        return Output(logit=10 * self.head(last).squeeze(1), embedding=last)


def register_recurrent(
    name: str, spec: InputSpec, frame_context: int | None, context: int = 0
) -> Card:
    """As ``register``; ``context`` is the true one, ``frame_context`` what the card says."""
    card = Card(
        name=name,
        summary="For tests.",
        paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
        input=spec,
        recipe=Recipe(loss=loss),
        outputs=("embedding",),
        args={"context": context},
        frame_context=frame_context,
    )
    detector(card)(type(name.title(), (Recurrent,), {"__module__": __name__}))
    return card
