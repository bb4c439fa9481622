"""A detector against an adversary: who steps when, on what, and that a resumed run goes on so."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from train_toys import PLAIN, Plain

import toy_detectors
from unmask.detectors import Card, Target, detector
from unmask.errors import UsageError
from unmask.train import train
from unmask.train.module import DetectorTraining

CARD = dataclasses.replace(
    PLAIN,
    name="rivals",
    recipe=PLAIN.recipe.changed(
        {
            "optimizer": "adam",
            "learning_rate": 0.01,
            "adversary": ("critic",),
            "adversary_steps": 3,
            "schedule": "plateau",
            "schedule_epochs": 1,
            "monitor": "negative_loss",
            "patience": 9,
            "epochs": 3,
        }
    ),
)


class Rivals(Plain):
    """Writes down whose turn it was, the weights of both, and what they saw."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Linear(4, 1)
        self.turns: list[tuple[str, float, float, float]] = []

    def _note(self, who: str, clips: Tensor) -> None:
        parts = self.head.weight, self.critic.weight, clips
        self.turns.append((who, *(float(part.detach().sum()) for part in parts)))

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        self._note("own", clips)
        output = self(clips)
        fooled = self.critic(output.embedding).mean()
        return CARD.recipe.loss(output, target) + 0.1 * fooled

    def adversary_loss(self, clips: Tensor, target: Target) -> Tensor:
        self._note("critic", clips)
        return self.critic(self(clips).embedding).square().mean()


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Card:
    toy_detectors.own_registry(monkeypatch)
    detector(CARD)(Rivals)
    return CARD


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> list[DetectorTraining]:
    """Every module that training makes."""
    made: list[DetectorTraining] = []
    init = DetectorTraining.__init__

    def kept(self: DetectorTraining, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)  # type: ignore[arg-type]
        made.append(self)

    monkeypatch.setattr(DetectorTraining, "__init__", kept)
    return made


def run(data: Path, validation: Path, out: Path, *settings: str, resume: bool = False) -> Path:
    return train(
        "rivals",
        data,
        out,
        validation=validation,
        settings=settings,
        resume=resume,
        workers=0,
        progress=False,
    )


def test_they_take_turns_and_each_moves_its_own_part(
    rivals: Card,
    modules: list[DetectorTraining],
    real_faces: Path,
    validation_faces: Path,
    tmp_path: Path,
):
    run(real_faces, validation_faces, tmp_path / "run", "epochs=2")
    turns = modules[0].net.turns
    # Two steps of its own in an epoch, each behind three of the critic.
    assert [who for who, *_ in turns] == ["critic", "critic", "critic", "own"] * 4
    assert len({clips for *_, clips in turns}) == 16  # every step has a batch of its own
    for (who, head, critic, _), (_, next_head, next_critic, _) in itertools.pairwise(turns):
        assert (head != next_head) == (who == "own")
        assert (critic != next_critic) == (who == "critic")


def test_a_run_against_an_adversary_resumes_exactly(
    rivals: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    # More epochs, reached by resuming, are what a run that was stopped between them goes on to.
    whole = run(real_faces, validation_faces, tmp_path / "whole", "epochs=3")
    run(real_faces, validation_faces, tmp_path / "cut", "epochs=1")
    resumed = run(real_faces, validation_faces, tmp_path / "cut", "epochs=3", resume=True)
    states = [torch.load(path.parent / "last.ckpt", weights_only=True) for path in (whole, resumed)]
    for key, value in states[0]["state_dict"].items():
        torch.testing.assert_close(states[1]["state_dict"][key], value, rtol=0, atol=1e-6)
    assert states[1]["reductions"] == pytest.approx(states[0]["reductions"], abs=1e-6)
    expected, found = load_file(whole), load_file(resumed)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=1e-6)


def test_two_optimizers_that_take_turns_allow_no_added_gradients(
    rivals: Card, real_faces: Path, validation_faces: Path, tmp_path: Path
):
    with pytest.raises(UsageError, match="against an adversary with accumulate above 1"):
        run(real_faces, validation_faces, tmp_path / "run", "accumulate=2")
