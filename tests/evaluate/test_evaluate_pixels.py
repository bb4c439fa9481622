"""Figures of masks out of a results folder's histograms."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics as sk

import toy_detectors
from score_rows import video
from unmask.errors import NotMeasurableError
from unmask.evaluate.pixels import measure_masks
from unmask.evaluate.print_tables import to_markdown
from unmask.evaluate.scores import BINS, PixelCounts, ScoreWriter, read_scores
from unmask.evaluate.tables import default_metrics, measure, metric_values, source_of
from unmask.metrics import bootstrap_intervals
from unmask.metrics.pixels import count_pixels
from unmask.metrics.registry import get_metric, metrics

PIXELS = [metric.name for metric in metrics().values() if metric.needs_masks]


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")


def with_pixels(row, mask, truth):
    unchanged, forged = count_pixels(mask, truth, bins=BINS).tolist()
    return dataclasses.replace(row, pixels=PixelCounts(tuple(forged), tuple(unchanged)))


def drawn(sources=6, seed=0):
    """For each source a real video and two forgeries, with masks that are better than chance."""
    random = np.random.default_rng(seed)
    rows, pixels = [], []
    for number in range(sources):
        for method in ("", "A", "B"):
            truth = (random.random(80) < 0.4) & bool(method)
            mask = 1 / (1 + np.exp(-random.normal(2 * truth - 1, 1.5)))
            row = video(f"{method}/{number}", 0.5, method=method, source=f"{number}")
            rows.append(with_pixels(row, mask, truth))
            pixels.append((mask, truth))
    return rows, pixels


def figure(name, rows, **named):
    return metric_values(rows, [name], place="d c23 test", resamples=50, **named)[name]


def test_by_hand():
    # Of the forgery found and forged 2, found alone 1, forged alone 1, neither 4.
    mask = [0.9, 0.5, 0.8, 0.1, 0.2, 0.01, 0.3, 0.4]
    forgery = with_pixels(video("f", 1.0, method="A"), mask, [1, 1, 0, 1, 0, 0, 0, 0])
    real = with_pixels(video("r", 0.0), [0.1, 0.6], [0, 0])
    found = metric_values([forgery, real], PIXELS, place="", resamples=1)
    values = {name: one.value for name, one in found.items()}
    assert values["PBCA"] == pytest.approx(7 / 10)
    assert values["PBCA (forged)"] == pytest.approx(6 / 8)
    assert values["IoU"] == pytest.approx(2 / 4)
    assert values["F1 (pixels)"] == pytest.approx(4 / 6)
    # 0.9 is above all 7 genuine ones, 0.5 above 5, 0.1 above 1 and beside the real video's 0.1.
    assert values["pixel AUC"] == pytest.approx((7 + 5 + 1.5) / 21)


def test_all_videos_together_are_as_scikit_learn_has_them():
    rows, pixels = drawn()
    masks = np.concatenate([mask for mask, _ in pixels])
    truths = np.concatenate([truth for _, truth in pixels])
    forged = np.repeat([bool(row.label) for row in rows], 80)
    found = metric_values(rows, PIXELS, place="", resamples=50)
    assert found["PBCA"].value == pytest.approx(sk.accuracy_score(truths, masks >= 0.5))
    called, true = masks[forged] >= 0.5, truths[forged]
    assert found["PBCA (forged)"].value == pytest.approx(sk.accuracy_score(true, called))
    assert found["IoU"].value == pytest.approx(sk.jaccard_score(true, called))
    assert found["F1 (pixels)"].value == pytest.approx(sk.f1_score(true, called))
    exact = sk.roc_auc_score(truths, masks)
    assert found["pixel AUC"].value == pytest.approx(exact, abs=0.01)
    assert found["pixel AUC"].value != exact


@pytest.mark.parametrize("name", PIXELS)
def test_intervals_are_those_of_a_slow_loop_over_videos(name):
    rows, _ = drawn()
    kept = [row for row in rows if row.label or "real" in get_metric(name).classes]
    bins = np.arange(BINS)

    def slow(weights):
        values = []
        for draw in weights:
            true, level, weight = [], [], []
            for times, row in zip(draw, kept, strict=True):
                for label, counts in enumerate((row.pixels.unchanged, row.pixels.forged)):
                    true += [label] * BINS
                    level += list(bins)
                    weight += [times * count for count in counts]
            called = np.array(level) >= BINS // 2
            if name == "pixel AUC":
                values.append(sk.roc_auc_score(true, level, sample_weight=weight))
            else:
                score = {"IoU": sk.jaccard_score, "F1 (pixels)": sk.f1_score}.get(
                    name, sk.accuracy_score
                )
                values.append(score(true, called, sample_weight=weight))
        return np.array(values)

    sources = [source_of(row) for row in kept]
    expected = bootstrap_intervals({name: slow}, sources, resamples=12, seed=3)[name]
    found = metric_values(rows, [name], place="", resamples=12, seed=3)[name]
    np.testing.assert_allclose(found[:3], expected[:3])
    assert found.low < found.value < found.high


def test_a_table_has_them_by_name(tmp_path):
    rows, _ = drawn()
    with ScoreWriter(tmp_path / "r") as writer:
        for row in rows:
            writer.add(row, [])
    table = measure(read_scores(tmp_path / "r"), metrics=("AUC", *PIXELS), resamples=50)
    assert [row.method for row in table] == ["A", "B", "all"]
    only_a = [row for row in rows if row.key.method in ("", "A")]
    assert table[0].values["IoU"] == figure("IoU", only_a)
    assert "| pixel AUC |" in to_markdown(table)


def test_a_table_has_them_by_itself_where_masks_of_a_forgery_were_compared():
    rows, _ = drawn()
    (*_, everything) = measure(rows, resamples=50)
    assert tuple(everything.values) == default_metrics(has_masks=True)
    bare = [dataclasses.replace(row, pixels=None) if row.label else row for row in rows]
    (*_, everything) = measure(bare, resamples=50)
    assert tuple(everything.values) == default_metrics(has_masks=False)


def test_a_detector_without_masks():
    toy_detectors.register_recurrent("plain", toy_detectors.SPEC, None)
    rows = [video("r", 0.0, detector="plain"), video("f", 1.0, method="A", detector="plain")]
    for name in PIXELS:
        assert figure(name, rows).note == "not measurable: plain gives no masks"


def test_masks_that_were_not_compared():
    rows, _ = drawn()
    bare = [dataclasses.replace(row, pixels=None) for row in rows]
    told = "not measurable: no masks of fake videos were compared in d c23 test"
    assert figure("IoU", bare).note == told
    fakes = [dataclasses.replace(r, reason="no masks compared: gone") for r in bare if r.label]
    assert figure("IoU", fakes).note == f"{told} (no masks compared: gone)"
    assert figure("PBCA", fakes).note == "not measurable: no real videos in d c23 test"
    reals = [row for row in rows if not row.label]
    assert figure("PBCA", reals).note == "not measurable: no fake videos in d c23 test"
    assert figure("PBCA", []).note == "not measurable: no real videos in d c23 test"


def test_scores_of_a_detector_that_is_no_more():
    rows = [video("f", 1.0, method="A", detector="gone"), video("r", 1.0, detector="gone")]
    told = "not measurable: no masks of fake videos were compared in d c23 test"
    assert figure("IoU", rows).note == told


def test_videos_that_are_not_in_a_figure_are_told_beside_it():
    rows, _ = drawn()
    first, second, *rest = [row for row in rows if row.label]
    why = "no masks compared: gone"
    some = [dataclasses.replace(first, pixels=None, reason=why), second, *rest]
    found = figure("IoU", some)
    assert found.note == "masks of 11 of 12 videos (no masks compared: gone)"
    assert found == figure("IoU", [second, *rest])._replace(note=found.note)
    part = [first, dataclasses.replace(second, reason="but for 3 frames"), *rest]
    told = "masks of 12 of 12 videos, 1 of them in part (but for 3 frames)"
    assert figure("IoU", part).note == told
    table = to_markdown(measure(part, metrics=["IoU"], resamples=50))
    assert "] [1] |" in table
    assert f"] {told}" in table


def test_a_coarse_pixel_auc_says_how_far_it_may_be_off():
    # All pixels in two bins: of the pairs, a quarter are ties.
    def row(path, method, truth):
        return with_pixels(video(path, 0.0, method=method), [0.3, 0.3, 0.9, 0.9], truth)

    rows = [row("f", "A", [0, 1, 0, 1]), row("r", "", [0, 0, 0, 0])]
    note = figure("pixel AUC", rows).note
    assert note == "pixel AUC off by at most 25.00 points: values in a bin are ties"


def test_one_source_has_a_value_without_an_interval():
    rows = [row for row in drawn()[0] if row.source_id == "0"]
    found = figure("PBCA", rows)
    assert found.value is not None
    assert found.low is None
    assert "an interval needs at least 2 sources" in found.note


def test_what_a_figure_is_made_of():
    rows, _ = drawn()
    found = measure_masks(get_metric("PBCA"), rows, source_of, place="here")
    assert found.sources == tuple(f"d/{number}" for number in range(6))
    assert found.measure(np.eye(6)).shape == (6,)
    with pytest.raises(NotMeasurableError, match="not measurable: no real videos in here"):
        measure_masks(
            get_metric("PBCA"), [row for row in rows if row.label], source_of, place="here"
        )
