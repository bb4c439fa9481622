"""The one similarity transform of alignment."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmask.clips.mouth import MEAN_FACE_PX
from unmask.imaging.geometry import similarity, transform


@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.05, 20),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_similarity_is_found_again(angle: float, scale: float, shift: tuple[float, float]):
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])
    found = similarity(MEAN_FACE_PX, transform(MEAN_FACE_PX, matrix))
    np.testing.assert_allclose(found, matrix, atol=1e-9)


def test_a_mirrored_face_is_not_mirrored_back():
    found = similarity(MEAN_FACE_PX * [-1, 1], MEAN_FACE_PX)
    assert np.linalg.det(found[:, :2]) > 0


def test_no_point_is_left_out():
    moved = MEAN_FACE_PX + np.array([[0, 0], [0, 0], [0, 0], [0, 0], [10, 0]])
    np.testing.assert_allclose(
        transform(MEAN_FACE_PX, similarity(MEAN_FACE_PX, moved)).mean(0), moved.mean(0)
    )


def test_points_of_single_precision_are_mapped_in_double_precision():
    source, target = (MEAN_FACE_PX * scale for scale in (1.0, 1.3))
    single = similarity(source.astype(np.float32), target.astype(np.float32))
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, similarity(source, target), atol=1e-4)


def test_points_that_are_all_the_same_give_finite_numbers():
    found = similarity(np.zeros((5, 2)), MEAN_FACE_PX)
    np.testing.assert_allclose(
        found, np.column_stack([np.zeros((2, 2)), MEAN_FACE_PX.mean(axis=0)])
    )
