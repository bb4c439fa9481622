"""Celeb-DF v2: labels turned round, sources and people from the names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_trees import touch
from unmask.datasets import check_dataset, check_splits, read_dataset
from unmask.errors import DataError

LIST = "List_of_testing_videos.txt"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = touch(
        tmp_path / "Celeb-DF-v2",
        *(f"Celeb-real/id{person}_000{clip}.mp4" for person in (0, 1, 16) for clip in (0, 1)),
        *("Celeb-synthesis/id0_id1_0000.mp4", "Celeb-synthesis/id16_id0_0001.mp4"),
        *("YouTube-real/00000.mp4", "YouTube-real/00170.mp4"),
    )
    (root / LIST).write_text(
        "1 YouTube-real/00170.mp4\n1 Celeb-real/id1_0001.mp4\n0 Celeb-synthesis/id0_id1_0000.mp4\n"
    )
    return root


def test_names_and_the_list_give_label_split_source_and_people(tree: Path):
    rows = {row.video_id: row for row in read_dataset("celeb_df", tree)}
    assert len(rows) == 10
    fake, real = rows["Celeb-synthesis/id0_id1_0000"], rows["Celeb-real/id0_0000"]
    assert (fake.label, fake.split, fake.method) == (1, "test", "Celeb-synthesis")
    assert (real.label, real.split, real.method) == (0, "train", "")
    assert fake.source_id == real.source_id == "id0_0000"
    assert fake.identities == ("celeb/id0", "celeb/id1")
    other = rows["YouTube-real/00170"]
    assert (other.label, other.split) == (0, "test")
    assert rows["YouTube-real/00000"].split == "train"
    assert other.source_id != rows["YouTube-real/00000"].source_id
    assert rows["Celeb-real/id1_0001"].split == "test"


def test_the_test_split_alone_has_nobody_on_two_sides(tree: Path):
    check_splits(read_dataset("celeb_df", tree, split="test"))
    with pytest.raises(DataError, match=r"2 identities on both sides: celeb/id0 \(test and train"):
        check_splits(read_dataset("celeb_df", tree))


def test_that_the_official_list_shares_people_is_a_remark(tree: Path):
    report = check_dataset("celeb_df", tree)
    assert report.is_complete
    assert any("2 identities in two splits" in note for note in report.notes)


def test_listed_videos_without_a_file_are_named(tree: Path):
    (tree / "YouTube-real/00170.mp4").unlink()
    report = check_dataset("celeb_df", tree)
    assert report.missing_files.first == ("YouTube-real/00170.mp4",)


def test_without_the_list_there_are_no_splits(tree: Path):
    (tree / LIST).unlink()
    with pytest.raises(DataError, match=f"there is no {LIST} in it. It comes with the data set"):
        read_dataset("celeb_df", tree)


@pytest.mark.parametrize("line", ["0 YouTube-real/00170.mp4", "2 Celeb-real/id1_0001.mp4", "id1"])
def test_a_list_whose_labels_are_turned_round_is_refused(tree: Path, line: str):
    (tree / LIST).write_text(f"1 Celeb-real/id1_0001.mp4\n{line}\n")
    with pytest.raises(DataError, match=rf"entry 2: expected .* 1 means real; got '{line}'"):
        read_dataset("celeb_df", tree)
