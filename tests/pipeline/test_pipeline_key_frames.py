from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import toy_detectors
from unmask import scan
from unmask.pipeline.key_frames import key_frames
from unmask.types import ClipScore, Finding, Pixels, Verdict


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch: pytest.MonkeyPatch) -> None:
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")


def with_logits(verdict: Verdict, logit: Callable[[ClipScore], float]) -> Verdict:
    """The verdict with other numbers, faces and clips alike."""
    scores = tuple(dataclasses.replace(s, logit=logit(s)) for s in verdict.clip_scores)
    faces = tuple(
        dataclasses.replace(
            f,
            logits={
                "bright": float(np.mean([s.logit for s in scores if s.track_id == f.track_id]))
            },
        )
        for f in verdict.faces
    )
    return dataclasses.replace(verdict, clip_scores=scores, faces=faces)


@pytest.fixture(scope="module")
def long_video(
    tmp_path_factory: pytest.TempPathFactory,
    encode: Callable[..., Path],
    faces: Callable[..., list[Pixels]],
) -> Path:
    """6 s of the portrait, each frame with its number as a gray patch in the corner."""
    frames = faces(150, 192)
    for number, frame in enumerate(frames):
        frame[:24, :24] = 20 + number
    return encode(tmp_path_factory.mktemp("evidence") / "long.mp4", frames, options={"crf": "10"})


def number_of(pixels: Pixels) -> int:
    return round(float(pixels[4:20, 4:20].mean())) - 20


def test_the_moments_with_the_highest_scores_are_shown_in_order_of_time(long_video: Path):
    verdict = with_logits(
        scan(long_video, ["bright"]),
        lambda s: {0.4: 3.0, 2.0: 9.0, 5.0: 6.0}.get(round(s.start_s, 2), 0.0),
    )
    shown = key_frames(verdict)
    assert [round(f.time_s, 2) for f in shown] == [0.4, 2.0, 5.0]
    assert [f.logit for f in shown] == [3.0, 9.0, 6.0]
    assert [f.frame_index for f in shown] == [10, 50, 125]
    # The picture is that of the moment.
    assert [number_of(f.pixels) for f in shown] == pytest.approx([10, 50, 125], abs=1)


def test_moments_are_not_all_from_one_place(long_video: Path):
    verdict = with_logits(
        scan(long_video, ["bright"]), lambda s: 9.0 if 2.0 <= s.start_s <= 2.7 else 0.0
    )
    times = [f.time_s for f in key_frames(verdict)]
    assert min(np.diff(times)) >= 6 / 8 - 0.01


def test_boxes_masks_and_regions_belong_to_the_moment(long_video: Path):
    verdict = scan(long_video, ["bright"])
    boxes = {o.frame_index: o.box_px for o in verdict.tracks[0].observations}
    by_frame = {s.frame_indices[0]: s for s in verdict.clip_scores}
    for frame in key_frames(verdict):
        score = by_frame[frame.frame_index]
        np.testing.assert_array_equal(frame.box_px, boxes[frame.frame_index])
        assert score.mask is not None
        assert score.regions_px is not None
        np.testing.assert_array_equal(frame.mask, score.mask[0])
        np.testing.assert_array_equal(frame.region_px, score.regions_px[0])
        assert frame.detector == "bright"
        assert frame.scale == 1
        assert frame.pixels.shape == (192, 192, 3)


def test_large_pictures_are_reduced_and_say_by_how_much(
    tmp_path: Path, encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
):
    frames = [np.pad(f, ((200, 200), (500, 844), (0, 0))) for f in faces(10, 256)]
    verdict = scan(encode(tmp_path / "wide.mp4", frames, fps=5), ["bright"])
    (frame, *_) = key_frames(verdict)
    assert frame.pixels.shape == (394, 960, 3)
    assert frame.scale == pytest.approx(960 / 1600)
    x0, y0, x1, y1 = np.rint(frame.box_px * frame.scale).astype(int)
    assert frame.pixels[y0:y1, x0:x1].mean() > 60  # the face is where the box says
    assert frame.box_px[0] > 500


def test_the_most_suspicious_faces_come_first(two_people_video: Path):
    verdict = with_logits(scan(two_people_video, ["bright"]), lambda s: float(s.track_id))
    assert [f.track_id for f in key_frames(verdict, per_face=2)] == [1, 1, 0, 0]
    assert {f.track_id for f in key_frames(verdict, most_faces=1)} == {1}


def test_no_face_gives_no_pictures(no_face_video: Path):
    verdict = scan(no_face_video, ["bright"])
    assert verdict.finding is Finding.NO_FACE
    assert key_frames(verdict) == []


def test_a_single_picture_is_shown_once(one_frame_video: Path):
    (frame,) = key_frames(scan(one_frame_video, ["bright"]))
    assert frame.time_s == 0


def test_a_file_that_is_gone_gives_no_pictures(portrait_video: Path, tmp_path: Path):
    copy = tmp_path / "copy.mp4"
    shutil.copy(portrait_video, copy)
    verdict = scan(copy, ["bright"])
    copy.unlink()
    assert key_frames(verdict) == []


def test_a_file_that_became_something_else_gives_no_pictures(portrait_video: Path, tmp_path: Path):
    copy = tmp_path / "copy.mp4"
    shutil.copy(portrait_video, copy)
    verdict = scan(copy, ["bright"])
    copy.write_text("no video any more")
    assert key_frames(verdict) == []


def test_another_video_under_the_same_name_is_never_shown_as_evidence(
    portrait_video: Path, long_video: Path, tmp_path: Path
):
    copy = tmp_path / "copy.mp4"
    shutil.copy(portrait_video, copy)
    verdict = scan(copy, ["bright"])
    shutil.copy(long_video, copy)
    assert key_frames(verdict) == []


def test_a_truncated_file_still_has_its_pictures(truncated_video: Path):
    shown = key_frames(scan(truncated_video, ["bright"]))
    assert shown
    assert max(f.time_s for f in shown) < 1.7


def test_every_detector_that_marks_pixels_is_shown(long_video: Path):
    toy_detectors.register("dark")
    verdict = scan(long_video, ["bright", "dark"])
    shown = key_frames(verdict, per_face=2)
    assert [frame.detector for frame in shown] == ["bright", "bright", "dark", "dark"]
    assert all(frame.mask is not None for frame in shown)


def test_a_detector_without_masks_is_shown_only_if_it_decides(long_video: Path):
    toy_detectors.register("dark")
    verdict = scan(long_video, ["bright", "dark"])
    bare = tuple(
        dataclasses.replace(s, mask=None) if s.detector == "dark" else s
        for s in verdict.clip_scores
    )
    shown = key_frames(dataclasses.replace(verdict, clip_scores=bare))
    assert {frame.detector for frame in shown} == {"bright"}
