"""What is kept of a video, and which detectors that serves."""

from __future__ import annotations

import pytest

from unmask.errors import UsageError
from unmask.prepare import PrepareSpec
from unmask.types import InputSpec


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sequences": 0}, r"sequences=0: expected at least 1"),
        ({"frames": 0}, r"frames=0: expected at least 1"),
        ({"frames": 2, "stride": 0}, r"stride=0: expected at least 1"),
        ({"context": 0.5}, r"context=0.5: expected at least 1"),
        ({"context": float("nan")}, r"context=nan: expected at least 1"),
        ({"min_face_px": -3.0}, r"min_face_px=-3.0: expected at least 1"),
        ({"frames": 2, "fps": 0.0}, r"fps=0.0: expected frames a second, above 0"),
        ({"largest_face_px": 20.0}, r"largest_face_px=20: expected at least min_face_px=48"),
        ({"sequences": None}, r"single moments .* give a number of sequences alone"),
        ({"fps": 25.0}, r"single moments .* at a rate"),
        ({"stride": 2}, r"single moments .* with a stride"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str):
    with pytest.raises(UsageError, match=message):
        PrepareSpec(**settings)  # type: ignore[arg-type]


def test_what_is_kept_serves_specs_that_need_no_more():
    spec = PrepareSpec(frames=10, fps=25.0, context=1.9)
    clip = InputSpec(frames=10, fps=25.0, margin=1.3)
    assert spec.serves(clip)
    assert spec.serves(InputSpec(frames=1, fps=3.0))  # single pictures have no rate
    assert not spec.serves(InputSpec(frames=11, fps=25.0))
    assert not spec.serves(InputSpec(frames=10, fps=30.0))
    assert not spec.serves(InputSpec(frames=10, fps=None))
    assert not spec.serves(InputSpec(frames=10, fps=25.0, stride=2))
    assert not spec.serves(InputSpec(frames=10, fps=25.0, margin=2.0))
    assert not PrepareSpec().serves(clip)


def test_68_points_need_the_mouth_as_well():
    assert [cut.region for cut in PrepareSpec().input_specs] == ["face"]
    spec = PrepareSpec(landmarks=68)
    assert [cut.region for cut in spec.input_specs] == ["face", "mouth"]
    by_68 = InputSpec(region="mouth", margin=0.6, size=(88, 88), landmarks=68)
    assert spec.serves(by_68)
    assert PrepareSpec().serves(by_68)  # by five points


def test_rates_that_scan_takes_for_equal_serve_each_other():
    assert PrepareSpec(frames=10, fps=30.0).serves(InputSpec(frames=10, fps=29.97))
    assert not PrepareSpec(frames=10, fps=30.0).serves(InputSpec(frames=10, fps=29.0))
