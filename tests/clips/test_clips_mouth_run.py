"""Mouth pictures of a stream of patches against the same chain on whole frames."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from synthetic_faces import Spot, mouth_spec, noise, observation
from unmask.clips import Cutter, Plan, cut_face, needs
from unmask.clips.mouth import MEAN_FACE_PX, STEADY_POINTS, mouth_clip, smooth_ahead
from unmask.clips.mouth_run import WINDOW, is_by_68_points, mouth_reach
from unmask.types import Clip, FaceObservation, FacePatch, InputSpec

SPEC = mouth_spec(5)
SIZE = (300, 280)
FRAMES = [noise(SIZE[1], SIZE[0], seed) for seed in range(40)]


def points68(
    frame: int, track: int = 0, center: tuple[float, float] = (150.0, 130.0)
) -> np.ndarray:
    """A face that turns, grows and drifts, with a mouth below the steady points."""
    rng = np.random.default_rng(1000 * track + frame)
    points = np.full((68, 2), 128.0)
    points[list(STEADY_POINTS)] = MEAN_FACE_PX
    points[48:] = rng.normal((129, 158), 8, (20, 2))
    angle, scale = np.radians(-6 + 0.7 * frame), 0.8 + 0.005 * frame
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([center[0] + 0.8 * frame, center[1] + 0.3 * frame])
    return np.asarray((points - 128) @ turn.T + shift + rng.normal(0, 0.7, (68, 2)), np.float32)


def seen(frame: int, track: int = 0, points: np.ndarray | None = None) -> FaceObservation:
    """The observation of those points, in a box of the usual size around them."""
    known = points68(frame, track) if points is None else points
    x, y = (float(v) for v in known[list(STEADY_POINTS)].mean(axis=0))
    spot = Spot(x, y + 15, 130.0)
    base = observation(spot, track=track, index=frame, time_s=frame / 25)
    return replace(base, points68_px=known)


Cut = Callable[[FaceObservation, tuple[int, int]], tuple[int, int, int, int]]


def patch_of(what: FaceObservation, cut: Cut, size: tuple[int, int] = SIZE) -> FacePatch:
    x0, y0, x1, y1 = cut(what, size)
    pixels = np.ascontiguousarray(FRAMES[what.frame_index][y0:y1, x0:x1])
    return FacePatch(observation=what, pixels=pixels, origin_px=(x0, y0), frame_size_px=size)


def clips_of(
    observations: Iterable[FaceObservation],
    spec: InputSpec = SPEC,
    *,
    fps: int = 25,
    cut: Cut | None = None,
) -> tuple[list[Clip], Cutter]:
    plan = Plan([spec], Fraction(fps))
    cutter = Cutter(plan)

    def stream() -> Iterator[FacePatch]:
        last = -1
        for what in observations:
            if what.frame_index != last:
                index = last = what.frame_index
                plan.wants(index, index / fps, (index + 1) / fps)
            yield patch_of(what, cut or needs([spec]))

    return list(cutter(stream())), cutter


def by_the_chain(observations: Sequence[FaceObservation]) -> np.ndarray:
    """``mouth_clip`` on the whole frames: (T, 88, 88, 1)."""
    points = np.stack([np.asarray(o.points68_px, np.float64) for o in observations])
    return mouth_clip(np.stack([FRAMES[o.frame_index] for o in observations]), points, 88)


def by_five_points(observations: Sequence[FaceObservation]) -> np.ndarray:
    patches = [patch_of(o, lambda _o, size: (0, 0, *size)) for o in observations]
    return np.stack([cut_face(patch, SPEC)[0] for patch in patches])


@pytest.mark.parametrize("count", [5, 10, 11, 12, 13, 35])
def test_a_stream_of_patches_gives_the_pictures_of_whole_frames(count: int):
    shown = [seen(i) for i in range(count)]
    clips, cutter = clips_of(shown)
    assert [c.frame_indices[0] for c in clips] == list(range(0, count - 4, 5))
    expected = by_the_chain(shown)
    for clip in clips:
        assert np.array_equal(clip.pixels, expected[clip.frame_indices])
        assert clip.points == 68
    assert cutter.clips_by_5_points == 0
    # The patches really are parts of the frame, and five points would give other pictures.
    assert needs([SPEC])(shown[0], SIZE) != (0, 0, *SIZE)
    assert not np.array_equal(clips[0].pixels, by_five_points(shown[:5]))


def test_a_person_seen_for_less_than_a_clip_is_smoothed_over_what_there_is():
    shown = [seen(i) for i in range(4)]
    (clip,), _ = clips_of(shown)
    expected = by_the_chain(shown)
    assert clip.points == 68
    assert np.array_equal(clip.pixels, expected[[0, 1, 2, 3, 3]])
    assert clip.is_real_frame.tolist() == [True] * 4 + [False]


def test_overlapping_clips_show_the_same_picture_of_a_frame():
    shown = [seen(i) for i in range(20)]
    clips, _ = clips_of(shown, replace(SPEC, hop=2))
    expected = by_the_chain(shown)
    assert len(clips) == 8
    for clip in clips:
        assert np.array_equal(clip.pixels, expected[clip.frame_indices])


def test_color_and_single_pictures_go_the_same_way():
    shown = [seen(i) for i in range(14)]
    spec = replace(SPEC, color="rgb", mean=(0.5,) * 3, std=(0.5,) * 3, frames=1, hop=1)
    clips, _ = clips_of(shown, spec)
    gray, _ = clips_of(shown, replace(SPEC, frames=1, hop=1))
    assert [c.pixels.shape for c in clips] == [(1, 88, 88, 3)] * 14
    weights = np.array([0.299, 0.587, 0.114])
    for color, plain in zip(clips, gray, strict=True):
        np.testing.assert_allclose(color.pixels @ weights, plain.pixels[..., 0], atol=1)


def test_outside_the_frame_the_pictures_are_black():
    shown = [seen(i, points=points68(i, center=(25.0, 150.0))) for i in range(6)]
    clips, _ = clips_of(shown)
    assert np.array_equal(clips[0].pixels, by_the_chain(shown)[:5])
    assert (clips[0].pixels[0, :, 0] == 0).all()


def test_people_are_not_smoothed_into_each_other():
    both = [seen(i, track) for i in range(15) for track in (0, 1)]
    clips, _ = clips_of(both)
    for track in (0, 1):
        expected = by_the_chain([o for o in both if o.track_id == track])
        own = [c for c in clips if c.track_id == track]
        assert len(own) == 3
        for clip in own:
            assert np.array_equal(clip.pixels, expected[clip.frame_indices])


def test_a_frame_without_68_points_is_cut_by_five_and_smoothing_stops_there():
    shown = [seen(i) for i in range(25)]
    shown[12] = replace(shown[12], points68_px=None)
    clips, cutter = clips_of(shown)
    assert [c.points for c in clips] == [68, 68, 5, 68, 68]
    assert cutter.clips_by_5_points == 1
    before, after = by_the_chain(shown[:12]), by_the_chain(shown[13:])
    assert np.array_equal(clips[0].pixels, before[:5])
    assert np.array_equal(clips[1].pixels, before[5:10])
    assert np.array_equal(clips[3].pixels, after[2:7])
    assert np.array_equal(clips[4].pixels, after[7:12])
    # Each clip is cut in one way: all its frames by five points.
    np.testing.assert_allclose(clips[2].pixels, by_five_points(shown[10:15]), atol=1)


def test_without_any_points_nothing_waits_and_nothing_else_changes():
    shown = [replace(seen(i), points68_px=None) for i in range(20)]
    clips, cutter = clips_of(shown)
    plain, _ = clips_of(shown, replace(SPEC, landmarks=5))
    assert cutter.clips_by_5_points == len(clips) == len(plain) == 4
    for clip, other in zip(clips, plain, strict=True):
        assert np.array_equal(clip.pixels, other.pixels)
        assert clip.points == other.points == 5


def test_68_points_change_nothing_for_a_spec_of_five():
    shown = [seen(i) for i in range(5)]
    five = replace(SPEC, landmarks=5)
    (with_68,), cutter = clips_of(shown, five)
    (without,), _ = clips_of([replace(o, points68_px=None) for o in shown], five)
    assert np.array_equal(with_68.pixels, without.pixels)
    assert cutter.clips_by_5_points == 0
    assert needs([five])(shown[0], SIZE) == needs([five])(replace(shown[0], points68_px=None), SIZE)
    assert not is_by_68_points(five)
    assert not is_by_68_points(replace(SPEC, region="face"))
    assert not is_by_68_points(replace(SPEC, load_size=(96, 88)))


def test_a_gap_repeats_the_frame_before_it_its_points_and_its_picture():
    kept = [i for i in range(25) if i != 7]
    shown = {i: seen(i) for i in kept}
    clips, _ = clips_of(shown.values())
    assert not clips[1].is_real_frame[2]
    slots = [shown[6 if i == 7 else i] for i in range(25)]
    expected = by_the_chain(slots)
    expected[7] = expected[6]
    assert np.array_equal(np.concatenate([c.pixels for c in clips]), expected)


def test_in_a_slow_video_a_frame_that_fills_two_slots_is_smoothed_twice_and_cut_once():
    shown = [seen(i) for i in range(20)]
    plan_spec = replace(SPEC, fps=50.0)
    clips, _ = clips_of(shown, plan_spec)
    slots = [shown[i // 2] for i in range(40)]
    expected = by_the_chain(slots)
    expected[1::2] = expected[::2]
    pixels = np.concatenate([c.pixels for c in clips])
    assert len(pixels) == 40
    assert np.array_equal(pixels, expected)


def test_a_patch_too_small_for_the_cut_is_cut_by_five_points():
    shown = [seen(i) for i in range(15)]
    clips, cutter = clips_of(shown, cut=needs([replace(SPEC, landmarks=5)]))
    assert [c.points for c in clips] == [5, 5, 5]
    assert cutter.clips_by_5_points == 3
    np.testing.assert_allclose(clips[0].pixels, by_five_points(shown[:5]), atol=1)


@pytest.mark.parametrize("where", [(40.0, 40.0), (-500.0, 90.0)])
def test_points_that_are_no_face_are_not_used(where: tuple[float, float]):
    shown = [seen(i) for i in range(5)]
    shown = [replace(o, points68_px=np.full((68, 2), where, np.float32)) for o in shown]
    (clip,), cutter = clips_of(shown)
    assert (clip.points, cutter.clips_by_5_points) == (5, 1)


def test_a_mouth_outside_of_its_face_is_not_cut_where_the_authors_code_stops():
    for shift, points in ((0.0, 68), (53.0, 68), (56.0, 5)):
        moved = points68(0)
        # In the aligned frame the mouth is at 158 of 208; 0.8 pixels of the frame are one of it.
        moved[48:] += shift * 0.8 * np.array([np.sin(np.radians(6)), np.cos(np.radians(6))])
        shown = [replace(seen(0, points=moved), frame_index=i) for i in range(5)]
        whole = lambda _o, size: (0, 0, *size)  # noqa: E731
        (clip,), _ = clips_of(shown, cut=whole)
        assert clip.points == points
        if points == 68:
            assert np.array_equal(clip.pixels, by_the_chain(shown))


def test_the_patch_has_room_for_a_face_that_turns_and_grows_but_no_more():
    what = seen(0)
    x0, y0, x1, y1 = mouth_reach(SPEC, what)
    mouth = what.points68_px[48:].mean(axis=0)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(tuple(mouth), abs=0.1)
    # 0.8 pixels of the frame for one of the aligned one; half a diagonal, half as much again.
    assert x1 - x0 == pytest.approx(96 * 0.8 * 1.5 * 2**0.5 + 4, rel=0.05)
    wild = replace(what, points68_px=points68(0) * 50)
    x0, _, x1, _ = mouth_reach(SPEC, wild)
    assert x1 - x0 == pytest.approx(2 * 130, abs=0.01)


def test_regions_hold_the_mouth_at_the_size_that_is_shown():
    shown = [seen(i) for i in range(20)]
    clips, _ = clips_of(shown)
    smooth = smooth_ahead(np.stack([o.points68_px for o in shown]).astype(float))
    apart = np.linalg.norm(smooth[:, 45] - smooth[:, 36], axis=1)
    scale = apart / np.linalg.norm(MEAN_FACE_PX[4] - MEAN_FACE_PX[1])
    for clip in clips:
        for index, (x0, y0, x1, y1) in zip(clip.frame_indices, clip.regions_px, strict=True):
            mouth = shown[index].points68_px[48:].mean(axis=0)
            assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(tuple(mouth), abs=1)
            # The hull of a square that is turned a little.
            assert 1 <= (x1 - x0) / (88 * scale[index]) < 1.35
            assert x1 - x0 == pytest.approx(y1 - y0, abs=0.01)


def test_memory_holds_no_more_frames_than_smoothing_needs():
    alive: list[weakref.ref[FacePatch]] = []
    most = 0
    plan = Plan([SPEC], Fraction(25))

    def stream() -> Iterator[FacePatch]:
        nonlocal most
        for index in range(200):
            plan.wants(index, index / 25, (index + 1) / 25)
            what = replace(seen(index % 40), frame_index=index, time_s=index / 25)
            pixels = FRAMES[index % 40]
            patch = _Weak(observation=what, pixels=pixels, origin_px=(0, 0), frame_size_px=SIZE)
            alive.append(weakref.ref(patch))
            yield patch
            del patch
            gc.collect(0)
            most = max(most, sum(ref() is not None for ref in alive[-40:]))

    assert len(list(Cutter(plan)(stream()))) == 40
    assert WINDOW <= most <= WINDOW + 2
    gc.collect()
    assert not any(ref() is not None for ref in alive)


class _Weak(FacePatch):
    """A patch that a test can watch."""

    __slots__ = ("__weakref__",)
