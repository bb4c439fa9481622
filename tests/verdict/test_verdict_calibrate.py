from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from verdict_builders import calibration

from unmask.errors import UnmaskError
from unmask.verdict import conformal_threshold, read_calibration, write_calibration


@given(
    logits=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200),
    rate=st.floats(0.005, 0.9),
)
def test_at_most_k_of_n_reals_are_alarms(logits: list[float], rate: float):
    k = int(np.floor(rate * (len(logits) + 1) + 1e-9))
    if k < 1:
        with pytest.raises(ValueError, match="cannot show a false-alarm rate"):
            conformal_threshold(logits, rate)
        return
    threshold = conformal_threshold(logits, rate)
    alarms = sum(v >= threshold for v in logits)
    assert alarms <= k - 1
    # And no lower threshold would do: the k-th largest lies just below it.
    assert sum(v >= np.nextafter(threshold, -np.inf) for v in logits) >= k


def test_a_new_real_video_is_an_alarm_as_rarely_as_promised():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((4000, 40))
    alarms = [row[-1] >= conformal_threshold(row[:-1].tolist(), 0.1) for row in draws]
    assert np.mean(alarms) <= 0.1 + 3 * np.sqrt(0.09 / 4000)
    assert np.mean(alarms) >= 0.06


def test_too_few_reals_are_told_with_the_number_needed():
    with pytest.raises(
        ValueError, match=r"35 real videos .* rate of 0\.02: at least 49 are needed"
    ):
        conformal_threshold([0.0] * 35, 0.02)
    assert conformal_threshold([0.0] * 49, 0.02) > 0


def test_a_calibration_comes_back_as_it_was_written(tmp_path: Path):
    for given_one in (calibration(), calibration(slope=None, intercept=None)):
        write_calibration(given_one, tmp_path / "c.json")
        assert read_calibration(tmp_path / "c.json") == given_one


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", "{}", '{"name": "x"}', '{"unknown_key": 1}', "\x00"]
)
def test_what_is_no_calibration_is_told(tmp_path: Path, content: str):
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(UnmaskError, match=r"Cannot read the calibration .*c\.json.*Give a file"):
        read_calibration(path)


@pytest.mark.parametrize(
    ("key", "value"), [("threshold", "high"), ("threshold", None), ("lower", 3.5), ("slope", "x")]
)
def test_a_calibration_that_cannot_decide_is_refused(tmp_path: Path, key: str, value: object):
    path = tmp_path / "c.json"
    write_calibration(calibration(threshold=2.0, lower=1.0), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UnmaskError, match="Cannot read the calibration"):
        read_calibration(path)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(UnmaskError, match="Cannot read the calibration"):
        read_calibration(tmp_path / "none.json")
