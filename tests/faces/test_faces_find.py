from __future__ import annotations

import cv2
import numpy as np
import pytest

from unmask.faces import FaceFinder
from unmask.faces import find as find_module
from unmask.types import Pixels


def test_one_face_with_its_points_in_the_documented_order(face_image: Pixels):
    found = FaceFinder()(face_image)
    assert found.boxes_px.shape == (1, 4)
    assert found.landmarks_px.shape == (1, 5, 2)
    x0, y0, x1, y1 = found.boxes_px[0]
    assert x0 < 222 < x1
    assert y0 < 118 < y1
    points = found.landmarks_px[0]
    assert ((points > [x0, y0]) & (points < [x1, y1])).all()
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert left_mouth[0] < right_mouth[0]
    assert 0.5 <= found.confidence[0] <= 1


@pytest.mark.parametrize("scale", [0.6, 1.7, 3.0])
def test_the_same_face_at_another_size_has_the_same_geometry(face_image: Pixels, scale: float):
    other = cv2.resize(face_image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    here, there = FaceFinder()(face_image), FaceFinder()(other)
    assert len(there.boxes_px) == 1
    np.testing.assert_allclose(there.boxes_px[0] / scale, here.boxes_px[0], atol=8)
    np.testing.assert_allclose(there.landmarks_px[0] / scale, here.landmarks_px[0], atol=5)


def test_a_flat_strip_keeps_both_axes(face_image: Pixels):
    wide = np.full((512, 2048, 3), 128, np.uint8)
    wide[:, 1000:1512] = face_image
    found = FaceFinder(longest_side_px=1024)(wide)
    alone = FaceFinder()(face_image)
    assert len(found.boxes_px) == 1
    np.testing.assert_allclose(found.landmarks_px[0] - [1000, 0], alone.landmarks_px[0], atol=6)


@pytest.mark.parametrize("shape", [(120, 160), (1, 1), (7, 300)])
def test_no_face_gives_empty_arrays(shape: tuple[int, int]):
    found = FaceFinder()(np.full((*shape, 3), 90, np.uint8))
    assert found.boxes_px.shape == (0, 4)
    assert found.landmarks_px.shape == (0, 5, 2)
    assert found.confidence.shape == (0,)


def test_the_most_certain_comes_first(face_image: Pixels):
    small = cv2.resize(face_image, (140, 140), interpolation=cv2.INTER_AREA)
    picture = np.hstack([np.pad(small, ((186, 186), (0, 0), (0, 0))), face_image])
    found = FaceFinder(longest_side_px=1024)(picture)
    assert len(found.confidence) == 2
    assert found.confidence[0] >= found.confidence[1]


def test_a_stricter_finder_finds_no_more(face_image: Pixels):
    certain = FaceFinder()(face_image).confidence[0]
    assert len(FaceFinder(min_confidence=float(certain) + 0.01)(face_image).boxes_px) == 0


def test_smallest_face_grows_with_the_picture():
    finder = FaceFinder(longest_side_px=512)
    assert finder.smallest_face_px(512, 300) == finder.smallest_face_px(100, 100)
    assert finder.smallest_face_px(2048, 300) == 4 * finder.smallest_face_px(512, 300)


def test_finding_prints_nothing(face_image: Pixels, capsys: pytest.CaptureFixture[str]):
    from unmask.faces.find import _center_face

    _center_face.cache_clear()
    FaceFinder()(face_image)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_the_last_bits_at_most(face_image: Pixels, threads: int):
    free, limited = FaceFinder()(face_image), FaceFinder(threads=threads)(face_image)
    options = find_module._center_face(threads).sess.get_session_options()
    assert options.intra_op_num_threads == threads
    for one, other in zip(free, limited, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
