"""FaceForensics++: the tree of its download script, its pairs, its masks and levels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dataset_trees import IDS, touch, touch_faceforensics, write_faceforensics, write_splits
from unmask.datasets import check_dataset, check_splits, read_dataset, require_masks
from unmask.errors import DataError
from unmask.media import open_video
from unmask.types import Pixels

DFD = "manipulated_sequences/DeepFakeDetection/c23/videos"
ACTORS = "original_sequences/actors/c23/videos"
SCENE = "exit_phone_room"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return touch_faceforensics(tmp_path / "ff", methods=("Deepfakes", "NeuralTextures"))


def read(root: Path, **chosen: object) -> list:
    return read_dataset("faceforensics", root, **chosen)


@pytest.fixture(scope="module")
def real_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trees") / "ff"
    return write_faceforensics(root, ids=(("000", "003"), ("011", "012")), frames=6)


def pixels_of(path: Path) -> list[Pixels]:
    with open_video(path) as video:
        return [frame.pixels for frame in video.frames(None)]


def test_every_video_is_a_row_with_all_that_its_name_says(tree: Path):
    rows = {(row.video_id, row.compression): row for row in read(tree)}
    assert len(rows) == (8 + 2 * 8) * 2
    real, fake = rows["youtube/003", "c23"], rows["Deepfakes/003_000", "c40"]
    assert (real.label, real.method, real.source_id) == (0, "", "003")
    assert real.path == tree / "original_sequences/youtube/c23/videos/003.mp4"
    assert real.identities == ("ff/003",)
    assert real.mask_path is None
    assert (fake.label, fake.method, fake.source_id) == (1, "Deepfakes", "003")
    assert fake.path == tree / "manipulated_sequences/Deepfakes/c40/videos/003_000.mp4"
    assert fake.mask_path == tree / "manipulated_sequences/Deepfakes/masks/videos/003_000.mp4"
    assert fake.identities == ("ff/003", "ff/000")
    assert {row.dataset for row in rows.values()} == {"faceforensics"}


def test_pairs_decide_the_split_of_reals_and_fakes(tree: Path):
    splits = {row.video_id: row.split for row in read(tree)}
    assert splits["youtube/000"] == splits["NeuralTextures/000_003"] == "train"
    assert splits["youtube/672"] == splits["Deepfakes/672_720"] == "val"
    assert splits["youtube/974"] == splits["NeuralTextures/953_974"] == "test"
    check_splits(read(tree))


def test_lists_may_lie_in_the_root(tree: Path):
    before = read(tree)
    for path in (tree / "splits").iterdir():
        path.rename(tree / path.name)
    assert read(tree) == before


def test_rows_are_chosen_by_split_method_and_level(tree: Path):
    rows = read(tree, split="test", methods=["NeuralTextures"], compressions=["c40"])
    assert sorted(row.video_id for row in rows) == [
        *("NeuralTextures/953_974", "NeuralTextures/974_953", "youtube/953", "youtube/974"),
    ]
    assert {row.compression for row in rows} == {"c40"}
    assert {row.label for row in read(tree, methods=[])} == {0}


def test_actors_are_the_real_side_of_deepfakedetection_alone(tree: Path):
    touch(tree, f"{ACTORS}/01__{SCENE}.mp4", f"{DFD}/01_02__{SCENE}__YVGY8LOK.mp4")
    fake, real = sorted(read(tree, methods=["DeepFakeDetection"]), key=lambda row: -row.label)
    assert fake.source_id == real.source_id == f"01__{SCENE}"
    assert fake.identities == ("dfd/01", "dfd/02")
    assert real.identities == ("dfd/01",)
    assert fake.split == real.split == "test"
    others = read(tree, methods=["Deepfakes"])
    assert not any("actors" in row.video_id for row in others)
    both = read(tree, methods=["Deepfakes", "DeepFakeDetection"])
    assert {row.video_id.split("/")[0] for row in both} == {
        *("youtube", "actors", "Deepfakes", "DeepFakeDetection"),
    }


def test_actors_alone_need_no_lists(tmp_path: Path):
    touch(tmp_path, f"{ACTORS}/01__{SCENE}.mp4", f"{DFD}/01_02__{SCENE}__YVGY8LOK.mp4")
    assert len(read(tmp_path)) == 2


def test_without_lists_the_message_says_which_to_fetch(tree: Path):
    (tree / "splits" / "val.json").unlink()
    with pytest.raises(DataError) as error:
        read(tree)
    assert str(error.value) == (
        f"Cannot read the splits of '{tree}': there is no val.json in it or in 'splits'. Expected "
        "train.json, val.json and test.json. Fetch them from "
        "https://github.com/ondyari/FaceForensics/tree/master/dataset/splits into "
        f"'{tree}/splits'."
    )


@pytest.mark.parametrize("text", ['{"000": "003"}', '[["000"]]', "[[0, 3]]", "[["])
def test_a_damaged_list_is_named(tree: Path, text: str):
    (tree / "splits" / "train.json").write_text(text)
    with pytest.raises(DataError, match=r"Cannot read '.*train\.json': expected .* Fetch it again"):
        read(tree)


def test_a_name_in_two_lists_is_refused(tree: Path):
    (tree / "splits" / "test.json").write_text(json.dumps([["953", "974"], ["000", "720"]]))
    with pytest.raises(
        DataError, match=r"2 names of '.*test\.json' are also in another split: 000, 720\."
    ):
        read(tree)


def test_a_video_in_no_list_is_left_out_and_told(tree: Path):
    touch(tree, "original_sequences/youtube/c23/videos/555.mp4")
    assert not any(row.source_id == "555" for row in read(tree))
    report = check_dataset("faceforensics", tree)
    assert "youtube: 1 video in no split left out (555)" in report.notes


@pytest.mark.parametrize("place", ["..", "manipulated_sequences/Deepfakes/c23/videos", "splits"])
def test_a_root_off_by_some_levels_is_told_which_looks_right(tree: Path, place: str):
    with pytest.raises(DataError, match="looks right: give that folder") as error:
        read((tree / place).resolve())
    assert f"'{tree}' looks right" in str(error.value)


def test_frames_instead_of_videos_are_no_data(tmp_path: Path):
    write_splits(tmp_path)
    touch(tmp_path, "original_sequences/youtube/c23/images/000/0000.png")
    with pytest.raises(DataError, match=r"No faceforensics media in .* Fill in the form"):
        read(tmp_path)


def test_missing_files_masks_and_levels_are_counted_and_named(tree: Path):
    fakes = tree / "manipulated_sequences/Deepfakes"
    (fakes / "c40/videos/000_003.mp4").unlink()
    (fakes / "masks/videos/011_012.mp4").unlink()
    report = check_dataset("faceforensics", tree)
    assert not report.is_complete
    assert report.missing_files.first == ("manipulated_sequences/Deepfakes/c40/videos/000_003.mp4",)
    assert report.missing_masks.first == ("Deepfakes/011_012",)
    assert report.missing_pairs.first == ("Deepfakes/000_003 at c40",)
    assert (report.labels, report.methods["Deepfakes"]) == ({"fake": 31, "real": 16}, 15)


def test_reading_says_what_it_left_out(tree: Path, caplog: pytest.LogCaptureFixture):
    (tree / "original_sequences/youtube/c23/videos/000.mp4").unlink()
    assert len(read(tree)) == 47
    assert "missing 1 file that it lists, such as original_sequences/youtube" in caplog.text


def test_a_whole_tree_is_complete(tree: Path):
    report = check_dataset("faceforensics", tree)
    assert report.is_complete
    assert report.notes == ()
    assert report.lines()[-1] == "complete"


def test_faceshifter_has_no_masks_and_that_is_no_fault(tree: Path):
    for pair in IDS:
        for a, b in (pair, pair[::-1]):
            touch(tree, f"manipulated_sequences/FaceShifter/c23/videos/{a}_{b}.mp4")
    report = check_dataset("faceforensics", tree)
    assert report.is_complete
    assert report.notes == (
        "FaceShifter is published without masks",
        "FaceShifter: no c40",
    )
    with pytest.raises(DataError, match=r"8 of 40 fake files have no mask.*of FaceShifter"):
        require_masks(row for row in read(tree))


def test_a_tree_without_any_mask_is_remarked_on(tmp_path: Path):
    touch_faceforensics(tmp_path, with_masks=False)
    report = check_dataset("faceforensics", tmp_path)
    assert report.is_complete
    assert "no masks at all: detectors that learn masks need them" in report.notes


def test_real_h264_at_two_levels_with_masks(real_tree: Path):
    rows = {(row.video_id, row.compression): row for row in read(real_tree)}
    good, bad = rows["Deepfakes/000_003", "c23"], rows["Deepfakes/000_003", "c40"]
    assert bad.path.stat().st_size < good.path.stat().st_size / 2
    assert check_dataset("faceforensics", real_tree).is_complete
    assert good.mask_path is not None
    fake, worse, mask = map(pixels_of, (good.path, bad.path, good.mask_path))
    real = pixels_of(rows["youtube/000", "c23"].path)
    assert len(real) == len(fake) == len(worse) == len(mask) == 6
    for index in range(6):
        inside = mask[index][..., 0] > 127
        change = np.abs(real[index].astype(int) - fake[index]).mean(axis=2)
        assert 0.1 < inside.mean() < 0.5
        assert change[inside].mean() > 5 * change[~inside].mean()
        coded = np.abs(worse[index].astype(int) - fake[index])
        assert 0 < coded.mean() < 15
