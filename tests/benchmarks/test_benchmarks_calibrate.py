"""``python -m benchmarks calibrate`` as a whole; scores are made up."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest
from benchmarks.calibrate import _plain
from benchmarks.calibrate._by_group import metrics_by_group

import toy_detectors
from benchmarks import _result, calibrate
from scored_copies import copies
from unmask.calibrate import build as building
from unmask.errors import UsageError
from unmask.evaluate.scores import FaceScore, ScoreKey, ScoreWriter, VideoScore
from unmask.types import ClipScore
from unmask.verdict import read_calibration
from unmask.weights import load_detector


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "DRAWS", 60)


def test_metrics_name_errors_by_condition_quality_and_tool():
    found = metrics_by_group(copies(conditions=("", "half_size")), 0.2, 100)
    assert json.loads(json.dumps(found)) == found
    assert list(found["sources left out"]) == ["as they are", "half_size", "all copies"]
    plain = found["sources left out"]["as they are"]
    assert (plain["real"], plain["forged"]) == (18, 18)
    assert plain["false alarms"]["n"].endswith("of 18")
    assert plain["found"]["value"] > 0.3
    assert 0 <= plain["ECE"]["value"] <= 0.5
    assert plain["Cllr"]["value"] < 1
    assert set(found["tools left out"]) == {"tool 0", "tool 1"}
    assert sum("real" in one for one in found["sources left out, by quality"].values()) >= 2


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
                sha256 = load_detector(name, file).weights.sha256
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
    words = ["-d", weights, "--name", "c", "--calibrate", str(out), "--blind-spots", "It is blind."]
    assert run(pack, *words) == 0
    made = read_calibration(out)
    assert made.left_out is not None
    assert (made.left_out.found.videos, made.blind_spots) == (24, "It is blind.")
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
    monkeypatch.setattr(calibrate, "is_better", lambda compared: False)
    with pytest.raises(UsageError, match=r"ranks no better than bright alone .*--anyway"):
        run(pack, *words)
    assert not out.exists()
    assert run(pack, *words, "--anyway") == 0
    assert [m.detector for m in read_calibration(out).panel] == ["bright", "other"]
