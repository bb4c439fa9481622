"""Conditions: texts that say what is done to a video or its clips before it is scored."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import toy_detectors
from unmask.clips import ORDERS
from unmask.corruptions import CORRUPTIONS
from unmask.errors import UnknownNameError
from unmask.evaluate import corrupt_video
from unmask.evaluate.condition import (
    CORRUPTED,
    HALF_SIZE,
    Condition,
    find_conditions,
    seed_of,
)
from unmask.media import open_video, write_video
from unmask.types import Frame, InputSpec


@pytest.fixture
def video(tmp_path):
    random = np.random.default_rng(0)
    frames = [
        Frame(index=i, time_s=i / 25, pixels=random.integers(0, 255, (64, 64, 3), np.uint8))
        for i in range(3)
    ]
    path = tmp_path / "video.mp4"
    write_video(path, iter(frames), Fraction(25), crf=10)
    return path


def pixels_of(path):
    with open_video(path) as opened:
        return np.stack([frame.pixels for frame in opened.frames()])


def test_every_kind_and_severity_has_a_text():
    assert len(CORRUPTED) == 5 * len(CORRUPTIONS) == len(set(CORRUPTED))
    assert "blur 3" in CORRUPTED
    for text in ("", HALF_SIZE, *CORRUPTED, *ORDERS):
        assert Condition(text).is_order == (text in ORDERS)


@pytest.mark.parametrize("text", ["blur", "blur 6", "blur  3", "flip", "sharpen 1", "none"])
def test_an_unknown_condition(text):
    message = (
        rf"Unknown condition '{text}'. Known: a corruption and its severity from 1 to 5 as in "
        r"'blur 3' \(saturation, .*\); an order of frames \(flip_1, .*shuffle\); half_size."
    )
    with pytest.raises(UnknownNameError, match=message):
        Condition(text)


def test_words_for_many():
    assert find_conditions(["blur 3", "", "blur 3"]) == ("blur 3", "")
    assert find_conditions(["all-orders"]) == ("", *ORDERS)
    assert find_conditions(["shuffle", "all-corruptions"]) == ("shuffle", "", *CORRUPTED)


def test_seeds_differ_by_video_and_never_change():
    seeds = {seed_of("d", path) for path in ("a/1.mp4", "b/1.mp4", "a/2.mp4")}
    assert len(seeds | {seed_of("e", "a/1.mp4")}) == 4
    assert seed_of("faceforensics", "original/000.mp4") == 3947614922


def test_a_corrupted_copy_is_that_of_corrupt_video_and_is_deleted(tmp_path, video):
    made = tmp_path / "made.mp4"
    corrupt_video(video, made, "block", 3, seed=7)
    with Condition("block 3").video(video, 7) as copy:
        assert copy != video
        assert copy.read_bytes() == made.read_bytes()
    assert not copy.exists()
    assert not copy.parent.exists()
    with Condition("block 3").video(video, 8) as copy:
        assert (pixels_of(copy) != pixels_of(made)).any()


def test_half_size_keeps_means_of_pixels_and_times(video):
    with Condition(HALF_SIZE).video(video, 7) as copy, open_video(copy) as opened:
        frames = list(opened.frames())
    assert not copy.exists()
    whole = pixels_of(video).astype(float)
    means = whole.reshape(3, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    halved = np.stack([frame.pixels for frame in frames])
    assert halved.shape == (3, 32, 32, 3)
    # 4:2:0 keeps the luma (BT.709) but blurs the color of noise.
    luma = np.array([0.2126, 0.7152, 0.0722])
    assert np.abs((halved - means) @ luma).mean() < 4
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("text", ["", "shuffle"])
def test_a_video_that_is_not_corrupted_is_scored_itself(video, text):
    with Condition(text).video(video, 7) as path:
        assert path == Path(video)


def test_orders_need_clips_of_several_frames():
    short, long = toy_detectors.SPEC, InputSpec(frames=4)
    assert Condition("blur 3").missing_reason(short) == Condition("").missing_reason(short) is None
    reason = "shuffle needs clips of at least 2 frames, its clips have 1"
    assert Condition("shuffle").missing_reason(short) == reason
    assert Condition("flip_every_second").missing_reason(long) is None
    assert Condition("flip_3").missing_reason(long) is None
    reason = "flip_5 needs clips of at least 5 frames, its clips have 4"
    assert Condition("flip_5").missing_reason(long) == reason
    assert Condition("blur 3").change_clip(1) is None


def test_the_first_frames_of_a_video():
    found = Condition("blur 3, first 110")
    assert (found.change, found.frames, found.is_order) == ("blur 3", 110, False)
    plain = Condition("first 7")
    assert (plain.change, plain.frames) == ("", 7)
    assert find_conditions(["", "all-orders"], 20)[:2] == ("first 20", f"{ORDERS[0]}, first 20")
    for text in ("first", "first 0", "first 10, blur 3", "dark 2, first 10"):
        with pytest.raises(UnknownNameError, match="the first frames as in 'first 110'"):
            Condition(text)
