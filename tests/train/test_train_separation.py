"""``separation_weight``: a term over pairs beside the card's own loss."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from torch import Tensor
from train_toys import PLAIN, Plain

import toy_detectors
from unmask.detectors import Card, Output, Target, detector
from unmask.errors import UsageError
from unmask.losses import mask_separation_loss, pair_separation_loss
from unmask.train import train
from unmask.train.module import DetectorTraining

STEPPED = dataclasses.replace(PLAIN, name="stepped")

MASKED = dataclasses.replace(PLAIN, name="masked", outputs=("mask",))


class Masked(Plain):
    """Its mask is one of its maps."""

    def forward(self, clips: Tensor) -> Output:
        maps = self.body(clips)
        return Output(logit=self.head(maps.mean((2, 3, 4)))[:, 0], mask=maps[:, 0])


class Stepped(Plain):
    """Has a loss of its own."""

    def training_loss(self, clips: Tensor, target: Target) -> Tensor:
        return self(clips).logit.square().mean()


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    toy_detectors.own_registry(monkeypatch)
    for card, kind in ((PLAIN, Plain), (STEPPED, Stepped)):
        detector(card)(type(card.name, (kind,), {"__module__": __name__}))
    detector(MASKED)(type(MASKED.name, (Masked,), {"__module__": __name__}))


def run(card: Card, real: Path, other: Path, out: Path, *settings: str) -> Path:
    return train(
        card.name, real, out, validation=other, settings=settings, workers=0, progress=False
    )


def test_the_term_is_added_in_training_and_not_in_validation(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path, monkeypatch
):
    added: list[float] = []
    own = DetectorTraining._loss

    def watched(self, clips, target):
        loss = own(self, clips, target)
        output = self.net(clips)
        apart = pair_separation_loss(output.logit, target.label, target.pair)
        added.append(float(loss - self.card.recipe.loss(output, target) - 3.0 * apart))
        assert abs(float(apart)) > 1e-3
        return loss

    monkeypatch.setattr(DetectorTraining, "_loss", watched)
    settings = ("separation_weight=3.0", "learning_rate=0.0", "epochs=1")
    run(PLAIN, real_faces, validation_faces, tmp_path / "with", *settings)
    assert len(added) == 2
    assert added == pytest.approx([0, 0], abs=1e-5)

    monkeypatch.setattr(DetectorTraining, "_loss", own)
    run(PLAIN, real_faces, validation_faces, tmp_path / "without", *settings[1:])
    curves = [
        json.loads((tmp_path / name / "run.json").read_text())["curve"]
        for name in ("with", "without")
    ]
    assert curves[0][0]["negative_loss"] == curves[1][0]["negative_loss"]
    assert curves[0][0]["train_loss"] != curves[1][0]["train_loss"]


def test_masks_are_told_apart_too_where_a_network_has_one(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path, monkeypatch
):
    added: list[tuple[float, float]] = []
    own = DetectorTraining._loss

    def watched(self, clips, target):
        loss = own(self, clips, target)
        output = self.net(clips)
        logits = pair_separation_loss(output.logit, target.label, target.pair)
        masks = mask_separation_loss(output.mask, target.label, target.mask, target.pair)
        more = float(loss - self.card.recipe.loss(output, target))
        added.append((more, 2.0 * float(logits + masks)))
        assert abs(float(masks)) > 1e-3
        return loss

    monkeypatch.setattr(DetectorTraining, "_loss", watched)
    settings = ("separation_weight=2.0", "epochs=1")
    run(MASKED, real_faces, validation_faces, tmp_path / "run", *settings)
    assert len(added) == 2
    assert [more for more, _ in added] == pytest.approx([two for _, two in added], abs=1e-5)


@pytest.mark.parametrize(
    ("card", "settings", "message"),
    [
        (STEPPED, (), "Cannot use separation_weight with stepped: it learns by losses of"),
        (
            PLAIN,
            ("sampling=pairs", "synthesize=none"),
            "Cannot use separation_weight with the forgeries of the data: a real clip and a forged",
        ),
    ],
)
def test_where_there_are_no_pairs_to_measure_it_is_refused(
    toys: None, real_faces: Path, validation_faces: Path, tmp_path: Path, card, settings, message
):
    with pytest.raises(UsageError, match=message):
        run(
            card,
            real_faces,
            validation_faces,
            tmp_path / "run",
            "separation_weight=1.0",
            *settings,
        )
