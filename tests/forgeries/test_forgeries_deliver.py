"""The ways by which a video reaches its viewer."""

from __future__ import annotations

import av
import numpy as np
import pytest

from unmask.errors import UnknownNameError
from unmask.forgeries import Face
from unmask.forgeries.deliver import WAYS, deliver, deliver_still, missing_reason
from unmask.types import Pixels

CODED = [way for way in WAYS if way != "none"]


@pytest.fixture(scope="module")
def clip(face: Face) -> list[Pixels]:
    return [np.roll(face.pixels, (n, n // 2), (0, 1)) for n in range(6)]


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


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


def test_an_unknown_way_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"Unknown codec 'upload'. Did you mean 'uploaded'"):
        missing_reason("upload")


def test_platforms_do_without_a_missing_encoder(
    monkeypatch: pytest.MonkeyPatch, clip: list[Pixels]
):
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx265"})
    assert missing_reason("h265") == "PyAV was built without libx265"
    assert missing_reason("reposted") is None
    for seed in range(6):
        assert len(deliver(clip[:3], "reposted", np.random.default_rng(seed))) == 3
