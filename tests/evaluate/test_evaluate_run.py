"""evaluate: a data set goes through scan once, whatever interrupts it."""

import dataclasses

import numpy as np
import pytest

import toy_detectors
from dataset_trees import write_faceforensics
from unmask import scan
from unmask.datasets import read_dataset, read_folder
from unmask.detectors import Output
from unmask.errors import DataError, UnknownNameError, UsageError, WeightsError
from unmask.evaluate import score_videos
from unmask.evaluate.run import evaluate
from unmask.evaluate.scores import read_clips, read_scores
from unmask.evaluate.tables import measure
from unmask.pipeline.scan import scan_with
from unmask.types import LabelledVideo


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    toy_detectors.register("other")


@pytest.fixture
def weights(tmp_path):
    return {
        "bright": toy_detectors.weights_file(tmp_path / "b.safetensors", "bright", 2.0),
        "other": toy_detectors.weights_file(tmp_path / "o.safetensors", "other", -1.0, 0.5),
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ff")
    ids = (("000", "003"), ("011", "012"))
    return write_faceforensics(root, ids, compressions=("c23",), with_masks=False)


@pytest.fixture
def scans(monkeypatch):
    """What was scanned, by which detectors."""
    made = []

    def counted(path, nets, *args, **named):
        made.append((path.name, tuple(net.card.name for net in nets)))
        return scan_with(path, nets, *args, **named)

    monkeypatch.setattr(score_videos, "scan_with", counted)
    return made


def test_a_data_set_by_two_detectors(tmp_path, tree, weights, scans):
    rows = read_dataset("faceforensics", tree)
    heard = []
    out = evaluate(
        rows,
        ["bright", "other"],
        tmp_path / "out",
        root=tree,
        weights=weights,
        report=lambda *seen: heard.append(seen),
    )
    assert len(scans) == len(rows) == 8
    found = read_scores(out)
    assert len(found) == len(heard) == 16
    assert heard[-1][:2] == (8, 8)
    paths = {row.key.path for row in found}
    assert "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4" in paths
    assert "original_sequences/youtube/c23/videos/000.mp4" in paths
    one = next(row for row in found if row.key.path.endswith("000_003.mp4"))
    assert one.key[:4] == ("faceforensics", "Deepfakes", "c23", "train")
    assert (one.label, one.source_id) == (1, "000")
    verdict = scan(tree / one.key.path, ["bright"], weights={"bright": weights["bright"]})
    assert one.score == pytest.approx(verdict.faces[0].logits["bright"])
    assert one.key.weights_sha256 == verdict.detectors[0].sha256
    clips = [clip for clip in read_clips(out) if clip.key == one.key]
    assert np.mean([clip.logit for clip in clips]) == pytest.approx(one.score)
    assert len(clips) == one.faces[0].clips == len(verdict.clip_scores)
    table = {(row.detector, row.split): row for row in measure(found, resamples=50)}
    assert table["bright", "train"].reals == table["other", "val"].fakes == 2


def test_a_score_does_not_depend_on_the_detectors_beside_it(
    tmp_path, portrait_video, weights, scans
):
    toy_detectors.register("dense", dataclasses.replace(toy_detectors.SPEC, fps=None))
    dense = toy_detectors.weights_file(tmp_path / "d.safetensors", "dense")
    rows = [LabelledVideo(path=portrait_video, label=0, dataset="d", split="test")]
    names = ["bright", "dense", "other"]
    together = evaluate(rows, names, tmp_path / "all", weights=weights | {"dense": dense})
    assert [seen for _, seen in scans] == [("bright", "other"), ("dense",)]
    alone = evaluate(rows, ["bright"], tmp_path / "one", weights={"bright": weights["bright"]})
    first = next(row for row in read_scores(together) if row.key.detector == "bright")
    assert read_scores(alone) == [first]


def test_it_goes_on_where_it_stopped_and_scores_nothing_twice(tmp_path, tree, weights, scans):
    rows, out = read_dataset("faceforensics", tree, split="val"), tmp_path / "out"
    first = {"bright": weights["bright"]}

    def stop(number, total, video):
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(rows, ["bright"], out, root=tree, weights=first, report=stop)
    assert len(read_scores(out)) == len(scans) == 2
    evaluate(rows, ["bright"], out, root=tree, weights=first)
    assert len(read_scores(out)) == len(scans) == 4
    evaluate(rows, ["bright", "other"], out, root=tree, weights=weights)
    assert scans[4:] == [(row.path.name, ("other",)) for row in rows]
    evaluate(rows, ["bright", "other"], out, root=tree, weights=weights)
    assert len(scans) == 8
    assert len(read_scores(out)) == 8


def test_other_weights_are_other_scores(tmp_path, portrait_video, weights):
    rows = read_folder(portrait_video.parent, split="test")
    rows = [row for row in rows if row.path == portrait_video]
    other = toy_detectors.weights_file(tmp_path / "b2.safetensors", "bright", 3.0)
    for file in (weights["bright"], other):
        evaluate(rows, ["bright"], tmp_path / "out", weights={"bright": file})
    found = read_scores(tmp_path / "out")
    assert len({row.key.weights_sha256 for row in found}) == len(found) == 2
    assert found[0].key.path == portrait_video.as_posix()


def test_videos_without_a_score_have_a_reason(tmp_path, no_face_video, text_mp4, weights, scans):
    seen = read_folder(no_face_video.parent, split="test")
    rows = [row for row in seen if row.path in (no_face_video, text_mp4)]
    given = {"bright": weights["bright"]}
    for _ in range(2):
        evaluate(rows, ["bright"], tmp_path / "out", root=no_face_video.parent, weights=given)
    assert len(scans) == 2
    found = {row.key.path: row for row in read_scores(tmp_path / "out")}
    assert {row.score for row in found.values()} == {None}
    assert found[no_face_video.name].reason == "no face"
    assert found[text_mp4.name].reason.startswith("unreadable: Cannot read '")


def test_faces_without_a_clip_have_a_reason(tmp_path, one_frame_video):
    toy_detectors.register("long", dataclasses.replace(toy_detectors.SPEC, frames=10, hop=10))
    file = toy_detectors.weights_file(tmp_path / "l.safetensors", "long")
    rows = [r for r in read_folder(one_frame_video.parent) if r.path == one_frame_video]
    evaluate(rows, ["long"], tmp_path / "out", weights={"long": file})
    (row,) = read_scores(tmp_path / "out")
    assert row.score is None
    assert row.reason.startswith("no clip: ")


def test_a_nan_names_the_video_and_the_detector(tmp_path, portrait_video, weights, monkeypatch):
    def nan(net, clips):
        return Output(logit=net.gain * clips.mean(dim=(1, 2, 3, 4)) * float("nan"))

    monkeypatch.setattr(toy_detectors.Bright, "forward", nan)
    rows = [r for r in read_folder(portrait_video.parent) if r.path == portrait_video]
    given = {"bright": weights["bright"]}
    with pytest.raises(DataError, match=rf"score of bright for '.*{portrait_video.name}' is nan"):
        evaluate(rows, ["bright"], tmp_path / "out", weights=given)


def test_what_is_refused_before_anything_is_scanned(tmp_path, portrait_video, weights):
    rows, out = read_folder(portrait_video.parent), tmp_path / "out"
    with pytest.raises(DataError, match=r"Cannot evaluate: there are no videos. Expected at leas"):
        evaluate([], ["bright"], out, weights={})
    with pytest.raises(UsageError, match=r"Cannot evaluate nothing: expected at least one detec"):
        evaluate(rows, [], out)
    with pytest.raises(UsageError, match=r"Cannot evaluate bright, bright: expected at least one"):
        evaluate(rows, ["bright", "bright"], out)
    with pytest.raises(UsageError, match=r"weights were given for 'other', which is not among the"):
        evaluate(rows, ["bright"], out, weights=weights)
    with pytest.raises(UnknownNameError, match=r"Unknown detector 'brigth'"):
        evaluate(rows, ["brigth"], out)
    with pytest.raises(WeightsError, match=r"Cannot evaluate bright: it has no weights, so its sc"):
        evaluate(rows, ["bright"], out)
    assert not out.exists()
