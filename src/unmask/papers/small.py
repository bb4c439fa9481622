"""The small setting: what shrinks so that all protocols of the papers fit into an hour."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from unmask.detectors import Card
from unmask.errors import UnmaskError

STEPS: Final = 4
"""Of every training: enough to show that a loss reaches the weights, far too few to learn."""

_PAIRS: Final = 4
_BATCH: Final = {True: 4, False: 2}
_EDGE_PX: Final = {True: 128, False: 64}
"""Of the input's sides: single pictures, clips."""

_MARGIN_S: Final = 0.3
"""A face is followed for the whole of a clip of the benchmark but not always in its last frames."""

_SLOWEST_FPS, _FASTEST_FPS = 24.0, 30.0
"""Of videos whose frames are taken as they come."""


class Trial(NamedTuple):
    """One clip through an untrained network: operations that it took, and its parameters."""

    operations: int
    parameters: int


def small_settings(card: Card, seconds: float) -> tuple[str, ...]:
    """What ``train --set`` changes of a recipe so that a training takes seconds.

    Weights carry their input, so a network that was trained on smaller pictures is tested on
    them as well.

    Args:
        card: with the settings of the training applied.
        seconds: length of the benchmark's clips.
    """
    recipe = card.recipe
    found: dict[str, object] = {
        "epochs": 1,
        "steps_per_epoch": STEPS,
        "batch_size": min(_BATCH[card.input.frames == 1], recipe.sampling.batch_size),
        "accumulate": 1,
        "validation_pairs": _PAIRS,
        "warmup_epochs": 0,
        "precision": "32-true",
    }
    if recipe.adversary.parts:
        found["adversary_steps"] = 1
    return tuple(f"{key}={value}" for key, value in (found | _smaller_input(card, seconds)).items())


def trial(card: Card) -> Trial | None:
    """Sends one black clip through an untrained network; None where it does not take the size."""
    spec = card.input
    clip = torch.zeros(1, 1 if spec.color == "gray" else 3, spec.frames, *spec.size)
    net = card.build().eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net(clip)
    except (RuntimeError, ValueError, UnmaskError):
        return None
    return Trial(counter.get_total_flops(), sum(p.numel() for p in net.parameters()))


def _smaller_input(card: Card, seconds: float) -> dict[str, object]:
    """A smaller picture where the network takes one, and clips that fit into the videos."""
    spec, found = card.input, dict[str, object]()
    edge = _EDGE_PX[spec.frames == 1]
    # A picture that is cut out of a larger one has its size from a paper's crop; it is small.
    if spec.load_size is None and min(spec.size) > edge:
        size = (edge, edge)
        if trial(card.changed(input={"size": size})) is not None:
            found["input.size"] = size
    if spec.frames == 1:
        return found
    length, fps, stride = spec.frames * spec.stride, spec.fps, spec.stride
    if fps is not None and length / fps > seconds:
        found["input.fps"] = fps = float(math.ceil(length / (seconds - _MARGIN_S)))
    if fps is None and length / _SLOWEST_FPS > seconds:
        found["input.stride"] = stride = max(1, int(seconds * _SLOWEST_FPS / spec.frames))
    # One clip of a video.
    found["input.hop"] = math.ceil(seconds * (fps or _FASTEST_FPS) / stride)
    return found
