"""``unmask datasets overlap``."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture(scope="module")
def pack(tmp_path_factory, portrait_video, no_face_video):
    root = tmp_path_factory.mktemp("overlap")
    for name, file in (
        ("train/ann.mp4", portrait_video),
        ("val/copy.mp4", portrait_video),
        ("other/bars.mp4", no_face_video),
        ("other/more.mp4", no_face_video),
    ):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(file, root / name)
    return root


def test_what_crosses_is_printed_and_the_exit_code_is_1(cli, pack):
    ran = cli("datasets", "overlap", pack / "train", pack / "val")
    assert ran.code == 1
    assert ran.error.startswith("Something stands on both sides")
    assert f"train '{pack}/train/ann.mp4' and val '{pack}/val/copy.mp4': the same file" in ran.out
    assert ran.out.endswith("NOT clean\n")


def test_nothing_crosses(cli, pack):
    ran = cli("datasets", "overlap", pack / "train", pack / "other")
    assert (ran.code, ran.err) == (0, "")
    assert "NOT checked" in ran.out
    assert ran.out.endswith("nothing crosses\n")


def test_json_has_every_match(cli, pack):
    ran = cli("datasets", "overlap", pack / "train", pack / "val", "--json")
    assert ran.code == 1
    found = json.loads(ran.out)
    (match,) = found["matches"]
    assert (match["is_same_file"], match["distance"]) == (True, 0)
    assert match["b"] == str(pack / "val/copy.mp4")
    assert found["is_clean"] is False


def test_the_limits_are_heeded(cli, pack):
    everything = ("--frame-limit", 256)
    ran = cli("datasets", "overlap", pack / "train", pack / "other", *everything, "--json")
    assert len(json.loads(ran.out)["matches"]) == 2
    ran = cli("datasets", "overlap", pack / "train", pack / "other", "--face-limit", 300)
    assert ran.code == 2
    assert "expected 0 to 256 bits" in ran.error


def test_a_list_without_what_crosses(cli, pack, tmp_path):
    out, people = tmp_path / "clean.csv", tmp_path / "people.csv"
    people.write_text("path,person\nann.mp4,Ann\nbars.mp4,Ann\n")
    words = ("--people", people, "--cache", tmp_path / "hashes", "-o", out, "--drop", "other")
    ran = cli("datasets", "overlap", pack / "train", pack / "other", *words)
    assert ran.code == 0
    assert "Ann (other and train)" in ran.out
    assert ran.err == f"{out}: without 1 file of other.\n"
    head, *lines = out.read_text().splitlines()
    assert head.startswith("path,label,dataset,split")
    (line,) = lines
    assert "other/more.mp4,0,other,other," in line


def test_a_list_of_one_root_keeps_its_other_splits(cli, pack, tmp_path):
    table, out = tmp_path / "list.csv", tmp_path / "clean.csv"
    table.write_text(f"path,label,split\n{pack}/train/ann.mp4,0,train\n{pack}/val/copy.mp4,0,val\n")
    ran = cli("datasets", "overlap", table, "--dataset", "csv", "-o", out, "--drop", "train")
    assert (ran.code, len(out.read_text().splitlines())) == (0, 2)
    assert "val/copy.mp4,0,list,val," in out.read_text()


def test_a_list_needs_a_side_to_drop(cli, pack, tmp_path):
    ran = cli("datasets", "overlap", pack / "train", pack / "val", "-o", tmp_path / "x.csv")
    assert ran.code == 2
    assert ran.error.startswith("--out and --drop belong together")


@pytest.mark.parametrize(
    ("name", "drop", "message"),
    [
        ("there.csv", "train", "it exists already. Give another name."),
        ("no/where.csv", "train", "there is no such folder. Give another name."),
        ("new.csv", "test", "Cannot drop from 'test': expected one of the sides train, val."),
    ],
)
def test_a_list_that_cannot_be_written_is_refused_at_once(cli, pack, tmp_path, name, drop, message):
    (tmp_path / "there.csv").write_text("mine")
    out = ("-o", tmp_path / name, "--drop", drop)
    ran = cli("datasets", "overlap", pack / "train", pack / "val", *out)
    assert ran.code in (1, 2)
    assert message in ran.error
    assert ran.out == ""
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_one_side_is_nothing_to_compare(cli, tmp_path, pack):
    (tmp_path / "list.csv").write_text(f"path,label,split\n{pack}/train/ann.mp4,0,train\n")
    ran = cli("datasets", "overlap", tmp_path / "list.csv", "--dataset", "csv")
    assert ran.code == 1
    assert ran.error.startswith("Nothing to compare")
