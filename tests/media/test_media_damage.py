"""Damaged files: what decodes is given, what does not is counted and told."""

import numpy as np
import pytest

from unmask.errors import MediaError
from unmask.media import open_video, probe


def _scan(path):
    with open_video(path) as video:
        frames = list(video.frames())
    return video, frames


def _noise(path, start, length):
    data = bytearray(path.read_bytes())
    at = int(len(data) * start)
    data[at : at + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(data)
    return path


@pytest.fixture
def short_groups(encode, bars, tmp_path):
    """Makes a 3 s video with a keyframe every 10 frames."""
    return lambda name: encode(
        tmp_path / name, bars(75), options={"g": "10", "bf": "0", "keyint_min": "10"}
    )


def test_a_truncated_mp4_gives_the_part_that_is_there(truncated_video, faces):
    video, frames = _scan(truncated_video)
    assert 10 < len(frames) < 45
    assert video.frames_decoded == len(frames)
    assert video.decoded_s == pytest.approx(len(frames) / 25)
    assert [f.index for f in frames] == list(range(len(frames)))
    assert np.abs(frames[-1].pixels.astype(int) - faces(50)[len(frames) - 1]).mean() < 6
    assert video.is_damaged
    damage, end = video.problems
    assert damage == (
        f"the file is damaged after {video.decoded_s:.1f} s: 1 packet could not be decoded"
    )
    assert end == (
        f"the pictures end at {video.decoded_s:.1f} s of 2.0 s: the rest is missing or damaged"
    )


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".flv"])
def test_other_containers_that_break_off(short_groups, suffix):
    path = short_groups(f"cut{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video, frames = _scan(path)
    assert 5 < len(frames) < 70
    assert video.is_damaged
    assert any("the rest is missing or damaged" in problem for problem in video.problems)


def test_a_broken_stretch_in_the_middle_is_stepped_over(short_groups):
    path = _noise(short_groups("middle.mp4"), 0.5, 1500)
    video, frames = _scan(path)
    assert 40 < len(frames) < 75
    assert frames[-1].time_s == pytest.approx(2.96)
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))
    assert video.is_damaged
    assert "the file is damaged: " in video.problems[0]
    assert "packets could not be decoded, the first at 1." in video.problems[0]


def test_what_lies_around_the_damage_keeps_its_time(short_groups, bars):
    path = _noise(short_groups("around.mp4"), 0.5, 1500)
    with open_video(path) as video:
        early, late = video.frames_at([0.4, 2.8])
    assert np.abs(early.pixels.astype(int) - bars(75)[10]).mean() < 6
    assert np.abs(late.pixels.astype(int) - bars(75)[70]).mean() < 6


def test_damage_is_not_told_before_it_is_met(truncated_video):
    with open_video(truncated_video) as video:
        frames = video.frames()
        next(frames)
        assert not video.is_damaged
        assert video.problems == ()


def test_recordings_joined_end_to_end_run_on(tmp_path, encode, bars):
    one = encode(tmp_path / "one.ts", bars(20)).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(one + one)
    video, frames = _scan(path)
    times = np.array([frame.time_s for frame in frames])
    assert len(times) > 30
    assert (np.diff(times) > 0).all()
    assert times[-1] < 2.0
    assert len([p for p in video.problems if "timestamps jump back at 0.8 s" in p]) == 1


def test_a_change_of_size_is_told_and_survived(tmp_path, encode, bars):
    small = encode(tmp_path / "small.ts", bars(20)).read_bytes()
    large = encode(tmp_path / "large.ts", bars(20, 320, 240)).read_bytes()
    path = tmp_path / "changing.ts"
    path.write_bytes(small + large)
    video, frames = _scan(path)
    assert {frame.pixels.shape for frame in frames} == {(120, 160, 3), (240, 320, 3)}
    assert any("the picture size changes to 320x240 at 0.8 s" in p for p in video.problems)


def test_a_header_without_a_picture_is_an_error(tmp_path, no_face_video, encode, bars):
    path = encode(tmp_path / "hollow.mp4", bars(20), container_options={"movflags": "+faststart"})
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    path.write_bytes(data[:start] + bytes(len(data) - start))
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert str(caught.value) == (
        "Cannot read 'hollow.mp4': it says that it holds h264 video, but not one picture of it "
        "can be decoded. The file is damaged or cut off: get it again."
    )


def test_one_bad_picture_in_a_folder_is_left_out(tmp_path, image_folder):
    for image in image_folder.glob("*.png"):
        (tmp_path / image.name).write_bytes(image.read_bytes())
    bad = tmp_path / "frame4.png"
    bad.write_bytes(bad.read_bytes()[:2000])
    video, frames = _scan(tmp_path)
    assert len(frames) == 11
    assert 3 / 25 not in [frame.time_s for frame in frames]
    assert frames[3].time_s == pytest.approx(4 / 25)
    assert video.is_damaged
    assert "the picture frame4.png could not be decoded" in video.problems
