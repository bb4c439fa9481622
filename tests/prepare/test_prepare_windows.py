"""Which frames are looked at, and which sequences they fill."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.clips import Plan
from unmask.prepare import PrepareSpec
from unmask.prepare.windows import Windows, windows_of
from unmask.types import InputSpec, VideoInfo


def info(
    frames: int | None = 250, fps: float = 25, *, seconds: float | None = None, varies: bool = False
) -> VideoInfo:
    rate = Fraction(fps)
    return VideoInfo(
        path=Path("a.mp4"),
        sha256="",
        container="mp4",
        codec="h264",
        width_px=64,
        height_px=64,
        rotation_deg=0,
        fps=rate,
        duration_s=seconds if seconds is not None else float((frames or 0) / rate),
        frame_count=frames,
        is_variable_rate=varies,
        has_audio=False,
    )


def played(windows: Windows, frames: int, fps: float) -> tuple[list[int], dict[int, list[int]]]:
    """Frames looked at; and of every window the frames that fill it, in order."""
    wanted = [
        index
        for index in range(frames)
        if windows.wants(index, index / fps, (index + 1) / fps if index < frames - 1 else None)
    ]
    filled: dict[int, dict[int, int]] = {}
    for index in wanted:
        for window, place in windows.places(index):
            filled.setdefault(window, {})[place] = index
    return wanted, {
        window: [places[p] for p in sorted(places)] for window, places in filled.items()
    }


def test_moments_are_two_a_second():
    wanted, filled = played(windows_of(info(50), PrepareSpec()), 50, 25)
    assert wanted == [0, 12, 25, 37]
    assert sorted(filled.values()) == [[0], [12], [25], [37]]


def test_moments_of_a_long_video_are_at_most_60_but_people_are_watched_between():
    wanted, filled = played(windows_of(info(7500), PrepareSpec()), 7500, 25)  # five minutes
    assert len(filled) == 60
    assert len(wanted) == 600


def test_a_photograph_has_one_moment():
    windows = windows_of(info(1, seconds=0), PrepareSpec())
    assert windows.wants(0, 0.0, None)
    assert len(windows.places(0)) == 1


def test_sequences_are_spread_evenly_from_the_first_frame_to_the_last():
    spec = PrepareSpec(sequences=4, frames=10)
    _, filled = played(windows_of(info(250), spec), 250, 25)
    assert [run[0] for run in filled.values()] == [0, 80, 160, 240]
    assert all(run == list(range(run[0], run[0] + 10)) for run in filled.values())


def test_all_sequences_lie_side_by_side():
    _, filled = played(windows_of(info(53), PrepareSpec(sequences=None, frames=10)), 53, 25)
    assert [run[0] for run in filled.values()] == [0, 10, 20, 30, 40]


@given(
    frames=st.integers(1, 400),
    length=st.integers(2, 60),
    count=st.integers(1, 20),
    stride=st.integers(1, 9),
)
def test_whole_sequences_never_overlap_and_stay_inside(
    frames: int, length: int, count: int, stride: int
):
    spec = PrepareSpec(sequences=count, frames=length, stride=stride)
    starts = windows_of(info(frames), spec).starts
    assert starts is not None
    slots = -(-frames // stride)
    assert starts[0] == 0
    assert len(starts) == min(count, max(slots // length, 1))
    assert all(b - a >= length for a, b in pairwise(starts))
    assert starts[-1] + length <= max(slots, length)


def test_a_stride_takes_every_nth_frame():
    spec = PrepareSpec(sequences=1, frames=5, stride=7)
    _, filled = played(windows_of(info(50), spec), 50, 25)
    assert list(filled.values()) == [[0, 7, 14, 21, 28]]


def test_a_rate_is_taken_by_time():
    spec = PrepareSpec(sequences=None, frames=5, fps=10.0)
    _, filled = played(windows_of(info(60, 30), spec), 60, 30)
    assert list(filled.values()) == [
        [0, 3, 6, 9, 12],
        [15, 18, 21, 24, 27],
        [30, 33, 36, 39, 42],
        [45, 48, 51, 54, 57],
    ]


def test_a_slow_video_repeats_its_frames():
    spec = PrepareSpec(sequences=1, frames=6, fps=20.0)
    windows = windows_of(info(20, 10), spec)
    assert windows.wants(0, 0.0, 0.1)
    assert windows.places(0) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("fps", [24.9, 25.4])
def test_nearly_the_same_rate_takes_every_frame(fps: float):
    spec = PrepareSpec(sequences=2, frames=10, fps=25.0)
    _, filled = played(windows_of(info(100, fps), spec), 100, fps)
    assert list(filled.values()) == [list(range(10)), list(range(90, 100))]


def test_without_a_frame_count_the_duration_counts():
    starts = windows_of(info(None, 25, seconds=4.0), PrepareSpec(sequences=2, frames=10)).starts
    assert starts == (0, 90)


def test_a_video_that_is_too_short_has_one_window():
    assert windows_of(info(9), PrepareSpec(sequences=None, frames=10)).starts == (0,)


def windows_at(starts: tuple[int, ...], frames: int) -> Windows:
    plan = Plan([InputSpec()], Fraction(25))
    watch = Plan([InputSpec(fps=2.0)], Fraction(25))
    return Windows(plan=plan, watch=watch, frames=frames, starts=starts, lookout=5)


def test_overlapping_windows_share_frames():
    windows = windows_at((0, 5, 8), 10)
    played(windows, 40, 25)
    assert windows.places(4) == [(0, 4)]
    assert windows.places(9) == [(0, 9), (1, 4), (2, 1)]
    assert windows.places(17) == [(2, 9)]
    assert windows.places(18) == []
    assert [windows.last_ended(index) for index in (9, 10, 14, 15, 18)] == [-1, 0, 0, 1, 2]


def test_between_windows_two_frames_a_second_are_watched_and_one_behind_each():
    windows = windows_at((0, 60), 10)
    wanted, _ = played(windows, 100, 25)
    between = [index for index in wanted if not windows.places(index)]
    assert between == [12, 14, 25, 37, 50, 74, 75, 87]  # 14 and 74 end the windows' motion
    windows.forget_before(60)
    assert windows.places(9) == []
    assert windows.places(60) == [(1, 0)]
