from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unmask.datasets import read_folder
from unmask.errors import DataError
from unmask.train import gather as gather_module
from unmask.train.gather import Sample, gather
from unmask.types import LabelledVideo, Pixels


def row(path: Path, label: int = 0) -> LabelledVideo:
    return LabelledVideo(path=path, label=label, dataset="d", split="train")


def forbid_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the file was opened again")

    monkeypatch.setattr(gather_module, "_faces_of", fail)


def test_samples_hold_the_face_with_room_around_it(portrait_video: Path, tmp_path: Path):
    samples, problems = gather([row(portrait_video)], tmp_path)
    assert problems == []
    assert len(samples) >= 4  # two a second, and the video lasts two
    assert {(s.label, s.group, s.track) for s in samples} == {(0, 0, 0)}
    for sample in samples:
        x0, y0, x1, y1 = sample.box_px
        height, width = sample.pixels.shape[:2]
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert ((sample.landmarks_px > [x0, y0]) & (sample.landmarks_px < [x1, y1])).all()
        assert max(width, height) > 1.3 * max(x1 - x0, y1 - y0)


def test_at_most_so_many_moments_of_each_person_evenly_spread(
    tmp_path: Path, encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
):
    video = encode(tmp_path / "long.mp4", faces(250, 160))
    samples, _ = gather([row(video)], tmp_path / "cache", faces_per_video=4)
    assert {s.track for s in samples} == {0}
    times = [s.time_s for s in samples]
    assert len(times) == 4
    assert times[0] < 0.1
    assert times[-1] > 9
    assert np.ptp(np.diff(times)) < 0.8


def test_people_are_told_apart(two_people_video: Path, tmp_path: Path):
    samples, _ = gather([row(two_people_video)], tmp_path)
    assert len({s.track for s in samples}) == 2


def equal(a: Sample, b: Sample) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        and type(getattr(a, name)) is type(getattr(b, name))
        for name in ("pixels", "landmarks_px", "box_px", "label", "group", "track", "time_s")
    )


def test_the_second_call_reads_the_same_samples_without_looking(
    labelled_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [*read_folder(labelled_faces, split="train")]
    first, problems = gather(rows, tmp_path)
    forbid_looking(monkeypatch)
    second, again = gather(rows, tmp_path)
    assert len(first) == len(second) == 6
    assert [s.label for s in first].count(1) == 3
    assert all(map(equal, first, second))
    assert all(a.pixels.dtype == b.pixels.dtype for a, b in zip(first, second, strict=True))
    assert problems == again


@pytest.mark.parametrize("change", ["label", "time", "setting"])
def test_anything_that_matters_makes_the_cache_stale(
    face_image_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
):
    copy = tmp_path / "face.png"
    copy.write_bytes(face_image_file.read_bytes())
    gather([row(copy)], tmp_path)
    forbid_looking(monkeypatch)
    label, least = 0, 48.0
    if change == "label":
        label = 1
    elif change == "setting":
        least = 40.0
    else:
        os.utime(copy, (1, 1))
    with pytest.raises(AssertionError, match="opened again"):
        gather([row(copy, label)], tmp_path, min_face_px=least)


def test_files_that_cannot_be_used_are_told_and_left_out(
    face_image_file: Path, no_face_video: Path, text_mp4: Path, tmp_path: Path
):
    told: list[tuple[int, int]] = []
    rows = [row(text_mp4), row(no_face_video), row(face_image_file)]
    samples, problems = gather(
        rows, tmp_path, report=lambda done, total: told.append((done, total))
    )
    assert [s.group for s in samples] == [2]
    assert len(problems) == 2
    assert "text.mp4" in problems[0]
    assert "no face of at least 48 px" in problems[1]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert gather(rows, tmp_path)[1] == problems


def test_without_one_face_there_is_nothing_to_train_on(no_face_video: Path, tmp_path: Path):
    with pytest.raises(DataError, match=r"No face of at least 48 px in 1 files.*First problem"):
        gather([row(no_face_video)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_large_faces_are_reduced_with_their_geometry(face_image: Pixels, tmp_path: Path):
    import cv2
    from PIL import Image

    large = cv2.resize(face_image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    Image.fromarray(large).save(tmp_path / "large.png")
    (sample,), _ = gather([row(tmp_path / "large.png")], tmp_path / "cache")
    x0, y0, x1, y1 = sample.box_px
    assert max(x1 - x0, y1 - y0) == pytest.approx(260, abs=0.01)
    assert x1 <= sample.pixels.shape[1]
    assert ((sample.landmarks_px > [x0, y0]) & (sample.landmarks_px < [x1, y1])).all()
