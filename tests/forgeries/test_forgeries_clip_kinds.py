"""The five kinds of the miniature benchmark: what they change, what they leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from unmask.errors import UsageError
from unmask.faces import FaceFinder
from unmask.forgeries import FaceClip, forge
from unmask.forgeries.clip import smooth_in_time
from unmask.forgeries.kinds import re_rendering
from unmask.forgeries.paste import lay_over, match_color
from unmask.minibench.settings import KINDS
from unmask.types import Floats, Pixels

FRAMES = 12


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(re_rendering, "_STEPS", 6)


@pytest.fixture(scope="module")
def clip(faces: Callable[..., list[Pixels]]) -> FaceClip:
    frames = faces(FRAMES, 200)
    find = FaceFinder(threads=1)
    found = [find(frame) for frame in frames]
    return FaceClip(
        frames=frames,
        landmarks_px=np.stack([f.landmarks_px[0] for f in found]),
        box_px=np.stack([f.boxes_px[0] for f in found]),
    )


class Forged(NamedTuple):
    """``frames`` (T, H, W, 3); ``masks`` (T, H, W), above 0 where forged."""

    frames: Pixels
    masks: Floats


def forged_by(kind: str, clip: FaceClip, seed: int) -> Forged:
    fake = forge(kind, clip, np.random.default_rng(seed)).fake
    return Forged(np.stack(fake.frames), np.stack(fake.all_masks))


def still(pixels: Pixels, points: Floats, count: int) -> FaceClip:
    """One frame again and again."""
    return FaceClip(
        frames=[pixels] * count,
        landmarks_px=np.repeat(points[None], count, axis=0).astype(np.float32),
        box_px=np.zeros((count, 4), np.float32),
    )


def place(clip: FaceClip, masks: np.ndarray) -> np.ndarray:
    """Middle of the masks relative to the eyes, (T, 2), in units of eyes to mouth."""
    found = []
    for mask, points in zip(masks, clip.landmarks_px, strict=True):
        y, x = np.nonzero(mask)
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        found.append((np.array([x.mean(), y.mean()]) - eyes) / np.linalg.norm(mouth - eyes))
    return np.array(found)


@pytest.mark.parametrize("kind", KINDS)
def test_outside_the_mask_every_frame_is_the_real_one(clip: FaceClip, kind: str):
    for seed in range(2):
        forged = forged_by(kind, clip, seed)
        outside = forged.masks == 0
        assert outside.any(axis=(1, 2)).all()
        np.testing.assert_array_equal(forged.frames[outside], np.stack(clip.frames)[outside])


@pytest.mark.parametrize("kind", KINDS)
def test_inside_the_mask_it_differs_in_every_frame(clip: FaceClip, kind: str):
    for seed in range(2):
        forged = forged_by(kind, clip, seed)
        inside = forged.masks > 0
        changed = (forged.frames != np.stack(clip.frames)).any(axis=-1)
        assert inside.any(axis=(1, 2)).all()
        share = [now[mask].mean() for now, mask in zip(changed, inside, strict=True)]
        assert min(share) > 0.5, share


@pytest.mark.parametrize("kind", KINDS)
def test_the_real_frames_stay_as_they_are(clip: FaceClip, kind: str):
    real, fake = forge(kind, clip, np.random.default_rng(0))
    np.testing.assert_array_equal(np.stack(real.frames), np.stack(clip.frames))
    assert {mask.dtype for mask in fake.all_masks} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_forgery_and_another_seed_another(clip: FaceClip, kind: str):
    before = np.stack(clip.frames)
    one, again, other = (forged_by(kind, clip, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.frames, again.frames)
    np.testing.assert_array_equal(one.masks, again.masks)
    assert (one.frames != other.frames).any()
    np.testing.assert_array_equal(np.stack(clip.frames), before)


@pytest.mark.parametrize("kind", ["whole_face_blend", "inner_face_blend", "mouth_swap_in_time"])
def test_a_mask_follows_the_face_and_keeps_its_outline(clip: FaceClip, kind: str):
    masks = forged_by(kind, clip, 1).masks > 0
    where = place(clip, masks)
    assert np.abs(where - where.mean(axis=0)).max() < 0.08
    heights = np.linalg.norm(
        clip.landmarks_px[:, :2].mean(axis=1) - clip.landmarks_px[:, 3:].mean(axis=1), axis=1
    )
    areas = masks.sum(axis=(1, 2)) / heights**2
    assert areas.std() / areas.mean() < 0.08
    # The face comes nearer and sways: the mask does not stand still in the picture.
    assert (masks[0] != masks[-1]).any()


def test_regions_lie_where_their_names_say(clip: FaceClip):
    def share(kind: str) -> float:
        return float((forged_by(kind, clip, 2).masks > 0).mean())

    assert share("whole_face_blend") > 1.3 * share("inner_face_blend")
    assert share("inner_face_blend") > 1.3 * share("mouth_swap_in_time")
    mouth = place(clip, forged_by("mouth_swap_in_time", clip, 2).masks)
    np.testing.assert_allclose(mouth.mean(axis=0), [0, 1.02], atol=0.25)


def test_self_blends_change_all_frames_alike(face_image: Pixels):
    """A clip of one frame repeated stays still when it is forged."""
    points = FaceFinder(threads=1)(face_image).landmarks_px[0]
    moments = still(np.ascontiguousarray(face_image[:260, 90:350]), points - [90, 0], 8)
    for kind in ("whole_face_blend", "inner_face_blend"):
        forged = forged_by(kind, moments, 4)
        assert (forged.frames == forged.frames[0]).all()
        assert (forged.masks == forged.masks[0]).all()


def test_a_mouth_comes_from_far_away_in_time():
    """Frames carry their number as their gray: what is pasted tells where it comes from."""
    count = 40
    frames = np.repeat(np.arange(0, 4 * count, 4, np.uint8), 96 * 96 * 3)
    frames = frames.reshape(count, 96, 96, 3)
    points = np.array([[34, 36], [62, 36], [48, 50], [38, 64], [58, 64]], np.float32)
    clip = dataclasses.replace(still(frames[0], points, count), frames=[*frames])
    forged = forged_by("mouth_swap_in_time", clip, 0)
    moved = np.abs(forged.frames[:, 64, 48, 0].astype(int) - frames[:, 64, 48, 0])
    # Colors are matched by 0.8 of the difference, so a fifth of it is left: 4 x 0.35 x 40 / 5.
    assert moved.min() >= 6 or np.sort(moved)[3] >= 6
    assert moved.max() <= 4 * 0.66 * count / 5 + 1


def test_a_warp_moves_smoothly_over_time(clip: FaceClip):
    """Of a still picture: what changes from frame to frame is small beside the warp itself."""
    count = 30
    moments = still(clip.frames[0], clip.landmarks_px[0], count)
    forged = forged_by("landmark_warp", moments, 3).frames.astype(float)
    steps = np.abs(np.diff(forged, axis=0)).mean(axis=(1, 2, 3))
    assert (np.abs(forged - clip.frames[0]).mean(axis=(1, 2, 3)) > 0.05).all()
    assert steps.max() > 0
    assert steps.max() < 0.5 * np.abs(forged - clip.frames[0]).mean()


def test_an_autoencoder_that_is_fitted_longer_draws_more_truly(clip: FaceClip):
    crops = np.stack(clip.frames)[:, 40:136, 50:146]
    drawn = [re_rendering.redraw(crops, 0, steps).astype(float) for steps in (1, 60)]
    errors = [np.abs(pixels - crops).mean() for pixels in drawn]
    assert errors[1] < 0.9 * errors[0]


def test_torch_is_left_as_it_was(clip: FaceClip):
    import torch

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    forge("re_rendering", clip, np.random.default_rng(0))
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads


def test_a_clip_needs_points_and_a_box_for_every_frame(clip: FaceClip):
    with pytest.raises(UsageError, match=r"landmarks \(T, 5, 2\) .*got 12 frames, \(7, 5, 2\) and"):
        dataclasses.replace(clip, landmarks_px=clip.landmarks_px[:7])
    with pytest.raises(UsageError, match=r"got 12 frames, .* and \(12, 5\)"):
        dataclasses.replace(clip, box_px=np.zeros((12, 5), np.float32))


def test_a_frame_of_a_clip_is_a_clip(clip: FaceClip):
    one = clip.frame(3)
    assert len(one) == 1
    np.testing.assert_array_equal(one.frames[0], clip.frames[3])
    np.testing.assert_array_equal(one.landmarks_px[0], clip.landmarks_px[3])


def test_smoothing_keeps_a_straight_line_and_calms_a_jump():
    line = np.arange(20, dtype=np.float32).reshape(20, 1, 1)
    np.testing.assert_allclose(smooth_in_time(line, 1.5)[5:-5], line[5:-5], atol=1e-4)
    jump = np.zeros((20, 5, 2), np.float32)
    jump[10] = 1
    smooth = smooth_in_time(jump, 1.5)
    assert smooth.max() < 0.3
    np.testing.assert_allclose(smooth.sum(axis=0), 1, atol=1e-4)


def test_a_faint_weight_pastes_nothing():
    real, other = np.full((1, 3, 3), 10, np.uint8), np.full((1, 3, 3), 210, np.uint8)
    blend, mask = lay_over(real, other, np.array([[0.03, 0.5, 1.0]], np.float32))
    assert mask.tolist() == [[0, 0.5, 1]]
    assert blend[0, :, 0].tolist() == [10, 110, 210]


def test_colors_are_matched_under_the_mask_alone():
    real = np.full((2, 2, 3), 100, np.uint8)
    real[0] = 20
    other = np.full((2, 2, 3), 60, np.uint8)
    weight = np.array([[0, 0], [1, 1]], np.float32)
    assert (match_color(other, real, weight) == 100).all()
    assert (match_color(other, real, weight, 0.5) == 80).all()
