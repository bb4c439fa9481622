"""DFDC and its preview: labels and sources from their JSON and CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataset_trees import touch
from unmask.datasets import check_dataset, check_splits, read_dataset
from unmask.errors import DataError


def entry(label: str, original: str = "") -> dict[str, str]:
    return {"label": label, "split": "train"} | ({"original": original} if original else {})


PARTS = {
    "dfdc_train_part_0": {
        "vpmyeepbep.mp4": entry("REAL"),
        "fckxaqjbxk.mp4": entry("FAKE", "vpmyeepbep.mp4"),
    },
    "dfdc_train_part_40": {
        "xugmhbetrw.mp4": entry("REAL"),
        "msoqnkucal.mp4": entry("FAKE", "xugmhbetrw.mp4"),
    },
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "dfdc"
    for part, entries in PARTS.items():
        touch(root / part, *entries)
        (root / part / "metadata.json").write_text(json.dumps(entries))
    touch(root / "test", "aalscayrfi.mp4", "aassnaulhq.mp4")
    (root / "test" / "labels.csv").write_text(
        "filename,label\naalscayrfi.mp4,1\naassnaulhq.mp4,0\n"
    )
    (root / "test" / "metadata.json").write_text("{}")
    return root


def test_rows_of_the_training_parts_and_of_the_test_folder(tree: Path):
    rows = {row.path.stem: row for row in read_dataset("dfdc", tree)}
    assert len(rows) == 6
    fake, real = rows["fckxaqjbxk"], rows["vpmyeepbep"]
    assert (fake.label, fake.split, fake.method, real.label) == (1, "train", "DFDC", 0)
    assert fake.source_id == real.source_id == "vpmyeepbep"
    assert fake.identities == ("dfdc/dfdc_train_part_0",)
    tested = rows["aalscayrfi"]
    assert (tested.label, tested.split, rows["aassnaulhq"].label) == (1, "test", 0)
    check_splits(rows.values())


def test_parts_below_another_folder_and_one_part_alone_are_read(tree: Path):
    (tree / "train").mkdir()
    for part in PARTS:
        (tree / part).rename(tree / "train" / part)
    assert len(read_dataset("dfdc", tree)) == 6
    assert len(read_dataset("dfdc", tree / "train" / "dfdc_train_part_0")) == 2


def test_a_validation_folder_validates(tree: Path):
    touch(tree / "validation", "4000.mp4")
    (tree / "validation" / "label.csv").write_text("filename,label\n4000.mp4,0\n")
    (row,) = read_dataset("dfdc", tree, split="val")
    assert row.path.name == "4000.mp4"


def test_parts_can_be_held_out(tree: Path):
    (tree / "splits.json").write_text('{"val": ["dfdc_train_part_40", "dfdc_train_part_41"]}')
    rows = read_dataset("dfdc", tree, split="val")
    assert {row.path.stem for row in rows} == {"xugmhbetrw", "msoqnkucal"}
    notes = check_dataset("dfdc", tree).notes
    assert "splits.json names parts that are not here: dfdc_train_part_41" in notes


def test_a_part_in_two_splits_is_refused(tree: Path):
    part = "dfdc_train_part_40"
    (tree / "splits.json").write_text(json.dumps({"val": [part], "test": [part]}))
    with pytest.raises(DataError, match=f"puts {part} into two splits"):
        read_dataset("dfdc", tree)


def test_unknown_splits_are_refused(tree: Path):
    (tree / "splits.json").write_text('{"validation": []}')
    with pytest.raises(DataError, match=r"splits\.json': expected {\"val\""):
        read_dataset("dfdc", tree)


def test_entries_without_a_file_are_named(tree: Path):
    (tree / "dfdc_train_part_0" / "fckxaqjbxk.mp4").unlink()
    report = check_dataset("dfdc", tree)
    assert report.missing_files.first == ("dfdc_train_part_0/fckxaqjbxk.mp4",)
    assert not report.is_complete


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON"),
        ("[]", "expected {"),
        ('{"a.mp4": 1}', "entry 'a.mp4': expected"),
        ('{"a.mp4": {"label": "MAYBE"}}', "expected the label FAKE, REAL, .* got 'MAYBE'"),
    ],
)
def test_damaged_metadata_is_named(tree: Path, text: str, message: str):
    (tree / "dfdc_train_part_0" / "metadata.json").write_text(text)
    with pytest.raises(DataError, match=f"dfdc_train_part_0/metadata.json'.*{message}"):
        read_dataset("dfdc", tree)


def test_labels_without_their_columns_are_named(tree: Path):
    (tree / "test" / "labels.csv").write_text("name,label\na.mp4,1\n")
    with pytest.raises(
        DataError, match="line 2: expected the columns filename and label, got name"
    ):
        read_dataset("dfdc", tree)


@pytest.fixture
def preview(tmp_path: Path) -> Path:
    root = tmp_path / "dfdc_preview_set"
    described = {
        "original_videos/1260311/1260311_C_001.mp4": {
            "label": "real",
            "set": "train",
            "target_id": "1260311",
            "swapped_id": None,
        },
        "method_B/1260311/1260311_C/1255229_1260311_C_001.mp4": {
            "label": "fake",
            "set": "train",
            "target_id": "1260311",
            "swapped_id": "1255229",
        },
        "original_videos/643049/643049_A_001.mp4": {
            "label": "real",
            "set": "test",
            "target_id": "643049",
            "swapped_id": None,
        },
    }
    touch(root, *described)
    (root / "dataset.json").write_text(json.dumps(described))
    return root


def test_rows_of_the_preview(preview: Path):
    rows = {row.path.stem: row for row in read_dataset("dfdc_preview", preview)}
    fake, real = rows["1255229_1260311_C_001"], rows["1260311_C_001"]
    assert (fake.label, fake.method, fake.split) == (1, "method_B", "train")
    assert (real.label, real.method) == (0, "")
    assert fake.source_id == real.source_id == "1260311_C"
    assert fake.identities == ("dfdc_preview/1260311", "dfdc_preview/1255229")
    assert rows["643049_A_001"].split == "test"
    check_splits(rows.values())


def test_preview_entries_without_a_file_are_named(preview: Path):
    (preview / "original_videos/643049/643049_A_001.mp4").unlink()
    report = check_dataset("dfdc_preview", preview)
    assert report.missing_files.first == ("original_videos/643049/643049_A_001.mp4",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected {"),
        ('{"a.mp4": {"label": "FAKE", "set": "train"}}', "entry 'a.mp4': expected"),
        ('{"a.mp4": {"label": "fake"}}', "entry 'a.mp4': expected"),
    ],
)
def test_damaged_preview_metadata_is_named(preview: Path, text: str, message: str):
    (preview / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=f"dataset.json'.*{message}"):
        read_dataset("dfdc_preview", preview)
