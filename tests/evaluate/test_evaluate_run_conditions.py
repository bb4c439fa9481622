"""evaluate under conditions: what is scored, under which key, and that nothing is left behind."""

import tempfile

import numpy as np
import pytest
import torch

import toy_detectors
from unmask.checkpoints import save_weights
from unmask.clips import reorder, to_tensor
from unmask.datasets import read_folder
from unmask.errors import DataError, UnknownNameError, UsageError
from unmask.evaluate import corrupt_video
from unmask.evaluate.condition import Condition, seed_of
from unmask.evaluate.run import evaluate
from unmask.evaluate.score_videos import ScoreRequest, score_videos
from unmask.evaluate.scores import ScoreWriter, read_clips, read_scores
from unmask.evaluate.tables import measure
from unmask.media import open_video
from unmask.pipeline.scan import scan_with
from unmask.types import InputSpec
from unmask.weights import load_detector

CLIPS = InputSpec(size=(32, 32), frames=6, fps=25.0, hop=2)


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    toy_detectors.register_recurrent("memory", CLIPS, frame_context=0)


@pytest.fixture
def bright(tmp_path):
    return {"bright": toy_detectors.weights_file(tmp_path / "b.safetensors", "bright", 2.0)}


@pytest.fixture
def memory(tmp_path):
    torch.manual_seed(0)
    net = toy_detectors.Recurrent()
    path = tmp_path / "m.safetensors"
    save_weights(
        net.state_dict(), path, detector="memory", tag="t", license="MIT", trained_on="nothing"
    )
    return {"memory": path}


@pytest.fixture
def rows(portrait_video):
    found = read_folder(portrait_video.parent, split="test")
    return [row for row in found if row.path == portrait_video]


def scores_of(folder):
    return {row.key.condition: row.score for row in read_scores(folder)}


def test_a_corrupted_copy_is_scored_and_deleted(tmp_path, rows, bright, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    root, out = rows[0].path.parent, tmp_path / "out"
    conditions = ["", "contrast 5", "compression 5"]
    evaluate(rows, ["bright"], out, root=root, weights=bright, conditions=conditions)
    found = scores_of(out)
    assert set(found) == set(conditions)
    assert not list((tmp_path / "temporary").iterdir())
    copy = tmp_path / "copy.mp4"
    seed = seed_of(rows[0].dataset, rows[0].path.name)
    corrupt_video(rows[0].path, copy, "contrast", 5, seed=seed)
    net = load_detector("bright", bright["bright"])
    (face,) = scan_with(copy, [net], calibrations=[]).faces
    assert found["contrast 5"] == pytest.approx(face.logits["bright"])
    assert found["contrast 5"] < found[""] / 2
    groups = {row.condition for row in measure(read_scores(out), resamples=10)}
    assert groups == set(conditions)


def test_only_conditions_that_are_missing_are_scored(tmp_path, rows, bright):
    heard = []

    def report(number, total, video):
        heard.append(video.key.condition)

    out = tmp_path / "out"
    for conditions in (["", "blur 1"], ["blur 1", "blur 2"], ["blur 1"]):
        evaluate(rows, ["bright"], out, weights=bright, conditions=conditions, report=report)
    assert heard == ["", "blur 1", "blur 2"]


def test_orders_change_the_clips_and_share_nothing(tmp_path, rows, memory):
    root, out = rows[0].path.parent, tmp_path / "out"
    orders = ["", "flip_3", "shuffle"]
    evaluate(rows, ["memory"], out, root=root, weights=memory, conditions=orders)
    seed = seed_of(rows[0].dataset, rows[0].path.name)
    net, kept = load_detector("memory", memory["memory"]), []
    scan_with(rows[0].path, [net], calibrations=[], keep=lambda clip, said: kept.append(clip))
    assert len(kept) > 2
    for order in orders:
        clips = [reorder(clip, order, seed) if order else clip for clip in kept]
        expected = net(to_tensor(clips, "cpu")).logit.tolist()
        got = [clip.logit for clip in read_clips(out) if clip.key.condition == order]
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    found = scores_of(out)
    assert len(set(found.values())) == 3


def test_clips_of_the_first_frames_alone_are_scored(tmp_path, rows, bright):
    root, out = rows[0].path.parent, tmp_path / "out"
    evaluate(rows, ["bright"], out, root=root, weights=bright, conditions=["", "first 8"])
    starts = {
        condition: [clip.start_s for clip in read_clips(out) if clip.key.condition == condition]
        for condition in ("", "first 8")
    }
    with open_video(rows[0].path) as video:
        end_s = 8 / float(video.info.fps)
    assert max(starts["first 8"]) < end_s < max(starts[""])
    assert starts["first 8"] == [start for start in starts[""] if start < end_s]
    net = load_detector("bright", bright["bright"])
    short = scan_with(rows[0].path, [net], calibrations=[], frames=8)
    assert scores_of(out)["first 8"] == pytest.approx(short.faces[0].logits["bright"])


def test_several_models_of_one_detector_see_one_scan(tmp_path, rows, bright):
    files = [
        toy_detectors.weights_file(tmp_path / f"{gain}.safetensors", "bright", gain)
        for gain in (1.0, 3.0)
    ]
    models = [load_detector("bright", file) for file in files]
    with ScoreWriter(tmp_path / "out") as writer:
        score_videos(
            [ScoreRequest(rows[0], None, Condition(), [*models, models[0]])], writer, "cpu"
        )
    found = {row.key.weights_sha256: row for row in read_scores(tmp_path / "out")}
    assert {row.key.detector for row in found.values()} == {"bright"}
    one, three = (found[model.weights.sha256].score for model in models)
    assert three == pytest.approx(3 * one)
    assert [model.card.name for model in models] == ["bright", "bright"]
    alone = scan_with(rows[0].path, [models[1]], calibrations=[]).faces[0].logits["bright"]
    assert three == pytest.approx(alone)


def test_embeddings_are_kept_or_refused(tmp_path, rows, memory):
    out = tmp_path / "out"
    evaluate(rows, ["memory"], out, weights=memory, keeps_embeddings=True)
    assert {len(clip.embedding) for clip in read_clips(out)} == {6}
    evaluate(rows, ["memory"], out, weights=memory, keeps_embeddings=True)
    evaluate(rows, ["memory"], tmp_path / "bare", weights=memory)
    assert {clip.embedding for clip in read_clips(tmp_path / "bare")} == {None}
    message = r"Cannot keep embeddings in '.*bare': '.*' was scored by memory without them, and is"
    with pytest.raises(DataError, match=message):
        evaluate(rows, ["memory"], tmp_path / "bare", weights=memory, keeps_embeddings=True)


def test_what_is_refused(tmp_path, rows, bright):
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match=r"Unknown condition 'blur'. Known: a corruption"):
        evaluate(rows, ["bright"], out, weights=bright, conditions=["blur"])
    message = (
        r"Cannot evaluate bright under 'shuffle': shuffle needs clips of at least 2 frames, its "
        r"clips have 1. Leave the detector or the condition out."
    )
    with pytest.raises(UsageError, match=message):
        evaluate(rows, ["bright"], out, weights=bright, conditions=["", "shuffle"])
    assert not out.exists()


def test_a_video_that_cannot_be_read_has_the_reason_of_the_video(tmp_path, text_mp4, bright):
    found = read_folder(text_mp4.parent, split="test")
    rows = [row for row in found if row.path == text_mp4]
    evaluate(rows, ["bright"], tmp_path / "out", weights=bright, conditions=["blur 3"])
    (row,) = read_scores(tmp_path / "out")
    assert row.reason.startswith(f"unreadable: Cannot read '{text_mp4.name}'")
