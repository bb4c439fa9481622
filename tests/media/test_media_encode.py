"""write_video: what is written can be read back, whole or not at all."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest

from unmask.errors import OutputError
from unmask.media import open_video, probe, write_video
from unmask.types import Frame


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_what_is_written_comes_back(tmp_path, bars, suffix):
    path = tmp_path / f"out{suffix}"
    write_video(path, bars(30), Fraction(30_000, 1001))
    with open_video(path) as video:
        frames = list(video.frames())
    assert video.info.codec == "h264"
    assert video.info.fps == pytest.approx(Fraction(30_000, 1001))
    assert [f.time_s for f in frames] == pytest.approx(np.arange(30) * 1001 / 30_000, abs=6e-4)
    for frame, pixels in zip(frames, bars(30), strict=True):
        assert np.abs(frame.pixels.astype(int) - pixels).mean() < 4


@pytest.mark.parametrize("color", [(220, 40, 30), (30, 200, 60), (0, 0, 0), (255, 255, 255)])
def test_colors_come_back_and_are_tagged(tmp_path, color):
    path = tmp_path / "color.mp4"
    write_video(path, [np.full((64, 64, 3), color, np.uint8)] * 3, 25, crf=1)
    with open_video(path) as video:
        frame = next(video.frames())
    assert frame.pixels[32, 32].tolist() == pytest.approx(color, abs=3)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.colorspace, stream.color_range, stream.pix_fmt) == (1, 1, "yuv420p")


def test_odd_sizes_grow_by_a_repeated_edge(tmp_path):
    pixels = np.full((47, 63, 3), 90, np.uint8)
    write_video(tmp_path / "odd.mp4", [pixels], 25)
    with open_video(tmp_path / "odd.mp4") as video:
        (frame,) = video.frames()
    assert frame.pixels.shape == (48, 64, 3)
    assert frame.pixels[47, 63].tolist() == pytest.approx([90] * 3, abs=3)


def test_a_higher_crf_makes_a_smaller_file(tmp_path, faces):
    frames = faces(10)
    write_video(tmp_path / "good.mp4", frames, 25, crf=15)
    write_video(tmp_path / "poor.mp4", frames, 25, crf=40)
    good, poor = ((tmp_path / f"{n}.mp4").stat().st_size for n in ("good", "poor"))
    assert poor < good / 2


def test_another_codec(tmp_path, bars):
    write_video(tmp_path / "out.webm", bars(5), 25, codec="libvpx-vp9", crf=30)
    assert probe(tmp_path / "out.webm").codec == "vp9"


def test_frames_are_taken_one_at_a_time(tmp_path, bars):
    taken = []

    def frames():
        for pixels in bars(5):
            taken.append(list(tmp_path.iterdir()))
            yield pixels

    write_video(tmp_path / "out.mp4", frames(), 25)
    assert len(taken) == 5
    assert tmp_path / "out.mp4" not in taken[-1]  # it appears when it is complete
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_nothing_behind(tmp_path, bars, interruption):
    def frames():
        yield from bars(10)
        raise interruption

    with pytest.raises(interruption):
        write_video(tmp_path / "out.mp4", frames(), 25)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_keeps_what_was_there(tmp_path, bars):
    def frames():
        yield from bars(10)
        raise KeyboardInterrupt

    path = tmp_path / "out.mp4"
    path.write_bytes(b"earlier")
    with pytest.raises(KeyboardInterrupt):
        write_video(path, frames(), 25, overwrite=True)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_kept_unless_told(tmp_path, bars):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"earlier")
    with pytest.raises(OutputError) as caught:
        write_video(path, bars(3), 25)
    assert str(caught.value) == (
        f"Cannot write '{path}': it exists. Give another name, or overwrite."
    )
    assert path.read_bytes() == b"earlier"
    write_video(path, bars(3), 25, overwrite=True)
    assert probe(path).frame_count == 3


def test_a_missing_folder(tmp_path, bars):
    path = tmp_path / "nowhere" / "out.mp4"
    with pytest.raises(OutputError) as caught:
        write_video(path, bars(3), 25)
    assert str(caught.value) == (
        f"Cannot write '{path}': its folder does not exist. Create it first."
    )


def test_a_folder_that_is_not_writable(tmp_path, bars, monkeypatch):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # the superuser may write everywhere: refuse in its stead
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError) as caught:
        write_video(folder / "out.mp4", bars(3), 25)
    assert str(caught.value) == (
        f"Cannot write '{folder / 'out.mp4'}': its folder is not writable. Choose another."
    )
    assert list(folder.iterdir()) == []


def test_a_folder_in_the_place_of_the_file(tmp_path, bars):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path, bars(3), 25, overwrite=True)
    assert str(caught.value) == f"Cannot write '{tmp_path}': it is a folder. Give a file name."


def test_no_frame_at_all(tmp_path):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path / "out.mp4", [], 25)
    assert str(caught.value) == (
        f"Cannot write '{tmp_path / 'out.mp4'}': there is no frame. Give at least one."
    )
    assert list(tmp_path.iterdir()) == []


def test_frames_of_different_sizes(tmp_path, bars):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path / "out.mp4", [*bars(2), *bars(1, 64, 64)], 25)
    assert str(caught.value) == (
        f"Cannot write '{tmp_path / 'out.mp4'}': frame 2 has shape (64, 64, 3), the first has "
        "(120, 160, 3). Give frames of one size."
    )
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suffix(tmp_path, bars):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path / "out.xyz", bars(3), 25)
    assert str(caught.value) == (
        f"Cannot write '{tmp_path / 'out.xyz'}': '.xyz' is not the suffix of a video file. "
        "Use .mp4, .mkv, .mov or .webm."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", ["libx999", "aac"])
def test_an_unknown_video_encoder(tmp_path, bars, codec):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path / "out.mp4", bars(3), 25, codec=codec)
    assert str(caught.value) == (
        f"Cannot write '{tmp_path / 'out.mp4'}': there is no video encoder '{codec}'. Use libx264."
    )
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_does_not_fit_the_container(tmp_path, bars):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path / "out.webm", bars(3), 25)
    assert str(caught.value) == (
        f"Cannot write '{tmp_path / 'out.webm'}': 'libx264' does not fit into a '.webm' file. "
        "Use libx264 with .mp4, libvpx-vp9 with .webm."
    )
    assert list(tmp_path.iterdir()) == []


def test_what_the_encoder_refuses(tmp_path, bars):
    with pytest.raises(OutputError) as caught:
        write_video(tmp_path / "out.avi", bars(1, 100, 100), 25, codec="h263")
    assert str(caught.value).startswith(f"Cannot write '{tmp_path / 'out.avi'}': ")
    assert str(caught.value).endswith(
        "Check the free space, and that the encoder takes this size, rate and crf."
    )
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_whoever_makes_the_frames_passes_unchanged(tmp_path, bars):
    def frames():
        yield from bars(2)
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        write_video(tmp_path / "out.mp4", frames(), 25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001)])
def test_frames_of_a_constant_rate_keep_their_times_exactly(tmp_path, bars, fps):
    given = [Frame(index=i, time_s=float(i / fps), pixels=p) for i, p in enumerate(bars(12))]
    write_video(tmp_path / "out.mp4", given, fps)
    with open_video(tmp_path / "out.mp4") as video:
        assert [f.time_s for f in video.frames()] == pytest.approx([f.time_s for f in given])
    assert video.info.fps == fps
    assert not video.info.is_variable_rate


def test_frames_of_a_variable_rate_keep_their_times(tmp_path, variable_rate_video):
    with open_video(variable_rate_video) as video:
        given = list(video.frames())
    write_video(tmp_path / "out.mp4", given, video.info.fps)
    with open_video(tmp_path / "out.mp4") as again:
        assert [f.time_s for f in again.frames()] == pytest.approx([f.time_s for f in given])
    assert again.info.is_variable_rate


def test_options_reach_the_encoder(tmp_path, faces):
    sizes = []
    for keyframe_every in ("1", "50"):
        path = tmp_path / f"{keyframe_every}.mp4"
        write_video(path, faces(20), 25, options={"g": keyframe_every})
        sizes.append(path.stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]
