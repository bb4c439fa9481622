"""Which face of a video gives it its score."""

import dataclasses

import pytest

from score_rows import video
from unmask.errors import UnknownNameError
from unmask.evaluate.faces import by_faces, face_rule_named
from unmask.evaluate.granularity import Results
from unmask.evaluate.scores import FaceScore, ScoreWriter, read_scores


def of_faces(*faces):
    row = video("v.mp4", max(face.logit for face in faces))
    return dataclasses.replace(row, faces=faces)


def test_a_bystander_does_not_give_a_video_its_score():
    speaker, bystander = FaceScore(1, -2.0, 9, 100.0), FaceScore(2, 3.0, 2, 40.0)
    row = of_faces(speaker, bystander)
    assert by_faces([row], "all") == [row]
    assert [one.score for one in by_faces([row], "main")] == [-2.0]


@pytest.mark.parametrize(
    ("other", "score"),
    [
        (FaceScore(2, 3.0, 9, 50.0), -2.0),  # as long, but smaller
        (FaceScore(2, 3.0, 4, 100.0), -2.0),  # as large, but shorter: lost and found again
        (FaceScore(2, 3.0, 9, 100.0), -2.0),  # alike: the first
        (FaceScore(2, 3.0, 9, 110.0), 3.0),
    ],
)
def test_the_main_face_fills_most_of_the_video(other, score):
    (found,) = by_faces([of_faces(FaceScore(1, -2.0, 9, 100.0), other)], "main")
    assert found.score == score


def test_a_video_without_a_score_stays():
    row = video("v.mp4", None, reason="no face")
    assert by_faces([row], "main") == [row]


def test_a_results_folder_is_read_by_the_rule(tmp_path):
    row = of_faces(FaceScore(1, -2.0, 9, 100.0), FaceScore(2, 3.0, 2, 40.0))
    with ScoreWriter(tmp_path / "r") as writer:
        writer.add(row, [])
    assert [one.score for one in Results(tmp_path / "r", faces="main").videos] == [-2.0]
    assert [one.score for one in read_scores(tmp_path / "r")] == [3.0]


def test_a_rule_that_does_not_exist():
    with pytest.raises(UnknownNameError, match=r"Unknown rule of faces 'man'. Did you mean 'main'"):
        face_rule_named("man")
