"""A CSV file: what each column means, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_trees import touch
from unmask.datasets import check_dataset, check_splits, read_dataset
from unmask.errors import DataError


def write(root: Path, text: str) -> Path:
    touch(root, "clips/a.mp4", "clips/b.mp4", "masks/b.mp4")
    path = root / "mine.csv"
    path.write_text(text)
    return path


def test_three_columns_are_enough(tmp_path: Path):
    path = write(tmp_path, "path,label,split\nclips/a.mp4,real,train\nclips/b.mp4,1,val\n")
    real, fake = read_dataset("csv", path)
    assert (real.path, real.label, real.split) == (tmp_path / "clips/a.mp4", 0, "train")
    assert (fake.label, fake.split, fake.method, fake.dataset) == (1, "val", "forged", "mine")
    assert real.source_id != fake.source_id


def test_all_columns_and_absolute_paths(tmp_path: Path):
    path = write(
        tmp_path,
        "path,label,split,method,source_id,subject,compression,mask_path,video_id,identities,"
        "dataset\n"
        f"{tmp_path}/clips/b.mp4,FAKE,test,SadTalker,a,ann,c23,masks/b.mp4,b,ann bob,ours\n",
    )
    (row,) = read_dataset("csv", path)
    assert row.path == tmp_path / "clips/b.mp4"
    assert (row.method, row.source_id, row.subject) == ("SadTalker", "a", "ann")
    assert (row.compression, row.video_id, row.dataset) == ("c23", "b", "ours")
    assert row.mask_path == tmp_path / "masks/b.mp4"
    assert row.identities == ("ann", "bob")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\nclips/a.mp4,0\n", "it has no column split. Expected path, label, split"),
        ("", "it has no column path, label, split"),
        ("path,label,split,methd\n", "it has columns methd. Expected"),
        ("path,label,split\nclips/a.mp4,0,train\n\nclips/b.mp4,2,val\n", "line 4: .*label='2'"),
        ("path,label,split\nclips/a.mp4,0,\n", "line 2: .*split=''"),
        ("path,label,split\nclips/a.mp4,0\n", "line 2: it has more or fewer values"),
        ("path,label,split\nclips/a.mp4,0,train,x\n", "line 2: it has more or fewer values"),
        ('path,label,split\n"clips/a.mp4,0,train\n', "after line 1: .*Write it as CSV"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=f"mine.csv'.*{message}"):
        read_dataset("csv", write(tmp_path, text))


def test_files_that_are_not_there_are_named_with_their_lines(tmp_path: Path):
    path = write(
        tmp_path,
        "path,label,split,mask_path\n"
        "clips/a.mp4,0,train,\nclips/b.mp4,1,train,masks/a.mp4\nclips/c.mp4,1,train,\n",
    )
    with pytest.raises(DataError) as error:
        read_dataset("csv", path)
    assert str(error.value) == (
        f"'{path}' names 2 files that cannot be found: '{tmp_path}/masks/a.mp4' (line 3), "
        f"'{tmp_path}/clips/c.mp4' (line 4). Relative paths start at its folder. Correct or "
        "remove these lines."
    )


def test_a_folder_is_no_csv(tmp_path: Path):
    with pytest.raises(DataError, match=r"it is not a file. Give a CSV file"):
        read_dataset("csv", tmp_path)


def test_a_table_of_titles_alone_is_empty(tmp_path: Path):
    with pytest.raises(DataError, match="No csv media in"):
        read_dataset("csv", write(tmp_path, "path,label,split\n"))


def test_bytes_that_are_no_text(tmp_path: Path):
    path = write(tmp_path, "")
    path.write_bytes(b"path,label,split\n\xff\xfe,1,train\n")
    with pytest.raises(DataError, match="Write it as CSV"):
        read_dataset("csv", path)


def test_people_and_sources_on_both_sides(tmp_path: Path):
    rows = "clips/a.mp4,0,train,x,\nclips/b.mp4,1,val,x,\n"
    path = write(tmp_path, f"path,label,split,source_id,identities\n{rows}")
    with pytest.raises(DataError, match=r"1 identity on both sides: mine:x \(train and val\)"):
        check_splits(read_dataset("csv", path))
    report = check_dataset("csv", path)
    assert not report.is_complete
    assert report.shared_identities.first == ("mine:x (train and val)",)


def test_pairs_of_levels_are_known_by_their_video_id(tmp_path: Path):
    head = "path,label,split,compression,video_id,source_id\n"
    touch(tmp_path, "clips/c.mp4")
    rows = "clips/a.mp4,0,train,c23,a,a\nclips/b.mp4,0,train,c40,a,a\nclips/c.mp4,0,train,c23,c,c\n"
    report = check_dataset("csv", write(tmp_path, head + rows))
    assert report.missing_pairs.first == ("c at c40",)
