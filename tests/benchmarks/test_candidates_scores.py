"""What candidates are judged on: nothing of train, nothing twice; and the command as a whole."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from benchmarks.candidates import _scores
from benchmarks.candidates._scores import check_apart, check_training, read_candidates, read_val

import toy_detectors
from benchmarks import candidates
from unmask.checkpoints import save_weights
from unmask.errors import DataError, UsageError, WeightsError

HEAD = ["path", "split", "label", "method", "source"]


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def media(tmp_path, encode, faces) -> Path:
    """Three sources, each with a real and a brighter forged video; two videos of train."""
    rows = []
    frames = [frame // 2 for frame in faces(4, 192)]
    for number in range(3):
        for label, kind in enumerate(("real", "fake")):
            path = f"val/{kind}/{number}.mp4"
            (tmp_path / "media" / path).parent.mkdir(parents=True, exist_ok=True)
            shown = [frame + 9 * number + 40 * label for frame in frames]
            encode(tmp_path / "media" / path, shown, fps=5)
            rows.append([path, "val", label, "tool" if label else "", f"s{number}"])
    train = tmp_path / "media" / "train"
    train.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (train / name).write_bytes(name.encode())
        rows.append([f"train/{name}", "train", 0, "", "t"])
    write_manifest(tmp_path / "media", rows)
    return tmp_path / "media"


def write_manifest(folder: Path, rows: list[list]) -> None:
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])


def weights(path: Path, gain: float, trained_on: str = "nothing") -> Path:
    state = {"gain": torch.tensor(gain), "offset": torch.tensor(0.0)}
    return save_weights(
        state, path, detector="bright", tag="t", license="MIT", trained_on=trained_on
    )


def test_only_val_is_read(media):
    rows = read_val(media)
    assert [(row.split, row.label, row.source_id) for row in rows] == [
        ("val", label, f"s{number}") for number in range(3) for label in (0, 1)
    ]


def test_a_video_of_train_is_refused(media):
    row = read_val(media)[0]
    train = media / "train"
    pattern = r"Cannot judge candidates on '.*': {}\. Expected videos of split 'val' that nothing"
    with pytest.raises(DataError, match=pattern.format("its split is 'train'")):
        check_apart([dataclasses.replace(row, split="train")], train)
    with pytest.raises(DataError, match=pattern.format("it lies in '.*train'")):
        check_apart([dataclasses.replace(row, path=train / "a.mp4")], train)
    shutil.copy(row.path, train / "c.mp4")
    with pytest.raises(DataError, match=pattern.format("it is a copy of '.*c.mp4'")):
        read_val(media)
    (train / "c.mp4").write_bytes(b"x" * row.path.stat().st_size)
    assert len(read_val(media)) == 6


def test_a_folder_without_a_manifest(tmp_path):
    message = r"Cannot judge candidates on '.*': there is no manifest.csv. Expected the media pack"
    with pytest.raises(DataError, match=message):
        read_val(tmp_path)


def test_weights_of_one_detector_are_distinguished(tmp_path):
    one, other = (weights(tmp_path / f"{gain}.safetensors", gain) for gain in (1.0, 2.0))
    names = [c.name for c in read_candidates([f"bright={one}", f"bright={other}"], "cpu")]
    assert len(set(names)) == 2
    assert all(name.startswith("bright@") for name in names)
    assert [c.name for c in read_candidates([f"bright={one}"], "cpu")] == ["bright"]
    copied = shutil.copy(one, tmp_path / "copy.safetensors")
    with pytest.raises(UsageError, match=r"they are the same weights \(sha256 .*Leave one out"):
        read_candidates([f"bright={one}", f"bright={copied}"], "cpu")
    message = r"Cannot judge bright: it has no weights, .* give one with -w bright=FILE"
    with pytest.raises(WeightsError, match=message):
        read_candidates(["bright"], "cpu")


def test_weights_trained_on_val_are_refused(tmp_path, media):
    val = media / "val"
    pattern = rf"Cannot judge 'bright=.*' on '{val}': it was trained on '{val}/real'"
    of_val = weights(tmp_path / "v.safetensors", 1.0, f"3 files of {val}/real, begun with x")
    with pytest.raises(DataError, match=pattern):
        check_training(read_candidates([f"bright={of_val}"], "cpu")[0], val)
    run = tmp_path / "run"
    run.mkdir()
    fine = weights(run / "t.safetensors", 1.0, f"3 files of {media}/train")
    (candidate,) = read_candidates([f"bright={fine}"], "cpu")
    check_training(candidate, val)
    data = {"path": f"{val}/real", "validation_path": "elsewhere"}
    (run / "run.json").write_text(json.dumps({"data": data}))
    with pytest.raises(DataError, match=pattern):
        check_training(candidate, val)
    # Choosing the epoch there is what val is for.
    data = {"path": f"{media}/train", "validation_path": f"{val}/real"}
    (run / "run.json").write_text(json.dumps({"data": data}))
    check_training(candidate, val)


def test_the_command_scores_nothing_twice_and_writes_both_files(
    tmp_path, media, capsys, monkeypatch
):
    files = [weights(tmp_path / f"{gain}.safetensors", gain) for gain in (50.0, -50.0)]
    given = ["--data", str(media), "--scores", str(tmp_path / "scores"), "--pairs", "6"]
    given += ["--rate", "0.4", "--resamples", "60", "-o", str(tmp_path / "out" / "judged.json")]
    for file in files:
        given += ["-w", f"bright={file}"]
    assert candidates.main(given) == 0
    result = json.loads((tmp_path / "out" / "judged.json").read_text())
    right, wrong = result["candidates"].values()
    assert right["figures"]["AUC within sources"]["value"] == 1
    assert wrong["figures"]["AUC within sources"]["value"] == 0
    assert right["figures"]["AUC within sources, half size"]["n"] == "3 sources with both classes"
    assert right["figures"]["pairs in order, pseudo-forgeries, raw"]["n"].startswith("6 pairs of")
    assert result["winner"] == next(iter(result["candidates"]))
    assert right["trained_on"] == "nothing"
    # The tool is in every source, so nothing is left to choose a threshold on.
    pattern = "Cannot choose without tool 'tool': 0 real videos cannot show"
    assert right["tools_left_out"]["tool"]["note"].startswith(pattern)
    tables = (tmp_path / "out" / "judged.md").read_text()
    assert tables in capsys.readouterr().out

    def refuse(*_: object) -> None:
        raise AssertionError("scored twice")

    monkeypatch.setattr("unmask.evaluate.score_videos._score", refuse)
    monkeypatch.setattr("benchmarks.pseudo.answer", refuse)
    assert candidates.main(given) == 0
    again = json.loads((tmp_path / "out" / "judged.json").read_text())
    assert again == result


def test_conditions_are_those_of_evaluate():
    assert _scores.CONDITIONS["as they are"] == ""
    for text in _scores.CONDITIONS.values():
        _scores.Condition(text)
    assert "compression 5" in _scores.CONDITIONS.values()
