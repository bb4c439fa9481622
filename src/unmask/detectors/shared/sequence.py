"""What the sequence baselines of the spatio-temporal paper share: EfficientNet-B3 before an RNN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.checkpoints.safetensors_file import read_safetensors
from unmask.detectors.card import Weights
from unmask.detectors.shared.spatio_temporal import DIFFERENCES, RECIPE
from unmask.nn.fresh import fresh_state

HIDDEN = 1024
"""Of LSTM and GRU: follows from the parameters that the paper counts (table A.5)."""

SEQUENCE_RECIPE = RECIPE.changed({"learning_rate": 2e-6, "weight_decay": 1e-5, "batch_size": 2})

SEQUENCE_DIFFERENCES = (
    "Code: none is public. Sizes are those that give the parameters of table A.5, to the digits "
    "printed; what the paper leaves open is chosen here.",
    "Network: timm's EfficientNet-B3, which pads symmetrically; there is no stochastic depth.",
    *DIFFERENCES,
    "Start: at random, unless an imported file is given: ImageNet's, or (as in the paper) an "
    "EfficientNet-B3 image detector trained before. The last layer is then 0 throughout.",
)


def sequence_weights(make: Callable[[], nn.Module], last: str) -> tuple[Weights, ...]:
    """What a sequence detector can start from, its other parts as when new.

    Args:
        make: builds the detector; its backbone is ``net``.
        last: name of its last layer, which becomes 0, so that every logit is 0 until trained.
    """
    return (
        Weights(
            tag="image_detector",
            license="that of the imported file",
            trained_on="faces: the safetensors file of an EfficientNet-B3 image detector trained "
            "with unmask, the paper's start; not a detector of sequences",
            polarity="none: the last layer is 0, so every logit is 0 until trained",
            importer=partial(_from_image_detector, make, last),
            is_from_detector=True,
        ),
        Weights(
            tag="imagenet",
            license="Apache-2.0",
            trained_on="ImageNet (timm's efficientnet_b3_ra2-cf984f9c.pth): a start for training, "
            "not a detector",
            polarity="none: the last layer is 0, so every logit is 0 until trained",
            importer=partial(_from_timm, make, last),
        ),
    )


def _start(
    make: Callable[[], nn.Module], last: str, backbone: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    state = fresh_state(make, without=("net.",))
    state |= {key: torch.zeros_like(state[key]) for key in (f"{last}.weight", f"{last}.bias")}
    return {**state, **backbone}


def _from_timm(make: Callable[[], nn.Module], last: str, path: Path) -> dict[str, Tensor]:
    """A state dict of timm's network, without its head."""
    state = read_tensors(path)
    backbone = {f"net.{k}": v for k, v in state.items() if not k.startswith("classifier.")}
    return _start(make, last, backbone)


def _from_image_detector(make: Callable[[], nn.Module], last: str, path: Path) -> dict[str, Tensor]:
    """Our image detector's weights, without its head."""
    state = read_safetensors(path)
    return _start(make, last, {k: v for k, v in state.items() if not k.startswith("head.")})
