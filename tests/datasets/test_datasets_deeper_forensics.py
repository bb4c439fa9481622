"""DeeperForensics-1.0: its own lists and the pairs of FaceForensics++."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_trees import touch, write_splits
from unmask.datasets import check_dataset, check_splits, read_dataset
from unmask.errors import DataError

FAKES = {"train": "000_M101", "val": "011_W102", "test": "953_M004"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = touch(
        tmp_path / "DeeperForensics-1.0",
        *(f"manipulated_videos/end_to_end/{name}.mp4" for name in FAKES.values()),
        *(f"manipulated_videos/end_to_end_level_1/{name}.mp4" for name in FAKES.values()),
        *(f"lists/splits/{split}.txt" for split in FAKES),
    )
    for split, name in FAKES.items():
        (root / "lists" / "splits" / f"{split}.txt").write_text(f"{name}.mp4\n")
    return root


def test_rows_by_its_own_lists(tree: Path):
    rows = {row.video_id: row for row in read_dataset("deeper_forensics", tree)}
    assert len(rows) == 6
    row = rows["end_to_end_level_1/953_M004"]
    assert (row.label, row.split, row.method) == (1, "test", "end_to_end_level_1")
    assert row.source_id == "953"
    assert row.identities == ("ff/953", "dfo/M004")
    check_splits(rows.values())
    (one,) = read_dataset("deeper_forensics", tree, methods=["end_to_end"], split="val")
    assert one.path.name == "011_W102.mp4"


def test_real_videos_come_from_faceforensics(tree: Path):
    assert any("no real videos" in note for note in check_dataset("deeper_forensics", tree).notes)
    folder = "original_sequences/youtube/c23/videos"
    touch(tree, f"{folder}/000.mp4", f"{folder}/011.mp4", f"{folder}/555.mp4")
    reals = [row for row in read_dataset("deeper_forensics", tree) if row.label == 0]
    assert [(row.source_id, row.split) for row in reals] == [("000", "train"), ("011", "val")]
    report = check_dataset("deeper_forensics", tree)
    assert report.missing_files.first == (f"{folder}/953.mp4",)


def test_the_pairs_of_faceforensics_divide_it_as_the_papers_do(tree: Path):
    write_splits(tree, (("000", "003"), ("953", "974"), ("011", "012")))
    rows = read_dataset("deeper_forensics_ff", tree, methods=["end_to_end"])
    assert {row.source_id: row.split for row in rows} == {
        "000": "train",
        "953": "val",
        "011": "test",
    }
    # Another name for another split: scores of both are never taken for one another.
    assert {row.dataset for row in rows} == {"deeper_forensics_ff"}
    assert {row.dataset for row in read_dataset("deeper_forensics", tree)} == {"deeper_forensics"}


def test_people_shared_by_the_pairs_are_a_remark(tree: Path):
    touch(tree, "manipulated_videos/end_to_end/011_M101.mp4")
    write_splits(tree, (("000", "003"), ("953", "974"), ("011", "012")))
    report = check_dataset("deeper_forensics_ff", tree)
    assert report.shared_identities.count == 0
    assert any("the videos, not the actors" in note for note in report.notes)
    with pytest.raises(DataError, match=r"1 identity on both sides: dfo/M101 \(test and train\)"):
        check_splits(read_dataset("deeper_forensics_ff", tree))


def test_files_and_lists_that_are_missing_are_named(tree: Path):
    (tree / "manipulated_videos/end_to_end/000_M101.mp4").unlink()
    touch(tree, "manipulated_videos/end_to_end/555_M101.mp4")
    report = check_dataset("deeper_forensics", tree)
    assert report.missing_files.first == ("manipulated_videos/end_to_end/000_M101.mp4",)
    assert "1 video in no split left out (555_M101)" in report.notes
    (tree / "lists/splits/val.txt").unlink()
    with pytest.raises(DataError, match=r"there is no 'lists/splits/val\.txt' in it"):
        read_dataset("deeper_forensics", tree)
    with pytest.raises(DataError, match=r"there is no train\.json"):
        read_dataset("deeper_forensics_ff", tree)
