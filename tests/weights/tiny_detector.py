"""A detector of one layer with a published format of its own, for the tests of weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.checkpoints import save_weights
from unmask.detectors import Card, Output, Paper, Recipe, Target, Weights, detector
from unmask.errors import WeightsError
from unmask.types import InputSpec

STATE = {"layer.weight": torch.tensor([[1.0, 2.0, 3.0]]), "layer.bias": torch.tensor([0.5])}


def loss(output: Output, target: Target) -> Tensor:
    return (output.logit - target.label).square().mean()


def read_published(path: Path) -> dict[str, Tensor]:
    """A published format of our own: JSON lists under other names."""
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise WeightsError(f"Cannot read '{path}' as JSON.") from error
    return {f"layer.{key}": torch.tensor(value) for key, value in found.items()}


PUBLISHED = json.dumps({"weight": [[1.0, 2.0, 3.0]], "bias": [0.5]}).encode()
PUBLISHED_SHA256 = hashlib.sha256(PUBLISHED).hexdigest()


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, clips: Tensor) -> Output:
        return Output(logit=self.layer(clips.mean((2, 3, 4))).squeeze(1))


def published_entry(url: str | None) -> Weights:
    return Weights(
        tag="paper",
        url=url,
        sha256=PUBLISHED_SHA256,
        size_bytes=len(PUBLISHED),
        license="Apache-2.0",
        trained_on="paper data",
        importer=read_published,
    )


def card(*weights: Weights) -> Card:
    return Card(
        name="tiny",
        summary="One linear layer.",
        paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
        input=InputSpec(size=(4, 4)),
        recipe=Recipe(loss=loss),
        weights=weights,
    )


def register(*weights: Weights) -> None:
    detector(card(*weights))(type("Tiny", (Tiny,), {"__module__": __name__}))


def save(path: Path, state: dict[str, Tensor] = STATE, **changes: object) -> Path:
    about = {"detector": "tiny", "tag": "mine", "license": "MIT", "trained_on": "my data"}
    return save_weights(state, path, **{**about, **changes})


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
