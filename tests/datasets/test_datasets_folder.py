from __future__ import annotations

from pathlib import Path

import pytest

from unmask.datasets import read_folder
from unmask.errors import DataError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_labels_and_methods_follow_from_the_folders(tmp_path: Path):
    root = touch(
        tmp_path / "set",
        "real/a.mp4",
        "photos/b.JPG",
        "fake/NeuralTextures/c23/a.mp4",
        "Forged/d.webm",
        "deep/manipulated/SadTalker/e.mkv",
        "f.png",
    )
    rows = {r.path.relative_to(root).as_posix(): (r.label, r.method) for r in read_folder(root)}
    assert rows == {
        "real/a.mp4": (0, ""),
        "photos/b.JPG": (0, ""),
        "fake/NeuralTextures/c23/a.mp4": (1, "NeuralTextures/c23"),
        "Forged/d.webm": (1, "forged"),
        "deep/manipulated/SadTalker/e.mkv": (1, "SadTalker"),
        "f.png": (0, ""),
    }


def test_the_folder_that_was_given_labels_nothing(tmp_path: Path):
    rows = read_folder(touch(tmp_path / "fake", "a.mp4"))
    assert [(r.label, r.dataset) for r in rows] == [(0, "fake")]


def test_what_is_no_media_is_left_out(tmp_path: Path):
    touch(tmp_path, "a.mp4", "notes.txt", "manifest.csv", "._a.mp4", ".hidden.png")
    (tmp_path / "folder.mp4").mkdir()
    assert [r.path.name for r in read_folder(tmp_path)] == ["a.mp4"]


def test_the_split_is_the_same_every_time_and_near_the_share(tmp_path: Path):
    touch(tmp_path, *(f"{i}.mp4" for i in range(400)))
    rows = read_folder(tmp_path, validation_share=0.25)
    assert rows == read_folder(tmp_path, validation_share=0.25)
    share = sum(r.split == "val" for r in rows) / len(rows)
    assert 0.17 < share < 0.33
    assert {r.split for r in rows} == {"train", "val"}


def test_more_files_move_no_other_file_to_another_split(tmp_path: Path):
    touch(tmp_path, *(f"{i}.mp4" for i in range(50)))
    before = {r.path: r.split for r in read_folder(tmp_path)}
    touch(tmp_path, *(f"new{i}.mp4" for i in range(50)))
    after = {r.path: r.split for r in read_folder(tmp_path)}
    assert {path: after[path] for path in before} == before


def test_a_forgery_with_the_name_of_its_real_video_stays_with_it(tmp_path: Path):
    names = [f"{i}.mp4" for i in range(60)]
    touch(tmp_path, *(f"real/{n}" for n in names), *(f"fake/x/{n}" for n in names))
    rows = read_folder(tmp_path, validation_share=0.5)
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.source_id, set()).add(row.split)
    assert len(splits) == 60
    assert all(len(s) == 1 for s in splits.values())


def test_a_split_can_be_given(tmp_path: Path):
    touch(tmp_path, *(f"{i}.mp4" for i in range(30)))
    assert {r.split for r in read_folder(tmp_path, split="val")} == {"val"}


def test_no_folder_is_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"Cannot read data from .*nowhere.*: it is not a folder\."):
        read_folder(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path: Path):
    touch(tmp_path, "a.mp4")
    with pytest.raises(DataError, match="not a folder"):
        read_folder(tmp_path / "a.mp4")


def test_a_folder_without_media_is_told(tmp_path: Path):
    touch(tmp_path, "notes.txt")
    with pytest.raises(DataError, match=r"No media in .*expected videos or pictures .*\.mp4"):
        read_folder(tmp_path)
