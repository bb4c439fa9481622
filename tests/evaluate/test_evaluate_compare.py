"""Paired differences of two detectors."""

import dataclasses

import pytest
from sklearn.metrics import roc_auc_score

from score_rows import drawn, video
from unmask.errors import DataError, UnknownNameError, UsageError
from unmask.evaluate.compare import compare, show_comparisons


def test_differences_are_those_of_the_figures_on_common_videos():
    a, b = drawn(1), drawn(2, detector="other")
    b[0] = dataclasses.replace(b[0], score=None)
    b = b[:-1]
    found = {one.method: one for one in compare([*a, *b], "bright", "other", resamples=200)}
    assert sorted(found) == ["A", "B", "all"]
    pairs = list(zip(a[1:-1], b[1:], strict=True))
    labels = [x.label for x, _ in pairs]
    expected = [
        roc_auc_score(labels, scores)
        for scores in zip(*[(x.score, y.score) for x, y in pairs], strict=True)
    ]
    whole = found["all"]
    assert whole.delong.value == pytest.approx(expected[0] - expected[1])
    assert whole.differences["AUC"].value == pytest.approx(expected[0] - expected[1])
    assert whole.differences["AUC"].low < whole.delong.value < whole.differences["AUC"].high
    assert (whole.reals, whole.fakes, whole.unpaired) == (29, 59, 2)
    assert whole.place == "d c23 test"
    assert 0 <= whole.p_value <= 1


def test_the_same_scores_do_not_differ():
    (one, *_) = compare([*drawn(1), *drawn(1, detector="other")], "bright", "other", resamples=50)
    assert one.delong[:3] == (0, 0, 0)
    assert one.p_value == 1
    assert one.differences["EER"][:3] == (0, 0, 0)


def test_a_detector_by_its_weights():
    scores = [*drawn(1), *drawn(2, sha256="cd" * 32)]
    found = compare(scores, "bright@ab", "bright@cd", resamples=50)
    assert {one.reals for one in found} == {30}
    with pytest.raises(
        UsageError, match=r"has scores with 2 files of weights. Name one of them: b"
    ):
        compare(scores, "bright", "bright@cd")
    with pytest.raises(UsageError, match=r"both are the same weights. Name two detectors"):
        compare(scores, "bright@cd", "bright@cdcd")


def test_a_detector_without_scores():
    with pytest.raises(
        UnknownNameError, match=r"There are no scores of 'x' here. Known: bright@ab"
    ):
        compare(drawn(1), "bright", "x")


def test_no_common_video():
    scores = [*drawn(1), *drawn(1, detector="other", compression="c40")]
    with pytest.raises(DataError, match=r"no video was scored by both. Evaluate both on the same"):
        compare(scores, "bright", "other")


def test_what_cannot_be_measured_is_told():
    scores = [video("1.mp4", 1.0), video("2.mp4", 2.0, method="A")]
    scores += [video("1.mp4", 1.0, detector="o"), video("2.mp4", 0.0, method="A", detector="o")]
    (one,) = compare(scores, "bright", "o", resamples=50)
    assert one.delong.value is None
    assert one.p_value is None
    text = show_comparisons([one])
    assert "| - [1] | - |" in text
    assert "[1] Not measurable: 1 real item (label 0) among 2, at least 2 needed." in text


def test_the_table_of_differences():
    scores = [*drawn(1), *drawn(2, detector="other")]
    found = compare(scores, "bright", "other", resamples=50)
    text = show_comparisons(found)
    assert text.startswith("bright - other: differences in percentage points")
    assert f"{100 * found[0].delong.value:.1f} [" in text
    assert sum(line.startswith("| d c23 test") for line in text.splitlines()) == 3
