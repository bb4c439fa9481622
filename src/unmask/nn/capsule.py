"""Capsule-Forensics v2: ten small networks over VGG-19's maps, and routing to two class capsules.

Nguyen et al., "Use of a Capsule Network to Detect Fake Images and Videos" (2019), in the layout
of the authors' files.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchvision.models import vgg

_PRIMARY = 10
_PRIMARY_SIZE = 8
_CLASS_SIZE = 4
_CLASSES = 2
_VGG_MAPS = 256
_VGG_CONFIGURATION: list[str | int] = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M"]
"""The layers ``features.0`` to ``features.18`` of torchvision's VGG-19."""

_NOISE = 0.01
_DROPPED = 0.05


def vgg_start() -> nn.Sequential:
    """VGG-19 up to its third pooling: (B, 3, H, W) to (B, 256, H / 8, W / 8).

    Drawn at random, as torchvision's whole VGG-19 is.
    """
    layers: nn.Sequential = vgg.make_layers(_VGG_CONFIGURATION)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return layers


def vgg_state(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of ``vgg_start``, taken from a state dict of torchvision's ``vgg19``."""
    wanted = vgg_start().state_dict().keys()
    return {key: published[f"features.{key}"] for key in wanted if f"features.{key}" in published}


def squash(capsules: Tensor, dim: int) -> Tensor:
    """Shrinks vectors to a length below 1, |v|^2 / (1 + |v|^2); their direction stays.

    >>> squash(torch.tensor([[0.0, 3.0]]), dim=1)
    tensor([[0.0000, 0.9000]])
    """
    square = capsules.square().sum(dim=dim, keepdim=True)
    return square / (1 + square) * capsules / square.sqrt()


class _Statistics(nn.Module):
    """Mean and standard deviation over the places of each map: (B, C, h, w) to (B, 2, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        places = maps.flatten(2)
        return torch.stack([places.mean(dim=2), places.std(dim=2)], dim=1)


class PrimaryCapsules(nn.Module):
    """Ten networks of one layout; each gives a vector of eight numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.capsules = nn.ModuleList(_primary() for _ in range(_PRIMARY))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, 256, h, w) to (B, 8, 10).

        Squashed across the ten capsules, number by number, as the authors' code does it; the
        paper squashes each capsule's vector.
        """
        vectors = [capsule(maps).flatten(1) for capsule in self.capsules]
        return squash(torch.stack(vectors, dim=2), dim=2)


class Routing(nn.Module):
    """Dynamic routing by agreement, separately for each number of a class capsule.

    In training, noise is added to the weights, and some priors are left out.

    Args:
        rounds: rounds of routing.
    """

    def __init__(self, rounds: int = 2) -> None:
        super().__init__()
        self.rounds = rounds
        shape = (_CLASSES, _PRIMARY, _CLASS_SIZE, _PRIMARY_SIZE)
        self.route_weights = nn.Parameter(torch.randn(shape))

    def forward(self, capsules: Tensor) -> Tensor:
        """(B, 8, 10) to (B, 4, 2): a vector of four numbers for each class."""
        weights: Tensor = self.route_weights
        if self.training:
            weights = weights + _NOISE * torch.randn_like(weights)
        priors = torch.einsum("kpcd,bdp->bkpc", weights, capsules)
        if self.training:
            # Without rescaling, unlike dropout.
            priors = priors * torch.full_like(priors, 1 - _DROPPED).bernoulli()
        logits = torch.zeros_like(priors)
        outputs = squash((logits.softmax(dim=2) * priors).sum(dim=2), dim=2)
        for _ in range(self.rounds - 1):
            logits = logits + priors * outputs[:, :, None]
            outputs = squash((logits.softmax(dim=2) * priors).sum(dim=2), dim=2)
        return outputs.transpose(1, 2)


def _primary() -> nn.Sequential:
    """One primary capsule, with the authors' initial values; its layers bear their numbers."""
    capsule = nn.Sequential(
        *(nn.Conv2d(_VGG_MAPS, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.Conv2d(64, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU()),
        _Statistics(),
        *(nn.Conv1d(2, 8, 5, 2, 2), nn.BatchNorm1d(8)),
        *(nn.Conv1d(8, 1, 3, 1, 1), nn.BatchNorm1d(1)),
        nn.Flatten(),
    )
    for layer in capsule:
        if isinstance(layer, nn.Conv2d | nn.Conv1d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
    return capsule
