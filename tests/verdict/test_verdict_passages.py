from __future__ import annotations

import pytest

from unmask.types import ClipScore
from unmask.verdict.passages import Passage, passages, temporal_iou, windows


def clips(logits: list[float], *, step_s: float = 0.5, track_id: int = 0) -> list[ClipScore]:
    """Clips that follow each other without a gap."""
    return [
        ClipScore(
            detector="d",
            track_id=track_id,
            start_s=number * step_s,
            end_s=(number + 1) * step_s,
            logit=logit,
        )
        for number, logit in enumerate(logits)
    ]


def test_windows_by_hand():
    # Clips of half a second, windows of two: four clips each; the last three starts have less
    # than 1.5 s left but for the first of them, which has exactly that.
    found = windows(clips([0, 0, 4, 4, 4, 0]))
    assert found == [
        Passage(0, 0.0, 2.0, 2.0),
        Passage(0, 0.5, 2.5, 3.0),
        Passage(0, 1.0, 3.0, 3.0),
        Passage(0, 1.5, 3.0, pytest.approx(8 / 3)),
    ]


def test_a_window_of_a_face_that_is_gone_for_long_does_not_count():
    scattered = clips([5, 5, 5])[:2] + clips([0] * 9)[8:]
    assert windows(scattered) == []


def test_faces_do_not_share_windows_and_order_does_not_matter():
    both = clips([1] * 4) + clips([3] * 4, track_id=1)
    assert [(w.track_id, w.score) for w in windows(both[::-1])] == [(0, 1), (0, 1), (1, 3), (1, 3)]


def test_single_frames_are_clips_without_length():
    frames = clips([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], step_s=0.2)
    points = [
        ClipScore(detector="d", track_id=0, start_s=c.start_s, end_s=c.start_s, logit=c.logit)
        for c in frames
    ]
    first = windows(points)[0]
    assert first == Passage(0, 0.0, pytest.approx(2.0), 6.0)


def test_passages_join_overlapping_windows_and_keep_the_highest_score():
    found = windows(clips([0, 0, 0, 4, 4, 4, 4, 0, 0, 0]))
    assert passages(found, 3.0) == [Passage(0, 1.0, 4.0, 4.0)]
    assert passages(found, 4.0) == [Passage(0, 1.5, 3.5, 4.0)]
    assert passages(found, 4.1) == []


def test_passages_apart_and_of_two_faces_stay_apart():
    one = [Passage(0, 0, 2, 5), Passage(0, 3, 5, 6), Passage(1, 1, 3, 7)]
    assert passages(one, 5) == one


def test_temporal_iou_by_hand():
    found = [Passage(0, 0.0, 2.0, 1.0), Passage(1, 1.0, 3.0, 1.0), Passage(0, 6.0, 7.0, 1.0)]
    # Found: 0 to 3 and 6 to 7; true: 2 to 6. Shared 1, either 7.
    assert temporal_iou(found, [(2.0, 6.0)]) == pytest.approx(1 / 7)


@pytest.mark.parametrize(("found", "truth"), [([], []), ([], [(0.0, 1.0)])])
def test_temporal_iou_of_nothing_is_nothing(found, truth):
    assert temporal_iou(found, truth) == 0
