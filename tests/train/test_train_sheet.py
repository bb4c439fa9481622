"""Contact sheets of what training sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unmask.errors import DataError, UnknownNameError, UsageError
from unmask.forgeries import KINDS
from unmask.imaging.boxes import longest_side
from unmask.train.sheet import kind_sheet, largest_person, moment_sheet
from unmask.types import Pixels

STILL = [name for name, kind in KINDS.items() if kind.least_frames == 1]


def test_a_sheet_shows_every_kind_that_a_picture_allows(face_image_file: Path):
    sheet = kind_sheet(face_image_file, ["all"], seed=1)
    assert sheet.height == (len(STILL) - 1) * 200 + 20  # nobody else is there to be pasted
    assert np.array_equal(sheet, kind_sheet(face_image_file, ["all"], seed=1))


def test_a_sheet_of_a_video_shows_clip_kinds_at_several_frames(portrait_video: Path):
    sheet = np.asarray(kind_sheet(portrait_video, ["swimming_paste", "lower_face"], 4))
    assert sheet.shape[0] == 4 * 200 + 20
    for row in range(4):
        top = 36 + 200 * row
        assert sheet[top : top + 180, 372:552].max() > 200  # something is forged


def test_what_a_sheet_cannot_show_is_refused(face_image_file: Path, portrait_video: Path):
    with pytest.raises(DataError, match=r"Cannot show flicker on .*face.png': it needs 2 frames"):
        kind_sheet(face_image_file, ["flicker"])
    with pytest.raises(
        UsageError, match=r"Cannot show cross_blend: it pastes another person, which no command"
    ):
        kind_sheet(face_image_file, ["cross_blend"])
    with pytest.raises(UnknownNameError, match="Unknown kind of forgery 'swap'"):
        kind_sheet(face_image_file, ["swap"])
    with pytest.raises(UsageError, match="Cannot lay out 0 rows"):
        kind_sheet(face_image_file, ["smooth_skin"], 0)


def test_the_seed_decides_the_sheet(portrait_video: Path):
    one, same, other = (np.asarray(moment_sheet(portrait_video, 2, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_video_shows_several_moments_of_the_largest_face(
    encode: Callable[..., Path], faces: Callable[..., list[Pixels]], tmp_path: Path
):
    small = [np.asarray(Image.fromarray(f).resize((128, 128))) for f in faces(50, 256)]
    frames = [
        np.hstack([np.pad(s, ((0, 128), (0, 0), (0, 0))), f])
        for s, f in zip(small, faces(50, 256), strict=True)
    ]
    video = encode(tmp_path / "two.mp4", frames)
    samples = largest_person(video, 4, tmp_path / "faces")
    assert len({sample.times_s for sample in samples}) == 4
    assert min(longest_side(sample.box_px[0]) for sample in samples) > 100
