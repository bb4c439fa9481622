"""Who scans when nobody is named; toy detectors, shipped files in a folder of the test's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

import toy_detectors
import verdict_builders
from unmask import scan
from unmask.errors import UsageError, WeightsError
from unmask.pipeline import panel
from unmask.types import Calibration, PanelMember
from unmask.verdict import write_calibration
from unmask.weights import load_detector
from verdict_builders import calibration, use

VIDEO = dataclasses.replace(verdict_builders.VIDEO, duration_s=61.0)

Ship = Callable[..., Calibration]


def a_calibration(detector: str = "bright", sha256: str = "aa", **changes: object) -> Calibration:
    names = {"name": f"of {detector}", "detector": detector, "weights_sha256": sha256}
    return calibration(**(names | changes))


def a_panel(bright: str = "aa", other: str = "bb") -> Calibration:
    members = (
        PanelMember(detector="bright", weights_sha256=bright, weight=0.5),
        PanelMember(detector="other", weights_sha256=other, weight=0.5, longest_cpu_s=60.0),
    )
    return a_calibration(sha256=bright, name="panel", panel=members)


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch: pytest.MonkeyPatch) -> None:
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    toy_detectors.register("other")


@pytest.fixture
def ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Calibration], None]:
    """Puts calibrations where the package keeps them."""
    (tmp_path / "weights" / "files").mkdir(parents=True)
    monkeypatch.setattr(panel.resources, "files", lambda package: tmp_path)
    monkeypatch.setattr(panel, "is_here", lambda detector, entry: True)

    def put(name: str, calibration: Calibration) -> None:
        write_calibration(calibration, tmp_path / "weights" / "files" / f"{name}.calibration.json")

    return put


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy cards list no weights; here each pretends to have one."""
    card = dataclasses.replace(panel.get_card("other"), weights=(object(),))  # type: ignore[arg-type]
    monkeypatch.setattr(panel, "get_card", lambda name: card)


def test_without_a_shipped_panel_the_default_detectors_scan(ship: Ship):
    assert panel.default_panel() is None
    assert panel.default_names() == panel.default_detectors()
    assert panel.choose(VIDEO, "cpu", {}) == (panel.default_detectors(), [])


def test_the_shipped_panel_names_who_scans(ship: Ship):
    ship("panel", a_panel())
    assert panel.default_names() == ["bright", "other"]


@pytest.mark.parametrize(
    ("duration_s", "device", "weights", "names"),
    [
        (60.0, "cpu", {}, ["bright", "other"]),
        (60.1, "cpu", {}, ["bright"]),
        (600.0, "cuda", {}, ["bright", "other"]),
        (600.0, "cpu", {"other": "x.safetensors"}, ["bright", "other"]),
    ],
)
def test_on_a_cpu_long_videos_are_shown_to_the_fast_ones_alone(
    ship: Ship,
    entries: None,
    duration_s: float,
    device: str,
    weights: dict[str, str | Path],
    names: list[str],
):
    ship("panel", a_panel())
    video = dataclasses.replace(VIDEO, duration_s=duration_s)
    found, notes = panel.choose(video, device, weights)
    assert found == names
    assert len(notes) == 2 - len(names)


def test_who_is_left_out_is_reported_with_the_reason(ship: Ship, entries: None):
    ship("panel", a_panel())
    _, notes = panel.choose(VIDEO, "cpu", {})
    assert notes == [
        "other was left out: on a CPU it looks at videos of up to 60 s, this one has 61 s (name "
        "the detectors with -d to have all of them look, or use a GPU with --device cuda)."
    ]


def test_a_member_whose_weights_are_elsewhere_is_left_out(
    ship: Ship, entries: None, monkeypatch: pytest.MonkeyPatch
):
    ship("panel", a_panel())
    monkeypatch.setattr(panel, "is_here", lambda detector, entry: False)
    names, notes = panel.choose(dataclasses.replace(VIDEO, duration_s=1.0), "cuda", {})
    assert names == ["bright"]
    assert notes == [
        "other was left out: its weights are not on this machine (unmask describe other says "
        "how to get them)."
    ]


def test_a_panel_fits_only_with_all_of_its_weights(ship: Ship):
    ship("panel", a_panel())
    ship("bright", a_calibration())
    both = [use("bright", "aa"), use("other", "bb")]
    assert panel.fitting(both, None).panel == a_panel()
    assert panel.fitting(both, None).calibrations == {"bright": a_calibration()}
    for wrong in ([use("bright", "aa")], [use("bright", "aa"), use("other", "cc")]):
        assert panel.fitting(wrong, None).panel is None
        assert panel.fitting(wrong, None).calibrations == {"bright": a_calibration()}
    assert panel.fitting(both, []) == ({}, None)


def test_shipped_calibrations_serve_whom_no_given_one_is_of(ship: Ship):
    ship("bright", a_calibration("bright"))
    ship("other", a_calibration("other", "bb"))
    ship("panel", a_panel())
    both = [use("bright", "aa"), use("other", "bb")]
    mine = a_calibration("bright", name="mine")
    found = panel.fitting(both, [mine])
    assert found.calibrations == {"bright": mine, "other": a_calibration("other", "bb")}
    assert found.panel is None


def test_two_given_calibrations_of_the_same_detector_are_refused():
    twice = [a_calibration(name="one"), a_calibration(name="two")]
    with pytest.raises(UsageError, match="'one' and 'two' together: both are of bright"):
        panel.fitting([use("bright", "aa")], twice)
    given = [a_calibration(), a_panel()]
    found = panel.fitting([use("bright", "aa"), use("other", "bb")], given)
    assert found == ({"bright": given[0]}, given[1])


def test_a_given_panel_needs_the_weights_of_every_member():
    with pytest.raises(UsageError, match=r"'panel': it is of other, .*Name other too"):
        panel.fitting([use("bright", "aa")], [a_panel()])
    with pytest.raises(WeightsError, match="other weights of other"):
        panel.fitting([use("bright", "aa"), use("other", "cc")], [a_panel()])


def test_a_scan_with_all_members_is_judged_by_the_panel(portrait_video: Path, tmp_path: Path):
    files = {
        name: toy_detectors.weights_file(tmp_path / f"{name}.safetensors", name, 0.0, offset)
        for name, offset in (("bright", 7.0), ("other", -1.0))
    }
    hashes = {name: load_detector(name, file).weights.sha256 for name, file in files.items()}
    made = a_panel(hashes["bright"], hashes["other"])
    verdict = scan(portrait_video, list(files), weights=files, calibrations=[made])
    assert verdict.score == pytest.approx(3.0)
    assert verdict.calibration == made
    assert verdict.faces[0].look is not None
    assert verdict.bits_per_pixel is not None
