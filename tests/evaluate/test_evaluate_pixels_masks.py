"""A detector's masks against the data set's, frame by frame."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

import toy_detectors
from dataset_trees import encode, write_faceforensics
from unmask.clips import cut_face
from unmask.datasets import read_dataset
from unmask.detectors import Output, get_card
from unmask.errors import DataError, UsageError
from unmask.evaluate.data import Data
from unmask.evaluate.run import evaluate
from unmask.evaluate.scores import BINS, read_scores
from unmask.evaluate.tables import measure
from unmask.evaluate.true_masks import count_masks, cut_truth
from unmask.media import open_video
from unmask.papers.measure import missing_reason, run_protocol
from unmask.papers.registry import get_protocol
from unmask.pipeline.scan import scan_with
from unmask.types import FacePatch
from unmask.weights import load_detector

FRAMES = 12


def whole(*box):
    return np.array(box, np.float32)


def sheet_of(height=8, width=8):
    """The right half is forged."""
    sheet = np.zeros((height, width), np.uint8)
    sheet[:, width // 2 :] = 255
    return sheet


def test_the_true_mask_of_a_region():
    truth = cut_truth(sheet_of(), (8, 8), whole(2, 0, 6, 4), (4, 4))
    assert truth.tolist() == [[0, 0, 1, 1]] * 4
    colored = np.stack([sheet_of() // 20, sheet_of(), sheet_of() // 2], axis=2)
    assert cut_truth(colored, (8, 8), whole(2, 0, 6, 4), (4, 4)).tolist() == truth.tolist()
    enlarged = cut_truth(sheet_of(), (8, 8), whole(2, 0, 6, 4), (8, 8))
    assert enlarged[:, :3].tolist() == [[0, 0, 0]] * 8
    assert enlarged[:, 4:].tolist() == [[1, 1, 1, 1]] * 8


def test_what_lies_outside_the_frame_is_neither():
    truth = cut_truth(sheet_of(), (8, 8), whole(-4, 0, 8, 12), (12, 12))
    assert (truth[:, :4] == -1).all()
    assert (truth[8:] == -1).all()
    assert truth[:8, 4:].tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]] * 8
    half = cut_truth(sheet_of(), (8, 8), whole(4, 0, 12, 8), (4, 4))
    assert half.tolist() == [[1, 1, -1, -1]] * 4
    assert (cut_truth(sheet_of(), (8, 8), whole(20, 0, 24, 4), (4, 4)) == -1).all()
    assert cut_truth(None, (8, 8), whole(4, 0, 12, 8), (1, 4)).tolist() == [[0, 0, -1, -1]]


def test_masks_in_another_size_are_scaled():
    truth = cut_truth(sheet_of(16, 16), (8, 8), whole(2, 0, 6, 4), (4, 4))
    assert truth.tolist() == [[0, 0, 1, 1]] * 4
    # Enlarged, a border is a ramp, which the threshold of a tenth gives to the forged side.
    small = cut_truth(sheet_of(4, 4), (8, 8), whole(2, 0, 6, 4), (4, 4))
    assert small.tolist() == [[0, 1, 1, 1]] * 4


def test_the_threshold_of_the_true_mask_is_a_tenth_of_full_scale():
    sheet = np.array([[25, 26, 127, 128]], np.uint8)
    truth = cut_truth(sheet, (4, 1), whole(0, 0, 4, 1), (1, 4))
    assert truth.tolist() == [[0, 1, 1, 1]]
    assert cut_truth(sheet, (4, 1), whole(0, 0, 4, 1), (1, 4), threshold=0.5).tolist() == [
        [0, 0, 0, 1]
    ]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_faceforensics(
        tmp_path_factory.mktemp("ff"),
        (("000", "003"), ("011", "012"), ("720", "672")),
        methods=("Face2Face", "NeuralTextures"),
        compressions=("c23",),
        frames=FRAMES,
    )


@pytest.fixture(scope="module")
def rows(tree):
    return read_dataset("faceforensics", tree)


@pytest.fixture(autouse=True)
def weights(monkeypatch, tmp_path_factory):
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    return toy_detectors.weights_file(tmp_path_factory.mktemp("w") / "b", "bright", 2.0)


def forgery(rows):
    return next(row for row in rows if row.label)


def scanned(row, weights):
    return scan_with(row.path, [load_detector("bright", weights)], calibrations=[])


def counted(row, verdict, **named):
    return count_masks(row, verdict, {"bright": get_card("bright")}, **named).get("bright")


def by_hand(row, verdict, truths):
    """(2, 2): genuine and forged pixels, called genuine and called forged."""
    found = np.zeros((2, 2), int)
    for clip in verdict.clip_scores:
        logits = np.log(clip.mask[0]) - np.log1p(-clip.mask[0])
        called = cv2.resize(logits, (32, 32), interpolation=cv2.INTER_LINEAR) >= 0
        x0, y0, x1, y1 = np.rint(clip.regions_px[0]).astype(int)
        cut = truths[clip.frame_indices[0]][y0:y1, x0:x1]
        true = cv2.resize(cut, (32, 32), interpolation=cv2.INTER_AREA) > 25.5
        np.add.at(found, (true.astype(int).ravel(), called.astype(int).ravel()), 1)
    return found.tolist()


def at_half(pixels):
    tables = (pixels.unchanged, pixels.forged)
    return [[sum(t[: BINS // 2]), sum(t[BINS // 2 :])] for t in tables]


def test_a_forgery_is_counted_as_by_hand(rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)
    with open_video(row.mask_path) as masks:
        truths = [frame.pixels.max(axis=2) for frame in masks.frames()]
    found = counted(row, verdict)
    assert found.note == ""
    assert at_half(found.pixels) == by_hand(row, verdict, truths)
    assert sum(found.pixels.forged) > 0
    assert sum(map(sum, found.pixels)) == len(verdict.clip_scores) * 32 * 32


@pytest.mark.parametrize(
    "change", [{}, {"margin": 1.0, "size": (80, 80)}, {"fit": "pad", "size": (48, 64)}]
)
def test_the_true_mask_is_cut_as_the_picture_is(rows, weights, change):
    row = forgery(rows)
    spec = dataclasses.replace(toy_detectors.SPEC, **change)
    (track,) = scanned(row, weights).tracks
    seen = {one.frame_index: one for one in track.observations}
    compared = 0
    with open_video(row.mask_path) as masks:
        for frame in masks.frames(lambda index, _time, _next: index in seen):
            patch = FacePatch(
                observation=seen[frame.index],
                pixels=frame.pixels,
                origin_px=(0, 0),
                frame_size_px=(160, 160),
            )
            picture, region = cut_face(patch, spec)
            truth = cut_truth(frame.pixels.max(axis=2), (160, 160), region, spec.size)
            wrong = (truth == 1) != (picture.max(axis=2) > 25)
            assert wrong.mean() < 0.01
            compared += 1
    assert compared == len(seen) > 1


def test_in_a_real_video_nothing_is_forged(rows, weights):
    row = next(row for row in rows if not row.label)
    verdict = scanned(row, weights)
    found = counted(row, verdict)
    assert not any(found.pixels.forged)
    assert sum(found.pixels.unchanged) == len(verdict.clip_scores) * 32 * 32
    none = [np.zeros((160, 160), np.uint8)] * FRAMES
    assert at_half(found.pixels) == by_hand(row, verdict, none)


def test_a_forgery_without_true_masks_gives_nothing(rows, weights):
    row = dataclasses.replace(forgery(rows), mask_path=None)
    assert counted(row, scanned(forgery(rows), weights)) is None


def rewritten(row, path, change):
    """The row with other masks."""
    with open_video(row.mask_path) as masks:
        frames = [frame.pixels for frame in masks.frames()]
    return dataclasses.replace(row, mask_path=encode(path, change(frames), 0))


def test_frames_behind_the_end_of_the_masks_are_not_counted(tmp_path, rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)
    last = max(clip.frame_indices[0] for clip in verdict.clip_scores)
    assert last > 5
    short = rewritten(row, tmp_path / "m.mp4", lambda frames: frames[:5])
    inside = [clip for clip in verdict.clip_scores if clip.frame_indices[0] < 5]
    missing = len(verdict.clip_scores) - len(inside)
    found = counted(short, verdict)
    assert found.note == f"masks compared but for {missing} frames, which '{short.mask_path}' lacks"
    assert found.pixels == counted(row, dataclasses.replace(verdict, clip_scores=inside)).pixels
    later = [clip for clip in verdict.clip_scores if clip not in inside]
    none = counted(short, dataclasses.replace(verdict, clip_scores=later))
    assert none.pixels is None
    assert none.note == (
        f"no masks compared: '{short.mask_path}' lacks every frame that was scored"
    )


def test_masks_of_twice_the_size_say_the_same(tmp_path, rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)

    def twice(frames):
        return [cv2.resize(f, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST) for f in frames]

    found = counted(rewritten(row, tmp_path / "m.mp4", twice), verdict)
    same = counted(row, verdict)
    assert sum(found.pixels.forged) == pytest.approx(sum(same.pixels.forged), rel=0.02)


def test_masks_that_cannot_be_of_the_video(tmp_path, rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)
    flat = rewritten(row, tmp_path / "m.mp4", lambda frames: [f[:80] for f in frames])
    found = counted(flat, verdict)
    assert found.pixels is None
    assert found.note == (
        f"no masks compared: '{flat.mask_path}' shows 160x80 pixels, the video 160x160: other sides"
    )
    gone = dataclasses.replace(row, mask_path=Path("gone.mp4"))
    assert counted(gone, verdict).note.startswith("no masks compared: Cannot read 'gone.mp4': ")
    damaged = dataclasses.replace(
        verdict, coverage=dataclasses.replace(verdict.coverage, is_damaged=True)
    )
    assert counted(row, damaged).note == (
        "no masks compared: the video is damaged, so its frames cannot be numbered like its masks"
    )
    cut_off = tmp_path / "cut.mp4"
    whole_file = row.mask_path.read_bytes()
    cut_off.write_bytes(whole_file)
    with cut_off.open("r+b") as file:
        at = whole_file.index(b"mdat") + (len(whole_file) - whole_file.index(b"mdat")) // 3
        file.seek(at)
        file.write(bytes(200))
    broken = counted(dataclasses.replace(row, mask_path=cut_off), verdict)
    assert broken.pixels is None
    assert "cut.mp4" in broken.note


def test_turned_pictures_have_no_place_in_the_frame(rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)
    card = get_card("bright")
    turned = dataclasses.replace(card, input=dataclasses.replace(card.input, align="similarity"))
    found = count_masks(row, verdict, {"bright": turned})["bright"]
    assert (found.pixels, found.note) == (None, "no masks compared: its pictures are turned")


def test_a_frame_that_a_clip_repeats_counts_once(rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)
    one = verdict.clip_scores[0]
    twice = dataclasses.replace(
        one,
        frame_indices=one.frame_indices * 2,
        mask=np.repeat(one.mask, 2, axis=0),
        regions_px=np.repeat(one.regions_px, 2, axis=0),
    )
    found = [counted(row, dataclasses.replace(verdict, clip_scores=(c,))) for c in (one, twice)]
    assert found[0] == found[1]


def test_where_the_places_of_a_smaller_mask_lie(rows, weights):
    row = next(row for row in rows if not row.label)
    verdict = scanned(row, weights)
    one = verdict.clip_scores[0]
    mask = 1 / (1 + np.exp(-np.array([[[-1.0, 3.2]] * 2], np.float32)))
    verdict = dataclasses.replace(verdict, clip_scores=(dataclasses.replace(one, mask=mask),))
    shares = {}
    for places in ("areas", "corners"):
        card = dataclasses.replace(get_card("bright"), mask_places=places)
        card = dataclasses.replace(card, input=dataclasses.replace(card.input, size=(5, 5)))
        pixels = count_masks(row, verdict, {"bright": card})["bright"].pixels
        shares[places] = sum(pixels.unchanged[BINS // 2 :]) / 25
    # Along a row: -1 -0.6 1.1 2.8 3.2 over areas, -1 0.05 1.1 2.15 3.2 from corner to corner.
    assert shares == {"areas": 3 / 5, "corners": 4 / 5}


def test_a_mask_of_nan_names_the_video_and_the_detector(rows, weights):
    row = forgery(rows)
    verdict = scanned(row, weights)
    bad = dataclasses.replace(verdict.clip_scores[0], mask=np.full((1, 4, 4), np.nan, np.float32))
    message = rf"A mask of bright for '.*{row.path.name}' holds NaN: expected numbers in 0..1"
    with pytest.raises(DataError, match=message):
        counted(row, dataclasses.replace(verdict, clip_scores=(bad,)))


def test_evaluate_compares_masks_unless_told_not_to(tmp_path, tree, rows, weights):
    test = [row for row in rows if row.split == "test"]
    given = {"bright": weights}
    found = read_scores(evaluate(test, ["bright"], tmp_path / "a", root=tree, weights=given))
    assert all(score.pixels is not None for score in found)
    assert [any(s.pixels.forged) for s in found] == [bool(s.label) for s in found]
    by_path = {tree / s.key.path: s for s in found}
    row = forgery(test)
    assert by_path[row.path].pixels == counted(row, scanned(row, weights)).pixels
    table = measure(found, metrics=["PBCA", "IoU", "pixel AUC"], resamples=20)
    assert [line.method for line in table] == ["Face2Face", "NeuralTextures", "all"]
    assert all(0 <= f.value <= 1 for line in table for f in line.values.values())
    out = evaluate([row], ["bright"], tmp_path / "b", weights=given, mask_threshold=None)
    assert read_scores(out)[0].pixels is None
    out = evaluate([row], ["bright"], tmp_path / "c", weights=given, mask_threshold=0.999)
    assert sum(read_scores(out)[0].pixels.forged) < sum(by_path[row.path].pixels.forged)


def test_masks_that_lack_are_told_beside_the_score(tmp_path, rows, weights):
    row = dataclasses.replace(forgery(rows), mask_path=tmp_path / "gone.mp4")
    (found,) = read_scores(evaluate([row], ["bright"], tmp_path / "r", weights={"bright": weights}))
    assert found.score is not None
    assert found.pixels is None
    assert found.reason.startswith("no masks compared: Cannot read '")


@pytest.mark.parametrize("threshold", [-0.1, 1.0, 25.5])
def test_a_threshold_out_of_range(tmp_path, rows, weights, threshold):
    message = rf"Cannot compare masks at a threshold of {threshold:g}: expected a share of full sc"
    with pytest.raises(UsageError, match=message):
        evaluate(rows, ["bright"], tmp_path, weights={"bright": weights}, mask_threshold=threshold)


def test_a_detector_without_masks_is_scored_as_ever(tmp_path, rows, weights, monkeypatch):
    plain = toy_detectors.Bright.forward

    def bare(net, clips):
        return Output(logit=plain(net, clips).logit)

    monkeypatch.setattr(toy_detectors.Bright, "forward", bare)
    out = evaluate([forgery(rows)], ["bright"], tmp_path / "r", weights={"bright": weights})
    (found,) = read_scores(out)
    assert (found.pixels, found.reason) == (None, "")


def test_the_papers_segmentation_figure_is_run(tmp_path, tree, rows, weights):
    protocol = get_protocol("emd/figure4")
    data = [Data(rows, tree)]
    out = tmp_path / "r"
    (ours,) = run_protocol(
        protocol, data, ["bright"], out, weights={"bright": weights}, resamples=20
    )
    scores = read_scores(out)
    assert {score.key.method for score in scores} == {"", "Face2Face"}
    (line,) = measure(scores, metrics=["AUC", "pixel AUC"], resamples=20)
    assert [f.value for f in ours.values] == [f.value for f in line.values.values()]
    table = get_protocol("emd/table4")
    assert [cell.metric for cell in table.cells] == ["PBCA"] * 4
    reasons = [missing_reason(table, cell, data) for cell in table.cells]
    assert reasons == [None, None] + [
        f"no data: needs {method} in faceforensics c40 test"
        for method in ("Face2Face", "NeuralTextures")
    ]
    bare = [Data([dataclasses.replace(row, mask_path=None) for row in rows], tree)]
    reason = missing_reason(table, table.cells[1], bare)
    assert reason == "no data: needs masks of NeuralTextures in faceforensics c23 test"
