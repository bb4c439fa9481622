"""What is built of fitted scores; the scores are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scored_copies import copies
from unmask.calibrate import build as building
from unmask.calibrate.build import build
from unmask.verdict import read_calibration, write_calibration

D, E = ("d", "aa"), ("e", "bb")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "DRAWS", 60)


def test_what_is_built_comes_back_from_its_file(tmp_path: Path):
    made = build(copies(conditions=("", "half_size")), [D], 0.2, 200, "val", 60.0)
    write_calibration(made, tmp_path / "c.json")
    assert read_calibration(tmp_path / "c.json") == made
    assert (made.scale, made.detector, made.panel) == ("llr", "d", ())
    assert (made.real_videos, made.fake_videos) == (18, 18)
    assert made.domain.min_bits_per_pixel == 0.1
    assert made.llr_bounds is not None
    low, high = made.llr_bounds
    assert -np.log(19) <= low < 0 < high <= np.log(19)
    assert "as they are, at half size" in made.data


def test_intervals_hold_their_score_and_widen_away_from_the_data():
    made = build(copies(), [D], 0.2, 200, "val", 60.0)
    rows = np.array(made.classes[-1].interval)
    assert (rows[:, 1] <= rows[:, 0]).all()
    assert (rows[:, 0] <= rows[:, 2]).all()
    width = rows[:, 2] - rows[:, 1]
    assert width[-1] > width[len(width) // 2]


def test_scores_that_do_not_order_give_no_probability():
    made = build(copies(0.0), [D], 0.2, 200, "val", 60.0)
    assert (made.scale, made.llr_bounds) == ("logit", None)
    assert made.classes[0].interval == ()
    assert made.threshold > made.lower


def test_a_panel_names_its_members_and_its_weights():
    made = build(copies(members=2), [D, E], 0.2, 200, "val", 45.0)
    assert [(m.detector, m.weights_sha256, m.longest_cpu_s) for m in made.panel] == [
        ("d", "aa", None),
        ("e", "bb", 45.0),
    ]
    assert all(member.weight > 0 for member in made.panel)
