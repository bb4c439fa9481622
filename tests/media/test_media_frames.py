"""Frames of healthy files: order, time, choice, colors, orientation, seeking."""

import gc

import av
import numpy as np
import pytest

from unmask.media import open_video

# AVColorSpace, AVColorRange
BT709, BT601, BT2020 = 1, 6, 9
LIMITED, FULL = 1, 2


def test_every_frame_once_in_order_with_its_time(portrait_video):
    with open_video(portrait_video) as video:
        frames = [(f.index, f.time_s, f.pixels.shape, f.pixels.dtype) for f in video.frames()]
    assert [f[0] for f in frames] == list(range(50))
    assert [f[1] for f in frames] == pytest.approx(np.arange(50) / 25)
    assert {f[2:] for f in frames} == {((256, 256, 3), np.dtype(np.uint8))}
    assert video.frames_decoded == 50
    assert video.decoded_s == pytest.approx(2.0)
    assert not video.is_damaged
    assert video.problems == ()


def test_times_follow_the_timestamps_not_the_index(variable_rate_video):
    with open_video(variable_rate_video) as video:
        times = [frame.time_s for frame in video.frames()]
    expected = [0.04 * i for i in range(20)] + [0.8 + 0.1 * i for i in range(20)]
    assert times == pytest.approx(expected)


def test_the_first_frame_is_at_zero_wherever_the_timestamps_begin(tmp_path, encode, bars):
    path = encode(tmp_path / "late.ts", bars(10), ticks=lambda i: 5000 + 40 * i)
    with open_video(path) as video:
        times = [frame.time_s for frame in video.frames()]
        at = [frame.time_s for frame in video.frames_at([0.0, 0.2])]
    assert video.info.start_s > 4.9
    assert times == pytest.approx(np.arange(10) / 25)
    assert at == pytest.approx([0.0, 0.2])


def test_avi_with_frames_stored_out_of_order_keeps_its_times(tmp_path, encode, bars):
    # AVI knows no time of showing; FFmpeg's guess for one runs back and forth.
    path = encode(tmp_path / "b_frames.avi", bars(50), options={"bf": "3"})
    with open_video(path) as video:
        times = [frame.time_s for frame in video.frames()]
    assert times == pytest.approx(np.arange(50) / 25)
    assert video.problems == ()


def test_only_wanted_frames_come_and_all_are_counted(portrait_video):
    seen = []

    def wanted(index, time_s, next_time_s):
        seen.append((index, time_s, next_time_s))
        return index % 10 == 3

    with open_video(portrait_video) as video:
        chosen = [frame.index for frame in video.frames(wanted)]
    assert chosen == [3, 13, 23, 33, 43]
    assert video.frames_decoded == 50
    indices, times, following = zip(*seen, strict=True)
    assert indices == tuple(range(50))
    assert following[:-1] == times[1:]
    assert following[-1] is None


def test_the_chosen_frame_is_the_same_picture_as_without_choosing(portrait_video):
    with open_video(portrait_video) as video:
        everything = [frame.pixels for frame in video.frames()]
        (one,) = video.frames(lambda index, time_s, next_time_s: index == 17)
    assert np.array_equal(one.pixels, everything[17])
    assert not np.array_equal(everything[16], everything[17])


def test_frames_can_be_read_again_and_counts_start_anew(no_face_video):
    with open_video(no_face_video) as video:
        first = next(video.frames())
        assert video.frames_decoded < 50
        again = list(video.frames())
        assert video.frames_decoded == 50
    assert np.array_equal(first.pixels, again[0].pixels)


def test_closing_ends_what_is_under_way(no_face_video):
    with open_video(no_face_video) as video:
        frames = video.frames()
        next(frames)
    assert list(frames) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_frames(portrait_video):
    # A frame in a reference cycle would live until the collector comes by: 50 MB each at 8K.
    gc.collect()
    gc.disable()
    try:
        with open_video(portrait_video) as video:
            before = _live_frames()
            most = max(_live_frames() - before for _ in video.frames())
    finally:
        gc.enable()
    assert most <= 15  # what the decoder held back comes at once at the end


def _live_frames() -> int:
    # By type: isinstance asks an object for its __class__, and some of torch's warn at that.
    return sum(issubclass(type(thing), av.VideoFrame) for thing in gc.get_objects())


def test_one_frame_is_a_video_too(one_frame_video):
    asked = []
    with open_video(one_frame_video) as video:
        frames = list(video.frames(lambda *where: asked.append(where) or True))
    assert [f.time_s for f in frames] == [0.0]
    assert asked == [(0, 0.0, None)]
    assert video.decoded_s == pytest.approx(0.04)


def test_rotation_by_metadata_gives_upright_pictures(rotated_video, faces):
    with open_video(rotated_video) as video:
        frames = list(video.frames())
        (again,) = video.frames_at([0.4])
    upright = [frame[:, 32:224] for frame in faces(25)]
    assert frames[0].pixels.shape == (256, 192, 3)
    for frame, expected in zip(frames, upright, strict=True):
        assert np.abs(frame.pixels.astype(int) - expected).mean() < 6
    assert np.array_equal(again.pixels, frames[10].pixels)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_all_eight_orientations(tmp_path, degrees, is_mirrored):
    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, :48], upright[:32, 48:], upright[32:, :48] = 60, 120, 180
    # The player mirrors what is stored, then turns it clockwise; here everything backwards.
    stored = np.rot90(upright, degrees // 90)
    stored = stored[:, ::-1] if is_mirrored else stored
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.height, stream.width = stored.shape[:2]
        stream.set_display_matrix(_matrix(degrees, is_mirrored))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_video(path) as video:
        (shown,) = video.frames()
    assert (video.info.width_px, video.info.height_px) == (96, 64)
    corners = [shown.pixels[y, x].mean() for y, x in ((8, 8), (8, 88), (56, 8), (56, 88))]
    assert corners == pytest.approx([60, 120, 180, 0], abs=4)


def _matrix(degrees: int, is_mirrored: bool) -> list[int]:
    """(x, y) -> (a x + c y, b x + d y) with y downwards, as in ISO/IEC 14496-12, 6.2.2."""
    a, b, c, d = {
        0: (1, 0, 0, 1),
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }[degrees]
    if is_mirrored:
        a, b = -a, -b
    one = 1 << 16
    return [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]


@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT601, BT709, BT2020])
@pytest.mark.parametrize("color", [(220, 40, 30), (30, 200, 60), (20, 30, 210), (255, 255, 255)])
def test_colors_follow_the_tags(tmp_path, color, matrix, color_range):
    path = _colored(tmp_path / "tagged.mkv", color, matrix, color_range, 64)
    with open_video(path) as video:
        (frame,) = video.frames()
    assert frame.pixels[32, 32].tolist() == pytest.approx(color, abs=3)


@pytest.mark.parametrize(("height", "matrix"), [(360, BT601), (720, BT709)])
def test_without_tags_large_pictures_are_709_and_small_ones_601(tmp_path, height, matrix):
    color = (30, 200, 60)
    path = _colored(tmp_path / "untagged.mkv", color, matrix, LIMITED, height, is_tagged=False)
    with open_video(path) as video:
        (frame,) = video.frames()
    assert frame.pixels[32, 32].tolist() == pytest.approx(color, abs=3)


def _colored(path, color, matrix, color_range, height, *, is_tagged=True):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, height, "yuv444p"
        if is_tagged:
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = color_range
        rgb = np.full((height, 64, 3), color, np.uint8)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format="yuv444p",
            dst_colorspace={BT709: "ITU709", BT601: "ITU601", BT2020: "BT2020"}[matrix],
            dst_color_range=color_range,
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_ten_bit_hdr_comes_out_as_eight_bit_rgb_and_is_told(hdr_video, faces):
    with open_video(hdr_video) as video:
        frames = list(video.frames())
    assert len(frames) == 5
    assert frames[0].pixels.dtype == np.uint8
    # The code values are kept, so what was encoded comes back.
    assert np.abs(frames[0].pixels.astype(int) - faces(5)[0]).mean() < 8
    assert video.problems == ("the video is HDR (PQ); it was looked at without tone mapping",)
    assert not video.is_damaged


def test_an_eight_k_frame_decodes(eight_k_image_video, face_image):
    with open_video(eight_k_image_video) as video:
        (frame,) = video.frames()
    assert frame.pixels.shape == (4320, 7680, 3)
    face = frame.pixels[1904:2416, 3584:4096].astype(int)
    assert np.abs(face - face_image).mean() < 8


def test_twenty_faces_and_two_people_decode(twenty_faces_video, two_people_video):
    for path, count in ((twenty_faces_video, 10), (two_people_video, 50)):
        with open_video(path) as video:
            assert sum(1 for _ in video.frames()) == count


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi", ".mov", ".flv"])
def test_frames_at_gives_what_was_shown_then(tmp_path, suffix, encode, bars):
    # 8 s with a keyframe every second: some times are reached by seeking, some by decoding on.
    path = encode(tmp_path / f"long{suffix}", bars(200), options={"g": "25", "bf": "2"})
    wanted_s = [0.0, 0.05, 0.999, 3.0, 3.5, 7.96, 99.0]
    with open_video(path) as video:
        everything = list(video.frames())
        found = list(video.frames_at(wanted_s))
    assert [f.index for f in found] == [0, 1, 24, 75, 87, 199, 199]
    for frame in found:
        assert frame.time_s == everything[frame.index].time_s
        assert np.array_equal(frame.pixels, everything[frame.index].pixels)


def test_frames_at_works_backwards_and_before_frames_was_read(variable_rate_video):
    with open_video(variable_rate_video) as video:
        found = [f.time_s for f in video.frames_at([2.65, 0.5, 0.5, -1.0])]
    assert found == pytest.approx([2.6, 0.48, 0.48, 0.0])


def test_frames_at_takes_the_exact_times_of_frames(variable_rate_video):
    with open_video(variable_rate_video) as video:
        times = [frame.time_s for frame in video.frames()]
        found = list(video.frames_at(times))
    assert [f.time_s for f in found] == times
    assert [f.index for f in found] == list(range(40))


def test_real_videos_decode_completely(shared_folder):
    for name in ("real/ghost__videos-orig.webm", "real/Moore-AA__talkinghead_videos-4.mp4"):
        path = shared_folder / "media" / "val" / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        with open_video(path) as video:
            (last,) = video.frames(lambda index, time_s, next_time_s: next_time_s is None)
        assert video.frames_decoded == video.info.frame_count
        assert last.pixels.shape == (video.info.height_px, video.info.width_px, 3)
        assert not video.is_damaged
