"""What the lines of the plots show is what the metrics say."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from plot_results import pixels
from score_rows import drawn, video
from unmask.errors import DataError
from unmask.evaluate.scores import BINS
from unmask.evaluate.tables import MetricValue
from unmask.metrics import auc, bootstrap_intervals, roc, tar_at_far
from unmask.metrics.calibration import reliability
from unmask.metrics.selective import risk_coverage
from unmask.plots.calibration import (
    Answers,
    calibration_text,
    draw_reliability,
    draw_risk_coverage,
    fit_log_odds,
    reliability_at_equal_priors,
)
from unmask.plots.curve import curve_canvas, draw_curve, draw_severity
from unmask.plots.roc import draw_pixel_roc, draw_roc
from unmask.plots.sample import Sample, Setting, band_of, sample_of

SETTING = Setting("d c23 test", resamples=50)


@pytest.fixture(scope="module")
def sample():
    """20 real videos and 40 forgeries."""
    return sample_of(drawn(1, 20))


def line(axes, start):
    """The line whose label starts so."""
    (found,) = (one for one in axes.lines if str(one.get_label()).startswith(start))
    return found


def test_the_roc_is_that_of_the_metric(sample):
    axes = draw_roc({"net": sample}, SETTING).axes[0]
    curve = roc(sample.labels, sample.scores)
    drawn_ = line(axes, "net: AUC ")
    np.testing.assert_array_equal(drawn_.get_xdata(), np.maximum(curve.far, 0.01))
    np.testing.assert_array_equal(drawn_.get_ydata(), curve.tar)
    value = roc_auc_score(sample.labels, sample.scores)
    assert drawn_.get_label().startswith(f"net: AUC {100 * value:.1f} [")
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(line(axes, "FAR of one false alarm: 5 %").get_xdata(), 0.05)


def test_the_marks_are_tars_that_20_real_videos_can_show(sample):
    axes = draw_roc({"net": sample}, SETTING).axes[0]
    (marks,) = (one for one in axes.lines if one.get_linestyle() == "None")
    at_ten = tar_at_far(sample.labels, sample.scores, 0.1)
    assert marks.get_xydata().tolist() == [[0.1, at_ten]]
    assert f"TAR {100 * at_ten:.1f} / - / - (" in line(axes, "net: AUC ").get_label()


def test_few_real_videos_have_an_axis_in_percent_alone():
    few = sample_of(drawn(1, 3))
    canvas = draw_roc({"net": few}, SETTING)
    canvas.draw_without_rendering()
    axes = canvas.axes[0]
    texts = {tick.get_text() for tick in axes.get_xticklabels(which="both")}
    assert {"10", "100"} <= texts <= {"", "1", "10", "100", "1000"}
    assert axes.get_xlim() == (0.1, 1)
    assert "TAR - / - / - (3 real" in line(axes, "net: AUC ").get_label()


def test_bands_are_bootstrap_intervals(sample):
    def metric(weights):
        return auc(sample.labels, sample.scores, weights=weights)

    band = band_of([metric, lambda w: np.full(len(w), np.nan)], sample.sources, SETTING)
    found = bootstrap_intervals({"a": metric}, sample.sources, resamples=50)["a"]
    assert (band.low[0], band.high[0]) == (found.low, found.high)
    assert np.isnan([band.low[1], band.high[1]]).all()


def test_the_pixel_roc_counts_pixels():
    rows = [video(f"{n}.mp4", 0.0, label=n % 2, source=str(n // 2)) for n in range(6)]
    rows = [
        type(row)(**{**{n: getattr(row, n) for n in row.__slots__}, "pixels": pixels(3, row.label)})
        for row in rows
    ]
    drawn_ = line(draw_pixel_roc({"net": rows}, SETTING).axes[0], "net: AUC ")
    forged = np.concatenate([[0], np.cumsum(np.arange(3, 3 + BINS)[::-1])])
    others = np.concatenate([[0], np.cumsum(np.arange(3, 3 + BINS))])
    np.testing.assert_allclose(drawn_.get_ydata(), forged / forged[-1])
    np.testing.assert_allclose(drawn_.get_xdata(), np.maximum(others / others[-1], 1e-3))
    area = np.trapezoid(forged / forged[-1], others / others[-1])
    assert drawn_.get_label().startswith(f"net: AUC {100 * area:.1f} [")
    assert f"({3 * forged[-1]:,} forged, {6 * others[-1]:,} other pixels, 3" in drawn_.get_label()


def test_reliability_weighs_both_classes_alike(sample):
    reals, fakes = (np.flatnonzero(sample.labels == label) for label in (0, 1))
    # As many of each: the metric itself.
    even = np.concatenate([reals, fakes[:20]])
    half = Sample(sample.labels[even], sample.scores[even], [sample.sources[i] for i in even])
    stated, share = reliability_at_equal_priors(half)
    found = reliability(half.labels, half.scores)
    np.testing.assert_allclose(stated, found.probability)
    np.testing.assert_allclose(share, found.share_fake)
    # Every real one twice changes nothing.
    twice = np.concatenate([np.arange(len(half.labels)), np.flatnonzero(half.labels == 0)])
    more = Sample(half.labels[twice], half.scores[twice], [half.sources[i] for i in twice])
    np.testing.assert_allclose(reliability_at_equal_priors(more), (stated, share))
    said = [calibration_text(one, SETTING).partition("[")[0] for one in (half, more)]
    assert said[0] == said[1]
    axes = draw_reliability({"raw": half}, SETTING).axes[0]
    drawn_ = line(axes, "raw\nECE ")
    np.testing.assert_allclose(drawn_.get_xydata(), np.stack([stated, share], axis=1))
    for name in ("Brier", "log loss", "Cllr ", "Cllr_min"):
        assert name in drawn_.get_label()


def test_the_histogram_counts_every_item(sample):
    below = draw_reliability({"raw": sample}, SETTING).axes[1]
    (steps,) = below.patches
    heights = steps.get_xy()[:, 1]
    assert heights[1::2].sum() == len(sample.labels)


def test_log_odds_are_found_again():
    random = np.random.default_rng(0)
    labels = np.tile([0.0, 1.0], 4000)
    # Two normal classes with these means have the log-odds 2 x.
    scores = random.normal(2 * labels - 1, 1.0)
    slope, intercept = fit_log_odds(Sample(labels, scores / 2 + 3, []))
    assert slope == pytest.approx(4, rel=0.1)
    assert intercept == pytest.approx(-12, rel=0.1)


def test_risk_and_coverage_are_those_of_the_metric(sample):
    answers = {"net": Answers(sample, 0.5, "of d val")}
    axes = draw_risk_coverage(answers, SETTING).axes[0]
    drawn_ = line(axes, "net: AURC ")
    found = risk_coverage(sample.labels, sample.scores, 0.5)
    np.testing.assert_array_equal(drawn_.get_xdata(), found.coverage)
    np.testing.assert_array_equal(drawn_.get_ydata(), found.risk)
    assert drawn_.get_label().endswith("\nthreshold 0.5 of d val")
    # The band's last place is all answers: the plain error.
    (band,) = axes.collections
    top = band.get_paths()[0].vertices
    at_all = top[top[:, 0] == 1][:, 1]
    assert at_all.min() <= found.risk[-1] <= at_all.max()


POINTS = {
    "net": [
        (10, MetricValue(0.7, 0.6, 0.8)),
        (5, MetricValue(0.5, 0.4, 0.6)),
        (20, MetricValue(None, note="x")),
    ],
    "other": [(5, MetricValue(0.9)), (10, MetricValue(0.8, 0.7, 0.9))],
}


def test_a_curve_goes_through_its_points():
    axes = curve_canvas(POINTS, "frames", "AUC", is_log=True).axes[0]
    np.testing.assert_array_equal(
        line(axes, "net").get_xydata(), [[5, 0.5], [10, 0.7], [20, np.nan]]
    )
    np.testing.assert_array_equal(line(axes, "other").get_xydata(), [[5, 0.9], [10, 0.8]])
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["5", "10", "20"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frames", "AUC, %")


def test_a_curve_is_written_twice(tmp_path):
    for path in (tmp_path / "a.svg", tmp_path / "a"):
        files = draw_curve(POINTS, "frames", "log loss", path, title="t", in_percent=False)
        assert [file.name for file in files] == ["a.svg", "a.png"]
    assert ">log loss<" in files[0].read_text()


def test_a_curve_without_a_value(tmp_path):
    points = {"net": [(1.0, MetricValue(None, note="no weights"))]}
    with pytest.raises(DataError, match=r"Cannot draw AUC over frames: .* \(no weights\)"):
        draw_curve(points, "frames", "AUC", tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_severities_have_an_axes_for_each_kind():
    curves = {"blur": POINTS, "noise": {"other": POINTS["other"]}}
    canvas = draw_severity(curves, SETTING)
    assert [axes.get_title() for axes in canvas.axes] == ["blur", "noise"]
    assert [len(axes.lines) for axes in canvas.axes] == [2, 1]
    colors = [line(axes, "other").get_color() for axes in canvas.axes]
    assert colors[0] == colors[1]
    (legend,) = canvas.legends
    assert [text.get_text() for text in legend.get_texts()] == ["net", "other"]
