"""The picture of MODEL_CARD.md is what the script makes of the weights that ship."""

from pathlib import Path

import failure_sheet
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def found() -> list[failure_sheet.Answer]:
    return failure_sheet.answers()


def test_the_committed_sheet_is_what_the_weights_say(found: list[failure_sheet.Answer]):
    made = np.asarray(failure_sheet.sheet(found), int)
    kept = np.asarray(Image.open(ROOT / "docs" / "failures.png"), int)
    assert made.shape == kept.shape
    assert np.abs(made - kept).mean() < 1  # another OpenCV or x264 changes a few values


def test_what_the_model_card_says_of_it_holds(found: list[failure_sheet.Answer]):
    score = {answer.case.caption: answer.logit for answer in found}
    blended = score["face blended over itself"]
    assert blended > score["the same, H.264 CRF 40"]
    assert blended > score["the same, a third of the size"]
    assert score["whole picture by an autoencoder"] < score["untouched"]
    assert score["untouched, caption over the chin"] > score["untouched"]
    assert score["untouched, caption over the chin"] > score["the same, a third of the size"]
    assert any(a.case.caption == "untouched" and (a.mask > 0.5).any() for a in found)
    assert score["untouched"] < score["untouched, skin filter"]
    assert score["untouched, skin filter"] < score["untouched, caption over the chin"]
    assert "(docs/failures.png)" in (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("caption", "center"), [("face blended over itself", 0.5), ("mouth blended", 0.65)]
)
def test_the_right_place_is_marked(found: list[failure_sheet.Answer], caption: str, center: float):
    (answer,) = (one for one in found if one.case.caption == caption)
    rows, columns = np.nonzero(answer.mask > 0.5)
    side = answer.mask.shape[0]
    assert rows.mean() / side == pytest.approx(center, abs=0.1)
    assert columns.mean() / side == pytest.approx(0.5, abs=0.1)
