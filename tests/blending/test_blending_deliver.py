"""Codecs at bit rates, and the ways by which a video reaches its viewer."""

from __future__ import annotations

import av
import numpy as np
import pytest

from unmask.blending import Face, codecs
from unmask.blending.codecs import CODECS, code_clip, lacking_encoder
from unmask.blending.deliver import WAYS, deliver, deliver_still, lacking_way
from unmask.errors import MissingDependencyError, UnknownNameError, UsageError
from unmask.types import Pixels

CODED = [way for way in WAYS if way != "none"]


@pytest.fixture(scope="module")
def clip(face: Face) -> list[Pixels]:
    return [np.roll(face.pixels, (n, n // 2), (0, 1)) for n in range(6)]


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture
def encoder(request: pytest.FixtureRequest) -> str:
    codec: str = request.param
    lacking = lacking_encoder(codec)
    if lacking:
        pytest.skip(lacking)
    return codec


@pytest.mark.parametrize("encoder", CODECS, indirect=True)
def test_more_bits_give_a_better_picture(encoder: str, clip: list[Pixels]):
    quality = []
    for bits in (0.02, 0.08, 0.4):
        coded = code_clip(clip, encoder, bits)
        assert [p.shape for p in coded] == [p.shape for p in clip]
        quality.append(psnr(np.stack(coded), np.stack(clip)))
    assert quality[0] + 1 < quality[1]
    assert quality[1] + 1 < quality[2]
    assert quality[0] > 18
    assert quality[2] < 50


@pytest.mark.parametrize("encoder", CODECS, indirect=True)
@pytest.mark.parametrize("count", [3, 12])
def test_the_bit_rate_is_about_the_one_asked_for(encoder: str, face: Face, count: int):
    rng = np.random.default_rng(0)
    frames = [np.roll(face.pixels, tuple(rng.integers(-2, 3, 2)), (0, 1)) for _ in range(count)]
    bits = 0.1
    size = 8 * sum(p.size for p in codecs._coded(encoder, frames, bits))
    height, width = face.pixels.shape[:2]
    # So few frames have one key frame, which counts as four more.
    assert size / (height * width * (count + 4)) == pytest.approx(bits, rel=0.6)


@pytest.mark.parametrize("encoder", CODECS, indirect=True)
def test_two_encodes_are_equal_and_odd_sizes_are_kept(encoder: str, clip: list[Pixels]):
    odd = [p[:101, :75] for p in clip]
    one, two = (np.stack(code_clip(odd, encoder, 0.1)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (6, 101, 75, 3)


@pytest.mark.parametrize("way", CODED)
def test_every_way_changes_both_alike(way: str, clip: list[Pixels]):
    seeds = [np.random.default_rng(5) for _ in range(2)]
    one, two = (deliver(clip, way, rng) for rng in seeds)
    np.testing.assert_array_equal(np.stack(one), np.stack(two))
    assert [p.shape for p in one] == [p.shape for p in clip]
    assert 18 < psnr(np.stack(one), np.stack(clip)) < 50


@pytest.mark.parametrize("way", CODED)
def test_a_pair_is_coded_side_by_side(way: str, face: Face):
    picture = np.ascontiguousarray(face.pixels[:151, :139])
    for seed in range(2):
        pair = deliver_still([picture, picture], way, np.random.default_rng(seed))
        assert [p.shape for p in pair] == [picture.shape] * 2
        real, fake = (psnr(p, picture) for p in pair)
        assert real == pytest.approx(fake, abs=2.5)
        assert real < 50


def test_without_a_codec_nothing_changes(clip: list[Pixels]):
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(np.stack(deliver(clip, "none", rng)), np.stack(clip))
    pair = deliver_still(clip[:2], "none", rng)
    np.testing.assert_array_equal(np.stack(pair), np.stack(clip[:2]))


def test_a_repost_is_worse_than_a_single_upload(clip: list[Pixels]):
    def mean(way: str) -> float:
        drawn = (deliver(clip, way, np.random.default_rng(seed)) for seed in range(6))
        return float(np.mean([psnr(np.stack(d), np.stack(clip)) for d in drawn]))

    assert mean("reposted") < mean("uploaded") < mean("h264")


def test_unknown_names_are_refused_with_the_known_ones(clip: list[Pixels]):
    with pytest.raises(UnknownNameError, match=r"Unknown codec 'h256'. Did you mean 'h26"):
        code_clip(clip, "h256", 0.1)
    with pytest.raises(UnknownNameError, match=r"Unknown codec 'upload'. Did you mean 'uploaded'"):
        lacking_way("upload")


@pytest.mark.parametrize(("frames", "bits"), [(0, 0.1), (2, 0.0), (2, -1.0), (2, float("nan"))])
def test_what_cannot_be_encoded_is_refused(clip: list[Pixels], frames: int, bits: float):
    message = f"Cannot encode {frames} frames at .* bits per pixel: expected at least one frame"
    with pytest.raises(UsageError, match=message):
        code_clip(clip[:frames], "h264", bits)


def test_a_missing_encoder_is_told_and_platforms_do_without(
    monkeypatch: pytest.MonkeyPatch, clip: list[Pixels]
):
    there = av.codecs_available - {"libx265"}
    monkeypatch.setattr(codecs.av, "codecs_available", there)
    assert lacking_encoder("h265") == "PyAV was built without libx265"
    assert lacking_way("h265") == "PyAV was built without libx265"
    message = r"Cannot encode h265: PyAV was built without libx265. Install PyAV from its wheels"
    with pytest.raises(MissingDependencyError, match=message):
        code_clip(clip, "h265", 0.1)
    assert lacking_way("reposted") == ""
    for seed in range(6):
        assert len(deliver(clip[:3], "reposted", np.random.default_rng(seed))) == 3
