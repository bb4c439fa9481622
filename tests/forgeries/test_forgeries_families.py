"""The five families of clip forgeries: what they change, what they leave, what they repeat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unmask.errors import UnknownNameError, UsageError
from unmask.faces import FaceFinder
from unmask.forgeries import FAMILIES, FaceClip, ForgedClip, forge, re_render
from unmask.forgeries.face_clip import match_color, paste, smooth_in_time
from unmask.forgeries.families import LEAST_FRAMES
from unmask.types import Pixels

FRAMES = 12


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(re_render, "_STEPS", 6)


@pytest.fixture(scope="module")
def clip(faces: Callable[..., list[Pixels]]) -> FaceClip:
    frames = np.stack(faces(FRAMES, 200))
    find = FaceFinder(threads=1)
    return FaceClip(frames, np.stack([find(frame).landmarks_px[0] for frame in frames]))


def changed(forged: ForgedClip, clip: FaceClip) -> np.ndarray:
    """Pixels (T, H, W) that are not the real ones."""
    return (forged.frames != clip.frames).any(axis=-1)


def place(clip: FaceClip, masks: np.ndarray) -> np.ndarray:
    """Middle of the masks relative to the eyes, (T, 2), in units of eyes to mouth."""
    found = []
    for mask, points in zip(masks, clip.landmarks_px, strict=True):
        y, x = np.nonzero(mask)
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        found.append((np.array([x.mean(), y.mean()]) - eyes) / np.linalg.norm(mouth - eyes))
    return np.array(found)


def test_the_families_are_named():
    assert list(FAMILIES) == [
        *("whole_face_blend", "inner_face_blend", "mouth_swap_in_time"),
        *("landmark_warp", "re_rendering"),
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_outside_the_mask_every_frame_is_the_real_one(clip: FaceClip, family: str):
    for seed in range(2):
        forged = forge(clip, family, seed)
        outside = forged.masks == 0
        assert outside.any(axis=(1, 2)).all()
        np.testing.assert_array_equal(forged.frames[outside], clip.frames[outside])


@pytest.mark.parametrize("family", FAMILIES)
def test_inside_the_mask_it_differs_in_every_frame(clip: FaceClip, family: str):
    for seed in range(2):
        forged = forge(clip, family, seed)
        inside = forged.masks > 0
        assert inside.any(axis=(1, 2)).all()
        share = [now[mask].mean() for now, mask in zip(changed(forged, clip), inside, strict=True)]
        assert min(share) > 0.5, share


@pytest.mark.parametrize("family", FAMILIES)
def test_shapes_types_and_what_a_mask_says(clip: FaceClip, family: str):
    forged = forge(clip, family, 0)
    assert forged.frames.shape == clip.frames.shape
    assert forged.masks.shape == clip.frames.shape[:3]
    assert forged.frames.dtype == forged.masks.dtype == np.uint8
    assert set(np.unique(forged.masks)) == {0, 1}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_forgery_and_another_seed_another(clip: FaceClip, family: str):
    before = clip.frames.copy()
    one, again, other = (forge(clip, family, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.frames, again.frames)
    np.testing.assert_array_equal(one.masks, again.masks)
    assert (one.frames != other.frames).any()
    np.testing.assert_array_equal(clip.frames, before)


@pytest.mark.parametrize("family", ["whole_face_blend", "inner_face_blend", "mouth_swap_in_time"])
def test_a_mask_follows_the_face_and_keeps_its_outline(clip: FaceClip, family: str):
    masks = forge(clip, family, 1).masks
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
    def share(family: str) -> float:
        return float(forge(clip, family, 2).masks.mean())

    assert share("whole_face_blend") > 1.3 * share("inner_face_blend")
    assert share("inner_face_blend") > 1.3 * share("mouth_swap_in_time")
    mouth = place(clip, forge(clip, "mouth_swap_in_time", 2).masks)
    np.testing.assert_allclose(mouth.mean(axis=0), [0, 1.02], atol=0.25)


def test_self_blends_change_all_frames_alike(face_image: Pixels):
    """A clip of one frame repeated stays still when it is forged."""
    points = FaceFinder(threads=1)(face_image).landmarks_px[0]
    frames = np.repeat(face_image[None, :260, 90:350], LEAST_FRAMES, axis=0)
    still = FaceClip(frames, np.repeat(points[None] - [90, 0], LEAST_FRAMES, 0).astype(np.float32))
    for family in ("whole_face_blend", "inner_face_blend"):
        forged = forge(still, family, 4)
        assert (forged.frames == forged.frames[0]).all()
        assert (forged.masks == forged.masks[0]).all()


def test_a_mouth_comes_from_far_away_in_time():
    """Frames carry their number as their gray: what is pasted tells where it comes from."""
    count = 40
    frames = np.repeat(np.arange(0, 4 * count, 4, np.uint8), 96 * 96 * 3)
    frames = frames.reshape(count, 96, 96, 3)
    points = np.array([[34, 36], [62, 36], [48, 50], [38, 64], [58, 64]], np.float32)
    forged = forge(
        FaceClip(frames, np.repeat(points[None], count, axis=0)), "mouth_swap_in_time", 0
    )
    moved = np.abs(forged.frames[:, 64, 48, 0].astype(int) - frames[:, 64, 48, 0])
    # Colors are matched by 0.8 of the difference, so a fifth of it is left: 4 x 0.35 x 40 / 5.
    assert moved.min() >= 6 or np.sort(moved)[3] >= 6
    assert moved.max() <= 4 * 0.66 * count / 5 + 1


def test_a_warp_moves_smoothly_over_time(clip: FaceClip):
    """Of a still picture: what changes from frame to frame is small beside the warp itself."""
    count = 30
    still = FaceClip(
        np.repeat(clip.frames[:1], count, axis=0), np.repeat(clip.landmarks_px[:1], count, axis=0)
    )
    forged = forge(still, "landmark_warp", 3).frames.astype(float)
    steps = np.abs(np.diff(forged, axis=0)).mean(axis=(1, 2, 3))
    assert (np.abs(forged - still.frames).mean(axis=(1, 2, 3)) > 0.05).all()
    assert steps.max() > 0
    assert steps.max() < 0.5 * np.abs(forged - still.frames).mean()


def test_an_autoencoder_that_is_fitted_longer_draws_more_truly(clip: FaceClip):
    crops = clip.frames[:, 40:136, 50:146]
    errors = [
        np.abs(re_render.redraw(crops, 0, steps).astype(float) - crops).mean() for steps in (1, 60)
    ]
    assert errors[1] < 0.9 * errors[0]


def test_torch_is_left_as_it_was(clip: FaceClip):
    import torch

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    forge(clip, "re_rendering", 0)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads


def test_what_is_refused(clip: FaceClip):
    with pytest.raises(UnknownNameError, match=r"Unknown family 'faceswap'\. Known: whole_face_b"):
        forge(clip, "faceswap", 0)
    with pytest.raises(UsageError, match=r"seed -1: expected 0 or more"):
        forge(clip, "landmark_warp", -1)
    short = FaceClip(clip.frames[:7], clip.landmarks_px[:7])
    with pytest.raises(UsageError, match=r"clip of 7 frames: expected at least 8. Give a longer"):
        forge(short, "landmark_warp", 0)
    with pytest.raises(UsageError, match=r"landmarks \(T, 5, 2\) of one T, got .* and \(7, 5, 2\)"):
        FaceClip(clip.frames, clip.landmarks_px[:7])


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
    blend, mask = paste(real, other, np.array([[0.03, 0.5, 1.0]], np.float32))
    assert mask.tolist() == [[0, 1, 1]]
    assert blend[0, :, 0].tolist() == [10, 110, 210]


def test_colors_are_matched_under_the_mask_alone():
    real = np.full((2, 2, 3), 100, np.uint8)
    real[0] = 20
    other = np.full((2, 2, 3), 60, np.uint8)
    weight = np.array([[0, 0], [1, 1]], np.float32)
    assert (match_color(other, real, weight) == 100).all()
    assert (match_color(other, real, weight, 0.5) == 80).all()
