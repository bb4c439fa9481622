from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.passages import KINDS, filled, forged_stretch, highest, measure, real_threshold

from unmask.types import FaceObservation

LANDMARKS = np.array([[75, 85], [125, 85], [100, 108], [82, 135], [118, 135]], np.float32)


def observation(number: int) -> FaceObservation:
    return FaceObservation(
        track_id=0,
        frame_index=number,
        time_s=number / 25,
        box_px=np.array([55, 50, 145, 160], np.float32),
        landmarks_px=LANDMARKS,
        confidence=1.0,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_stretch_alone_is_forged_and_its_face_alone(kind: str):
    rng = np.random.default_rng(0)
    frames = [rng.integers(60, 200, (240, 240, 3)).astype(np.uint8) for _ in range(6)]
    faces = {number: observation(number) for number in (0, 1, 2, 4, 5)}
    changed = forged_stretch(frames, faces, kind, 2, 5)
    is_same = [np.array_equal(a, b) for a, b in zip(frames, changed, strict=True)]
    assert is_same == [True, True, False, True, False, True]  # No face is known in frame 3.
    assert np.array_equal(frames[2][:, 210:], changed[2][:, 210:])


def test_a_threshold_lets_its_share_through():
    scores = [float(n) for n in range(19)]
    assert real_threshold(scores, 0.1) == 17  # Two of twenty, the new one counted.
    assert real_threshold(scores, 0.05) == 18
    assert real_threshold(scores, 0.01) == 19  # Above all, by the distance of the two highest.


def row(source: str, real: float, half: float, place: tuple[float, float]) -> dict[str, object]:
    return {
        "source": source,
        "stretch": [2.0, 4.0],
        "real": [[0, 0.0, 2.0, real]],
        "half": [[0, *place, half]],
    }


def test_figures_by_hand():
    rows = [
        row("a", 0.0, 9.0, (2.0, 4.0)),  # found
        row("b", 1.0, 9.0, (0.0, 2.0)),  # a passage elsewhere
        row("c", 2.0, 1.5, (2.0, 4.0)),  # below the threshold
        row("d", 8.0, 9.0, (2.0, 5.0)),  # found, IoU two thirds; its real clip is above others'
    ]
    found = measure(rows, 0.0)
    # Thresholds: without a 8 + 6, without b 14, without c 15, without d 2 + 1.
    assert found["with any passage"]["over"] == 1
    assert found["found"]["over"] == 1
    assert found["false alarms"]["over"] == 1
    assert found["mean temporal IoU"] == pytest.approx(2 / 3 / 4, abs=1e-3)


def test_a_video_without_windows_is_never_found():
    assert highest([]) == -np.inf


def test_faces_between_two_observations_lie_between_them():
    moved = dataclasses.replace(observation(4), landmarks_px=LANDMARKS + 8)
    far = observation(40)
    faces = filled([observation(0), moved, far], 12)
    assert sorted(faces) == [0, 1, 2, 3, 4, 40]
    assert np.allclose(faces[1].landmarks_px, LANDMARKS + 2)
    assert faces[1].is_interpolated and not faces[4].is_interpolated
