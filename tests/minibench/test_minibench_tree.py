"""What a built benchmark holds: its files, what they show, and what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from unmask.datasets import (
    check_dataset,
    check_splits,
    read_dataset,
    require_masks,
)
from unmask.forgeries import forge
from unmask.media import open_video
from unmask.minibench import COMPRESSIONS, SENTENCE
from unmask.minibench.settings import KINDS
from unmask.minibench.survey import read_clip
from unmask.types import LabelledVideo, Pixels


def frames_of(path: Path) -> Pixels:
    with open_video(path) as video:
        return np.stack([frame.pixels for frame in video.frames()])


def rows_of(bench, name: str = "minibench", **only: str) -> list[LabelledVideo]:
    rows = read_dataset(name, bench.path)
    return [row for row in rows if all(getattr(row, k) == v for k, v in only.items())]


def real_of(rows: list[LabelledVideo], fake: LabelledVideo) -> LabelledVideo:
    same = (fake.source_id, fake.compression)
    (real,) = [r for r in rows if r.label == 0 and (r.source_id, r.compression) == same]
    return real


def test_the_files_are_those_of_the_layout(bench):
    files = {p.relative_to(bench.path).as_posix() for p in bench.path.rglob("*") if p.is_file()}
    expected = {"README.txt", "minibench.json", "sheet.jpg", "other/README.txt"}
    expected |= {"other/minibench.json"}
    for tree, names in (("", ("000", "001", "002")), ("other/", ("003",))):
        expected |= {f"{tree}splits/{split}.json" for split in ("train", "val", "test")}
        for name in names:
            for compression in COMPRESSIONS:
                expected.add(f"{tree}original_sequences/own/{compression}/videos/{name}.mp4")
            for kind in KINDS:
                for compression in (*COMPRESSIONS, "masks"):
                    folder = f"{tree}manipulated_sequences/{kind}/{compression}/videos"
                    expected.add(f"{folder}/{name}_{name}.mp4")
    assert files == expected


@pytest.mark.parametrize(("name", "sources"), [("minibench", 3), ("minibench_other", 1)])
def test_the_adapters_read_it_whole(bench, name: str, sources: int):
    report = check_dataset(name, bench.path)
    assert report.is_complete, report.lines()
    per_kind = 3 * sources
    assert report.methods == {"real": per_kind, **dict.fromkeys(KINDS, per_kind)}
    assert report.compressions == dict.fromkeys(sorted(COMPRESSIONS), 6 * sources)
    rows = rows_of(bench, name)
    check_splits(rows)
    require_masks(rows)
    assert {row.dataset for row in rows} == {name}


def test_nobody_is_in_two_splits_or_in_both_trees(bench):
    rows = rows_of(bench) + rows_of(bench, "minibench_other")
    splits = {row.split for row in rows_of(bench)}
    assert splits == {"train", "val", "test"}
    assert {row.split for row in rows_of(bench, "minibench_other")} == {"test"}
    people = {(row.dataset, row.split): set(row.identities) for row in rows}
    everybody = [person for those in people.values() for person in those]
    assert len(everybody) == len(set(everybody)) == 4
    assert all(person.startswith("minibench/") for person in everybody)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_real_and_forged_videos_are_made_alike(bench, compression: str):
    rows = rows_of(bench, compression=compression)
    shapes = set()
    for row in rows:
        with open_video(row.path) as video:
            info = video.info
            assert (info.codec, info.fps, info.has_audio) == ("h264", 25, False)
            assert info.frame_count == len(list(video.frames())) == 25
            shapes.add((info.width_px, info.height_px, info.is_variable_rate, info.container))
    assert len(shapes) == 1


def test_the_second_tree_has_smaller_pictures(bench):
    sides = {}
    for name in ("minibench", "minibench_other"):
        with open_video(rows_of(bench, name)[0].path) as video:
            sides[name] = max(video.info.width_px, video.info.height_px)
    assert sides == {"minibench": 160, "minibench_other": 100}


@pytest.mark.parametrize("kind", KINDS)
def test_without_loss_what_lies_outside_the_mask_is_equal(bench, kind: str):
    rows = rows_of(bench, compression="raw")
    for fake in (row for row in rows if row.method == kind):
        forged, real = frames_of(fake.path), frames_of(real_of(rows, fake).path)
        masks = frames_of(fake.mask_path)[..., 0] > 127
        # Two pixels share a chroma value, which is interpolated: the edge reaches a little out.
        grown = np.stack([cv2.dilate(m.astype(np.uint8), np.ones((9, 9))) for m in masks]) > 0
        assert not grown.all(axis=(1, 2)).any()
        np.testing.assert_array_equal(forged[~grown], real[~grown])
        assert (forged != real).any(axis=-1)[masks].mean() > 0.5


def test_masks_come_back_as_they_were(bench):
    source = bench.built.sources[0]
    clip = read_clip(bench.videos / source.file, source.stretch, 160, 160)
    for kind in KINDS:
        (row,) = rows_of(bench, source_id=source.name, method=kind, compression="c40")
        shown = frames_of(row.mask_path)
        rng = np.random.default_rng([source.seed, KINDS[kind]])
        masks = np.stack(forge(kind, clip.face, rng).fake.all_masks)
        np.testing.assert_array_equal(shown[..., 0] > 127, masks > 0)
        assert set(np.unique(shown)) <= {0, 1, 254, 255}


def test_compressions_lose_more_and_more(bench):
    real = {row.compression: row.path for row in rows_of(bench, label=0, source_id="000")}
    best = frames_of(real["raw"]).astype(int)
    losses = [np.abs(frames_of(real[compression]) - best).mean() for compression in ("c23", "c40")]
    assert 0 < losses[0] < losses[1]
    sizes = [real[compression].stat().st_size for compression in ("raw", "c23", "c40")]
    assert sizes == sorted(sizes, reverse=True)


def test_it_says_what_it_is_and_what_it_is_not(bench):
    for root, part in ((bench.path, "main"), (bench.path / "other", "other")):
        content = json.loads((root / "minibench.json").read_text())
        assert content["measures"] == SENTENCE
        assert SENTENCE in (root / "README.txt").read_text()
        assert "No deepfakes" in content["what_it_is_not"]
        assert (content["part"], content["format"]) == (part, 1)
        assert content["families"] == list(KINDS)
        assert content["settings"]["size_px"] == 160
        assert content["counts"]["forged_videos"] == len(content["sources"]) * 3 * 5
    assert SENTENCE == "It measures machinery and trends, not field accuracy."


def test_it_says_which_videos_it_is_made_of(bench):
    content = json.loads((bench.path / "minibench.json").read_text())
    other = json.loads((bench.path / "other" / "minibench.json").read_text())
    sources = {**content["sources"], **other["sources"]}
    files = {source["file"] for source in sources.values()}
    assert files == {"ann.mp4", "ben.mp4", "cleo.mp4", "more/dan.mp4"}
    for source in sources.values():
        with open_video(bench.videos / source["file"]) as video:
            assert source["sha256"] == video.info.sha256
        assert (source["frames"], source["fps"]) == (25, "25")
    assert list(content["skipped"]) == ["broken.mp4"]
    assert bench.built.skipped == content["skipped"]


def test_the_sheet_shows_every_kind(bench):
    with Image.open(bench.path / "sheet.jpg") as sheet:
        assert sheet.width > 6 * 200
        assert sheet.height > 4 * 2 * 200
        pixels = np.asarray(sheet.convert("RGB"), int)
    real, forged = (pixels[50:240, 4 + 204 * column :][:, :200] for column in (0, 1))
    assert real.std() > 20
    assert 0.3 < np.abs(real - forged).mean() < 40


def test_faceforensics_own_reader_takes_it_too(bench):
    report = check_dataset("faceforensics", bench.path)
    assert report.is_complete, report.lines()
