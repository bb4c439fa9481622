"""Figures out of scores: those of scikit-learn, on the right videos, or a reason."""

import csv
import io
import re

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from score_rows import drawn, video
from unmask.errors import DataError, OutputError, UnknownNameError, UsageError
from unmask.evaluate.print_tables import (
    to_csv,
    to_latex,
    to_markdown,
    unscored_lines,
    write_tables,
)
from unmask.evaluate.tables import fit_threshold, measure


def of(rows, *methods):
    """Labels and scores of the real videos and of these methods."""
    kept = [r for r in rows if (not r.label or r.key.method in methods) and r.score is not None]
    return np.array([r.label for r in kept]), np.array([r.score for r in kept])


def table(rows, **options):
    return {
        (r.dataset, r.compression, r.split, r.method): r
        for r in measure(rows, resamples=200, **options)
    }


def test_each_method_stands_against_the_real_videos_of_its_group():
    test, val = drawn(1), drawn(2, split="val")
    c40 = drawn(3, compression="c40")
    rows = table([*test, *val, *c40])
    for chosen, level in ((test, "c23"), (c40, "c40")):
        for name, methods in (("A", "A"), ("B", "B"), ("all", "AB")):
            row = rows["d", level, "test", name]
            labels, scores = of(chosen, *methods)
            assert row.values["AUC"].value == pytest.approx(roc_auc_score(labels, scores))
            expected = roc_auc_score(labels, scores, max_fpr=0.1)
            assert row.values["pAUC@10%"].value == pytest.approx(expected)
            assert (row.reals, row.fakes) == (30, 30 * len(methods))
            assert row.sources == 30
            figure = row.values["AUC"]
            assert figure.low < figure.value < figure.high


def test_the_threshold_comes_from_validation_alone():
    test, val = drawn(1), drawn(2, split="val")
    row = table([*test, *val])["d", "c23", "test", "all"]
    threshold = fit_threshold(val)
    assert row.threshold == threshold
    labels, scores = of(test, "A", "B")
    right = (scores >= threshold) == labels
    assert row.values["accuracy"].value == pytest.approx(right.mean())
    both = (right[labels == 0].mean() + right[labels == 1].mean()) / 2
    assert row.values["balanced accuracy"].value == pytest.approx(both)
    assert row.values["found"].value == pytest.approx(right[labels == 1].mean())
    moved = [video(r.key.path, r.score + 9, method=r.key.method) for r in test]
    assert table([*moved, *val])["d", "c23", "test", "all"].threshold == threshold


def test_accuracies_at_other_thresholds():
    test, val = drawn(1), drawn(2, split="val")
    labels, scores = of(test, "A", "B")
    zero = table(test, rule="0")["d", "c23", "test", "all"]
    assert (zero.threshold, zero.rule) == (0.0, "0")
    right = (scores >= 0) == labels
    assert zero.values["accuracy"].value == pytest.approx(right.mean())
    assert "accuracies at the logit 0" in to_markdown([zero])
    # Two fakes for each real: the best plain accuracy lies lower than the best balanced one.
    plain = table([*test, *val], rule="validation")["d", "c23", "test", "all"]
    wrong = {
        threshold: np.mean((of(val, "A", "B")[1] >= threshold) != of(val, "A", "B")[0])
        for threshold in (plain.threshold, fit_threshold(val), 0.0)
    }
    assert plain.threshold < fit_threshold(val)
    assert wrong[plain.threshold] == min(wrong.values())


def test_nothing_is_fitted_on_a_test_split():
    message = "Cannot choose a threshold on the split 'test' of d: values on it would then be too"
    with pytest.raises(UsageError, match=message):
        fit_threshold(drawn(1))
    with pytest.raises(UsageError, match=r"the split 'Test_2' of d"):
        fit_threshold([*drawn(1, split="val"), *drawn(1, split="Test_2")])


def test_the_threshold_of_first_frames_is_that_of_as_many_validation_frames():
    whole = drawn(2, split="val")
    first = drawn(3, split="val", condition="first 110")
    test = [*drawn(1, condition="first 110"), *drawn(4, condition="blur 3, first 110")]
    rows = [row for row in measure([*whole, *first, *test], resamples=20) if row.split == "test"]
    assert {row.condition for row in rows} == {"first 110", "blur 3, first 110"}
    assert {row.threshold for row in rows} == {fit_threshold(first)}
    assert fit_threshold(first) != fit_threshold(whole)


def test_no_threshold_without_a_score():
    rows = [video("1.mp4", None, split="val", reason="no face")]
    with pytest.raises(DataError, match=r"none of 1 validation videos has a score. Evaluate the"):
        fit_threshold(rows)


def test_changed_validation_videos_are_not_measured_at_the_threshold_of_the_same_videos():
    plain = drawn(sources=6, split="val")
    changed = drawn(sources=6, split="val", condition="blur 3")
    found = measure([*plain, *changed], metrics=["accuracy"], resamples=20)
    assert {row.condition for row in found} == {"", "blur 3"}
    for row in found:
        assert row.values["accuracy"].note.endswith("would be chosen on these videos")


def test_validation_videos_are_not_measured_at_their_own_threshold():
    rows = table([*drawn(1), *drawn(2, split="val")])
    row = rows["d", "c23", "val", "all"]
    assert row.threshold is None
    note = "not measurable: the threshold would be chosen on these videos"
    assert row.values["accuracy"] == (None, None, None, note)
    assert row.values["AUC"].value > 0.5


def test_no_validation_split():
    row = table(drawn(1))["d", "c23", "test", "A"]
    note = "not measurable: the split 'val' of d was not evaluated"
    assert row.values["found"] == (None, None, None, note)


def test_validation_videos_of_one_class():
    val = [video("1.mp4", 1.0, split="val")]
    row = table([*drawn(1), *val])["d", "c23", "test", "A"]
    assert row.values["accuracy"].note.startswith("not measurable: no threshold from d val (Not")


def test_the_threshold_of_another_data_set():
    trained, other = drawn(2, split="val", dataset="ff"), drawn(1, compression="")
    row = table([*trained, *other], threshold_from="ff")["d", "", "test", "all"]
    assert row.threshold == fit_threshold(trained)


def test_the_threshold_of_another_detector_is_not_taken():
    val = drawn(2, split="val", detector="other")
    rows = [r for r in measure([*drawn(1), *val], resamples=50) if r.split == "test"]
    assert {row.threshold for row in rows} == {None}


def test_one_class_has_no_figure_but_a_reason():
    fakes = [row for row in drawn(1) if row.label]
    row = table([*fakes, *drawn(2, split="val")])["d", "c23", "test", "A"]
    assert row.values["AUC"].note == "not measurable: no real videos in d c23 test"
    assert row.values["found"].value is not None
    reals = [row for row in drawn(1) if not row.label]
    row = table(reals)["d", "c23", "test", "all"]
    assert row.values["AUC"].note == "not measurable: no fake videos in d c23 test"


def test_too_few_real_videos_for_a_rate_and_one_source_for_an_interval():
    row = table(drawn(1, sources=5))["d", "c23", "test", "A"]
    assert row.values["TAR@10%"].value is None
    assert "needs at least 10 real items" in row.values["TAR@10%"].note
    one = [video(r.key.path, r.score, method=r.key.method, source="s") for r in drawn(1)]
    figure = table(one)["d", "c23", "test", "A"].values["AUC"]
    assert figure.value is not None
    assert figure.low is None
    assert "an interval needs at least 2 sources" in figure.note


def test_videos_without_a_score_are_counted_and_listed():
    rows = [*drawn(1), video("b.mp4", None, method="B", reason="unreadable: broken")]
    found = table(rows)
    assert found["d", "c23", "test", "B"].unscored == 1
    assert found["d", "c23", "test", "A"].unscored == 0
    assert found["d", "c23", "test", "B"].fakes == 30
    assert unscored_lines(rows) == ["b.mp4 (d, bright): unreadable: broken"]


def test_sources_of_two_data_sets_are_not_the_same():
    rows = table([*drawn(1, sources=5), *drawn(1, sources=5, dataset="e")])
    assert {row.sources for row in rows.values()} == {5}


def test_the_figures_that_are_asked_for():
    row = table(drawn(1), metrics=["EER", "log wP@50%"])["d", "c23", "test", "A"]
    assert list(row.values) == ["EER", "log wP@50%"]
    assert row.values["log wP@50%"].value <= 0


def test_a_figure_that_does_not_exist():
    with pytest.raises(
        UnknownNameError, match=r"Unknown metric 'AUX'. Did you mean 'AUC'\? Known: AUC, pAUC@10%, "
    ):
        measure(drawn(1), metrics=["AUX"])


def test_no_scores():
    with pytest.raises(DataError, match=r"Cannot make a table: there are no scores"):
        measure([])


def test_the_three_ways_to_write(tmp_path):
    rows = measure([*drawn(1, dataset="a_b"), *drawn(2, dataset="c|d")], resamples=50)
    paths = write_tables(rows, tmp_path)
    assert [path.name for path in paths] == ["tables.md", "tables.csv", "tables.tex"]
    assert [path.read_text() for path in paths] == [to_markdown(rows), to_csv(rows), to_latex(rows)]
    markdown = to_markdown(rows)
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(lines) == len(rows) + 2
    figure = rows[0].values["AUC"]
    shown = f"{100 * figure.value:.1f} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"
    assert shown in lines[2]
    assert re.search(r"\n\[1\] not measurable: the split 'val' of a_b was not evaluated", markdown)
    assert "c\\|d" in markdown
    (first, *_) = csv.DictReader(io.StringIO(to_csv(rows)))
    assert float(first["AUC value"]) == figure.value
    assert first["weights"] == rows[0].weights_sha256
    assert first["accuracy note"].startswith("not measurable")
    assert r"a\_b" in to_latex(rows)
    assert to_latex(rows).count(r" \\") == len(rows) + 1
    with pytest.raises(OutputError, match=r"Cannot write '.*tables.md': .*. Make it writable, or"):
        write_tables(rows, tmp_path / "missing")
