from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_faces import Spot, noise, observation, whole_frame_patch
from unmask.clips import cut_face, needs
from unmask.faces import FaceFinder
from unmask.types import FaceObservation, FacePatch, InputSpec, Pixels


def patch_for(pixels: Pixels, seen: FaceObservation, spec: InputSpec) -> FacePatch:
    """A patch as the follower cuts it: no more pixels than needed."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = needs([spec])(seen, (width, height))
    return FacePatch(
        observation=seen,
        pixels=pixels[y0:y1, x0:x1],
        origin_px=(x0, y0),
        frame_size_px=(width, height),
    )


@pytest.mark.parametrize("align", ["none", "similarity"])
def test_at_scale_one_the_cut_is_the_very_pixels(align: str):
    frame = noise(240, 320)
    spec = InputSpec(align=align, margin=1.6, size=(96, 96))  # type: ignore[arg-type]
    seen = observation(Spot(150, 110, 60))
    center = seen.landmarks_px.mean(axis=0) if align == "similarity" else np.array([150, 110])
    if align == "similarity":  # put the points' mean on a whole pixel
        moved = seen.landmarks_px + (np.array([150, 110]) - center)
        seen = FaceObservation(
            track_id=0,
            frame_index=0,
            time_s=0,
            box_px=seen.box_px,
            landmarks_px=moved.astype(np.float32),
            confidence=1,
        )
    pixels, region = cut_face(patch_for(frame, seen, spec), spec)
    np.testing.assert_array_equal(pixels, frame[62:158, 102:198])
    np.testing.assert_allclose(region, [102, 62, 198, 158], atol=1e-3)


@given(
    spot=st.builds(Spot, x=st.floats(0, 320), y=st.floats(0, 240), side=st.floats(6, 300)),
    region=st.sampled_from(["face", "mouth"]),
    align=st.sampled_from(["none", "similarity"]),
    size=st.sampled_from([(32, 32), (48, 32)]),
    load=st.booleans(),
)
def test_any_face_gives_a_picture_of_the_size_asked_for(
    spot: Spot, region: str, align: str, size: tuple[int, int], load: bool
):
    spec = InputSpec(
        region=region,  # type: ignore[arg-type]
        align=align,  # type: ignore[arg-type]
        size=size,
        load_size=(60, 60) if load else None,
    )
    pixels, shown = cut_face(patch_for(noise(240, 320), observation(spot), spec), spec)
    assert pixels.shape == (*size, 3)
    assert pixels.dtype == np.uint8
    assert shown.shape == (4,)
    assert shown[0] < shown[2]
    assert shown[1] < shown[3]


def test_a_tight_patch_and_the_whole_frame_give_the_same_cut():
    frame = noise(240, 320)
    for align in ("none", "similarity"):
        spec = InputSpec(align=align, size=(64, 64))  # type: ignore[arg-type]
        seen = observation(Spot(151.3, 108.8, 71), angle=0.2)
        tight, _ = cut_face(patch_for(frame, seen, spec), spec)
        whole, _ = cut_face(whole_frame_patch(frame, seen), spec)
        # 1: the turned cut is resampled at positions that are equal but for rounding.
        assert np.abs(tight.astype(int) - whole).max() <= (align == "similarity")


def test_an_aligned_cut_does_not_change_when_the_picture_turns(face_image: Pixels):
    spec = InputSpec(align="similarity", margin=1.2, size=(112, 112))
    found = FaceFinder()(face_image)
    turn = cv2.getRotationMatrix2D((222, 118), 17, 1.0)
    turned = cv2.warpAffine(face_image, turn, (512, 512), flags=cv2.INTER_CUBIC)
    points = found.landmarks_px[0]
    cuts = []
    for pixels, landmarks in (
        (face_image, points),
        (turned, (points @ turn[:, :2].T + turn[:, 2]).astype(np.float32)),
    ):
        seen = FaceObservation(
            track_id=0,
            frame_index=0,
            time_s=0,
            box_px=found.boxes_px[0],
            landmarks_px=landmarks,
            confidence=1,
        )
        cut, _ = cut_face(whole_frame_patch(pixels, seen), spec)
        cuts.append(cv2.GaussianBlur(cut, (0, 0), 1.5).astype(float))
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(cuts[0] - cuts[1])[inner].mean() < 2.0
    assert np.abs(cuts[0] - cuts[0].mean()).mean() > 20  # it shows something


def test_gray_has_one_channel_of_brightness():
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[..., 1] = 200
    spec = InputSpec(color="gray", size=(32, 32))
    pixels, _ = cut_face(whole_frame_patch(frame, observation(Spot(160, 120))), spec)
    assert pixels.shape == (32, 32, 1)
    assert np.unique(pixels) == pytest.approx([117], abs=1)  # 0.587 x 200


def test_load_size_is_cropped_in_the_center():
    frame = noise(240, 320)
    seen = observation(Spot(160, 120, 96))
    loose = InputSpec(margin=1.0, size=(96, 96))
    tight = InputSpec(margin=1.0, size=(64, 64), load_size=(96, 96))
    whole, region = cut_face(whole_frame_patch(frame, seen), loose)
    inner, shown = cut_face(whole_frame_patch(frame, seen), tight)
    np.testing.assert_array_equal(inner, whole[16:80, 16:80])
    np.testing.assert_allclose(shown, region + np.array([16, 16, -16, -16]))


def test_pad_keeps_the_aspect_and_tells_what_it_shows():
    frame = np.full((240, 320, 3), 200, np.uint8)
    spec = InputSpec(margin=1.0, size=(40, 80), fit="pad")
    pixels, region = cut_face(whole_frame_patch(frame, observation(Spot(160, 120, 80))), spec)
    assert pixels.shape == (40, 80, 3)
    assert (pixels[:, 20:60] == 200).all()
    assert (pixels[:, :20] == 0).all()
    assert (pixels[:, 60:] == 0).all()
    np.testing.assert_allclose(region, [80, 80, 240, 160])


def test_stretch_fills_the_size():
    frame = np.full((240, 320, 3), 200, np.uint8)
    spec = InputSpec(margin=1.0, size=(40, 80))
    pixels, region = cut_face(whole_frame_patch(frame, observation(Spot(160, 120, 80))), spec)
    assert (pixels == 200).all()
    np.testing.assert_allclose(region, [120, 80, 200, 160])


def test_shrinking_averages_and_does_not_alias():
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[:, ::2] = 255
    spec = InputSpec(margin=1.0, size=(30, 30))
    pixels, _ = cut_face(whole_frame_patch(frame, observation(Spot(160, 120, 120))), spec)
    assert np.ptp(pixels) <= 2
    assert abs(int(pixels.mean()) - 127) <= 1


def test_a_cut_at_the_border_is_moved_inside():
    frame = noise(240, 320)
    spec = InputSpec(margin=1.0, size=(80, 80))
    pixels, region = cut_face(whole_frame_patch(frame, observation(Spot(10, 20, 80))), spec)
    np.testing.assert_array_equal(pixels, frame[:80, :80])
    np.testing.assert_allclose(region, [0, 0, 80, 80])
