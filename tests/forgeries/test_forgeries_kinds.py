"""Every kind of forgery, by what all have in common and by what each is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch

from unmask.errors import UnknownNameError, UsageError
from unmask.forgeries import KINDS, Face, FaceClip, ForgedFrame, Material, get_kind
from unmask.forgeries import forge as forge_clip
from unmask.forgeries.decoders import decoded, shipped
from unmask.forgeries.kinds import re_rendering
from unmask.forgeries.kinds.cross_blend import landmark_distances, transfer_color
from unmask.forgeries.registry import REGISTERED, kind
from unmask.types import Floats, Pixels

STILL = [name for name, kind in KINDS.items() if kind.least_frames == 1]
MOVING = [name for name, kind in KINDS.items() if kind.least_frames > 1]
EVERYWHERE = [name for name in STILL if name.endswith("_everywhere")]
SELF_BLENDS = ("self_blend", "coarse_blend")
LENGTH = 8


@pytest.fixture(scope="module")
def stranger(face: Face) -> Face:
    """Somebody else, as far as pixels go: mirrored, darker, with another color."""
    pixels = np.ascontiguousarray(face.pixels[:, ::-1])
    pixels = np.clip(pixels * [0.6, 0.7, 0.9] + 8, 0, 255).astype(np.uint8)
    points = face.landmarks_px[[1, 0, 2, 4, 3]] * np.float32([-1, 1])
    points = points + np.float32([face.pixels.shape[1] - 1, 0])
    return Face(pixels, points, face.box_px)


@pytest.fixture(scope="module")
def clip(face: Face) -> list[Face]:
    """The face drifts, and its mouth opens by a few pixels."""
    size = (face.pixels.shape[1], face.pixels.shape[0])
    frames = []
    for number in range(LENGTH):
        shift = np.float32([1.2 * number, 0.6 * number])
        matrix = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
        pixels = cv2.warpAffine(face.pixels, matrix, size, borderMode=cv2.BORDER_REFLECT)
        mouth = face.landmarks_px[3:5].mean(axis=0) + shift
        center = (int(mouth[0]), int(mouth[1]))
        cv2.ellipse(pixels, center, (14, 2 + number), 0, 0, 360, (60, 20, 20), -1)
        frames.append(Face(pixels, face.landmarks_px + shift, face.box_px + np.tile(shift, 2)))
    return frames


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(re_rendering, "_STEPS", 6)


class Forged(NamedTuple):
    """T real frames, forged ones and masks."""

    real: list[Pixels]
    fake: list[Pixels]
    masks: list[Floats]


def clip_of(faces: Sequence[Face]) -> FaceClip:
    return FaceClip(
        frames=[face.pixels for face in faces],
        landmarks_px=np.stack([face.landmarks_px for face in faces]),
        box_px=np.stack([face.box_px for face in faces]),
    )


def forge(
    name: str,
    faces: Sequence[Face],
    stranger: Face | None = None,
    seed: int = 0,
    region: str | None = None,
    moment: Sequence[Face] | None = None,
) -> Forged:
    material = Material(
        person=stranger and clip_of([stranger] * len(faces)),
        moment=moment and clip_of(moment),
        region=region,
    )
    real, fake = forge_clip(name, clip_of(faces), np.random.default_rng(seed), material)
    return Forged(real.frames, fake.frames, fake.all_masks)


def difference(one: Pixels, other: Pixels) -> Floats:
    return np.abs(one.astype(np.float32) - other).mean(axis=2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_what_its_mask_says_and_nothing_else(
    kind: str, clip: list[Face], face: Face, stranger: Face
):
    faces = [face] if kind in STILL else clip
    for seed in range(4 if kind in STILL else 2):
        forgery = forge(kind, faces, stranger, seed)
        changed = 0.0
        for real, fake, mask in zip(*forgery, strict=True):
            assert real.shape == fake.shape == face.pixels.shape
            assert real.dtype == fake.dtype == np.uint8
            assert mask.shape == real.shape[:2]
            assert mask.dtype == np.float32
            assert 0 <= mask.min() <= mask.max() <= 1
            if kind not in SELF_BLENDS:  # their faintest weights are not set to 0
                np.testing.assert_array_equal(real[mask == 0], fake[mask == 0])
            inside = mask > 0.5 * max(float(mask.max()), 0.1)
            if inside.any():
                changed = max(changed, float(difference(real, fake)[inside].mean()))
        assert changed > 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_forgery_and_another_seed_another(
    kind: str, clip: list[Face], stranger: Face
):
    faces = clip[: KINDS[kind].least_frames + 1]
    here, again, there = (forge(kind, faces, stranger, seed).fake for seed in (1, 1, 2))

    np.testing.assert_array_equal(np.stack(here), np.stack(again))
    assert not np.array_equal(np.stack(here), np.stack(there))


@pytest.mark.parametrize("kind", [k for k in STILL if k not in (*SELF_BLENDS, "lower_face")])
def test_a_still_clip_is_forged_alike_in_every_frame(kind: str, face: Face, stranger: Face):
    forgery = forge(kind, [face] * 4, stranger, 3)
    for frame in forgery.fake[1:]:
        np.testing.assert_array_equal(forgery.fake[0], frame)


@pytest.mark.parametrize("kind", ["re_rendered_per_frame", "flicker", "swimming_paste"])
def test_an_unsteady_kind_changes_even_a_still_clip(kind: str, face: Face, stranger: Face):
    forgery = forge(kind, [face] * LENGTH, stranger, 3)
    steps = [difference(a, b).max() for a, b in zip(forgery.fake, forgery.fake[1:], strict=False)]
    assert min(steps) > 1


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_whole_pictures_have_no_border(kind: str, face: Face, stranger: Face):
    resampled = 0
    for seed in range(12):
        forgery = forge(kind, [face], stranger, seed)
        assert forgery.masks[0].min() == 1
        resampled += not np.array_equal(forgery.real[0], face.pixels)
    assert 2 <= resampled <= 10  # lost detail as such does not tell the classes apart


def spectrum_peak(pixels: Pixels) -> float:
    """How far the spectrum at a grid's frequencies stands out from what is around them."""
    gray = pixels.astype(np.float64).mean(axis=2)[:224, :224]
    power = np.fft.fftshift(np.abs(np.fft.fft2(gray)))  # zero frequency at 112, 112
    peaks = []
    for period in (2, 4, 8):
        step = 224 // period
        for y, x in ((112, 112 - step), (112 - step, 112), (112 - step, 112 - step)):
            around = power[max(y - 5, 0) : y + 6, max(x - 5, 0) : x + 6]
            peaks.append(power[y, x] / np.median(around))
    return float(max(peaks))


def test_the_grid_has_peaks_in_the_spectrum_that_a_photograph_lacks(face: Face, stranger: Face):
    photograph = spectrum_peak(face.pixels)
    kind = "resampling_grid_everywhere"
    peaks = [spectrum_peak(forge(kind, [face], stranger, seed).fake[0]) for seed in range(20)]
    assert np.mean([peak > 3 * photograph for peak in peaks]) >= 0.4  # the others repeat pixels


def high_frequencies(pixels: Pixels) -> float:
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(gray - cv2.GaussianBlur(gray, (0, 0), 1.0)).mean())


@pytest.mark.parametrize("kind", ["warped_face", "re_rendered", "lower_face"])
def test_texture_is_lost_under_the_mask(kind: str, face: Face, stranger: Face):
    for seed in range(4):
        forgery = forge(kind, [face], stranger, seed, region="lower")
        y, x = np.nonzero(forgery.masks[0] > 0.9)
        inside = np.s_[y.min() : y.max(), x.min() : x.max()]
        assert high_frequencies(forgery.fake[0][inside]) < high_frequencies(face.pixels[inside])


def test_across_people_another_face_is_pasted_in_the_colors_of_the_first(
    face: Face, stranger: Face
):
    for seed in range(4):
        forgery = forge("cross_blend", [face], stranger, seed, region="inner")
        inside = forgery.masks[0] > 0.9
        ours, theirs = face.pixels[inside].mean(axis=0), forgery.fake[0][inside].mean(axis=0)
        far = np.abs(stranger.pixels[forgery.masks[0] > 0.9].mean(axis=0) - ours).mean()
        assert np.abs(ours - theirs).mean() < 0.3 * far
        np.testing.assert_array_equal(forgery.real[0], face.pixels)


def test_the_x_ray_of_a_blend_lies_on_its_border(face: Face, stranger: Face):
    mask = forge("cross_blend", [face], stranger, 1).masks[0]
    ray = 4 * mask * (1 - mask)
    assert ray.max() > 0.9
    assert ray[mask > 0.99].max() < 0.05
    assert ray[mask == 0].max() == 0


def test_colors_are_transferred_under_the_mask_alone(face: Face, stranger: Face):
    weight = np.zeros(face.pixels.shape[:2], np.float32)
    weight[80:160, 80:160] = 1
    moved = transfer_color(stranger.pixels, face.pixels, weight)
    under = weight > 0
    np.testing.assert_allclose(moved[under].mean(axis=0), face.pixels[under].mean(axis=0), atol=6)


def test_the_distance_of_landmarks_is_that_of_shapes():
    points = np.float32([[0, 0], [2, 0], [1, 1], [0.3, 2], [1.7, 2]])
    turn = np.float32([[0, -1], [1, 0]])
    wide = points * np.float32([1.5, 1])
    distances = landmark_distances(points, np.stack([points * 3 + 7, points @ turn, wide]))
    np.testing.assert_allclose(distances[:2], 0, atol=1e-6)
    assert distances[2] > 0.01


def test_another_moment_is_pasted_under_the_eyes(clip: list[Face]):
    first, last = clip[0], clip[-1]
    forgery = forge("lower_face", [first], region="mouth", moment=[last])
    x, y = (int(v) for v in first.landmarks_px[3:5].mean(axis=0))
    mouth = np.s_[y + 4 : y + 9, x - 4 : x + 5]  # open in the last frame, closed in the first
    assert forgery.fake[0][mouth].mean() < forgery.real[0][mouth].mean() - 10
    eyes = int(first.landmarks_px[:2, 1].mean())
    np.testing.assert_array_equal(forgery.fake[0][:eyes], first.pixels[:eyes])


def test_a_frozen_mouth_stays_while_the_head_moves(clip: list[Face]):
    for seed in range(4):
        forgery = forge("frozen_mouth", clip, seed=seed)
        changed = [bool(mask.any()) for mask in forgery.masks]
        assert sum(changed) >= round(0.6 * LENGTH) - 1
        assert not all(changed)  # the frame that the mouth comes from is its own
        for real, fake, is_changed in zip(forgery.real, forgery.fake, changed, strict=True):
            assert np.array_equal(real, fake) is not is_changed


def test_every_jittered_mouth_is_of_another_frame(clip: list[Face]):
    for seed in range(4):
        forgery = forge("jittered_mouth", clip, seed=seed)
        for real, fake, mask in zip(*forgery, strict=True):
            assert difference(real, fake)[mask > 0.5].max() > 5


def test_a_paste_swims_by_its_drift(clip: list[Face]):
    still = [clip[0]] * LENGTH
    forgery = forge("swimming_paste", still)
    steps = np.array([difference(a, forgery.fake[0]).mean() for a in forgery.fake])
    assert steps[-1] > 0
    assert steps[1] < steps.max()  # slowly, not in one jump


@pytest.fixture
def _registered() -> Iterator[None]:
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


@pytest.mark.usefixtures("_registered")
def test_a_file_registers_its_kind_under_the_name_of_its_function():
    @kind("nothing at all", least_frames=3)
    def untouched(*given: object) -> list[ForgedFrame]:
        return []

    assert REGISTERED["untouched"].summary == "nothing at all"
    assert REGISTERED["untouched"].least_frames == 3
    with pytest.raises(ValueError, match="Two kinds of forgery are named untouched"):
        kind("again", name="untouched")(untouched)


def test_the_forged_clip_keeps_what_is_known_of_the_real_one(clip: list[Face]):
    given = clip_of(clip)
    real, fake = forge_clip("flicker", given, np.random.default_rng(0))
    assert (real.label, fake.label) == (0, 1)
    # Smoothed points serve to forge alone.
    assert real.landmarks_px is fake.landmarks_px is given.landmarks_px
    assert not any(mask.any() for mask in real.all_masks)


def test_the_training_page_names_every_kind():
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    assert not [name for name in KINDS if f"`{name.removesuffix('_everywhere')}`" not in page]


def test_an_unknown_kind_is_refused_with_the_known_ones(face: Face):
    with pytest.raises(UnknownNameError, match=r"'flikker'. Did you mean 'flicker'\? Known: c"):
        get_kind("flikker")
    with pytest.raises(UnknownNameError, match="Unknown kind of forgery"):
        forge("swap", [face])


@pytest.mark.parametrize("kind", MOVING)
def test_too_short_a_clip_is_refused(kind: str, face: Face):
    least = KINDS[kind].least_frames
    message = f"Cannot make {kind} of {least - 1} frames: expected at least {least}"
    with pytest.raises(UsageError, match=message):
        forge(kind, [face] * (least - 1))


def test_across_people_without_another_one_is_refused(face: Face):
    with pytest.raises(UsageError, match=r"expected another person's face, got none"):
        forge("cross_blend", [face])


def test_material_of_another_length_is_refused(face: Face, stranger: Face):
    message = r"Cannot make cross_blend: the other person has 2 frames, the face 1"
    with pytest.raises(UsageError, match=message):
        material = Material(person=clip_of([stranger] * 2))
        forge_clip("cross_blend", clip_of([face]), np.random.default_rng(0), material)


def test_odd_and_small_pictures_are_forged_too(face: Face, stranger: Face):
    small = cv2.resize(face.pixels, (61, 47), interpolation=cv2.INTER_AREA)
    scale = np.float32([61 / face.pixels.shape[1], 47 / face.pixels.shape[0]])
    tiny = face._replace(pixels=small, landmarks_px=face.landmarks_px * scale)
    for name in STILL:
        forgery = forge(name, [tiny], stranger, 5)
        assert forgery.fake[0].shape == (47, 61, 3)


@pytest.mark.parametrize("number", range(6))
def test_every_decoder_draws_the_picture_it_is_given(number: int, face: Face):
    _, net = shipped()[number]
    side = 64
    top, left = face.box_px[1::-1].astype(int)
    given = face.pixels[top : top + side, left : left + side]
    picture = torch.from_numpy(given.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    drawn = (net(picture)[0].permute(1, 2, 0).numpy() + 1) * 127.5

    mean = np.abs(given - given.mean(axis=(0, 1))).mean()
    assert 0.2 < np.abs(drawn - given).mean() < 0.5 * mean


def test_a_decoder_takes_pictures_of_any_size(face: Face):
    for rows, columns in ((61, 87), (17, 33), (120, 64)):
        for seed in range(6):
            made = decoded(face.pixels[:rows, :columns], np.random.default_rng(seed))
            assert made.shape == (rows, columns, 3)
            assert made.dtype == np.uint8


def test_an_animated_still_follows_the_head_and_shows_nothing_new(clip: list[Face], stranger: Face):
    followed = 0
    for seed in range(6):
        forgery = forge("animated_still", clip, stranger, seed)
        assert min(mask.min() for mask in forgery.masks) == 1
        shifts = []
        for real, fake in zip(forgery.real, forgery.fake, strict=True):
            x0, y0, x1, y1 = clip[0].box_px.astype(int)
            here, there = (
                cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[y0 : y0 + (y1 - y0) // 2, x0:x1]
                for p in (real, fake)
            )
            shift, _ = cv2.phaseCorrelate(here.astype(np.float32), there.astype(np.float32))
            shifts.append(np.hypot(*shift))
        followed += max(shifts) < 2.5  # the clip itself drifts by 9 px
    assert followed >= 5
