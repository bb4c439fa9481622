from __future__ import annotations

import json
from pathlib import Path

import pytest

from unmask.errors import UnmaskError
from unmask.types import Domain, PanelMember, QualityClass
from unmask.verdict import read_calibration, write_calibration
from verdict_builders import calibration, line

PANEL = (
    PanelMember(detector="d", weights_sha256="aa", weight=0.7),
    PanelMember(detector="e", weights_sha256="bb", weight=0.3, longest_cpu_s=60.0),
)
CLASSES = (
    QualityClass(
        name="small",
        slope=0.5,
        intercept=-1e-7,
        max_face_px=128.0,
        min_bits_per_pixel=0.05,
        codecs=("h264",),
        real_videos=3,
        threshold=2.5,
        lower=1.0,
        real_scores=(0.5, 1.5),
        interval=((-2.0, -2.5, -1.0), (2.0, 0.5, 3.5)),
    ),
    *line(1.0),
)
FIRST = {
    "name": "old",
    "detector": "d",
    "weights_sha256": "aa",
    "threshold": 2.0,
    "lower": 1.0,
    "target_false_alarm_rate": 0.05,
    "real_videos": 35,
    "false_alarms": 0,
    "fake_videos": 42,
    "fakes_found": 7,
    "data": "val",
    "date": "2026-11-21",
    "slope": None,
    "intercept": None,
    "min_face_px": 48.0,
    "min_scored_s": 0.5,
}


def test_a_calibration_comes_back_as_it_was_written(tmp_path: Path):
    for given_one in (
        calibration(),
        calibration(scale="logit", panel=PANEL, real_scores=(-1.5, 2e-7), classes=CLASSES),
    ):
        write_calibration(given_one, tmp_path / "c.json")
        assert read_calibration(tmp_path / "c.json") == given_one


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", "{}", '{"name": "x"}', '{"unknown_key": 1}', "\x00"]
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(UnmaskError, match=r"Cannot read the calibration .*c\.json.*Give a file"):
        read_calibration(path)


@pytest.mark.parametrize(
    ("key", "value"), [("threshold", "high"), ("threshold", None), ("lower", 3.5), ("classes", [])]
)
def test_a_calibration_that_cannot_decide_is_refused(tmp_path: Path, key: str, value: object):
    path = tmp_path / "c.json"
    write_calibration(calibration(threshold=2.0, lower=1.0), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UnmaskError, match="Cannot read the calibration"):
        read_calibration(path)


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(UnmaskError, match="Cannot read the calibration"):
        read_calibration(tmp_path / "none.json")


def test_a_file_of_the_first_format_means_what_it_meant(tmp_path: Path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(FIRST))
    old = read_calibration(path)
    assert (old.threshold, old.lower, old.scale) == (2.0, 1.0, "logit")
    assert old.domain == Domain(min_face_px=48.0, min_scored_s=0.5)
    assert [(c.slope, c.intercept, c.real_videos) for c in old.classes] == [(1.0, 0.0, 35)]


def test_the_line_of_the_first_format_moves_its_thresholds(tmp_path: Path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**FIRST, "slope": 2.0, "intercept": -3.0}))
    old = read_calibration(path)
    assert (old.threshold, old.lower, old.scale) == (1.0, -1.0, "llr")
    assert [(c.slope, c.intercept) for c in old.classes] == [(2.0, -3.0)]


def test_the_numbers_of_a_list_stand_on_one_line(tmp_path: Path):
    write_calibration(calibration(real_scores=(-1.5, 0.0, 2e-7)), tmp_path / "c.json")
    assert '"real_scores": [-1.5, 0.0, 2e-07]' in (tmp_path / "c.json").read_text()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": 3}, "its format is 3, expected 2: another version"),
        ({"scale": "odds"}, "scale is 'odds'"),
        ({"llr_bounds": [1.0, 2.0]}, "llr_bounds are 1 and 2, expected 0 between"),
        ({"real_scores": [2.0, 1.0]}, "real_scores are not sorted"),
        ({"fake_scores": ["x"]}, r"fake_scores\[0\] is 'x', expected a number"),
        ({"domain": {"min_change": "x"}}, r"domain\.min_change is 'x', expected a number"),
        ({"domain": {"max_change": 1.0}}, r"the field 'domain\.max_change' is unknown"),
        ({"domain": 7}, "domain is 7, expected keys and values"),
        ({"real_videos": "35"}, "real_videos is '35', expected a whole number"),
        ({"fakes_found": True}, "fakes_found is True, expected a whole number"),
        ({"detector": 5}, "detector is 5, expected a text"),
        ({"llr_bounds": [0.0]}, "llr_bounds has 1 entries, expected 2"),
        ({"real_scores": 1.0}, "real_scores is 1.0, expected a list"),
        ({"target_false_alarm_rate": 1.5}, "target_false_alarm_rate is 1.5, expected a share"),
        ({"panel": [{"detector": "d"}]}, r"the field 'panel\[0\]\.weights_sha256' is missing"),
        (
            {"classes": [{"name": "all", "slope": 1, "intercept": 0, "threshold": 1}]},
            "class 'all' has one bound of two",
        ),
    ],
)
def test_what_would_decide_nonsense_is_refused(
    tmp_path: Path, changes: dict[str, object], why: str
):
    path = tmp_path / "c.json"
    write_calibration(calibration(), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(UnmaskError, match=why):
        read_calibration(path)


def test_a_missing_field_is_named(tmp_path: Path):
    path = tmp_path / "c.json"
    write_calibration(calibration(), path)
    content = json.loads(path.read_text())
    del content["threshold"]
    path.write_text(json.dumps(content))
    with pytest.raises(UnmaskError, match=r"the field 'threshold' is missing.*`unmask calibrate`"):
        read_calibration(path)


def test_classes_and_members_are_checked(tmp_path: Path):
    for wrong, why in (
        (calibration(classes=line(-1.0)), "the slope of class 'all' is below 0"),
        (calibration(classes=CLASSES[:1]), "the last quality class does not hold for every face"),
        (
            calibration(panel=(PanelMember(detector="d", weights_sha256="", weight=-1.0),)),
            "the weight of d is below 0",
        ),
    ):
        write_calibration(wrong, tmp_path / "c.json")
        with pytest.raises(UnmaskError, match=why):
            read_calibration(tmp_path / "c.json")
