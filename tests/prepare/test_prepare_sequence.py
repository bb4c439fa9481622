"""Stored sequences: what is read back, and what a damaged shard says."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_trees import write_faceforensics
from scripted_faces import row
from unmask.datasets import read_dataset
from unmask.errors import DataError
from unmask.prepare import FaceSequence, PrepareSpec, prepare, read_prepared
from unmask.prepare.find import find_sequences
from unmask.prepare.shard import RECORD, ShardWriter, Stored, read_bytes, read_list, to_records


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real and two forged videos with masks, at two levels of compression."""
    root = tmp_path_factory.mktemp("sequences")
    write_faceforensics(root / "ff", [("000", "003")], frames=10)
    spec = PrepareSpec(sequences=2, frames=4, twins=("c23", "c40"))
    prepare(read_dataset("faceforensics", root / "ff"), root / "out", spec)
    return root / "out"


@pytest.fixture
def sequences(folder: Path) -> list[FaceSequence]:
    return list(read_prepared(folder).sequences)


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def damage(shard: Path, at: int) -> None:
    data = bytearray(shard.read_bytes())
    data[at] ^= 0xFF
    shard.write_bytes(data)


def test_a_sequence_is_what_was_found(sequences: list[FaceSequence]):
    class Bytes(dict[int, bytes]):
        def __call__(self, name: str, data: bytes) -> Stored:
            self[len(self)] = data
            return Stored(len(self) - 1, len(data), 0)

    first = sequences[-1]
    packed = Bytes()
    video = first.video
    twin = Path(str(video.path).replace("c23", "c40"))
    found = find_sequences(video, PrepareSpec(sequences=2, frames=4), packed, twin)[-1]
    assert (first.label, first.track, len(first)) == (1, 0, 4)
    assert first.frame_indices == tuple(f[0] for f in found.frames)
    assert first.times_s == tuple(f[1] for f in found.frames)
    assert first.is_real == (True,) * 4
    assert np.array_equal(first.landmarks_px, found.points_px)
    assert np.array_equal(first.box_px, found.box_px)
    assert first.points68_px is None
    assert (first.landmarks_px.dtype, first.box_px.dtype) == (np.float32, np.float32)

    def unpacked(kind: str, place: int) -> np.ndarray:
        data = np.frombuffer(packed[found.stored[kind][place].start], np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        return picture[..., ::-1] if picture.ndim == 3 else picture

    assert np.array_equal(first.pixels([2])[0], unpacked("png", 2))
    assert np.array_equal(first.twins([3])[0], unpacked("twin.png", 3))
    mask = unpacked("mask.png", 1)
    assert np.array_equal(first.masks([1])[0], mask.astype(np.float32) / np.float32(255))
    assert mask.max() > 200


def test_places_are_read_in_the_order_asked_for(sequences: list[FaceSequence]):
    one = sequences[0]
    whole = one.pixels(range(4))
    assert not np.array_equal(whole[0], whole[3])
    for at, picture in zip([3, 0, 3], one.pixels([3, 0, 3]), strict=True):
        assert np.array_equal(picture, whole[at])


def test_only_forgeries_have_masks_and_all_have_twins(sequences: list[FaceSequence]):
    assert [(s.group, s.label, s.has_masks, s.has_twins) for s in sequences] == [
        (group, int(group >= 2), group >= 2, True) for group in (0, 0, 1, 1, 2, 2, 3, 3)
    ]


def test_what_was_not_kept_is_reported(sequences: list[FaceSequence], tmp_path: Path):
    with pytest.raises(DataError, match=r"No masks were kept of '.*000\.mp4' in .*sequences"):
        sequences[0].masks([0])
    alone = prepare([row(sequences[0].video.path)], tmp_path / "out", PrepareSpec()).sequences[0]
    with pytest.raises(DataError, match="No twins were kept"):
        alone.twins([0])


def test_a_sequence_travels_to_another_process_small(sequences: list[FaceSequence]):
    packed = pickle.dumps(sequences[-1])
    assert len(packed) < 2000  # its place alone
    copy = pickle.loads(packed)
    assert np.array_equal(copy.pixels([0])[0], sequences[-1].pixels([0])[0])


def test_a_shard_is_a_zip_of_pictures_that_other_tools_read(folder: Path):
    with zipfile.ZipFile(folder / "faces-00000.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        packed = archive.read("000002/00001/003.png")
        records = np.load(archive.open("frames.npy"))
        content = json.loads(archive.read("sequences.json"))
    assert names[-2:] == ["frames.npy", "sequences.json"]
    assert cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR) is not None
    assert records.dtype == RECORD
    assert len(records) == 8 * 4
    assert [entry["group"] for entry in content["sequences"]] == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("what", ["png", "mask.png", "twin.png"])
def test_a_damaged_picture_is_reported(own: Path, what: str):
    last = read_prepared(own).sequences[-1]
    with zipfile.ZipFile(last.shard) as archive:
        info = archive.getinfo(f"000003/00001/000.{what}")
    damage(last.shard, info.header_offset + 200)
    read = {"png": last.pixels, "mask.png": last.masks, "twin.png": last.twins}
    with pytest.raises(DataError, match=r"faces-00000\.zip' is damaged or gone\. Delete it and"):
        read[what]([0])
    assert [len(read[kind]([0])) for kind in read if kind != what] == [1, 1]


def test_damaged_geometry_is_reported(own: Path):
    last = read_prepared(own).sequences[-1]
    damage(last.shard, last.entry.records.start + 9)
    with pytest.raises(DataError, match="is damaged or gone"):
        last.pixels([0])
    with pytest.raises(DataError, match="is damaged or gone"):
        _ = last.box_px


def test_a_damaged_list_is_reported(own: Path):
    shard = own / "faces-00000.zip"
    with zipfile.ZipFile(shard) as archive:
        at = archive.getinfo("sequences.json").header_offset
    damage(shard, at + 60)
    with pytest.raises(DataError, match="is damaged or gone"):
        read_prepared(own)


@pytest.mark.parametrize("left", [0, 10, 3000])
def test_a_shard_that_was_cut_off_is_reported(own: Path, left: int):
    shard = own / "faces-00000.zip"
    shard.write_bytes(shard.read_bytes()[:left])
    with pytest.raises(DataError, match="is damaged or gone"):
        read_prepared(own)


def test_a_shard_that_vanished_is_reported(own: Path):
    last = read_prepared(own).sequences[-1]
    last.shard.unlink()
    with pytest.raises(DataError, match="is damaged or gone"):
        last.pixels([0])


def test_a_shard_of_another_data_set_is_reported(own: Path):
    with pytest.raises(DataError, match="belongs to another prepared data set than the index"):
        read_list(own / "faces-00000.zip", "0" * 16)


def test_places_outside_of_the_file_are_damage(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"12345")
    for place in (Stored(-1, 2, 0), Stored(3, 9, 0), Stored(4, -2, 0)):
        with pytest.raises(DataError, match="is damaged or gone"):
            read_bytes(tmp_path / "a", [place])


def test_the_same_contents_give_the_same_bytes(tmp_path: Path):
    def write(path: Path) -> Path:
        with zipfile.ZipFile(path, "x") as archive:
            shard = ShardWriter(archive)
            picture = shard.put("a.png", b"abc")
            assert placed.setdefault(path, picture) == picture
            points = np.zeros((1, 5, 2), np.float32)
            points68 = np.full((1, 68, 2), 7, np.float32)
            records = to_records(
                [(3, 0.12, True)], points, points68, np.ones((1, 4), np.float32), {"png": [picture]}
            )
            shard.add(5, 6, records, has_masks=False, has_twins=False)
            shard.add_problem("one")
            shard.finish("i")
        return path

    placed: dict[Path, Stored] = {}
    one, other = write(tmp_path / "1.zip"), write(tmp_path / "2.zip")
    assert one.read_bytes() == other.read_bytes()
    assert read_bytes(one, [placed[one]]) == [b"abc"]
    content = read_list(one, "i")
    assert content.problems == ["one"]
    sequence = FaceSequence(video=row(tmp_path), shard=one, entry=content.entries[0])
    assert (sequence.group, sequence.track, sequence.frame_indices) == (5, 6, (3,))
    assert sequence.points68_px is not None
    assert (sequence.points68_px == 7).all()
