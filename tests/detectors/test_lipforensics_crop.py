"""The mouth crop of a scan, which has five points, against the one that the weights expect."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from unmask.clips import cut_face
from unmask.clips.mouth import MEAN_FACE_PX, MOUTH_SIDE_PX
from unmask.detectors import get_card
from unmask.faces import FaceFinder
from unmask.types import FaceObservation, FacePatch

EYE_CENTERS = np.stack([MEAN_FACE_PX[1:3].mean(axis=0), MEAN_FACE_PX[3:5].mean(axis=0)])
EYES_APART_PX = float(np.linalg.norm(EYE_CENTERS[1] - EYE_CENTERS[0]))


def test_the_crop_is_at_the_papers_scale_where_the_eyes_are_as_usual():
    """A face whose eyes are 0.341 box sides apart: the crop must show what 96 px show there."""
    spec, box_side = get_card("lipforensics").input, 200.0
    apart = 0.341 * box_side
    mouth = np.array([260.0, 280.0])
    offsets = [[-apart / 2, -80], [apart / 2, -80], [0, -40], [-30, 0], [30, 0]]
    points = mouth + np.array(offsets)
    # Bright above the mouth, and from two thirds of the paper's half crop to its right.
    step = MOUTH_SIDE_PX / 3 * apart / EYES_APART_PX
    picture = np.zeros((500, 600, 3), np.uint8)
    picture[:280] = 255
    picture[:, round(mouth[0] + step) :] = 255
    observation = FaceObservation(
        track_id=0,
        frame_index=0,
        time_s=0.0,
        box_px=np.array([200, 140, 200 + 0.8 * box_side, 140 + box_side], np.float32),
        landmarks_px=points.astype(np.float32),
        confidence=1.0,
    )
    patch = FacePatch(
        observation=observation, pixels=picture, origin_px=(0, 0), frame_size_px=(600, 500)
    )
    pixels, _ = cut_face(patch, spec)
    assert pixels.shape == (88, 88, 1)
    bottom, right = pixels[80, :, 0], pixels[:, 2, 0]
    assert int((right > 127).sum()) == pytest.approx(44, abs=1)
    assert int((bottom < 128).sum()) == pytest.approx(44 + MOUTH_SIDE_PX / 3, abs=1)


def test_eyes_are_as_far_apart_as_the_margin_supposes(shared_folder: Path):
    """A sample of the photographs that the card's margin was measured on."""
    paths = sorted((shared_folder / "media" / "train" / "photos").glob("*.jpg"))[::40]
    if not paths:
        pytest.skip(f"no photographs in {shared_folder}/media/train/photos")
    find, apart = FaceFinder(), []
    for path in paths:
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        faces = find(picture)
        if len(faces.confidence) == 1:
            (box,), ((left, right, *_),) = faces.boxes_px, faces.landmarks_px
            apart.append(np.linalg.norm(right - left) / (box[2:] - box[:2]).max())
    assert len(apart) > 15
    margin = MOUTH_SIDE_PX / EYES_APART_PX * float(np.median(apart))
    assert get_card("lipforensics").input.margin == pytest.approx(margin, rel=0.03)
