"""What is written, what is measured, and the command as a whole; scores are made up."""

from __future__ import annotations

import csv
import dataclasses
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from benchmarks.calibrate import _build, _measure, _plain
from benchmarks.calibrate._quality import Quality, qualities

import toy_detectors
from benchmarks import _result, calibrate
from calibrate_copies import copies
from unmask.detectors import load_detector
from unmask.errors import UsageError
from unmask.evaluate.scores import FaceScore, ScoreKey, ScoreWriter, VideoScore
from unmask.types import ClipScore, LabelledVideo
from unmask.verdict import read_calibration, write_calibration

D, E = ("d", "aa"), ("e", "bb")


def test_what_is_built_comes_back_from_its_file(tmp_path: Path):
    made = _build.build(copies(conditions=("", "half_size")), [D], 0.2, 200, "val", 60.0)
    write_calibration(made, tmp_path / "c.json")
    assert read_calibration(tmp_path / "c.json") == made
    assert (made.scale, made.detector, made.panel) == ("llr", "d", ())
    assert (made.real_videos, made.fake_videos) == (18, 18)
    assert made.domain.min_bits_per_pixel == 0.1
    assert made.llr_bounds is not None
    low, high = made.llr_bounds
    assert -np.log(19) <= low < 0 < high <= np.log(19)
    assert "as they are, at half size" in made.data


def test_intervals_hold_their_score_and_widen_away_from_the_data():
    made = _build.build(copies(), [D], 0.2, 200, "val", 60.0)
    rows = np.array(made.classes[-1].interval)
    assert (rows[:, 1] <= rows[:, 0]).all()
    assert (rows[:, 0] <= rows[:, 2]).all()
    width = rows[:, 2] - rows[:, 1]
    assert width[-1] > width[len(width) // 2]


def test_scores_that_do_not_order_give_no_probability():
    made = _build.build(copies(0.0), [D], 0.2, 200, "val", 60.0)
    assert (made.scale, made.llr_bounds) == ("logit", None)
    assert made.classes[0].interval == ()
    assert made.threshold > made.lower


def test_a_panel_names_its_members_and_its_weights():
    made = _build.build(copies(members=2), [D, E], 0.2, 200, "val", 45.0)
    assert [(m.detector, m.weights_sha256, m.longest_cpu_s) for m in made.panel] == [
        ("d", "aa", None),
        ("e", "bb", 45.0),
    ]
    assert all(member.weight > 0 for member in made.panel)


def test_what_is_judged_was_not_fitted_on(monkeypatch: pytest.MonkeyPatch):
    some = copies(sources=5)
    fits: list[set[str]] = []
    real_fit = _measure.fit

    def noting(part, classes, rate):  # type: ignore[no-untyped-def]
        fits.append(set(part.source.tolist()))
        return real_fit(part, classes, rate)

    monkeypatch.setattr(_measure, "fit", noting)
    judged = _measure.without_its_source(some, 0.2)
    everybody = set(some.source.tolist())
    assert [everybody - one for one in fits] == [{f"s{i}"} for i in range(5)]
    assert np.isfinite(judged.score).all()


def test_figures_tell_errors_by_condition_quality_and_tool():
    told = _measure.figures_of(copies(conditions=("", "half_size")), 0.2, 100)
    assert json.loads(json.dumps(told)) == told
    assert list(told["sources left out"]) == ["as they are", "half_size", "all copies"]
    plain = told["sources left out"]["as they are"]
    assert (plain["real"], plain["forged"]) == (18, 18)
    assert plain["false alarms"]["n"].endswith("of 18")
    assert plain["found"]["value"] > 0.3
    assert 0 <= plain["ECE"]["value"] <= 0.5
    assert plain["Cllr"]["value"] < 1
    assert set(told["tools left out"]) == {"tool 0", "tool 1"}
    assert sum("real" in one for one in told["sources left out, by quality"].values()) >= 2


def test_a_panel_must_beat_its_first_member():
    two = copies(1.5, sources=6, members=2)
    noise = np.random.default_rng(5).normal(size=len(two))
    useless = dataclasses.replace(two, logit=np.column_stack([two.logit[:, 0], noise]))
    assert _measure.compare(two, 0.2, 20)["better"]
    assert not _measure.compare(useless, 0.2, 20)["better"]


def test_compression_is_measured_once(tmp_path: Path, portrait_video: Path):
    row = LabelledVideo(path=portrait_video, label=0, dataset="set", split="val")
    said: list[str] = []
    for _ in range(2):
        found = qualities(
            [row], portrait_video.parent, ["", "half_size"], tmp_path / "q.json", said.append
        )
    assert len(said) == 2
    assert found[portrait_video.name, ""].codec == "h264"
    assert (found[portrait_video.name, "half_size"].bits or 0) > 0


def test_a_file_that_is_no_video_has_no_known_compression(tmp_path: Path):
    path = tmp_path / "x.mp4"
    path.write_bytes(b"no video")
    row = LabelledVideo(path=path, label=0, dataset="set", split="val")
    found = qualities([row], tmp_path, [""], tmp_path / "q.json")
    assert found == {("x.mp4", ""): Quality(None, "")}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_build, "DRAWS", 60)


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A media pack whose files hold nothing, and stored scores of two toy detectors."""
    toy_detectors.own_registry(monkeypatch)
    monkeypatch.setattr(_result, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(_plain, "figures", partial(_plain.figures, resamples=40))
    weights = {}
    for number, name in enumerate(("bright", "other")):
        toy_detectors.register(name)
        weights[name] = toy_detectors.weights_file(
            tmp_path / f"{name}.safetensors", name, 0.0, float(number)
        )
    made = copies(2.0, sources=8, each=3, members=2)
    media = tmp_path / "media"
    lines = [["path", "split", "label", "method", "source"]]
    with ScoreWriter(tmp_path / "scores" / "videos") as writer:
        for number in range(len(made)):
            path = f"val/{number}.mp4"
            (media / "val").mkdir(parents=True, exist_ok=True)
            (media / path).write_bytes(f"{number}".encode())
            label = int(made.label[number])
            lines.append([path, "val", str(label), made.tool[number], made.source[number]])
            for place, (name, file) in enumerate(weights.items()):
                sha256 = load_detector(name, file).weights_used.sha256
                logit = float(made.logit[number, place])
                key = ScoreKey("media pack", made.tool[number], "", "val", path, name, sha256)
                face = FaceScore(0, logit, 5, 200.0)
                clips = [
                    ClipScore(
                        detector=name, track_id=0, start_s=i / 5, end_s=i / 5 + 0.2, logit=logit
                    )
                    for i in range(5)
                ]
                writer.add(
                    VideoScore(
                        key=key,
                        label=label,
                        source_id=made.source[number],
                        score=logit,
                        faces=(face,),
                    ),
                    clips,
                )
    with (media / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return tmp_path


def run(pack: Path, *more: str) -> int:
    common = ["--data", str(pack / "media"), "--scores", str(pack / "scores"), "--as-is-only"]
    return calibrate.main([*common, "--resamples", "50", *more])


def test_the_command_writes_figures_and_a_calibration_from_stored_scores(pack: Path):
    out = pack / "bright.calibration.json"
    weights = f"bright={pack / 'bright.safetensors'}"
    assert run(pack, "-d", weights, "--name", "c", "--calibrate", str(out)) == 0
    made = read_calibration(out)
    assert (made.detector, made.real_videos, made.scale) == ("bright", 24, "llr")
    result = json.loads((pack / "results" / "c.json").read_text())
    assert result["calibration"]["sources left out"]["as they are"]["real"] == 24
    assert result["pooled_auc"] > 0.8
    assert len(result["scores"]) == 48
    assert result["other_ways"]["touched_real"] == 0


def test_the_command_writes_a_panel_only_if_it_ranks_better(pack: Path, monkeypatch):
    out = pack / "panel.calibration.json"
    both = [f"{name}={pack / name}.safetensors" for name in ("bright", "other")]
    words = ["-d", both[0], "-d", both[1], "--name", "p", "--calibrate", str(out)]
    monkeypatch.setattr(calibrate, "compare", lambda *_: {"better": False})
    with pytest.raises(UsageError, match=r"ranks no better than bright alone .*--anyway"):
        run(pack, *words)
    assert not out.exists()
    assert run(pack, *words, "--anyway") == 0
    assert [m.detector for m in read_calibration(out).panel] == ["bright", "other"]
