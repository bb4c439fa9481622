"""Media on two sides, compared."""

from __future__ import annotations

import csv
import dataclasses
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from unmask.datasets import read_dataset
from unmask.errors import DataError, MissingDependencyError, OutputError, UsageError
from unmask.faces import FaceFinder, FoundFaces
from unmask.overlap import find_overlap, read_sides, write_rest
from unmask.overlap.fingerprint import fingerprint


def no_faces(pixels) -> FoundFaces:
    return FoundFaces(*(np.zeros(shape, np.float32) for shape in ((0, 4), (0, 5, 2), (0,))))


def textures(seed: int, count: int = 25) -> list[np.ndarray]:
    """A smooth picture, without a face, that drifts."""
    coarse = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    large = cv2.resize(coarse, (320, 320), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(large[20:276, i : i + 256]) for i in range(count)]


@pytest.fixture(scope="module")
def pack(tmp_path_factory, encode, portrait_video, faces, text_mp4) -> Path:
    """Two folders: a portrait and a poor copy of it, two other videos, a file that is no video."""
    root = tmp_path_factory.mktemp("pack")
    for side in ("train", "val"):
        (root / side).mkdir()
    shutil.copy(portrait_video, root / "train/ann.mp4")
    small = [
        np.ascontiguousarray(cv2.resize(f, (128, 128), interpolation=cv2.INTER_AREA)[:, ::-1])
        for f in faces(50)
    ]
    encode(root / "val/turned.mp4", small, options={"crf": "40"})
    encode(root / "train/field.mp4", textures(1))
    encode(root / "val/sea.mp4", textures(2))
    shutil.copy(text_mp4, root / "val/text.mp4")
    return root


@pytest.fixture(scope="module")
def rows(pack):
    return read_sides("folder", [pack / "train", pack / "val"])


@pytest.fixture(scope="module")
def found(rows):
    return find_overlap(rows)


def test_a_poor_mirrored_copy_is_found_and_nothing_else(found, pack):
    (match,) = found.matches
    assert (match.a, match.b) == (pack / "train/ann.mp4", pack / "val/turned.mp4")
    assert match.sides == ("train", "val")
    assert match.is_mirrored
    assert not match.is_same_file
    assert match.moments > match.of / 2
    assert abs(match.a_s - match.b_s) < 0.5
    assert found.clusters == ((match.a, match.b),)
    assert not found.is_clean


def test_what_was_compared_is_counted_and_what_was_not_is_listed(found):
    assert found.sides == {"train": 2, "val": 2}
    assert found.pairs == 4
    assert found.moments == 8 + 8 + 4 + 4
    assert found.without_face == 2
    assert found.people.unnamed == 4
    (problem,) = found.unreadable
    assert "text.mp4" in problem


def test_lines_say_what_is_not_checked(found):
    said = "\n".join(found.lines())
    assert said.startswith("compared: 4 pairs of files on different sides (train 2, val 2)")
    assert "near-duplicates: 1 pair in 1 group " in said
    assert "that do not: 4, and who is in two of those is NOT checked" in said
    assert said.endswith("NOT clean")


def test_a_face_is_found_again_before_another_background(tmp_path, faces, encode):
    inside = [np.pad(f, ((200, 40), (300, 60), (0, 0)), constant_values=90) for f in faces(5)]
    encode(tmp_path / "a.mp4", faces(5))
    encode(tmp_path / "b.mp4", inside)
    (tmp_path / "list.csv").write_text("path,label,split\na.mp4,0,train\nb.mp4,0,val\n")
    (match,) = find_overlap(read_sides("csv", [tmp_path / "list.csv"])).matches
    assert match.is_face


def test_the_same_file_twice(tmp_path, pack):
    for side in ("train", "val"):
        (tmp_path / side).mkdir()
        shutil.copy(pack / "train/field.mp4", tmp_path / side / f"{side}.mp4")
    rows = read_sides("folder", [tmp_path / "train", tmp_path / "val"])
    (match,) = find_overlap(rows, find_faces=no_faces).matches
    assert match.is_same_file
    assert match.distance == 0
    assert match.line().endswith(": the same file")


def test_black_pictures_are_not_taken_for_copies_of_each_other(tmp_path, encode, pack):
    for name in ("a", "b"):
        encode(tmp_path / f"{name}.mp4", [np.zeros((64, 64, 3), np.uint8)] * 5)
    (tmp_path / "list.csv").write_text("path,label,split\na.mp4,0,train\nb.mp4,0,val\n")
    found = find_overlap(read_sides("csv", [tmp_path / "list.csv"]), find_faces=no_faces)
    assert found.matches == ()
    assert {path.name for path in found.plain} == {"a.mp4", "b.mp4"}
    assert any(line.startswith("not compared, of one color") for line in found.lines())


def test_one_root_is_compared_by_its_splits(tmp_path, pack):
    (tmp_path / "list.csv").write_text(
        f"path,label,split,identities\n{pack}/train/ann.mp4,0,train,ann\n"
        f"{pack}/val/sea.mp4,0,val,ann\n"
    )
    found = find_overlap(read_sides("csv", [tmp_path / "list.csv"]), find_faces=no_faces)
    assert found.matches == ()
    assert [person.name for person in found.people.shared] == ["ann"]
    assert not found.is_clean


def test_sides_of_one_name_bear_their_whole_path(pack, tmp_path):
    shutil.copytree(pack / "train", tmp_path / "train")
    sides = {row.split for row in read_sides("folder", [pack / "train", tmp_path / "train"])}
    assert sides == {str(pack / "train"), str(tmp_path / "train")}


def test_one_side_alone_is_nothing_to_compare(tmp_path, pack):
    (tmp_path / "list.csv").write_text(f"path,label,split\n{pack}/train/ann.mp4,0,train\n")
    with pytest.raises(DataError, match=r"Nothing to compare: all 1 files .* the split 'train'"):
        read_sides("csv", [tmp_path / "list.csv"])


def test_when_one_side_cannot_be_read(rows, pack):
    some = [row for row in rows if row.path.name in ("ann.mp4", "text.mp4")]
    with pytest.raises(DataError, match=r"Nothing to compare: 1 of 2 files cannot be read, and"):
        find_overlap(some, find_faces=no_faces)


def test_a_file_that_went_away_is_listed(rows, tmp_path):
    gone = dataclasses.replace(rows[0], path=tmp_path / "gone.mp4")
    found = find_overlap([*rows, gone], find_faces=no_faces)
    assert any("gone.mp4" in problem for problem in found.unreadable)


@pytest.mark.parametrize("limits", [{"frame_limit": -1}, {"face_limit": 257}])
def test_a_limit_is_a_number_of_bits(rows, limits):
    with pytest.raises(UsageError, match=r"with a limit of .*: expected 0 to 256 bits"):
        find_overlap(rows, **limits)


def test_without_the_library_no_file_is_blamed(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagehash", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[overlap\]'"):
        find_overlap(rows, find_faces=no_faces)


def test_kept_hashes_are_not_made_again(rows, tmp_path):
    looked = []

    def count(pixels) -> FoundFaces:
        looked.append(1)
        return no_faces(pixels)

    cache = tmp_path / "hashes.jsonl"
    first = find_overlap(rows, cache=cache, find_faces=count)
    before = len(looked)
    assert before
    with cache.open("a") as file:
        file.write('{"key": "cut o')
    again = find_overlap(rows, cache=cache, find_faces=count)
    assert len(looked) == before
    assert again == first


def test_a_file_that_changed_is_hashed_again(tmp_path, pack):
    for name in ("a", "b"):
        shutil.copy(pack / "train/field.mp4", tmp_path / f"{name}.mp4")
    (tmp_path / "list.csv").write_text("path,label,split\na.mp4,0,train\nb.mp4,0,val\n")
    rows = read_sides("csv", [tmp_path / "list.csv"])
    cache = tmp_path / "hashes.jsonl"
    assert len(find_overlap(rows, cache=cache, find_faces=no_faces).matches) == 1
    shutil.copy(pack / "val/sea.mp4", tmp_path / "b.mp4")
    assert find_overlap(rows, cache=cache, find_faces=no_faces).matches == ()


def test_a_cache_that_cannot_be_used(rows, tmp_path):
    with pytest.raises(OutputError, match="Cannot go on from"):
        find_overlap(rows, cache=tmp_path, find_faces=no_faces)
    with pytest.raises(OutputError, match=r"Cannot write .* Choose another place"):
        find_overlap(rows, cache=tmp_path / "no/where.jsonl", find_faces=no_faces)


def test_another_file_is_not_taken_for_a_cache(rows, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("path,person\nann.mp4,Ann\n")
    with pytest.raises(OutputError, match=r"Cannot keep hashes in .*people\.csv.*another file"):
        find_overlap(rows, cache=people, find_faces=no_faces)
    assert people.read_text() == "path,person\nann.mp4,Ann\n"


def test_a_cache_whose_first_line_was_cut_off_is_gone_on_with(rows, tmp_path):
    cache = tmp_path / "hashes.jsonl"
    for beginning in ("", '{"key": "cut o'):
        cache.write_text(beginning)
        assert find_overlap(rows, cache=cache, find_faces=no_faces).sides


def test_an_empty_folder_is_listed_with_a_cache_too(rows, tmp_path):
    empty = dataclasses.replace(rows[0], path=tmp_path / "empty")
    empty.path.mkdir()
    found = find_overlap([*rows, empty], cache=tmp_path / "hashes", find_faces=no_faces)
    assert any("empty" in problem for problem in found.unreadable)


def test_the_rest_is_a_list_that_training_reads(rows, found, tmp_path, pack):
    out = tmp_path / "clean.csv"
    assert write_rest(out, rows, found, "train") == (pack / "train/ann.mp4",)
    kept = read_dataset("csv", out)
    assert [(row.path.resolve(), row.split) for row in kept] == [
        (row.path.resolve(), row.split) for row in rows if row.path.name != "ann.mp4"
    ]
    with out.open(newline="") as file:
        assert not any(Path(line["path"]).is_absolute() for line in csv.DictReader(file))
    with pytest.raises(OutputError, match="it exists already"):
        write_rest(out, rows, found, "train")


def test_a_file_listed_on_both_sides_stays_on_the_other(tmp_path, pack):
    table, out = tmp_path / "list.csv", tmp_path / "clean.csv"
    table.write_text(
        f"path,label,split\n{pack}/train/field.mp4,0,train\n{pack}/train/field.mp4,0,val\n"
    )
    rows = read_sides("csv", [table])
    found = find_overlap(rows, find_faces=no_faces)
    assert found.matches[0].is_same_file
    write_rest(out, rows, found, "train")
    assert [row.split for row in read_dataset("csv", out)] == ["val"]


def test_a_side_to_drop_must_be_there(rows, found, tmp_path):
    with pytest.raises(UsageError, match=r"Cannot drop from 'test': expected .* train, val"):
        write_rest(tmp_path / "clean.csv", rows, found, "test")


def test_a_still_picture_has_one_moment(face_image_file):
    seen = fingerprint(face_image_file, FaceFinder())
    assert {mark.time_s for mark in seen.marks} == {0.0}
    assert seen.has_face
