"""Cross-validation of candidates, worked by hand on made-up scores."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.candidates import _folds

from scored_copies import videos
from unmask.errors import DataError

# Source A: real 1, 2; forged 5 by X. B: real 3; forged 1.5 by Y and 6 by X. C: real 0, 4.
HAND = videos(
    ("A", "", 1.0),
    ("A", "", 2.0),
    ("A", "X", 5.0),
    ("B", "", 3.0),
    ("B", "Y", 1.5),
    ("B", "X", 6.0),
    ("C", "", 0.0),
    ("C", "", 4.0),
)


def test_each_source_is_left_out_once_and_judged_whole():
    folds = _folds.by_source(HAND)
    assert [(f.name, f.judged.tolist(), f.fit.tolist()) for f in folds] == [
        ("A", [0, 1, 2], [3, 4, 5, 6, 7]),
        ("B", [3, 4, 5], [0, 1, 2, 6, 7]),
        ("C", [6, 7], [0, 1, 2, 3, 4, 5]),
    ]


def test_a_tool_is_left_out_with_all_of_its_sources():
    folds = _folds.by_tool(HAND)
    # X is in A and B, so only C may choose; Y's forgery in B is neither judged nor chosen on.
    assert [(f.name, f.judged.tolist(), f.fit.tolist()) for f in folds] == [
        ("X", [0, 1, 2, 3, 5], [6, 7]),
        ("Y", [3, 4], [0, 1, 2, 6, 7]),
    ]


def test_thresholds_come_from_the_other_sources():
    folds = _folds.by_source(HAND)
    # At a rate of 1/4 the highest of the others' real scores: 4 without A and B, 3 without C.
    thresholds = _folds.fit_apart(HAND, folds, _folds.conformal(0.25))
    assert thresholds == pytest.approx([4.001, 4.001, 3.001])
    over = _folds.over_thresholds(HAND, folds, thresholds)
    assert over.tolist() == [0, 0, 1, 0, 0, 1, 0, 1]


def test_balanced_thresholds_come_from_the_other_sources():
    folds = _folds.by_source(HAND)
    # Without A: real 3, 0, 4 and forged 1.5, 6: above 4. Without B: real 1, 2, 0, 4 and forged 5.
    # Without C: real 1, 2, 3 and forged 5, 1.5, 6: above 3 finds two of three and no real one.
    assert _folds.fit_apart(HAND, folds, _folds.balanced) == [5.0, 4.5, 4.0]


def test_scalings_come_from_the_other_sources():
    folds = _folds.by_source(HAND)
    logits = _folds.scaled(HAND, folds, [_folds.Scaling(float(n), 10.0 * n) for n in (1, 2, 3)])
    assert logits.tolist() == [11, 12, 15, 26, 23, 32, 30, 42]
    fitted = _folds.fit_apart(HAND, folds, _folds.platt)
    moved = dataclasses.replace(HAND, logit=HAND.logit + np.where(HAND.source == "A", 100, 0))
    again = _folds.fit_apart(moved, folds, _folds.platt)
    assert again[0] == fitted[0]  # what A holds says nothing about A's own scaling
    assert again[1] != fitted[1]
    assert all(scaling.slope > 0 for scaling in fitted)


def test_an_undecided_video_neither_chooses_nor_is_over_a_threshold():
    some = dataclasses.replace(HAND, logit=np.where(np.arange(8) == 7, np.nan, HAND.logit))
    folds = _folds.by_source(some)
    thresholds = _folds.fit_apart(some, folds, _folds.conformal(0.34))
    assert thresholds == pytest.approx([3.001, 2.001, 3.001])
    over = _folds.over_thresholds(some, folds, thresholds)
    assert over.tolist() == [0, 0, 1, 1, 0, 1, 0, 0]


def test_too_few_real_videos_for_a_rate():
    message = (
        r"Cannot choose without source 'A': 3 real videos cannot show a false-alarm "
        r"rate of 0.05: at least 19 are needed. Give more videos, or a higher --rate."
    )
    with pytest.raises(DataError, match=message):
        _folds.fit_apart(HAND, _folds.by_source(HAND), _folds.conformal(0.05))


def test_a_fold_that_sees_what_it_judges_is_refused():
    leaky = _folds.Fold("source", "A", np.arange(1, 8), np.arange(0, 1))
    with pytest.raises(DataError, match=r"Cannot judge 'A': the source 'A' is in the part that"):
        _folds.fit_apart(HAND, [leaky], _folds.conformal(0.3))
    by_tool = _folds.Fold("tool", "X", np.arange(3, 8), np.arange(3))
    with pytest.raises(DataError, match=r"Cannot judge 'X': the tool 'X' is in the part that"):
        _folds.check_fold(HAND, by_tool)
    # The same parts are right where sources are left out: A is in one of them alone.
    _folds.check_fold(HAND, by_tool._replace(left_out="source", name="A"))
