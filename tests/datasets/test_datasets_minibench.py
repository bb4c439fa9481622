"""The adapters of the miniature benchmark: which of its two trees a folder is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataset_trees import touch
from unmask.datasets import check_dataset, read_dataset
from unmask.errors import DataError

FAMILY = "mouth_swap_in_time"


def write(root: Path, part: str, people: dict[str, str], split: str) -> Path:
    for name in people:
        for level in ("raw", "c23"):
            touch(root, f"original_sequences/own/{level}/videos/{name}.mp4")
            touch(root, f"manipulated_sequences/{FAMILY}/{level}/videos/{name}_{name}.mp4")
        touch(root, f"manipulated_sequences/{FAMILY}/masks/videos/{name}_{name}.mp4")
    (root / "splits").mkdir()
    for one in ("train", "val", "test"):
        pairs = [[name, name] for name in people] if one == split else []
        (root / "splits" / f"{one}.json").write_text(json.dumps(pairs))
    sources = {name: {"person": person} for name, person in people.items()}
    (root / "minibench.json").write_text(json.dumps({"part": part, "sources": sources}))
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = write(tmp_path / "mini", "main", {"000": "ann", "001": "ann"}, "train")
    write(root / "other", "other", {"002": "ben"}, "test")
    return root


def test_rows(tree: Path):
    rows = read_dataset("minibench", tree, methods=[FAMILY], compressions=["raw"], split="train")
    assert [(r.label, r.method, r.source_id, r.video_id) for r in rows] == [
        (0, "", "000", "own/000"),
        (0, "", "001", "own/001"),
        (1, FAMILY, "000", f"{FAMILY}/000_000"),
        (1, FAMILY, "001", f"{FAMILY}/001_001"),
    ]
    assert {r.dataset for r in rows} == {"minibench"}
    assert {(r.subject, r.identities) for r in rows} == {("minibench/ann", ("minibench/ann",))}
    masks = tree / f"manipulated_sequences/{FAMILY}/masks/videos"
    assert [r.mask_path for r in rows] == [None, None, masks / "000_000.mp4", masks / "001_001.mp4"]


@pytest.mark.parametrize("below", ["", "other"])
def test_the_second_tree_is_found_from_either_folder(tree: Path, below: str):
    rows = read_dataset("minibench_other", tree / below)
    assert {(r.dataset, r.split, r.source_id) for r in rows} == {("minibench_other", "test", "002")}
    assert check_dataset("minibench_other", tree / below).is_complete


def test_the_wrong_tree(tree: Path, tmp_path: Path):
    with pytest.raises(DataError, match=r"part 'main' .* found 'other'. Give '.*mini', or read mi"):
        read_dataset("minibench", tree / "other")
    alone = write(tmp_path / "alone", "main", {"000": "ann"}, "train")
    with pytest.raises(DataError, match=r"found 'main'. It was built with --other 0: build"):
        read_dataset("minibench_other", alone)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"sources": {"000": {}}}', '{"sources": {"000": 1}}']
)
def test_a_damaged_description(tree: Path, text: str):
    (tree / "minibench.json").write_text(text)
    with pytest.raises(
        DataError, match=r"expected JSON with a miniature benchmark's sources. Build"
    ):
        read_dataset("minibench", tree)


def test_an_unfinished_build(tree: Path):
    for folder in (tree, tree / "other"):
        (folder / "minibench.json").unlink()
    with pytest.raises(DataError, match="The same command goes on with an unfinished build"):
        read_dataset("minibench", tree)


def test_a_file_that_is_missing_is_named(tree: Path):
    (tree / "original_sequences/own/c23/videos/001.mp4").unlink()
    report = check_dataset("minibench", tree)
    assert not report.is_complete
    assert report.missing_files.first == ("original_sequences/own/c23/videos/001.mp4",)
