"""LRW and AffectNet: what networks learn before they see forgeries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataset_trees import touch
from unmask.datasets import check_dataset, check_splits, read_dataset
from unmask.datasets.affectnet import EXPRESSIONS
from unmask.errors import DataError


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return touch(
        tmp_path / "lrw",
        *(
            f"lipread_mp4/{word}/{split}/{word}_0000{number}.{suffix}"
            for word in ("ABOUT", "YOUNG")
            for split in ("train", "val", "test")
            for number in (1, 2)
            for suffix in ("mp4", "txt")
        ),
    )


def test_a_word_is_a_method_and_its_clips_are_real(words: Path):
    rows = read_dataset("lrw", words)
    assert len(rows) == 12
    assert {(row.method, row.label) for row in rows} == {("ABOUT", 0), ("YOUNG", 0)}
    assert len({row.source_id for row in rows if row.method == "ABOUT"}) == 6
    check_splits(rows)
    chosen = read_dataset("lrw", words, split="val", methods=["YOUNG"])
    assert [row.path.name for row in chosen] == ["YOUNG_00001.mp4", "YOUNG_00002.mp4"]


def test_the_folder_below_is_one_too_deep(words: Path):
    with pytest.raises(DataError, match=f"'{words}' looks right"):
        read_dataset("lrw", words / "lipread_mp4")


def test_a_word_without_one_of_its_splits_is_named(words: Path):
    for path in (words / "lipread_mp4/YOUNG/test").iterdir():
        path.unlink()
    report = check_dataset("lrw", words)
    assert report.missing_files.first == ("lipread_mp4/YOUNG/test/*.mp4",)


@pytest.fixture
def official(tmp_path: Path) -> Path:
    root = tmp_path / "AffectNet"
    for split, codes in {"train": "0", "val": 7}.items():
        touch(root, f"{split}_set/images/5.jpg", f"{split}_set/annotations/5_val.npy")
        np.save(root / f"{split}_set/annotations/5_exp.npy", codes)
    return root


def test_numbers_of_the_official_layout_become_names(official: Path):
    rows = read_dataset("affectnet", official)
    assert [(row.split, row.method, row.label) for row in rows] == [
        *(("train", "neutral", 0), ("val", "contempt", 0)),
    ]
    check_splits(rows)


def test_pictures_and_numbers_that_lack_each_other_are_named(official: Path):
    touch(official, "train_set/images/6.jpg")
    (official / "val_set/images/5.jpg").unlink()
    touch(official, "val_set/images/7.txt")
    report = check_dataset("affectnet", official)
    assert report.missing_files.first == (
        *("train_set/annotations/6_exp.npy", "val_set/images/5.jpg"),
    )


@pytest.mark.parametrize("told", ["eleven", 11, -1, [1, 2]])
def test_a_number_that_is_none_is_named(official: Path, told: object):
    np.save(official / "train_set/annotations/5_exp.npy", told)
    with pytest.raises(DataError, match=r"5_exp\.npy': expected one number from 0 to 10"):
        read_dataset("affectnet", official)


def test_no_annotation_is_ever_unpickled(official: Path):
    np.save(official / "train_set/annotations/5_exp.npy", np.array({}, object), allow_pickle=True)
    with pytest.raises(DataError, match=r"5_exp\.npy': expected one number"):
        read_dataset("affectnet", official)


@pytest.mark.parametrize("names", [("0", "1", "6"), ("Neutral", "happy", "Anger")])
def test_a_folder_per_class_by_number_or_name(tmp_path: Path, names: tuple[str, ...]):
    touch(tmp_path, *(f"{split}/{name}/a.jpg" for split in ("train", "test") for name in names))
    touch(tmp_path, "train/models/b.jpg")
    rows = read_dataset("affectnet", tmp_path)
    assert {(row.split, row.method) for row in rows} == {
        (split, name) for split in ("train", "test") for name in ("neutral", "happiness", "anger")
    }
    notes = check_dataset("affectnet", tmp_path).notes
    assert "'train/models' is no expression: left out" in notes


def test_the_eleven_categories_stand_in_the_order_of_their_numbers():
    assert len(EXPRESSIONS) == 11
    assert EXPRESSIONS[3] == "surprise"
    assert EXPRESSIONS[7] == "contempt"
