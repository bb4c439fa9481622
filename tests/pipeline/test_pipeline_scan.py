from __future__ import annotations

import dataclasses
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import toy_detectors
import unmask
from unmask import Finding, scan
from unmask.errors import MediaError, UnknownNameError, UsageError, WeightsError
from unmask.faces import FaceFinder
from unmask.pipeline import panel, scorer
from unmask.pipeline import scan as river
from unmask.types import Calibration, Frame, InputSpec, Pixels
from unmask.verdict import write_calibration
from unmask.weights import load_detector
from verdict_builders import calibration


@pytest.fixture(autouse=True)
def own_detectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """``bright`` and ``other`` see the same; ``clip`` sees five frames of the video's own rate."""
    toy_detectors.own_registry(monkeypatch)
    toy_detectors.register("bright")
    toy_detectors.register("other")
    toy_detectors.register("clip", InputSpec(size=(16, 16), frames=5, hop=5))


@pytest.fixture
def calibrated(tmp_path: Path) -> tuple[Path, Calibration]:
    """Weights of ``bright`` whose logit is 7 and a calibration made for exactly these."""
    path = toy_detectors.weights_file(tmp_path / "w.safetensors", "bright", 0.0, 7.0)
    sha256 = load_detector("bright", path).weights.sha256
    return path, calibration(detector="bright", weights_sha256=sha256)


def test_a_portrait_video_and_all_its_numbers(portrait_video: Path):
    verdict = scan(portrait_video, ["bright"])
    (face,) = verdict.faces
    assert (face.start_s, face.end_s) == (0.0, pytest.approx(1.8))
    assert 80 < face.face_px < 150
    assert face.clips == len(verdict.clip_scores) == 10
    assert face.logits["bright"] == pytest.approx(
        np.mean([s.logit for s in verdict.clip_scores]), rel=1e-5
    )
    coverage = verdict.coverage
    assert coverage.duration_s == coverage.decoded_s == pytest.approx(2.0)
    assert (coverage.face_s, coverage.scored_s) == (pytest.approx(2.0), pytest.approx(2.0))
    assert (coverage.frames_decoded, coverage.frames_examined) == (50, 10)
    assert (coverage.faces_found, coverage.faces_scored) == (1, 1)
    assert (coverage.clips_scored, coverage.clips_dropped) == (10, 0)
    assert coverage.smallest_face_px == pytest.approx(14)
    assert (coverage.audio, coverage.is_damaged) == ("none", False)
    assert verdict.video.path == portrait_video
    assert verdict.unmask_version == unmask.__version__
    assert verdict.scanned_at.startswith("20")


def test_every_score_says_what_it_looked_at(portrait_video: Path):
    verdict = scan(portrait_video, ["bright"])
    boxes = {o.frame_index: o.box_px for o in verdict.tracks[0].observations}
    for number, score in enumerate(verdict.clip_scores):
        assert score.frame_indices == (5 * number,)
        assert score.start_s == pytest.approx(0.2 * number)
        assert score.end_s == pytest.approx(0.2 * number + 0.2)
        assert score.mask is not None
        assert score.mask.shape == (1, 4, 4)
        assert 0 <= score.mask.min() <= score.mask.max() <= 1
        assert score.regions_px is not None
        box, region = boxes[score.frame_indices[0]], score.regions_px[0]
        assert (region[:2] <= box[:2] + 1).all()
        assert (region[2:] >= box[2:] - 1).all()


def test_an_untrained_detector_is_reported_and_decides_nothing(portrait_video: Path):
    verdict = scan(portrait_video, ["bright"])
    assert verdict.finding is Finding.INCONCLUSIVE
    assert verdict.probability is None
    assert "bright has no weights: it is untrained and its scores mean nothing." in verdict.reasons
    assert verdict.detectors[0].weights == "untrained"


def test_a_calibrated_detector_decides(portrait_video: Path, calibrated: tuple[Path, Calibration]):
    path, calibration = calibrated
    verdict = scan(portrait_video, ["bright"], weights={"bright": path}, calibrations=[calibration])
    assert verdict.finding is Finding.MANIPULATED
    assert verdict.probability == pytest.approx(1 / (1 + np.exp(-7.0)))
    assert verdict.calibration == calibration
    assert verdict.detectors[0].sha256 == calibration.weights_sha256


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        (
            {"weights_sha256": "0" * 64},
            WeightsError,
            r"'c': it was made with other weights of bright \(sha256 000000000000…\) .*calibrate",
        ),
        ({"detector": "other"}, UsageError, r"'c': it is of other, which does not scan here"),
    ],
)
def test_a_calibration_of_something_else_is_refused(
    portrait_video: Path,
    calibrated: tuple[Path, Calibration],
    change: dict[str, str],
    error: type[Exception],
    why: str,
):
    path, calibration = calibrated
    given = [dataclasses.replace(calibration, **change)]
    with pytest.raises(error, match=why):
        scan(portrait_video, ["bright"], weights={"bright": path}, calibrations=given)


def test_shipped_calibrations_are_found_by_the_detectors_name(
    portrait_video: Path,
    calibrated: tuple[Path, Calibration],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    path, calibration = calibrated
    (tmp_path / "weights" / "files").mkdir(parents=True)
    write_calibration(calibration, tmp_path / "weights" / "files" / "bright.calibration.json")
    monkeypatch.setattr(panel.resources, "files", lambda package: tmp_path)
    verdict = scan(portrait_video, ["bright"], weights={"bright": path})
    assert verdict.calibration == calibration


def test_an_untrained_net_matches_no_calibration(
    portrait_video: Path, calibrated: tuple[Path, Calibration]
):
    careless = dataclasses.replace(calibrated[1], weights_sha256="")
    with pytest.raises(WeightsError, match="other weights of bright"):
        scan(portrait_video, ["bright"], calibrations=[careless])


def test_two_people_have_a_verdict_each(two_people_video: Path):
    verdict = scan(two_people_video, ["bright"])
    assert len(verdict.faces) == verdict.coverage.faces_scored == 2
    middles = [t.observations[0].box_px[[0, 2]].mean() for t in verdict.tracks]
    assert min(middles) < 256 < max(middles)
    assert verdict.coverage.scored_s == pytest.approx(2.0)  # at the same time: counted once


def test_twenty_faces_are_all_scored(twenty_faces_video: Path):
    verdict = scan(twenty_faces_video, ["bright"])
    assert verdict.coverage.faces_found == verdict.coverage.faces_scored == 20


def test_no_face(no_face_video: Path):
    verdict = scan(no_face_video, ["bright"])
    assert verdict.finding is Finding.NO_FACE
    assert verdict.faces == verdict.clip_scores == verdict.tracks == ()
    assert verdict.coverage.face_s == verdict.coverage.scored_s == 0
    assert verdict.reasons[0].startswith("No face was found.")


def test_one_frame_is_inconclusive(one_frame_video: Path):
    for names in (["bright"], ["clip"]):
        verdict = scan(one_frame_video, names)
        assert verdict.finding is Finding.INCONCLUSIVE
        assert verdict.coverage.faces_found == 1


def test_a_still_is_inconclusive_even_when_calibrated(
    face_image_file: Path, calibrated: tuple[Path, Calibration]
):
    path, calibration = calibrated
    verdict = scan(
        face_image_file, ["bright"], weights={"bright": path}, calibrations=[calibration]
    )
    assert verdict.finding is Finding.INCONCLUSIVE
    assert verdict.probability is None
    assert verdict.faces[0].gates == (
        "this is a single picture; the calibration is of videos",
        "only 1 moment could be scored; at least 3 are needed",
    )


def test_a_folder_of_frames(image_folder: Path):
    verdict = scan(image_folder, ["bright"])
    assert verdict.coverage.frames_decoded == 12
    assert verdict.coverage.faces_found == 1


def test_a_variable_rate_is_scored_by_time(variable_rate_video: Path):
    verdict = scan(variable_rate_video, ["bright"])
    starts = [s.start_s for s in verdict.clip_scores]
    assert np.abs(np.array(starts) - 0.2 * np.arange(14)).max() < 0.1
    assert verdict.coverage.face_s == pytest.approx(verdict.coverage.decoded_s, abs=0.01)
    assert verdict.coverage.scored_s == pytest.approx(2.8, abs=0.15)


def test_a_slow_video_is_scored_for_as_long_as_it_lasts(
    tmp_path: Path, encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
):
    video = encode(tmp_path / "slow.mp4", faces(6, 160), fps=1)
    verdict = scan(video, ["bright"])
    assert verdict.coverage.faces_found == 1
    assert (verdict.coverage.face_s, verdict.coverage.scored_s) == pytest.approx((6.0, 6.0))


def test_own_rate_clips_cover_their_last_frame(
    tmp_path: Path, encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
):
    video = encode(tmp_path / "ten.mp4", faces(20, 160), fps=10)
    verdict = scan(video, ["clip"])
    assert [(s.start_s, s.end_s) for s in verdict.clip_scores] == [
        (pytest.approx(0.5 * i), pytest.approx(0.5 * i + 0.5)) for i in range(4)
    ]
    assert verdict.coverage.scored_s == pytest.approx(2.0)


def test_boxes_of_a_rotated_video_are_upright(rotated_video: Path):
    verdict = scan(rotated_video, ["bright"])
    assert (verdict.video.width_px, verdict.video.height_px) == (192, 256)
    for seen in verdict.tracks[0].observations:
        left_eye, right_eye, _, left_mouth, _ = seen.landmarks_px
        assert left_eye[0] < right_eye[0] < 192
        assert left_eye[1] < left_mouth[1] < 256


def test_a_truncated_file_is_judged_as_far_as_it_goes(
    truncated_video: Path, calibrated: tuple[Path, Calibration]
):
    path, calibration = calibrated
    verdict = scan(
        truncated_video, ["bright"], weights={"bright": path}, calibrations=[calibration]
    )
    assert verdict.finding is Finding.MANIPULATED
    assert verdict.coverage.is_damaged
    assert 0.5 < verdict.coverage.decoded_s < 1.7 < verdict.coverage.duration_s
    assert verdict.coverage.scored_s <= verdict.coverage.decoded_s
    assert any("missing or damaged" in reason for reason in verdict.reasons)


def test_audio_is_in_the_coverage(tmp_path: Path, portrait_video: Path):
    path = tmp_path / "talk.mp4"
    with av.open(str(portrait_video)) as source, av.open(str(path), "w") as out:
        picture = out.add_stream_from_template(source.streams.video[0])
        sound = out.add_stream("aac", rate=16_000, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                out.mux(packet)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 8_000), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 16_000
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    verdict = scan(path, ["bright"])
    assert verdict.coverage.audio == "not analyzed"


class Counts:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = self.finds = self.cuts = 0
        original_open, original_find = river.open_video, FaceFinder.__call__
        from unmask.clips import cut

        original_cut = cut.cut_face

        def open_video(path: Path):  # type: ignore[no-untyped-def]
            self.opened += 1
            return original_open(path)

        def find(finder: FaceFinder, pixels: Pixels):  # type: ignore[no-untyped-def]
            self.finds += 1
            return original_find(finder, pixels)

        def cut_face(*args):  # type: ignore[no-untyped-def]
            self.cuts += 1
            return original_cut(*args)

        monkeypatch.setattr(river, "open_video", open_video)
        monkeypatch.setattr(FaceFinder, "__call__", find)
        monkeypatch.setattr(cut, "cut_face", cut_face)


def test_two_detectors_share_one_decode_one_search_and_one_cut(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    counts = Counts(monkeypatch)
    verdict = scan(portrait_video, ["bright", "other"])
    assert (counts.opened, counts.finds, counts.cuts) == (1, 10, 10)
    assert verdict.coverage.clips_scored == 20
    by_name = {
        name: [s.logit for s in verdict.clip_scores if s.detector == name]
        for name in ("bright", "other")
    }
    assert len(by_name["bright"]) == 10
    assert by_name["bright"] == by_name["other"]


def test_detectors_do_not_change_each_others_scores(portrait_video: Path):
    def logits(names: list[str], name: str) -> list[float]:
        scores = scan(portrait_video, names).clip_scores
        return [s.logit for s in scores if s.detector == name]

    both = logits(["bright", "clip"], "bright")
    # More frames are looked at for ``clip``, so the face's box is known a little better.
    assert both == pytest.approx(logits(["bright"], "bright"), abs=0.02)
    assert len(logits(["bright", "clip"], "clip")) == 10


@pytest.fixture
def recurrent() -> list[str]:
    """Two of the same network and overlapping clips; the cards differ in who shares features."""
    spec = InputSpec(size=(16, 16), frames=10, hop=2)
    toy_detectors.register_recurrent("shared", spec, frame_context=1, context=1)
    toy_detectors.register_recurrent("alone", spec, frame_context=None, context=1)
    return ["shared", "alone"]


def frames_computed(names: list[str], video: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A scan's scores, and for how many frames each network computed features, call by call."""
    nets = {}

    def load(name, *args):  # type: ignore[no-untyped-def]
        nets[name] = load_detector(name, *args)
        return nets[name]

    monkeypatch.setattr(river, "load_detector", load)
    scores = scan(video, names).clip_scores
    return (
        {name: [s for s in scores if s.detector == name] for name in names},
        {name: net.network.computed for name, net in nets.items()},
    )


def test_overlapping_clips_share_features_of_frames(
    two_people_video: Path, recurrent: list[str], monkeypatch: pytest.MonkeyPatch
):
    scores, computed = frames_computed(recurrent, two_people_video, monkeypatch)
    got, expected = scores["shared"], scores["alone"]
    assert [(s.track_id, s.frame_indices) for s in got] == [
        (s.track_id, s.frame_indices) for s in expected
    ]
    assert len(got) == 2 * 21  # two people, 50 frames
    assert [s.logit for s in got] == pytest.approx([s.logit for s in expected], abs=1e-5)
    assert np.std([s.logit for s in expected]) > 1e-3
    assert sum(computed["alone"]) == 2 * 21 * 10
    # All but the first and the last frame once; and each clip's ends, seen from their side alone.
    assert sum(computed["shared"]) == 2 * (48 + 21 * 2)


def test_a_clip_counts_for_what_is_new_where_all_share(
    portrait_video: Path, recurrent: list[str], monkeypatch: pytest.MonkeyPatch
):
    sizes: list[int] = []
    score_batch = scorer._score_batch

    def count(clips, *given):  # type: ignore[no-untyped-def]
        sizes.append(len(clips))
        yield from score_batch(clips, *given)

    monkeypatch.setattr(scorer, "_score_batch", count)
    scan(portrait_video, ["shared"])
    assert set(sizes[:-1]) == {4}  # 8 new frames
    sizes.clear()
    scan(portrait_video, recurrent)
    assert set(sizes) == {1}


def test_the_size_of_batches_changes_nothing(
    two_people_video: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = scan(two_people_video, ["bright"])
    monkeypatch.setattr(scorer, "_BATCH_FRAMES", 1)
    single = scan(two_people_video, ["bright"])
    assert [(s.track_id, s.start_s) for s in whole.clip_scores] == [
        (s.track_id, s.start_s) for s in single.clip_scores
    ]
    assert [s.logit for s in whole.clip_scores] == pytest.approx(
        [s.logit for s in single.clip_scores], rel=1e-5
    )


def test_scoring_begins_long_before_decoding_ends_and_frames_are_let_go(
    portrait_video: Path, monkeypatch: pytest.MonkeyPatch
):
    alive: weakref.WeakSet[np.ndarray] = weakref.WeakSet()
    most, seen_at_first_score = 0, []
    original = river.FramesSeen.count

    def count(self, frames, decoded, progress) -> Iterator[Frame]:  # type: ignore[no-untyped-def]
        nonlocal most
        for frame in original(self, frames, decoded, progress):
            alive.add(Held(frame.pixels))
            most = max(most, len(alive))
            yield frame

    class Held:
        """Lives as long as the array it watches."""

        def __init__(self, pixels: Pixels) -> None:
            weakref.finalize(pixels, lambda: alive.discard(self))
            keep.append(self)

    keep: list[Held] = []
    score_batch = scorer._score_batch

    def first(clips, *given):  # type: ignore[no-untyped-def]
        seen_at_first_score.append(len(keep))
        yield from score_batch(clips, *given)

    monkeypatch.setattr(river.FramesSeen, "count", count)
    monkeypatch.setattr(scorer, "_score_batch", first)
    monkeypatch.setattr(scorer, "_BATCH_FRAMES", 5)
    verdict = scan(portrait_video, ["clip"])
    assert verdict.coverage.frames_examined == len(keep) == 50
    assert seen_at_first_score[0] < 25
    assert most <= 20  # half a second at 25 fps, and a few on their way


def test_progress_is_reported_in_order(portrait_video: Path):
    calls: list[tuple[int, float]] = []
    scan(portrait_video, ["bright"], progress=lambda done, time_s: calls.append((done, time_s)))
    assert len(calls) == 10
    assert calls == sorted(calls)
    assert calls[-1][1] == pytest.approx(1.8)


def test_the_same_file_gives_the_same_answer(portrait_video: Path):
    first, second = (scan(portrait_video, ["bright"]) for _ in range(2))
    assert [s.logit for s in first.clip_scores] == [s.logit for s in second.clip_scores]
    assert first.coverage == second.coverage


def test_the_file_is_left_as_it_was(portrait_video: Path, tmp_path: Path):
    copy = tmp_path / "copy.mp4"
    shutil.copy(portrait_video, copy)
    before = copy.read_bytes()
    scan(copy, ["bright"])
    assert copy.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["copy.mp4"]


def test_training_leaves_no_gradients_behind(portrait_video: Path):
    scan(portrait_video, ["bright"])
    assert torch.is_grad_enabled()


def test_small_faces_are_found_but_not_scored(tmp_path: Path, face_image: Pixels):
    small = np.full((400, 400, 3), 90, np.uint8)
    small[100:240, 100:240] = np.asarray(Image.fromarray(face_image).resize((140, 140)))
    Image.fromarray(small).save(tmp_path / "small.png")
    verdict = scan(tmp_path / "small.png", ["bright"])
    assert verdict.finding is Finding.INCONCLUSIVE
    assert (verdict.coverage.faces_found, verdict.coverage.faces_scored) == (1, 0)
    assert verdict.faces[0].reasons[0].startswith("not scored")


def test_an_unknown_detector(portrait_video: Path):
    with pytest.raises(UnknownNameError, match=r"Unknown detector 'brigth'. Did you mean 'bright'"):
        scan(portrait_video, ["brigth"])


@pytest.mark.parametrize("names", [[], ["bright", "bright"]])
def test_no_detector_or_one_twice(portrait_video: Path, names: list[str]):
    with pytest.raises(UsageError, match="name at least one detector, and each only once"):
        scan(portrait_video, names)


def test_a_name_instead_of_a_list_of_names_is_reported(portrait_video: Path):
    with pytest.raises(UsageError, match=r"detectors=\['bright'\]"):
        scan(portrait_video, "bright")


def test_weights_for_a_detector_that_does_not_scan_are_reported(portrait_video: Path):
    with pytest.raises(UsageError, match="weights were given for 'other'"):
        scan(portrait_video, ["bright"], weights={"other": "x"})


def test_weights_of_another_detector(portrait_video: Path, tmp_path: Path):
    path = toy_detectors.weights_file(tmp_path / "w.safetensors", "other")
    with pytest.raises(WeightsError, match="other"):
        scan(portrait_video, ["bright"], weights={"bright": path})


def test_a_file_that_is_no_video(text_mp4: Path):
    with pytest.raises(MediaError, match=r"Cannot read .*text\.mp4"):
        scan(text_mp4, ["bright"])


def test_a_device_that_is_not_here(portrait_video: Path):
    with pytest.raises(UsageError, match="Cannot use device 'nowhere'"):
        scan(portrait_video, ["bright"], device="nowhere")


def test_the_default_detector_scans(portrait_video: Path):
    verdict = scan(portrait_video)
    assert [d.name for d in verdict.detectors] == ["screener"]
    assert verdict.coverage.clips_scored == 10
    assert all(np.isfinite(s.logit) for s in verdict.clip_scores)
