"""One row for each face or clip, with what their video knows."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from score_rows import clips, drawn, video
from unmask.errors import DataError, UnknownNameError
from unmask.evaluate.granularity import (
    GRANULARITIES,
    clip_scores,
    face_scores,
    granularity_named,
    scores_at,
)
from unmask.evaluate.print_tables import to_csv, to_latex, to_markdown, write_tables
from unmask.evaluate.scores import FaceScore, ScoreWriter, read_scores
from unmask.evaluate.tables import measure


def write(folder, rows):
    with ScoreWriter(folder) as writer:
        for row in rows:
            writer.add(row, [] if row.score is None else clips(row.score, row.key.detector))
    return folder


@pytest.fixture
def results(tmp_path):
    """Two clips of each video, half above and half below its score; one video has none."""
    rows = [*drawn(1), *drawn(2, split="val")]
    rows.append(video("broken.mp4", None, method="A", reason="unreadable: cut off"))
    return write(tmp_path / "results", rows)


def test_videos_are_the_rows_themselves(results):
    assert scores_at("video", results) == read_scores(results)


def test_a_clip_has_the_label_and_the_source_of_its_video(results):
    rows = scores_at("clip", results)
    videos = {row.key: row for row in read_scores(results)}
    scored = [row for row in rows if row.score is not None]
    assert len(scored) == 2 * (len(videos) - 1)
    for row in scored:
        owner = videos[row.key]
        assert (row.label, row.source_id) == (owner.label, owner.source_id)
        assert abs(row.score - owner.score) == pytest.approx(0.5)
    assert [row.key.path for row in rows if row.score is None] == ["broken.mp4"]


def test_tables_of_clips_count_clips_and_draw_whole_sources(results):
    rows = scores_at("clip", results)
    found = {(row.split, row.method): row for row in measure(rows, resamples=50)}
    row = found["test", "A"]
    assert (row.reals, row.fakes, row.sources, row.unscored) == (60, 60, 30, 1)
    chosen = [
        r
        for r in rows
        if r.key.split == "test" and r.score is not None and r.key.method in ("", "A")
    ]
    expected = roc_auc_score([r.label for r in chosen], [r.score for r in chosen])
    assert row.values["AUC"].value == pytest.approx(expected)


def test_the_threshold_is_chosen_at_the_same_granularity(results):
    rows = {
        granularity: measure(scores_at(granularity, results), resamples=20)
        for granularity in ("video", "clip")
    }
    thresholds = {
        granularity: {row.threshold for row in found if row.split == "test"}
        for granularity, found in rows.items()
    }
    assert None not in thresholds["video"] | thresholds["clip"]
    assert thresholds["video"] != thresholds["clip"]


def test_each_face_is_a_row(tmp_path):
    faces = (FaceScore(1, 2.0, 3, 60.0), FaceScore(2, -1.0, 3, 60.0))
    two = video("two.mp4", 2.0, method="A")
    row = type(two)(**{**{n: getattr(two, n) for n in two.__slots__}, "faces": faces})
    none = video("none.mp4", None, reason="no face")
    found = list(face_scores([row, none]))
    assert [(r.score, r.label) for r in found] == [(2.0, 1), (-1.0, 1), (None, 0)]
    folder = write(tmp_path / "faces", [row])
    assert [r.score for r in scores_at("face", folder)] == [2.0, -1.0]


def test_a_video_in_two_folders_counts_once(tmp_path):
    row = video("a.mp4", 1.0)
    folders = [write(tmp_path / name, [row]) for name in ("a", "b")]
    assert sorted(r.score for r in scores_at("clip", *folders)) == [0.5, 1.5]


def test_clips_without_their_video(results):
    videos = [row for row in read_scores(results) if row.key.path != "real/000.mp4"]
    with pytest.raises(DataError, match=r"there are clips of 'real/000.mp4', which the folder's"):
        clip_scores(videos, [results])


def test_a_granularity_that_does_not_exist():
    assert [granularity_named(name) for name in GRANULARITIES] == ["video", "face", "clip"]
    with pytest.raises(
        UnknownNameError, match=r"Unknown granularity 'frame'. Known: video, face, clip"
    ):
        granularity_named("frame")


def test_every_table_says_its_granularity(results, tmp_path):
    rows = measure(scores_at("clip", results), resamples=20)
    assert to_markdown(rows, "clip").startswith("Clip level (unscored: videos); values in")
    assert to_markdown(rows).startswith("Video level; values in")
    assert to_latex(rows, "clip").startswith("% Clip level")
    head, first = (line.split(",") for line in to_csv(rows, "clip").splitlines()[:2])
    assert first[head.index("granularity")] == "clip"
    paths = write_tables(rows, tmp_path, "clip")
    assert [path.name for path in paths][:2] == ["tables-clip.md", "tables-clip.csv"]


def test_scores_keep_their_digits(results):
    videos = {row.key: row.score for row in read_scores(results) if row.score is not None}
    means: dict = {}
    for row in scores_at("clip", results):
        if row.score is not None:
            means.setdefault(row.key, []).append(row.score)
    assert {key: np.mean(both) for key, both in means.items()} == pytest.approx(videos)
