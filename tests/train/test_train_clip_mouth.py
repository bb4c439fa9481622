"""Mouths in training: cut by 68 points as in scan, where they are known."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pytest

from synthetic_faces import mouth_spec
from unmask.clips import Cutter, Plan, needs
from unmask.clips.mouth import MEAN_FACE_PX, STEADY_POINTS, mouth_clip
from unmask.detectors import get_card, list_detectors
from unmask.faces import FaceFinder, Follower
from unmask.forgeries import FaceClip
from unmask.media import open_video
from unmask.prepare import FaceSequence, PrepareSpec, prepare
from unmask.prepare import find as find_module
from unmask.train import data as data_module
from unmask.train.augment import change_of
from unmask.train.clip import augment_alike, cut_clip, read_clip, rolled, scaled
from unmask.train.data import prepare_spec_for
from unmask.types import Floats, InputSpec, LabelledVideo, Pixels

FRAMES = 50
SPEC = mouth_spec(FRAMES)
STILL = change_of(None)


def _template() -> Floats:
    """68 points in the aligned frame: eyes and nose of the mean face, lips below."""
    points = np.full((68, 2), 128.0)
    points[list(STEADY_POINTS)] = MEAN_FACE_PX
    turn = np.linspace(0, 6, 20)
    points[48:] = np.stack([128 + 24 * np.cos(turn), 185 + 10 * np.sin(turn)], axis=1)
    return points.astype(np.float32)


def find_points(pixels: Pixels, boxes_px: Floats) -> Floats:
    """As if FAN had looked: whole pixels, laid out by the box alone."""
    sides = (boxes_px[:, 2:] - boxes_px[:, :2]).max(axis=1)[:, None, None]
    centers = (boxes_px[:, :2] + boxes_px[:, 2:])[:, None] / 2
    found: Floats = np.rint(centers + (_template() - 128) * sides / 170).astype(np.float32)
    return found


@pytest.fixture
def sequence(portrait_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaceSequence:
    """The whole video, with 68 points."""
    monkeypatch.setattr(find_module, "load_landmarks", lambda: find_points)
    # A module that has the name of its function.
    prepare_module = importlib.import_module("unmask.prepare.dataset")
    monkeypatch.setattr(prepare_module, "load_landmarks", lambda: find_points)
    video = LabelledVideo(path=portrait_video, label=0, dataset="d", split="train")
    spec = PrepareSpec(sequences=1, frames=FRAMES, landmarks=68)
    return prepare([video], tmp_path / "out", spec).sequences[0]


@pytest.fixture
def clip(sequence: FaceSequence) -> FaceClip:
    return read_clip(sequence, FRAMES, np.random.default_rng(0))


def cut(clip: FaceClip, spec: InputSpec = SPEC, **changes: bool) -> Pixels:
    flip = changes.get("is_flipped", False)
    return cut_clip(clip, spec, STILL, np.random.default_rng(0), is_flipped=flip).pixels


def test_training_cuts_the_mouths_of_scan(clip: FaceClip, portrait_video: Path):
    with open_video(portrait_video) as video:
        plan = Plan([SPEC], video.info.fps)
        follow = Follower(FaceFinder(threads=1), needs([SPEC]), find_points=find_points)
        (scanned,) = Cutter(plan)(follow(video.frames(plan.wants)))
    assert scanned.points == 68
    difference = np.abs(cut(clip).astype(int) - scanned.pixels)
    assert difference.max() <= 1  # fractions are cut off: the canvas's origin may decide
    assert (difference == 0).mean() > 0.99


def test_the_chain_is_that_of_mouth_clip(clip: FaceClip):
    assert clip.points68_px is not None
    expected = mouth_clip(np.stack(clip.frames), clip.points68_px.astype(np.float64))
    whole = dataclasses.replace(SPEC, size=(96, 96), load_size=None)
    assert np.array_equal(cut(clip, whole), expected)
    assert np.array_equal(cut(clip), expected[:, 4:92, 4:92])
    assert np.array_equal(cut(clip, is_flipped=True), expected[:, 4:92, 4:92][:, :, ::-1])


def test_masks_and_twins_are_cut_alike(clip: FaceClip):
    lit = [np.zeros(frame.shape[:2], np.float32) for frame in clip.frames]
    for mask in lit:
        mask[:, : mask.shape[1] // 2] = 1
    darker = [frame // 2 for frame in clip.frames]
    both = dataclasses.replace(clip, masks=lit, twins=darker)
    found = cut_clip(both, SPEC, STILL, np.random.default_rng(0), is_flipped=False)
    alone = dataclasses.replace(clip, frames=darker)
    assert found.twin is not None
    assert np.array_equal(found.twin, cut(alone))
    assert found.mask.shape == (FRAMES, 88, 88)
    assert found.mask[:, :, 0].min() == 1
    assert found.mask[:, :, -1].max() == 0


def test_random_crops_are_cut_out_of_the_larger_mouth(clip: FaceClip):
    change = change_of("crop_and_flip")
    whole = cut(clip, dataclasses.replace(SPEC, size=(96, 96), load_size=None))
    found = cut_clip(clip, SPEC, change, np.random.default_rng(3), is_flipped=False).pixels
    places = [
        (y, x)
        for y in range(9)
        for x in range(9)
        if np.array_equal(found, whole[:, y : y + 88, x : x + 88])
    ]
    assert len(places) == 1


def test_without_68_points_five_serve(clip: FaceClip):
    bare = dataclasses.replace(clip, points68_px=None)
    by_five = cut(bare)
    assert by_five.shape == cut(clip).shape
    assert not np.array_equal(by_five, cut(clip))
    five = dataclasses.replace(SPEC, landmarks=5)
    assert np.array_equal(cut(clip, five), by_five)


def test_points_that_cannot_be_used_in_one_frame_leave_the_clip_to_five(clip: FaceClip):
    assert clip.points68_px is not None
    points = clip.points68_px.copy()
    points[20, 48:] += 400  # this mouth lies far outside of its face
    odd = dataclasses.replace(clip, points68_px=points)
    assert np.array_equal(cut(odd), cut(dataclasses.replace(clip, points68_px=None)))


def test_points_follow_their_pictures(clip: FaceClip):
    assert clip.points68_px is not None
    half = scaled(clip, 0.5)
    assert half.points68_px is not None
    assert np.allclose(half.points68_px, clip.points68_px / 2)
    later = rolled(clip, np.random.default_rng(0))
    assert later.points68_px is not None
    by = int(np.argmax([np.array_equal(later.frames[0], frame) for frame in clip.frames]))
    assert np.array_equal(later.points68_px[0], clip.points68_px[by])
    resized = change_of("strong").pixels
    (changed,) = augment_alike(
        [clip], np.random.default_rng(1), dataclasses.replace(resized, resize=1.0)
    )
    share = changed.frames[0].shape[1] / clip.frames[0].shape[1]
    assert changed.points68_px is not None
    assert np.allclose(changed.points68_px, clip.points68_px * np.float32(share))


def test_a_part_of_a_sequence_has_its_own_points(sequence: FaceSequence):
    part = read_clip(sequence, 10, np.random.default_rng(5))
    whole = sequence.points68_px
    assert part.points68_px is not None
    assert whole is not None
    first = [np.array_equal(part.points68_px, whole[at : at + 10]) for at in range(41)].index(True)
    assert np.array_equal(part.frames[0], sequence.pixels([first])[0])


@pytest.mark.parametrize("is_there", [True, False])
def test_68_points_are_kept_where_their_source_is(monkeypatch: pytest.MonkeyPatch, is_there: bool):
    monkeypatch.setattr(
        data_module, "landmarks_missing_reason", lambda: None if is_there else "install it"
    )
    by_68 = [card for card in map(get_card, list_detectors()) if card.input.landmarks == 68]
    assert by_68
    for card in by_68:
        spec = prepare_spec_for(card)
        assert spec.landmarks == (68 if is_there else 5)
        assert (spec.largest_face_px is None) == is_there  # every pixel counts
        assert spec.serves(card.input)
    others = [card for card in map(get_card, list_detectors()) if card.input.landmarks == 5]
    assert {prepare_spec_for(card).landmarks for card in others} == {5}
