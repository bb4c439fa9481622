"""Which clips are kept: each face's best, with pictures around it, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from unmask.explain.choose import Chooser
from unmask.types import Clip, ClipScore, InputSpec

PICTURE = InputSpec(size=(2, 2), frames=1, fps=5.0)
SEQUENCE = InputSpec(size=(2, 2), frames=5, fps=5.0, hop=5)


def feed(
    chooser: Chooser, logits: list[float], track: int = 0, spec: InputSpec = PICTURE, fps: float = 5
) -> None:
    for number, logit in enumerate(logits):
        first = number * spec.frames
        indices = np.arange(first, first + spec.frames)
        times = indices / fps
        clip = Clip(
            track_id=track,
            spec=spec,
            pixels=np.zeros((spec.frames, 2, 2, 3), np.uint8),
            frame_indices=indices,
            times_s=times,
            is_real_frame=np.ones(spec.frames, np.bool_),
            regions_px=np.zeros((spec.frames, 4), np.float32),
            face_px=50.0,
        )
        score = ClipScore(
            detector="toy",
            track_id=track,
            start_s=float(times[0]),
            end_s=float(times[-1]) + 1 / fps,
            logit=logit,
        )
        chooser(clip, score)


def starts(chooser: Chooser) -> list[float]:
    return [round(one.best.score.start_s, 6) for one in chooser.chosen()]


def test_the_highest_score_of_each_face_the_highest_face_first():
    chooser = Chooser()
    feed(chooser, [0.0, 3.0, 1.0], track=0)
    feed(chooser, [0.0, 1.0, 5.0, 5.0], track=1)
    assert [one.best.clip.track_id for one in chooser.chosen()] == [1, 0]
    assert starts(chooser) == [0.4, 0.2]


def test_at_a_time_the_clip_that_shows_it_and_of_several_the_best():
    chooser = Chooser(at_s=1.5)
    feed(chooser, [9.0, 0.0, 9.0], spec=SEQUENCE)
    assert starts(chooser) == [1.0]
    nearest = Chooser(at_s=50.0)
    feed(nearest, [9.0, 0.0, -1.0], spec=SEQUENCE)
    assert starts(nearest) == [2.0]


def test_pictures_around_reach_two_seconds_to_either_side():
    logits = [0.0] * 40
    logits[20] = 1.0
    chooser = Chooser()
    feed(chooser, logits)
    around = [round(m.score.start_s, 6) for m in chooser.chosen()[0].around]
    assert around == [round(2.0 + 0.2 * n, 6) for n in range(21)]


def test_pictures_around_are_at_least_a_fifth_of_a_second_apart_with_the_best_among_them():
    logits = [0.0] * 200
    logits[98] = 1.0
    chooser = Chooser()
    feed(chooser, logits, fps=25)
    one = chooser.chosen()[0]
    times = [m.score.start_s for m in one.around]
    assert np.diff(times).min() >= 0.2 - 1e-6
    assert len(times) <= 21
    assert any(m is one.best for m in one.around)


def test_a_clip_of_frames_stands_alone():
    chooser = Chooser()
    feed(chooser, [0.0, 1.0, 0.0], spec=SEQUENCE)
    one = chooser.chosen()[0]
    assert one.around == (one.best,)


def test_one_face_alone_but_all_are_known():
    chooser = Chooser(track_id=1)
    feed(chooser, [9.0], track=0)
    feed(chooser, [1.0], track=1)
    assert [one.best.clip.track_id for one in chooser.chosen()] == [1]
    assert chooser.tracks == {0, 1}


@pytest.mark.parametrize("order", [range(30), reversed(range(30))])
def test_only_so_many_faces_are_held(order: range):
    chooser = Chooser(most_faces=3)
    for track in order:
        feed(chooser, [0.0, float(track), 0.0], track=track)
    assert [one.best.clip.track_id for one in chooser.chosen()] == [29, 28, 27]
    held = [face for face in chooser._faces.values() if face.best or face.around]
    assert len(held) == 3


def test_a_face_that_was_dropped_comes_back_with_a_higher_score():
    chooser = Chooser(most_faces=1)
    feed(chooser, [1.0], track=0)
    feed(chooser, [2.0], track=1)
    assert [one.best.clip.track_id for one in chooser.chosen()] == [1]
    feed(chooser, [1.5, 3.0], track=0)
    assert [one.best.clip.track_id for one in chooser.chosen()] == [0]


def test_memory_does_not_grow_with_length():
    chooser = Chooser()
    feed(chooser, [0.0] * 2000)
    face = chooser._faces[0]
    assert len(face.recent) <= 12
    assert len(face.around) <= 21


def test_a_score_that_is_no_number_comes_last():
    chooser = Chooser()
    feed(chooser, [float("nan"), -4.0])
    assert starts(chooser) == [0.2]
