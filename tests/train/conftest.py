"""A small detector with every part a recipe can name, and a folder of faces to train it on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import toy_detectors
from unmask.detectors import Card, Output, Paper, Recipe, Target, detector
from unmask.detectors.recipe import Optimizer, Sampling, Schedule, Synthesis
from unmask.types import InputSpec, Pixels


def _loss(output: Output, target: Target) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(output.logit, target.label)


CARD = Card(
    name="toy",
    summary="For tests.",
    paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
    input=InputSpec(size=(32, 32)),
    recipe=Recipe(
        loss=_loss,
        freeze=("frozen",),
        optimizer=Optimizer(learning_rate=0.01),
        schedule=Schedule(epochs=2, steps_per_epoch=2),
        sampling=Sampling(batch_size=4, augment="shared", kind="pairs"),
        synthesis=Synthesis(kind="self_blend"),
    ),
    args={"width": 4},
)


class Toy(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.frozen = nn.Sequential(nn.Conv2d(3, width, 3, 2), nn.BatchNorm2d(width), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, 2), nn.BatchNorm2d(width), nn.ReLU())
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(width, 1)
        self.register_buffer("begun", torch.zeros(()))

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        assert all(clips.ndim == 5 for clips in batches)
        self.begun += 1

    def forward(self, clips: Tensor) -> Output:
        maps = self.body(self.frozen(clips[:, :, 0]))
        return Output(logit=self.head(self.drop(maps.mean((2, 3))))[:, 0])


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Card:
    """The card of a detector that stands beside the real ones for one test."""
    toy_detectors.own_registry(monkeypatch)
    detector(CARD)(type("Toy", (Toy,), {"__module__": __name__}))
    return CARD


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cache(_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The session's cache folder: faces are found once for all tests of training."""
    monkeypatch.setenv("UNMASK_CACHE", str(_cache))
    return _cache


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _save(folder: Path, pictures: list[Pixels]) -> Path:
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def real_faces(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> Path:
    """Three photographs of a real face."""
    root = tmp_path_factory.mktemp("real_faces")
    return _save(root / "data", faces(3, 200))


@pytest.fixture(scope="session")
def validation_faces(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> Path:
    """Two other photographs."""
    root = tmp_path_factory.mktemp("validation_faces")
    return _save(root / "data", [np.ascontiguousarray(f[:, ::-1]) for f in faces(2, 200)])


@pytest.fixture(scope="session")
def labelled_faces(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> Path:
    """Real faces, and the same with a blue tint as the forged ones."""
    root = tmp_path_factory.mktemp("labelled_faces") / "data"
    real = faces(3, 200)
    tinted = [f.copy() for f in real]
    for picture in tinted:
        picture[..., 2] = np.minimum(255, picture[..., 2].astype(int) + 60)
    _save(root / "real", real)
    _save(root / "fake" / "tint", tinted)
    return root
