"""A scan with 68 points where a detector asks for them, and what it says where it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import toy_detectors
from synthetic_faces import mouth_spec
from unmask import scan
from unmask.clips.mouth import MEAN_FACE_PX, STEADY_POINTS, mouth_clip
from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.faces import POINT_WEIGHTS, PointFinder
from unmask.media import open_video
from unmask.pipeline import scan as river
from unmask.pipeline import scorer
from unmask.types import Clip, Floats, Pixels

LIPS = mouth_spec(5)
FIVE = "cut by 5 points, where the published weights expect 68."


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``lips`` and ``mouths`` want 68 points, ``bright`` does not; the cache is empty."""
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    toy_detectors.register("lips", LIPS)
    toy_detectors.register("mouths", LIPS)
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))


def points_in(box: Floats) -> Floats:
    """Points of a mean face that fills the box."""
    points = np.full((68, 2), 128.0)
    points[list(STEADY_POINTS)] = MEAN_FACE_PX
    points[48:] = (129, 158)
    scale = (box[3] - box[1]) / 157  # 96 px of the mean face are 0.61 of a box
    center = (box[:2] + box[2:]) / 2
    return np.asarray(center + (points - (128, 125)) * scale, np.float32)


class FakePoints:
    """A source of points: ``find`` makes them of a box; it remembers what it gave."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, find: Callable[[Floats], Floats]) -> None:
        self.find, self.given, self.clips = find, [], []
        original = scorer.to_tensor

        def to_tensor(clips: list[Clip], device: str):  # type: ignore[no-untyped-def]
            self.clips += clips
            return original(clips, device)

        def load(path: Path, device: str) -> FakePoints:
            self.device = device
            return self

        monkeypatch.setattr(river, "landmarks_missing_reason", lambda path: None)
        monkeypatch.setattr(PointFinder, "load", staticmethod(load))
        monkeypatch.setattr(scorer, "to_tensor", to_tensor)

    def __call__(self, pixels: Pixels, boxes: Floats) -> Floats:
        points = np.stack([self.find(box) for box in boxes])
        self.given.append(points)
        return points


def test_a_scan_cuts_mouths_as_the_chain_does_on_whole_frames(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    source = FakePoints(monkeypatch, points_in)
    verdict = scan(portrait_video, ["lips"])
    with open_video(portrait_video) as video:
        frames = np.stack([f.pixels for f in video.frames(lambda *_: True)])
    expected = mouth_clip(frames, np.concatenate(source.given).astype(np.float64), 88)
    assert len(frames) == 50
    assert np.array_equal(np.concatenate([c.pixels for c in source.clips]), expected)
    assert source.device == "cpu"
    assert not [r for r in verdict.reasons if "points" in r]
    assert all(o.points68_px is None for t in verdict.tracks for o in t.observations)


def test_points_are_found_in_no_frame_more_than_asked_for(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    toy_detectors.register("slow", replace(LIPS, fps=5.0))
    source = FakePoints(monkeypatch, points_in)
    scan(portrait_video, ["bright", "slow"])
    assert len(source.given) == 10


def test_detectors_of_five_points_get_what_they_always_get(
    two_people_video: Path, monkeypatch: pytest.MonkeyPatch
):
    def logits() -> list[float]:
        scores = scan(two_people_video, ["bright", "mouths"]).clip_scores
        return [s.logit for s in scores if s.detector == "bright"]

    alone = logits()
    source = FakePoints(monkeypatch, points_in)
    both = logits()
    assert source.given
    assert both == alone
    assert len(both) == 20


def test_without_the_package_and_its_weights_five_points_serve_and_the_report_says_so(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    verdict = scan(portrait_video, ["bright", "lips", "mouths"])
    assert (
        verdict.reasons.count(
            f"lips, mouths: {FIVE} For 68 points, install face-alignment: pip install "
            f"'unmask[landmarks]'; and download its weights to '{tmp_path / 'cache'}/"
            "landmarks-2DFAN4-11f355bf06.pth.tar': unmask weights download landmarks."
        )
        == 1
    )
    assert len([s for s in verdict.clip_scores if s.detector == "lips"]) == 10


def test_with_the_package_alone_only_the_weights_are_asked_for(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    (reason,) = [r for r in scan(portrait_video, ["lips"]).reasons if FIVE in r]
    assert "install" not in reason
    assert reason.endswith("unmask weights download landmarks.")


def test_a_detector_of_five_points_asks_for_nothing(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: object) -> None:
        raise AssertionError("looked for points that nobody wants")

    monkeypatch.setattr(river, "landmarks_missing_reason", never)
    monkeypatch.setattr(PointFinder, "load", never)
    assert not [r for r in scan(portrait_video, ["bright"]).reasons if "points" in r]


@pytest.mark.parametrize(("bad", "count"), [(1, "1 clip was"), (7, "3 clips were")])
def test_clips_that_had_to_be_cut_by_five_points_are_counted(
    bad: int, count: str, portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    def find(box: Floats) -> Floats:
        is_bad = 5 <= len(source.given) < 5 + bad
        return np.zeros((68, 2), np.float32) if is_bad else points_in(box)

    source = FakePoints(monkeypatch, find)
    verdict = scan(portrait_video, ["lips"])
    # A frame whose points are of no use spoils its own picture; many, those before it as well.
    (reason,) = [r for r in verdict.reasons if "5 points" in r]
    assert reason == (
        f"lips: {count} cut by 5 points instead of 68, because the 68 could not be used in all "
        "of their frames."
    )
    assert verdict.coverage.clips_scored == 10


def test_damaged_weights_of_the_points_stop_the_scan(portrait_video: Path, tmp_path: Path):
    pytest.importorskip("face_alignment", reason="face-alignment is not installed")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / POINT_WEIGHTS.file).write_bytes(b"half a file")
    with pytest.raises(WeightsError, match=r"are damaged: .*unmask weights download landmarks"):
        scan(portrait_video, ["lips"])


def test_the_published_mouth_network_asks_for_68_points():
    assert get_card("lipforensics").input.landmarks == 68
