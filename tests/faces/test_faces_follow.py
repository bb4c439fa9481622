from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_faces import FakeFinder, Spot, noise, numbered_frames
from unmask.faces import Follower
from unmask.types import FaceObservation, FacePatch, FaceTrack, Frame


def the_box(seen: FaceObservation, frame_size: tuple[int, int]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (int(v) for v in np.rint(seen.box_px))
    return max(x0, 0), max(y0, 0), min(x1, frame_size[0]), min(y1, frame_size[1])


def times(count: int, fps: float = 25.0) -> list[float]:
    return [i / fps for i in range(count)]


def follow(
    finder: FakeFinder, frames: Sequence[Frame], **settings: float
) -> tuple[list[FacePatch], tuple[FaceTrack, ...], Follower]:
    follower = Follower(finder, the_box, **settings)  # type: ignore[arg-type]
    patches = list(follower(frames))
    return patches, follower.tracks(), follower


def center(seen: FaceObservation) -> np.ndarray:
    return (seen.box_px[:2] + seen.box_px[2:]) / 2


def test_a_moving_person_keeps_one_id_over_the_whole_video():
    finder = FakeFinder(lambda i: [Spot(60 + 1.5 * i, 100)])
    patches, tracks, _ = follow(finder, numbered_frames(times(100)))
    assert len(tracks) == 1
    assert [o.frame_index for o in tracks[0].observations] == list(range(100))
    assert [p.observation.frame_index for p in patches] == list(range(100))


def test_faces_are_searched_at_a_limited_rate_and_in_the_last_frame():
    finder = FakeFinder(lambda i: [Spot(100, 100)])
    follow(finder, numbered_frames(times(43)), finds_per_s=5.0)
    assert finder.asked == [0, 5, 10, 15, 20, 25, 30, 35, 40, 42]


def test_between_two_finds_the_geometry_is_on_the_line_and_marked():
    finder = FakeFinder(lambda i: [Spot(60 + 2.0 * i, 100 - 0.5 * i)])
    _, tracks, _ = follow(finder, numbered_frames(times(41)), finds_per_s=5.0)
    for seen in tracks[0].observations:
        i = seen.frame_index
        np.testing.assert_allclose(center(seen), [60 + 2.0 * i, 100 - 0.5 * i], atol=1e-3)
        assert seen.is_interpolated == (i % 5 != 0)


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.floats(0.02, 0.3), min_size=4, max_size=30),
    speed=st.floats(-40, 40),
)
def test_smoothing_does_not_move_an_even_motion_at_any_rate(steps: list[float], speed: float):
    moments = np.cumsum([0.0, *steps])
    finder = FakeFinder(lambda i: [Spot(160 + speed * float(moments[i]) / 2, 120)])
    _, tracks, _ = follow(finder, numbered_frames(list(moments)))
    for track in tracks:
        for seen in track.observations:
            assert center(seen)[0] == pytest.approx(160 + speed * seen.time_s / 2, abs=0.02)


def test_a_head_that_jumps_is_still_the_same_person():
    # 70 % of the face's side in 0.2 s, as an expressive speaker does.
    finder = FakeFinder(lambda i: [Spot(100 if i < 10 else 142, 100, 60)])
    _, tracks, _ = follow(finder, numbered_frames(times(20, 5.0)), finds_per_s=5.0)
    assert len(tracks) == 1


def test_a_face_that_appears_far_away_is_somebody_else():
    finder = FakeFinder(lambda i: [Spot(60 if i < 10 else 250, 100, 60)])
    _, tracks, _ = follow(finder, numbered_frames(times(20, 5.0)), finds_per_s=5.0)
    assert len(tracks) == 2


def test_smoothing_calms_a_trembling_find():
    finder = FakeFinder(lambda i: [Spot(100 + (2 if (i // 5) % 2 else -2), 100)])
    _, tracks, _ = follow(finder, numbered_frames(times(51)), finds_per_s=5.0)
    inner = [center(o)[0] for o in tracks[0].observations[5:-5]]
    assert max(abs(x - 100) for x in inner) < 0.1


def test_a_short_gap_is_filled_and_marked():
    finder = FakeFinder(lambda i: [] if 20 < i < 30 else [Spot(100, 100)])
    _, tracks, _ = follow(finder, numbered_frames(times(60)), finds_per_s=5.0)
    assert len(tracks) == 1
    seen = {o.frame_index: o for o in tracks[0].observations}
    assert sorted(seen) == list(range(60))
    assert all(seen[i].is_interpolated for i in range(21, 30))


def test_after_a_long_gap_it_is_another_track_and_the_gap_stays_empty():
    finder = FakeFinder(lambda i: [] if 20 < i < 40 else [Spot(100, 100)])
    _, tracks, _ = follow(finder, numbered_frames(times(60)), finds_per_s=5.0)
    assert [(t.observations[0].frame_index, t.observations[-1].frame_index) for t in tracks] == [
        (0, 20),
        (40, 59),
    ]


def test_two_people_stay_apart_when_they_come_near():
    def where(i: int) -> list[Spot]:
        near = 45 * np.cos(np.pi * i / 100) ** 2  # from 45 px apart of a face's 60 to 0 and back
        return [Spot(120 - 20 - near, 90, 60), Spot(120 + 20 + near, 130, 60)]

    _, tracks, _ = follow(FakeFinder(where), numbered_frames(times(101)))
    assert len(tracks) == 2
    for track, height in zip(tracks, (90, 130), strict=True):
        assert len(track.observations) == 101
        assert all(abs(center(o)[1] - height) < 3 for o in track.observations)


def cut_at(frames: list[Frame], first: int) -> list[Frame]:
    """The same frames, bright from the given one on, but for the number they carry."""
    for frame in frames[first:]:
        frame.pixels[1:] = 250
    return frames


def test_a_shot_cut_ends_tracks_even_where_the_next_face_is_in_the_same_place():
    finder = FakeFinder(lambda i: [Spot(100, 100)])
    _, tracks, follower = follow(finder, cut_at(numbered_frames(times(50)), 23))
    assert follower.shot_cuts_s == [pytest.approx(23 / 25)]
    spans = [[o.frame_index for o in t.observations] for t in tracks]
    assert spans == [list(range(23)), list(range(23, 50))]


def test_nothing_is_interpolated_across_a_shot_cut():
    finder = FakeFinder(lambda i: [Spot(80 if i < 23 else 100, 100)])
    _, tracks, _ = follow(finder, cut_at(numbered_frames(times(50)), 23))
    for track, x in zip(tracks, (80, 100), strict=True):
        assert all(center(o)[0] == pytest.approx(x) for o in track.observations)


def test_slow_change_is_no_shot_cut():
    frames = numbered_frames(times(60))
    for frame in frames:
        frame.pixels[1:] = 40 + 3 * frame.index
    _, tracks, follower = follow(FakeFinder(lambda i: [Spot(100, 100)]), frames)
    assert follower.shot_cuts_s == []
    assert len(tracks) == 1


def test_patches_are_the_very_pixels_of_the_frame():
    def frames() -> Iterator[Frame]:
        for index in range(12):
            pixels = noise(240, 320, seed=3)
            pixels[0, 0, 0], pixels[0, 1, 0] = 0, index
            yield Frame(index=index, time_s=index / 25, pixels=pixels)

    kept = list(frames())
    follower = Follower(FakeFinder(lambda i: [Spot(100 + i, 100.4, 70)]), the_box)
    patches = list(follower(kept))
    assert len(patches) == 12
    for patch in patches:
        frame = kept[patch.observation.frame_index]
        x0, y0, x1, y1 = the_box(patch.observation, (320, 240))
        assert patch.origin_px == (x0, y0)
        assert patch.frame_size_px == (320, 240)
        np.testing.assert_array_equal(patch.pixels, frame.pixels[y0:y1, x0:x1])


def test_small_faces_are_followed_but_not_cut():
    finder = FakeFinder(lambda i: [Spot(60, 60, 30), Spot(200, 120, 80)])
    patches, tracks, _ = follow(finder, numbered_frames(times(20)), min_face_px=40.0)
    assert [len(t.observations) for t in tracks] == [20, 20]
    assert {p.observation.track_id for p in patches} == {1}


def test_of_too_many_faces_the_largest_are_cut():
    finder = FakeFinder(lambda i: [Spot(40 + 70 * k, 120, 44 + 4 * k) for k in range(4)])
    patches, tracks, _ = follow(finder, numbered_frames(times(10)), max_faces=2)
    assert len(tracks) == 4
    assert {p.observation.track_id for p in patches} == {2, 3}


def test_a_faint_find_that_does_not_come_back_is_no_person():
    finder = FakeFinder(lambda i: [Spot(100, 100, 60, 0.55)] if i == 5 else [])
    _, tracks, _ = follow(finder, numbered_frames(times(50)), finds_per_s=5.0)
    assert tracks == ()


def test_a_faint_person_who_stays_is_one_from_the_first_frame_on():
    finder = FakeFinder(lambda i: [Spot(100, 100, 60, 0.55)])
    _, tracks, _ = follow(finder, numbered_frames(times(50)))
    assert [len(t.observations) for t in tracks] == [50]


def test_in_a_single_picture_a_faint_face_counts():
    finder = FakeFinder(lambda i: [Spot(100, 100, 60, 0.55)])
    patches, tracks, _ = follow(finder, numbered_frames([0.0]))
    assert len(tracks) == len(patches) == 1


@pytest.mark.parametrize("fps", [0.7, 1.0, 1.9, 7.0])
def test_a_video_of_few_frames_still_has_one_person(fps: float):
    finder = FakeFinder(lambda i: [Spot(100 + i, 100)])
    _, tracks, _ = follow(finder, numbered_frames(times(12, fps)))
    assert [len(t.observations) for t in tracks] == [12]


def test_over_many_seconds_without_a_frame_nobody_is_taken_for_the_same():
    finder = FakeFinder(lambda i: [Spot(100, 100)])
    _, tracks, _ = follow(finder, numbered_frames([0.0, 0.2, 10.0, 10.2]))
    assert [len(t.observations) for t in tracks] == [2, 2]


def test_variable_rate_goes_by_time_and_not_by_number():
    moments = [0.04 * i for i in range(20)] + [0.8 + 0.1 * i for i in range(20)]
    finder = FakeFinder(lambda i: [Spot(60 + 50 * moments[i], 100)])
    _, tracks, _ = follow(finder, numbered_frames(moments), finds_per_s=5.0)
    assert [o.time_s for o in tracks[0].observations] == moments
    for seen in tracks[0].observations:
        assert center(seen)[0] == pytest.approx(60 + 50 * seen.time_s, abs=0.01)
    asked_s = [moments[i] for i in finder.asked[:-1]]
    assert min(np.diff(asked_s)) >= 0.2 - 1e-3


@pytest.mark.parametrize("is_face", [True, False])
def test_few_frames_are_held_however_long_the_video(is_face: bool):
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    most = 0

    def frames() -> Iterator[Frame]:
        nonlocal most
        for index in range(2000):
            pixels = np.full((24, 32, 3), 128, np.uint8)
            pixels[0, 0, 0], pixels[0, 1, 0] = divmod(index, 256)
            frame = Weak(index=index, time_s=index / 25, pixels=pixels)
            alive.add(frame)
            most = max(most, len(alive))
            yield frame

    finder = FakeFinder(lambda i: [Spot(16, 12, 20)] if is_face else [])
    follower = Follower(finder, the_box, min_face_px=8)
    count = sum(1 for _ in follower(frames()))
    assert count == (2000 if is_face else 0)
    assert most <= 18  # half a second at 25 fps, the one on its way in and the one on its way out


def test_what_is_remembered_of_a_long_track_stays_small():
    follower = Follower(FakeFinder(lambda i: [Spot(100, 100)]), the_box)
    longest = 0
    for _ in follower(numbered_frames(times(1000), 32, 24)):
        longest = max(longest, *(len(t.sights) for t in follower._tracks))
    assert longest <= 8


class Weak(Frame):
    """A frame that can be watched."""

    __slots__ = ("__weakref__",)
