"""Codec round trips: how much they lose, in which order frames come back, what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from unmask.errors import MissingDependencyError, UnknownNameError, UsageError
from unmask.imaging import codecs
from unmask.imaging.codecs import (
    CODECS,
    bit_rate_round_trip,
    h264_round_trip,
    h264_stream,
    jpeg_round_trip,
    missing_reason,
)
from unmask.types import Pixels


@pytest.fixture(scope="module")
def picture(face_image: Pixels) -> Pixels:
    """The portrait's face, 240x240 pixels around it."""
    return np.ascontiguousarray(face_image[:240, 102:342])


@pytest.fixture(scope="module")
def clip(picture: Pixels) -> list[Pixels]:
    return [np.roll(picture, (n, n // 2), (0, 1)) for n in range(6)]


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture
def encoder(request: pytest.FixtureRequest) -> str:
    codec: str = request.param
    reason = missing_reason(codec)
    if reason:
        pytest.skip(reason)
    return codec


@pytest.mark.parametrize("encoder", CODECS, indirect=True)
def test_more_bits_give_a_better_picture(encoder: str, clip: list[Pixels]):
    quality = []
    for bits in (0.02, 0.08, 0.4):
        coded = bit_rate_round_trip(clip, encoder, bits)
        assert [p.shape for p in coded] == [p.shape for p in clip]
        quality.append(psnr(np.stack(coded), np.stack(clip)))
    assert quality[0] + 1 < quality[1]
    assert quality[1] + 1 < quality[2]
    assert quality[0] > 18
    assert quality[2] < 50


@pytest.mark.parametrize("encoder", CODECS, indirect=True)
@pytest.mark.parametrize("count", [3, 12])
def test_the_bit_rate_is_about_the_one_asked_for(encoder: str, picture: Pixels, count: int):
    rng = np.random.default_rng(0)
    frames = [np.roll(picture, tuple(rng.integers(-2, 3, 2)), (0, 1)) for _ in range(count)]
    bits = 0.1
    size = codecs._size_bits(encoder, frames, *codecs._rate_control(encoder, frames, bits))
    height, width = picture.shape[:2]
    # So few frames have one key frame, which counts as four more.
    assert size / (height * width * (count + 4)) == pytest.approx(bits, rel=0.6)


@pytest.mark.parametrize("encoder", CODECS, indirect=True)
def test_two_encodes_are_equal_and_odd_sizes_are_kept(encoder: str, clip: list[Pixels]):
    odd = [p[:101, :75] for p in clip]
    one, two = (np.stack(bit_rate_round_trip(odd, encoder, 0.1)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (6, 101, 75, 3)


@pytest.mark.parametrize(("frames", "bits"), [(0, 0.1), (2, 0.0), (2, -1.0), (2, float("nan"))])
def test_what_cannot_be_encoded_is_refused(clip: list[Pixels], frames: int, bits: float):
    message = f"Cannot encode {frames} frames at .* bits per pixel: expected at least one frame"
    with pytest.raises(UsageError, match=message):
        bit_rate_round_trip(clip[:frames], "h264", bits)


def test_jpeg_really_compresses(picture: Pixels):
    qualities = [psnr(jpeg_round_trip(picture, q), picture) for q in (95, 60, 20, 5)]
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[0] > 33
    assert qualities[-1] < 28


def test_jpeg_keeps_the_colors_in_their_channels():
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    mean = jpeg_round_trip(red, 90).mean(axis=(0, 1))
    np.testing.assert_allclose(mean, [200, 0, 0], atol=4)


def test_h264_gives_back_as_many_frames_and_loses_more_with_a_higher_crf(picture: Pixels):
    clip = [np.roll(picture, shift, axis=1) for shift in range(3)]
    quality = []
    for crf in (10, 25, 40):
        decoded = h264_round_trip(clip, crf)
        assert [d.shape for d in decoded] == [c.shape for c in clip]
        quality.append(np.mean([psnr(d, c) for d, c in zip(decoded, clip, strict=True)]))
    assert quality[0] > quality[1] > quality[2]
    assert quality[0] > 32
    assert quality[2] < 32


def test_h264_returns_the_frames_in_their_order(picture: Pixels):
    clip = [np.full((64, 64, 3), value, np.uint8) for value in (40, 120, 200)]
    means = [d.mean() for d in h264_round_trip(clip, 20)]
    np.testing.assert_allclose(means, [40, 120, 200], atol=3)


def test_a_stream_is_coded_as_it_is_needed(clip: list[Pixels]):
    taken = []

    def frames() -> Iterator[Pixels]:
        for _ in range(30):
            for pixels in clip:
                taken.append(1)
                yield np.ascontiguousarray(pixels[:160, :160])

    stream = h264_stream(frames(), 30)
    next(stream)
    assert len(taken) < 90
    assert 1 + sum(1 for _ in stream) == len(taken) == 180


def test_a_stream_without_frames_gives_none():
    assert list(h264_stream([], 30)) == []


def test_an_unknown_codec_is_refused_with_the_known_ones(clip: list[Pixels]):
    with pytest.raises(UnknownNameError, match=r"Unknown codec 'h256'. Did you mean 'h26"):
        bit_rate_round_trip(clip, "h256", 0.1)


def test_a_missing_encoder_is_named(monkeypatch: pytest.MonkeyPatch, clip: list[Pixels]):
    there = codecs.av.codecs_available - {"libx265"}
    monkeypatch.setattr(codecs.av, "codecs_available", there)
    assert missing_reason("h264") is None
    assert missing_reason("h265") == "PyAV was built without libx265"
    message = r"Cannot encode h265: PyAV was built without libx265. Install PyAV from its wheels"
    with pytest.raises(MissingDependencyError, match=message):
        bit_rate_round_trip(clip, "h265", 0.1)
