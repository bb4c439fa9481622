from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from scored_copies import copies
from unmask.calibrate import fit as fitting
from unmask.calibrate.compression import Compression
from unmask.calibrate.copies import copies_of
from unmask.errors import DataError
from unmask.evaluate.scores import FaceScore, ScoreKey, VideoScore
from unmask.types import QualityClass

ALL = (fitting.EVERYTHING,)
D, E = ("d", "aa"), ("e", "bb")


def scored(
    path: str, member: tuple[str, str], faces: list[tuple[int, float, int, float]], label: int = 0
) -> VideoScore:
    key = ScoreKey("set", "tool" if label else "", "", "val", path, *member)
    return VideoScore(
        key=key,
        label=label,
        source_id="s",
        score=max((face[1] for face in faces), default=None),
        faces=tuple(FaceScore(*face) for face in faces),
    )


def test_the_face_that_decides_is_the_highest_able_one():
    rows = [
        scored(
            "a", D, [(0, 1.0, 9, 100.0), (1, 2.0, 9, 90.0), (2, 7.0, 2, 90.0), (3, 8.0, 9, 40.0)]
        ),
        scored("b", D, [(0, 5.0, 9, 60.0)], label=1),
        scored("c", D, [(0, 5.0, 2, 60.0)]),
        scored("d", E, [(0, 5.0, 9, 60.0)]),
    ]
    found, undecided = copies_of(rows, [D], {("a", ""): Compression(0.1, "h264")})
    assert undecided == 1
    assert found.path.tolist() == ["a", "b"]
    assert found.logit.tolist() == [[2.0], [5.0]]
    assert found.face_px.tolist() == [90.0, 60.0]
    assert found.bits[0] == 0.1
    assert np.isnan(found.bits[1])
    assert found.tool.tolist() == ["", "tool"]


def test_members_of_a_panel_speak_of_the_same_face():
    rows = [
        scored("a", D, [(0, 1.0, 9, 100.0), (1, 2.0, 9, 90.0)]),
        scored("a", E, [(0, 7.0, 9, 110.0), (1, 3.0, 9, 300.0)]),
        scored("b", D, [(0, 1.0, 9, 100.0)], label=1),
        scored("b", E, [(5, 4.0, 9, 100.0)], label=1),
        scored("c", D, [(0, 1.0, 9, 100.0)]),
    ]
    found, undecided = copies_of(rows, [D, E], {})
    # Face 1 of 'a' has two sizes, so face 0 speaks; in 'b' no face agrees, so each one's own.
    assert found.logit.tolist() == [[1.0, 7.0], [1.0, 4.0]]
    assert undecided == 1


def test_one_label_alone_cannot_be_calibrated():
    with pytest.raises(DataError, match=r"1 of real and 0 of fake videos; both are needed.* Give"):
        copies_of([scored("a", D, [(0, 1.0, 9, 100.0)])], [D], {})


def test_classes_need_enough_videos_and_the_last_takes_the_rest():
    many = copies(sources=6, each=3, conditions=("", "compression 5", "half_size"))
    names = [one.name for one in fitting.classes_of(many)]
    assert names == [
        "H.264, face at least 160 px, at least 0.03 bit/pixel",
        "H.264, face at least 160 px, under 0.03 bit/pixel",
        "H.264, face under 160 px, at least 0.03 bit/pixel",
        "none of the other classes",
    ]
    assert [one.name for one in fitting.classes_of(copies(sources=2))] == [
        "none of the other classes"
    ]
    assert [one.name for one in fitting.classes_of(copies(codec="prores"))] == [
        "none of the other classes"
    ]


def test_labels_weigh_alike_in_each_class_and_copies_share_one_vote():
    some = copies(sources=4, conditions=("", "half_size"))
    dropped = some[np.arange(len(some)) % 5 > 0]
    cell = (dropped.face_px < 160).astype(int)
    weight = fitting.weights_of(dropped, cell)
    for inside in (cell == 0, cell == 1):
        sums = [weight[inside & (dropped.label == label)].sum() for label in (0, 1)]
        assert sums[0] == pytest.approx(sums[1])
    whole = fitting.weights_of(some, np.zeros(len(some), int))
    assert whole == pytest.approx(np.full(len(some), 0.5))


def test_the_line_is_the_true_likelihood_ratio():
    # Normal scores at 0 and 2, both of deviation 1: log ratio = 2 x - 2.
    many = copies(2.0, sources=40, each=25)
    cell = np.zeros(len(many), int)
    weight = fitting.weights_of(many, cell)
    ((slope, intercept),) = fitting.lines_of(many.logit[:, 0], many.label, cell, weight, 1, 0.0)
    assert (slope, intercept) == pytest.approx((2.0, -2.0), abs=0.25)


def test_a_base_rate_is_no_evidence():
    many = copies(2.0, sources=40, each=25)
    rare = many[(many.label == 0) | (np.arange(len(many)) % 10 < 2)]
    cell = np.zeros(len(rare), int)
    ((slope, intercept),) = fitting.lines_of(
        rare.logit[:, 0], rare.label, cell, fitting.weights_of(rare, cell), 1, 0.0
    )
    assert -intercept / slope == pytest.approx(1.0, abs=0.15)


def test_classes_are_pooled_by_width():
    many = copies(2.0, sources=40, each=10, conditions=("", "half_size"))
    cell = (many.face_px < 160).astype(int)
    logit = many.logit[:, 0] + 3.0 * cell  # the second class lies 3 higher
    weight = fitting.weights_of(many, cell)

    def crossings(width: float) -> list[float]:
        found = fitting.lines_of(logit, many.label, cell, weight, 3, width)
        return [-intercept / slope for slope, intercept in found]

    pooled, loose = crossings(0.0), crossings(10.0)
    assert pooled[0] == pooled[1] == pooled[2]
    assert loose[0] == pytest.approx(1.0, abs=0.3)
    assert loose[1] == pytest.approx(4.0, abs=0.3)
    between = crossings(0.3)
    assert pooled[0] > between[0] > loose[0]


def test_a_class_of_the_wrong_order_gets_the_common_line():
    many = copies(2.0, sources=20, each=10, conditions=("", "half_size"))
    cell = (many.face_px < 160).astype(int)
    logit = np.where((cell == 1) & (many.label == 1), many.logit[:, 0] - 3, many.logit[:, 0])
    found = fitting.lines_of(logit, many.label, cell, fitting.weights_of(many, cell), 3, 10.0)
    assert found[1] == found[2]
    assert found[0] != found[2]
    assert all(slope >= 0 for slope, _ in found)


def test_fusion_weighs_members_by_what_they_know():
    two = copies(2.0, sources=30, members=2)
    noise = two.logit[:, 1] - 2.0 * two.label
    useless = dataclasses.replace(two, logit=np.column_stack([two.logit[:, 0], noise]))
    against = dataclasses.replace(two, logit=two.logit * [1, -1])
    weight = np.ones(len(two))
    both = fitting.fuse(two, weight)
    assert both[0] == pytest.approx(both[1], rel=0.5)
    assert fitting.fuse(useless, weight)[1] < 0.2 * fitting.fuse(useless, weight)[0]
    assert fitting.fuse(against, weight)[1] == 0.0
    assert fitting.fuse(copies(), np.ones(36)).tolist() == [1.0]


def test_bounds_are_conformal_on_the_most_misleading_copy():
    some = copies(2.0, sources=4, each=3, conditions=("", "compression 5"))
    fitted = fitting.fit(some, ALL, rate=0.2)
    real, fake = fitting.most_misleading(some, fitted.scores)
    assert (len(real), len(fake)) == (12, 12)
    first = some.path == "0/0.mp4"
    assert fitted.scores[first].max() in real
    # k = floor(0.2 * 13) = 2: one real video may reach it, and one forged one stay below.
    assert (real >= fitted.threshold).sum() <= 1
    assert (fake < fitted.lower).sum() <= 1
    assert fitted.lower <= fitted.threshold


def test_a_class_with_enough_videos_has_bounds_of_its_own():
    some = copies(2.0, sources=5, each=4, conditions=("", "compression 5"))
    fitted = fitting.fit(some, fitting.classes_of(some), rate=0.1)
    sharp, coded, rest = fitted.classes
    assert sharp.threshold is not None
    assert (len(sharp.real_scores), len(coded.fake_scores)) == (20, 20)
    assert rest.threshold is None
    scores, threshold, lower = fitting.apply(fitted, some)
    assert scores == pytest.approx(fitted.scores)
    assert set(threshold.tolist()) == {sharp.threshold, coded.threshold}
    assert set(lower.tolist()) == {sharp.lower, coded.lower}


def test_scores_that_order_nothing_stay_logits():
    wrong = copies(-2.0, sources=4)
    fitted = fitting.fit(wrong, ALL, rate=0.2)
    assert not fitted.is_ordered
    assert fitted.scores == pytest.approx(wrong.logit[:, 0])
    assert [(one.slope, one.intercept) for one in fitted.classes] == [(1.0, 0.0)]


def test_scores_left_as_they_are_still_have_bounds_of_each_class():
    some = copies(2.0, sources=5, each=4, conditions=("", "compression 5"))
    fitted = fitting.fit(some, fitting.classes_of(some), rate=0.1, as_logits=True)
    assert fitted.scores == pytest.approx(some.logit[:, 0])
    assert [one.threshold is None for one in fitted.classes] == [False, False, True]
    assert not fitted.is_ordered


def test_too_few_real_videos_are_an_error():
    with pytest.raises(DataError, match=r"Cannot calibrate: 12 real videos .*Give more videos"):
        fitting.fit(copies(sources=4), ALL, rate=0.05)


def test_copies_are_judged_by_the_class_that_a_scan_takes():
    known = QualityClass(name="a", slope=1.0, intercept=0.0, min_bits_per_pixel=0.05)
    some = copies(conditions=("", "compression 5"))
    assert set(fitting.class_numbers(some, (known, *ALL))[some.condition == ""].tolist()) == {0}
    unknown = dataclasses.replace(some, bits=np.full(len(some), np.nan))
    assert set(fitting.class_numbers(unknown, (known, *ALL)).tolist()) == {1}
