"""Compression really encodes H.264, at the rate factor of its severity."""

import io

import av
import numpy as np
import pytest

from unmask.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from unmask.imaging.codecs import H264_OPTIONS


@pytest.fixture(scope="module")
def clip(faces):
    return np.stack(faces(30, 160))


def by_container(clip, crf, x264_params=H264_OPTIONS["x264-params"]):
    """The same encode through an MP4 file in memory, written without the package."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {**H264_OPTIONS, "crf": str(crf), "x264-params": x264_params}
        for pixels in clip:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range=1)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    memory.seek(0)
    with av.open(memory) as again:
        return np.stack(
            [
                f.reformat(format="rgb24", src_colorspace="ITU709", src_color_range=1).to_ndarray()
                for f in again.decode(video=0)
            ]
        )


@pytest.mark.parametrize("severity", [1, 5])
def test_it_is_what_x264_makes_at_that_crf(clip, severity):
    crf = int(CORRUPTIONS["compression"].value(severity))
    expected = by_container(clip, crf)
    found = corrupt(clip, "compression", severity)
    assert np.abs(found.astype(int) - expected).mean() < 0.5
    other = by_container(clip, crf - 8)
    assert np.abs(found.astype(int) - other).mean() > 1


def test_it_does_not_depend_on_the_processor(clip):
    plain = by_container(clip, 35, H264_OPTIONS["x264-params"] + ":asm=0")
    assert np.array_equal(by_container(clip, 35), plain)


def test_frames_come_back_in_their_order(clip):
    found = corrupt(clip, "compression", 1)
    distance = np.abs(found[:, None, ::4, ::4].astype(int) - clip[None, :, ::4, ::4])
    nearest = distance.mean((2, 3, 4)).argmin(1)
    assert nearest == pytest.approx(np.arange(30), abs=1)


def test_detail_is_lost_with_every_severity(clip):
    def detail(frames):
        return np.abs(np.diff(frames.astype(float), axis=2)).mean()

    kept = [detail(corrupt(clip, "compression", severity)) for severity in SEVERITIES]
    assert detail(clip) > kept[0]
    assert kept == sorted(kept, reverse=True)


def test_an_odd_size_is_cut_again(clip):
    odd = clip[:3, :51, :77]
    found = corrupt(odd, "compression", 1)
    assert found.shape == odd.shape
    assert np.abs(found[:, -1].astype(int) - odd[:, -1]).mean() < 12


def test_colors_stay():
    plain = np.full((3, 32, 32, 3), (200, 60, 40), np.uint8)
    assert corrupt(plain, "compression", 1)[1, 16, 16].tolist() == pytest.approx(
        (200, 60, 40), abs=3
    )
