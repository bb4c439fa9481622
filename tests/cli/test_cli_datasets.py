"""``unmask datasets``: list and check."""

from __future__ import annotations

import json

from dataset_trees import touch_faceforensics
from unmask.datasets import list_datasets


def test_list_has_one_line_for_every_data_set(cli):
    ran = cli("datasets", "list")
    assert (ran.code, ran.err) == (0, "")
    head, *rows = ran.out.splitlines()
    assert head.split("  ")[0] == "NAME"
    assert [line.split()[0] for line in rows] == list_datasets()


def test_list_as_json(cli):
    rows = {row["name"]: row for row in json.loads(cli("datasets", "list", "--json").out)}
    assert list(rows) == list_datasets()
    assert rows["celeb_df"]["url"] == "https://github.com/yuezunli/celeb-deepfakeforensics"
    assert all(row["license"] and row["obtain"] for row in rows.values())


def test_check_of_a_whole_tree(cli, tmp_path):
    touch_faceforensics(tmp_path)
    ran = cli("datasets", "check", "faceforensics", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    first, *_, last = ran.out.splitlines()
    assert first == f"faceforensics at '{tmp_path}': 32 files"
    assert last == "complete"


def test_check_says_what_is_missing_and_exits_with_1(cli, tmp_path):
    touch_faceforensics(tmp_path)
    (tmp_path / "manipulated_sequences/Deepfakes/masks/videos/000_003.mp4").unlink()
    ran = cli("datasets", "check", "faceforensics", tmp_path)
    assert ran.code == 1
    assert "missing masks: 1 (Deepfakes/000_003)." in ran.out
    assert ran.error.endswith("is not a complete faceforensics: see above for what is missing.")


def test_check_as_json(cli, tmp_path):
    touch_faceforensics(tmp_path)
    (tmp_path / "original_sequences/youtube/c40/videos/000.mp4").unlink()
    ran = cli("datasets", "check", "faceforensics", tmp_path, "--json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert (found["files"], found["path"]) == (31, str(tmp_path))
    assert found["missing_files"] == {
        "count": 1,
        "first": ["original_sequences/youtube/c40/videos/000.mp4"],
    }
    assert found["missing_pairs"]["first"] == ["youtube/000 at c40"]
    assert found["is_complete"] is False


def test_check_of_an_unknown_name_and_of_a_wrong_folder(cli, tmp_path):
    ran = cli("datasets", "check", "dfcd", tmp_path)
    assert ran.code == 2
    assert ran.error.startswith("Unknown data set 'dfcd'. Did you mean 'dfdc'?")
    ran = cli("datasets", "check", "lrw", tmp_path)
    assert ran.code == 1
    assert ran.error.startswith(f"Cannot read lrw from '{tmp_path}': it is empty.")
