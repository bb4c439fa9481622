from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest

from unmask.types import QualityClass
from unmask.verdict.quality import bits_per_pixel, codec_family, quality_class
from verdict_builders import VIDEO, line

SMALL = QualityClass(name="small", slope=1.0, intercept=0.0, max_face_px=160.0)
SHARP = QualityClass(
    name="sharp", slope=1.0, intercept=0.0, min_bits_per_pixel=0.03, codecs=("h264",)
)
LAST = line(1.0)[0]


@pytest.mark.parametrize(
    ("face_px", "bits", "codec", "name"),
    [
        (159.9, 0.001, "vp9", "small"),
        (160.0, 0.03, "h264", "sharp"),
        (160.0, 0.0299, "h264", "all"),
        (300.0, 0.5, "hevc", "all"),
        (300.0, None, "h264", "all"),
        (100.0, None, "", "small"),
    ],
)
def test_the_first_class_that_holds(face_px: float, bits: float | None, codec: str, name: str):
    assert quality_class((SMALL, SHARP, LAST), face_px, bits, codec).name == name


def test_bits_are_those_of_the_pictures_where_they_are_known():
    video = dataclasses.replace(VIDEO, fps=Fraction(25), bit_rate_bps=1_000_000)
    assert bits_per_pixel(video) == pytest.approx(1_000_000 / (640 * 480 * 25))
    both = dataclasses.replace(video, video_bit_rate_bps=768_000)
    assert bits_per_pixel(both) == pytest.approx(0.1)
    assert bits_per_pixel(dataclasses.replace(VIDEO, bit_rate_bps=None)) is None


def test_bits_of_pictures_are_those_of_their_files():
    folder = dataclasses.replace(
        VIDEO, container="folder", codec="images", frame_count=2, size_bytes=76_800
    )
    assert bits_per_pixel(folder) == pytest.approx(1.0)
    assert bits_per_pixel(dataclasses.replace(folder, size_bytes=0)) is None


def test_codecs_have_families():
    assert {codec_family(c) for c in ("vp8", "vp9", "av1")} == {"vp8, vp9, av1"}
    assert codec_family("hevc") != codec_family("h264")
    assert codec_family("prores") == codec_family("") == "other"
