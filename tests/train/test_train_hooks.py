"""Networks with a constraint after every step, and networks that are fitted without any."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from train_toys import PLAIN, Plain

import toy_detectors
from unmask.detectors import Card, detector
from unmask.errors import UsageError
from unmask.train import dry_run, train
from unmask.train.module import DetectorTraining

TIED = dataclasses.replace(
    PLAIN,
    name="tied",
    recipe=PLAIN.recipe.changed({"learning_rate": 0.5}),
)
FITTED = dataclasses.replace(PLAIN, name="fitted", recipe=PLAIN.recipe.changed({"epochs": 2}))


class Tied(Plain):
    """The last layer's weights must add up to 1, which no gradient step keeps."""

    def constrain(self) -> None:
        self.head.weight += (1 - self.head.weight.sum()) / self.head.weight.numel()


class Fitted(Plain):
    """Sets its last layer to what it was given: the mean features and the share of forgeries."""

    def fit_last_part(self, features: Tensor, label: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        self.head.weight.copy_(features.mean(dim=0)[None])
        self.head.bias.copy_(label.mean()[None])
        return torch.tensor(float(len(features)))


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    toy_detectors.own_registry(monkeypatch)
    for card, kind in ((TIED, Tied), (FITTED, Fitted)):
        detector(card)(type(kind.__name__, (kind,), {"__module__": __name__}))


def run(card: Card, real: Path, other: Path, out: Path, *settings: str, **how: bool) -> Path:
    return train(
        card.name, real, out, validation=other, settings=settings, workers=0, progress=False, **how
    )


def test_the_constraint_holds_after_every_step(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path, monkeypatch
):
    sums: list[tuple[float, float]] = []
    tie = DetectorTraining.on_train_batch_end

    def watched(self, *args):
        before = float(self.net.head.weight.sum())
        tie(self, *args)
        sums.append((before, float(self.net.head.weight.sum())))

    monkeypatch.setattr(DetectorTraining, "on_train_batch_end", watched)
    path = run(TIED, real_faces, validation_faces, tmp_path / "run")
    assert len(sums) == 4  # two epochs of two steps
    assert all(abs(before - 1) > 1e-6 for before, _ in sums)
    assert all(abs(after - 1) < 1e-5 for _, after in sums)
    assert float(load_file(path)["head.weight"].sum()) == pytest.approx(1, abs=1e-5)


def test_what_is_fitted_sees_every_clip_of_the_epoch_and_moves_nothing_else(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    torch.manual_seed(FITTED.recipe.seed)
    untouched = FITTED.build().body[0].weight
    path = run(FITTED, real_faces, validation_faces, tmp_path / "run")
    state = load_file(path)
    assert torch.equal(state["body.0.weight"], untouched)
    assert float(state["head.bias"]) == 0.5
    curve = json.loads((tmp_path / "run" / "run.json").read_text())["curve"]
    # Two batches of four clips an epoch; the method said how many it had seen.
    assert [row["train_loss"] for row in curve] == [8, 8]


def test_a_fitted_detector_resumes(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    both = (real_faces, validation_faces, tmp_path / "run")
    run(FITTED, *both, "epochs=1")
    run(FITTED, *both, "epochs=2", resume=True)
    curve = json.loads((tmp_path / "run" / "run.json").read_text())["curve"]
    assert [row["epoch"] for row in curve] == [0, 1]


def test_a_fitted_detector_can_be_looked_at_before(
    toys: None, real_faces: Path, validation_faces: Path
):
    told = dry_run(FITTED.name, real_faces, validation=validation_faces, workers=0)
    assert told.steps_per_epoch == 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "adversary=('head',)",
            "Cannot train fitted against head: it has no loss for an adversary",
        ),
        ("accumulate=2", "Cannot fit fitted with an adversary, accumulate above 1 or a cosine"),
        ("schedule=cosine", "Cannot fit fitted with an adversary, accumulate above 1 or a cosine"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path, setting, message
):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        run(FITTED, real_faces, validation_faces, tmp_path / "run", setting)


def test_several_processes_cannot_fit(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    with pytest.raises(UsageError, match="Cannot fit fitted in 2 processes"):
        run(FITTED, real_faces, validation_faces, tmp_path / "run", devices=2)
