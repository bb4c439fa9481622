"""Frames mirrored or shuffled, and nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

from unmask.clips import ORDERS, reorder
from unmask.errors import UnknownNameError, UsageError
from unmask.types import Clip, InputSpec

COUNTS = {"flip_1": 1, "flip_3": 3, "flip_5": 5, "flip_every_second": 8}


def clip_of(frames: int = 16, first: int = 0, track_id: int = 0, color: str = "rgb") -> Clip:
    channels = 3 if color == "rgb" else 1
    rng = np.random.default_rng(7)
    return Clip(
        track_id=track_id,
        spec=InputSpec(size=(4, 6), frames=frames, color=color),  # type: ignore[arg-type]
        pixels=rng.integers(0, 256, (frames, 4, 6, channels), np.uint8),
        frame_indices=np.arange(first, first + frames),
        times_s=np.arange(frames) / 25,
        is_real_frame=np.arange(frames) % 5 != 4,
        regions_px=np.arange(frames * 4, dtype=np.float32).reshape(frames, 4),
        face_px=90.0,
    )


def flipped_frames(before: Clip, after: Clip) -> list[int]:
    """Which frames are mirrored; every other one must be untouched."""
    found = []
    for t in range(len(before.pixels)):
        if np.array_equal(after.pixels[t], before.pixels[t]):
            continue
        assert np.array_equal(after.pixels[t], before.pixels[t][:, ::-1])
        found.append(t)
    return found


@pytest.mark.parametrize("order", COUNTS)
@pytest.mark.parametrize("color", ["rgb", "gray"])
def test_as_many_frames_are_mirrored_as_the_name_says(order: str, color: str):
    clip = clip_of(color=color)
    assert len(flipped_frames(clip, reorder(clip, order, 3))) == COUNTS[order]


def test_every_second_is_the_second_fourth_and_so_on():
    clip = clip_of(7)
    assert flipped_frames(clip, reorder(clip, "flip_every_second", 1)) == [1, 3, 5]


def test_more_flips_hold_the_fewer():
    clip = clip_of()
    one, three, five = (
        set(flipped_frames(clip, reorder(clip, order, 4)))
        for order in ("flip_1", "flip_3", "flip_5")
    )
    assert one < three < five


def test_a_shuffle_moves_pictures_with_all_that_belongs_to_them():
    clip = clip_of()
    after = reorder(clip, "shuffle", 2)
    assert sorted(after.frame_indices) == list(clip.frame_indices)
    assert list(after.frame_indices) != list(clip.frame_indices)
    for place, number in enumerate(after.frame_indices):
        assert np.array_equal(after.pixels[place], clip.pixels[number])
        assert np.array_equal(after.regions_px[place], clip.regions_px[number])
        assert after.is_real_frame[place] == clip.is_real_frame[number]
    assert np.array_equal(after.times_s, clip.times_s)


@pytest.mark.parametrize("seed", range(20))
def test_a_shuffle_of_two_frames_exchanges_them(seed: int):
    assert list(reorder(clip_of(2), "shuffle", seed).frame_indices) == [1, 0]


@pytest.mark.parametrize("order", ORDERS)
def test_the_clip_given_stays_and_a_seed_repeats(order: str):
    clip = clip_of()
    before = clip.pixels.copy()
    first, again = reorder(clip, order, 5), reorder(clip, order, 5)
    assert np.array_equal(clip.pixels, before)
    assert np.array_equal(first.pixels, again.pixels)
    assert (first.track_id, first.spec, first.face_px) == (clip.track_id, clip.spec, clip.face_px)


@pytest.mark.parametrize("order", ["flip_3", "shuffle"])
def test_seeds_people_and_clips_differ(order: str):
    drawn = {
        reorder(clip, order, seed).pixels.tobytes()
        for clip, seed in [
            (clip_of(), 0),
            (clip_of(), 1),
            (clip_of(track_id=1), 0),
            (clip_of(first=16), 0),
        ]
    }
    assert len(drawn) == 4


def test_an_unknown_order_names_the_known_ones():
    with pytest.raises(
        UnknownNameError, match=r"Unknown order 'revers'\. Known: flip_1, .*shuffle"
    ):
        reorder(clip_of(), "revers")


@pytest.mark.parametrize(("order", "frames", "needed"), [("flip_5", 4, 5), ("shuffle", 1, 2)])
def test_too_few_frames(order: str, frames: int, needed: int):
    message = f"Cannot apply {order}: expected a clip of at least {needed} frames, got {frames}"
    with pytest.raises(UsageError, match=message):
        reorder(clip_of(frames), order)


def test_a_negative_seed():
    with pytest.raises(UsageError, match="Cannot apply shuffle with seed -1: expected 0 or more"):
        reorder(clip_of(), "shuffle", -1)
