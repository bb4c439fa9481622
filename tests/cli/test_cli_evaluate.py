"""``unmask evaluate``."""

import csv

import pytest

import toy_detectors
from dataset_trees import write_faceforensics
from score_rows import clips, drawn, video
from unmask.evaluate.scores import ScoreWriter, read_scores


@pytest.fixture
def results(tmp_path):
    """Scores of two detectors on a test and a validation split; one video has none."""
    rows = [*drawn(1), *drawn(2, split="val"), *drawn(3, detector="other")]
    rows.append(video("broken.mp4", None, method="A", reason="unreadable: cut off"))
    with ScoreWriter(tmp_path / "results") as writer:
        for row in rows:
            writer.add(row, [] if row.score is None else clips(row.score, row.key.detector))
    return tmp_path / "results"


@pytest.fixture
def bright(tmp_path, monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    return toy_detectors.weights_file(tmp_path / "b.safetensors", "bright", 2.0)


def test_a_data_set_is_scored_and_measured(cli, tmp_path, bright):
    ids = (("000", "003"), ("011", "012"))
    tree = write_faceforensics(tmp_path / "ff", ids, ("Deepfakes",), ("c23",), 8, with_masks=False)
    words = ["--data", tree, "--dataset", "faceforensics", "--split", "val", "-d", "bright"]
    words += ["-w", f"bright={bright}", "-o", tmp_path / "out", "--resamples", "50"]
    ran = cli("evaluate", *words)
    assert ran.code == 0, ran.err
    assert "4/4 " in ran.err
    assert "| bright | " in ran.out
    assert "| faceforensics | c23 | val |  | Deepfakes | 2 | 2 | 2 | 0 | " in ran.out
    assert len(read_scores(tmp_path / "out")) == 4
    again = cli("evaluate", *words)
    assert again.out == ran.out
    assert "4/4" not in again.err


def test_a_plain_folder_is_one_split(cli, tmp_path, bright, portrait_video):
    (tmp_path / "data/real").mkdir(parents=True)
    (tmp_path / "data/real/a.mp4").symlink_to(portrait_video)
    words = ["--data", tmp_path / "data", "-d", "bright", "-w", f"bright={bright}", "-o"]
    ran = cli("evaluate", *words, tmp_path / "out")
    assert ran.code == 0, ran.err
    (row,) = read_scores(tmp_path / "out")
    assert (row.key.split, row.key.path) == ("test", "real/a.mp4")
    assert "not measurable: no fake videos in data test" in ran.out


def test_tables_of_scores_that_are_there(cli, results):
    ran = cli("evaluate", "-o", results, "--resamples", 50)
    assert ran.code == 0
    assert "no score: broken.mp4 (d, bright): unreadable: cut off" in ran.err
    assert ran.out.strip() == (results / "tables.md").read_text().strip()
    rows = list(csv.DictReader((results / "tables.csv").read_text().splitlines()))
    assert len(rows) == 9
    assert {row["threshold"] == "" for row in rows if row["detector"] == "other"} == {True}
    moved = cli("evaluate", "-o", results, "--resamples", 50, "--threshold-from", "elsewhere")
    assert "the split 'val' of elsewhere was not evaluated" in moved.out


def test_compare(cli, results):
    ran = cli("evaluate", "-o", results, "--compare", "bright", "other", "--resamples", 50)
    assert ran.code == 0
    assert ran.out.startswith("bright - other: differences in percentage points")
    assert "| d c23 test | A | 30 | 30 | 1 | " in ran.out


def test_a_papers_table_without_data(cli):
    ran = cli("evaluate", "paper:lipforensics/table2")
    assert ran.code == 0
    assert "| paper: LipForensics | 82.4 | 73.5 | 97.1 | 97.6 | 87.7 |" in ran.out
    assert "CDF: no data: needs forgeries in celeb_df test" in ran.out


def test_a_papers_table_with_data(cli, tmp_path, bright):
    ids = (("000", "003"), ("011", "012"), ("720", "672"))
    tree = write_faceforensics(tmp_path / "ff", ids, ("Deepfakes",), ("c40",), 8, with_masks=False)
    words = ["paper:anti_compression/table2", "--data", tree, "--dataset", "faceforensics"]
    words += ["-d", "bright", "-w", f"bright={bright}", "-o", tmp_path / "out"]
    ran = cli("evaluate", *words, "--resamples", 50)
    assert ran.code == 0, ran.err
    assert "| paper: L_cls | 94.92 | 98.87 |" in ran.out
    assert "| ours: bright | " in ran.out
    assert "no data" not in ran.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Cannot evaluate: expected a folder for the scores. Name it with -o."),
        (["--data", "x", "-o", "y"], "Cannot evaluate: -d NAME is missing. Give both, or neither."),
        (
            ["-d", "meso4", "-o", "y"],
            "Cannot evaluate: --data PATH is missing. Give both, or neither.",
        ),
        (["--dataset", "dfdc", "-o", "y"], "Cannot read data: 1 --dataset for 0 --data. Give each"),
        (["-w", "x", "-o", "y"], "Cannot use -w 'x': expected NAME=TAG or NAME=FILE."),
        (["-w", "a=b", "-w", "a=c"], "Cannot use -w 'a=c': a has weights already. Give one."),
        (["table1"], "Cannot evaluate 'table1': expected paper:NAME/TABLE. Data are given with -"),
        (["paper:x"], "Unknown protocol 'x'. Known: lipforensics/table1, "),
        (
            ["paper:lipforensics/table1", "-d", "meso4"],
            "Cannot evaluate: expected a folder for the scores. Name it with -o.",
        ),
    ],
)
def test_wrong_usage(cli, words, message):
    ran = cli("evaluate", *words)
    assert ran.code == 2
    assert ran.error.startswith(message)


def test_a_folder_without_scores(cli, tmp_path):
    ran = cli("evaluate", "-o", tmp_path)
    assert ran.code == 1
    assert ran.error.startswith(f"There are no scores in '{tmp_path}': expected videos.parquet")
