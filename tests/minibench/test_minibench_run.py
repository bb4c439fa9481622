"""All protocols of a paper on a tiny benchmark, with a detector of one multiplication."""

from __future__ import annotations

import errno
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

import toy_detectors
from unmask.datasets import read_dataset
from unmask.errors import DataError, OutputError, UnknownNameError
from unmask.evaluate import read_scores
from unmask.evaluate.data import Data
from unmask.minibench import SENTENCE
from unmask.papers import draw as drawing_module
from unmask.papers import run
from unmask.papers.draw import show_occlusion
from unmask.papers.registry import get_protocol
from unmask.papers.run import run_protocols
from unmask.papers.score import Table
from unmask.papers.stand_in import get_stand_in, on
from unmask.papers.train import TrainTask, earlier, train_one
from unmask.train import Source

# tests/papers and tests/cli/test_cli_minibench*.py run parts of it by default.
pytestmark = pytest.mark.slow

PAPERS = ("anti_compression", "two_branch")


class Made(NamedTuple):
    ran: run.RunResult
    log: list[str]


def go(tree: Path, out: Path, **changed: object) -> Made:
    logged: list[str] = []
    asked = {"papers": PAPERS, "detectors": ["bright"], "log": logged.append} | changed
    return Made(run_protocols(tree, out, **asked), logged)


@pytest.fixture(scope="module", autouse=True)
def _bright():
    with pytest.MonkeyPatch.context() as patch:
        toy_detectors.own_registry(patch)
        toy_detectors.register("bright")
        # Each of the others would draw as many figures again.
        patch.setattr(drawing_module, "_RANKED", frozenset({"across compression"}))
        yield


@pytest.fixture(scope="module")
def made(bench, tmp_path_factory) -> Made:
    return go(bench.path, tmp_path_factory.mktemp("run") / "out")


@pytest.fixture(scope="module")
def content(made) -> dict:
    return json.loads((made.ran.path / "report.json").read_text())


def weights_in(out: Path) -> dict[str, int]:
    return {str(f.parent.name): f.stat().st_mtime_ns for f in out.rglob("*.safetensors")}


def test_every_protocol_of_the_papers_is_in_the_report(made, content):
    text = made.ran.report.read_text()
    assert made.ran.report == made.ran.path / "report.md"
    assert SENTENCE in text
    names = [table["protocol"] for table in content["tables"]]
    assert len(names) == made.ran.tables == 11
    assert {name.partition("/")[0] for name in names} == set(PAPERS)
    assert all(f"## {name}\n" in text for name in names)
    assert "paper, other data: L_cls + AT + Dis" in text
    assert "all from random weights" in text
    assert content["setting"] == "small"


def test_cells_have_values_of_what_was_trained(content):
    found = {
        (table["protocol"], column): value["value"]
        for table in content["tables"]
        for column, value in zip(table["columns"], table["ours"][0]["values"], strict=True)
        if column.endswith(("AUC", "accuracy"))
    }
    assert len(found) >= 4
    assert all(0 <= value <= 1 for value in found.values()), found


def test_equal_trainings_of_several_tables_are_made_once(made, content):
    names = [training["name"] for training in content["trainings"]]
    assert made.ran.trained == len(names) == len(set(names))
    assert set(weights_in(made.ran.path)) == set(names)
    # Deepfakes at both levels, four methods at both: the tables ask for these twelve times.
    assert len(names) == 4
    assert not made.ran.not_trained
    assert {training["steps"] for training in content["trainings"]} == {4}
    assert f"Trained: {len(names)} of {len(names)}" in made.log


def test_only_weights_and_the_record_stay_of_a_training(made):
    folder = made.ran.path / "runs"
    kinds = Counter(path.name for path in folder.rglob("*") if path.is_file())
    assert kinds == {"bright.safetensors": 4, "run.json": 4, "done.json": 4}


def test_faces_are_found_once_for_all(made):
    assert len(list((made.ran.path / "faces").iterdir())) == 1


def test_plots_lie_by_protocol(made, content):
    folders = {path.parent.name for path in made.ran.plots}
    assert folders == {"anti_compression-table1"}
    assert all(path.is_file() for path in made.ran.plots)
    assert len(content["plots"]) == len(made.ran.plots)
    shown = "plots/anti_compression-table1/roc-minibench-c40-test-all.svg"
    assert f"]({shown})" in made.ran.report.read_text()


def test_times_machine_and_workers_are_noted(content):
    assert list(content["times"]) == ["planning", "faces", "training", "scoring", "plots"]
    assert content["times"]["training"]["wall_s"] > 0  # Planning a small run rounds to 0.
    assert content["workers"] == 1
    assert "cores" in content["machine"]


def test_again_nothing_is_trained_or_scored_twice(made, bench, content, monkeypatch):
    monkeypatch.setattr(drawing_module, "_RANKED", frozenset())
    out = made.ran.path
    before = weights_in(out)
    scores = {f: f.read_bytes() for f in (out / "results").rglob("videos.parquet")}
    again = go(bench.path, out)
    assert weights_in(out) == before
    assert {f: f.read_bytes() for f in scores} == scores
    assert not any(line.startswith(("Trained", "Faces")) for line in again.log)
    tables = json.loads((out / "report.json").read_text())["tables"]
    assert [t["ours"] for t in tables] == [t["ours"] for t in content["tables"]]


def test_after_an_interruption_the_rest_is_trained(made, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(drawing_module, "_RANKED", frozenset())
    out, calls = tmp_path / "out", []

    def interrupted(job):
        calls.append(job)
        if len(calls) == 2:
            job.folder.mkdir(parents=True)
            (job.folder / "last.ckpt").write_text("half a run")
            raise KeyboardInterrupt
        return train_one(job)

    monkeypatch.setattr(run, "train_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(bench.path, out)
    first = weights_in(out)
    assert len(first) == 1
    assert json.loads((out / "times.json").read_text())["training"]["wall_s"] > 0
    made_later = go(bench.path, out)
    assert made_later.ran.trained == 4
    assert len(calls) == 2 + 3
    assert weights_in(out).items() > first.items()
    assert not list((out / "runs").rglob("last.ckpt"))


def test_a_training_that_the_data_do_not_allow_is_a_reason(made, tmp_path):
    faces = next((made.ran.path / "faces").iterdir())
    job = job_of(tmp_path, Source(path=faces, videos=99))
    trained = train_one(job)
    assert trained.file is None
    assert trained.reason.startswith("Cannot train with 99 real videos: the training split holds 1")
    assert not job.folder.exists()
    assert earlier(job.folder) is None


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    import unmask.train

    def full(*_: object, **__: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unmask.train, "train", full)
    with pytest.raises(OutputError, match=r"No space left on device\. What was finished is kept"):
        train_one(job_of(tmp_path, Source(path=tmp_path)))

    def torn(*_: object, **__: object) -> Path:
        raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed")

    monkeypatch.setattr(unmask.train, "train", torn)
    with pytest.raises(OutputError, match="no space is left"):
        train_one(job_of(tmp_path, Source(path=tmp_path)))


def test_what_the_disk_has_no_room_for_is_not_begun(bench, tmp_path, monkeypatch):
    usage = shutil._ntuple_diskusage(100, 99, 1)
    monkeypatch.setattr(run.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OutputError, match=r"Cannot train 4 networks .* Make room there"):
        go(bench.path, tmp_path / "out")
    assert not (tmp_path / "out" / "faces").exists()


def test_occlusion_of_a_protocol_that_is_a_map(made, bench, tmp_path):
    protocol = on(get_protocol("lipforensics/figure6"), get_stand_in("minibench"))
    file = next((made.ran.path / "runs").rglob("*.safetensors"))
    table = Table(protocol=protocol, detectors=("bright",), weights={"bright": file})
    data = [Data(read_dataset("minibench", bench.path), bench.path)]
    paths = show_occlusion(table, data, tmp_path, "cpu")
    assert {path.parent.name for path in paths} == {"lipforensics-figure6-bright"}
    assert any(path.suffix == ".png" for path in paths)
    assert all(path.is_file() for path in paths)


def test_scores_are_of_the_models_that_were_trained(made):
    rows = read_scores(made.ran.path / "results" / "anti_compression")
    assert {row.key.detector for row in rows} == {"bright"}
    assert len({row.key.weights_sha256 for row in rows}) == 2
    assert all(row.score is not None for row in rows)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"papers": ["two_brunch"]}, UnknownNameError, "Unknown paper 'two_brunch'. Did you mean"),
        ({"detectors": ["brigth"]}, UnknownNameError, "Did you mean 'bright'?"),
    ],
)
def test_unknown_names_come_with_the_known_ones(bench, tmp_path, changed, error, message):
    with pytest.raises(error) as caught:
        go(bench.path, tmp_path / "out", **changed)
    assert message in str(caught.value)
    assert "Known: " in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_tree_that_is_none(tmp_path):
    with pytest.raises(DataError, match="minibench"):
        go(tmp_path, tmp_path / "out")


def test_too_few_videos(bench, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(bench.path, tree)
    for file in tree.glob("manipulated_sequences/*/*/videos/*"):
        names = json.loads((tree / "splits" / "val.json").read_text())
        if file.stem.partition("_")[0] in {name for pair in names for name in pair}:
            file.unlink()
    with pytest.raises(DataError, match=r"its split val holds no forged videos\. Expected both"):
        go(tree, tmp_path / "out")


def test_a_folder_with_something_else(bench, tmp_path, made):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"it exists and is not a begun run\. Give a new folder"):
        go(bench.path, tmp_path)
    with pytest.raises(OutputError, match="it was begun with another setting"):
        go(bench.path, made.ran.path, is_small=False)


def job_of(folder: Path, source: Source) -> TrainTask:
    return TrainTask(
        detector="bright",
        settings=("epochs=1", "steps_per_epoch=1", "batch_size=2"),
        source=source,
        folder=folder / "one",
        device="cpu",
        threads=None,
    )
