"""A video in, a folder of explanations out; refusals leave nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from explain_toys import BrightSpots, card_of, ready

from unmask.detectors import Detector
from unmask.errors import (
    MediaError,
    MissingDependencyError,
    OutputError,
    UnknownNameError,
    UsageError,
)
from unmask.explain import explain
from unmask.explain import run as explain_run
from unmask.media import open_video
from unmask.pipeline.scan import scan_with
from unmask.types import Clip, ClipScore

# tests/cli/test_cli_explain.py runs it by default.
pytestmark = pytest.mark.slow


def picture_net(sha256: str = "0" * 64) -> Detector:
    return ready(BrightSpots(), card_of(heat_maps=("dark",)), sha256)


def clip_net() -> Detector:
    return ready(BrightSpots(is_framewise=True), card_of(frames=6, fps=None))


def strict_json(path: Path) -> dict:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in the JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_a_picture_detector(portrait_video: Path, tmp_path: Path):
    lines: list[str] = []
    made = explain(portrait_video, picture_net(), tmp_path / "out", report=lines.append)
    names = [file.name for file in made.files]
    assert names == [
        "explanation.json",
        "face-1-dark.png",
        "face-1-grad_cam.png",
        "face-1-occlusion.png",
        "face-1.mp4",
    ]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == names
    content = strict_json(made.folder / "explanation.json")
    assert content["format"] == "unmask explanation 1"
    assert content["video"]["name"] == "portrait.mp4"
    assert content["detector"]["name"] == "toy"
    assert set(content["not_applicable"]) == {"time", "order"}
    assert content["notes"] == [] == list(made.notes)
    (face,) = content["faces"]
    assert face["name"] == "Face 1"
    assert set(face["methods"]) == {"occlusion", "grad_cam", "dark"}
    occlusion = face["methods"]["occlusion"]
    assert occlusion["passes"] == 226
    assert occlusion["lowest"] <= occlusion["highest"]
    x, y = occlusion["highest_at"]["frame_px"]
    x0, y0, x1, y1 = face["regions_px"][0]
    assert x0 <= x <= x1
    assert y0 <= y <= y1
    assert {heat.method for heat in made.heats} == {"occlusion", "grad_cam", "dark"}
    assert all(heat.heat.shape == (32, 32) for heat in made.heats)
    assert "Face 1: occlusion (226 passes)" in lines


def test_a_clip_detector_with_time_and_order(portrait_video: Path, tmp_path: Path):
    made = explain(portrait_video, clip_net(), tmp_path / "out", seed=3, draws=2)
    assert {file.name for file in made.files} == {
        *("explanation.json", "face-1-grad_cam.png", "face-1-occlusion.png"),
        *("face-1-order.png", "face-1-time.png", "face-1.mp4"),
    }
    content = strict_json(made.folder / "explanation.json")
    assert content["settings"]["seed"] == 3
    (face,) = content["faces"]
    time, order = face["methods"]["time"], face["methods"]["order"]
    assert len(time["fall_when_gray"]) == len(face["frame_indices"]) == 6
    assert sum(time["sensitivity_share"]) == pytest.approx(1)
    assert order["logits"]["original"] == pytest.approx([face["logit"]], abs=1e-4)
    assert len(order["logits"]["shuffle"]) == 2
    assert order["passes"] == 2 + 4 * 2
    with open_video(made.folder / "face-1.mp4") as video:
        assert (video.info.width_px, video.info.height_px) == (256, 256)
        assert video.info.codec == "h264"
        assert len(list(video.frames())) == face["video"]["frames"] == 6


def test_heat_lies_over_the_face_in_the_full_frame(portrait_video: Path, tmp_path: Path):
    made = explain(portrait_video, picture_net(), tmp_path / "out", methods=["dark"])
    (face,) = strict_json(made.folder / "explanation.json")["faces"]
    start_s = face["video"]["start_s"]
    with open_video(made.folder / "face-1.mp4") as video:
        drawn = next(video.frames()).pixels.astype(int)
    with open_video(portrait_video) as video:
        plain = next(video.frames_at([start_s])).pixels.astype(int)
    changed = np.abs(drawn - plain).max(axis=2) > 30
    x0, y0, x1, y1 = (int(v) for v in face["regions_px"][0])
    inside = np.zeros_like(changed)
    inside[max(y0 - 8, 0) : y1 + 8, max(x0 - 8, 0) : x1 + 8] = True
    inside[max(y0 - 32, 0) : y0 + 32] = True  # the label, which may be wider than the face
    assert changed[inside].mean() > 0.2
    assert changed[~inside].mean() < 0.01


def test_a_scan_hands_out_its_clips_with_their_scores(portrait_video: Path):
    kept: list[tuple[Clip, ClipScore]] = []
    net = picture_net()
    verdict = scan_with(portrait_video, [net], keep=lambda clip, score: kept.append((clip, score)))
    assert len(kept) == 10
    assert {id(score) for _, score in kept} == {id(score) for score in verdict.clip_scores}
    for clip, score in kept:
        assert clip.spec == net.card.input
        assert tuple(clip.frame_indices) == score.frame_indices


@pytest.mark.slow
def test_the_same_again(portrait_video: Path, tmp_path: Path):
    for name in ("a", "b"):
        explain(portrait_video, clip_net(), tmp_path / name, draws=1)
    first, second = (strict_json(tmp_path / name / "explanation.json") for name in ("a", "b"))
    assert first["faces"] == second["faces"]
    for file in ("face-1-time.png", "face-1-occlusion.png", "face-1.mp4"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.slow
def test_two_people_and_one_of_them(two_people_video: Path, tmp_path: Path):
    made = explain(two_people_video, picture_net(), tmp_path / "both", methods=["grad_cam"])
    assert {"face-1.mp4", "face-2.mp4"} <= {file.name for file in made.files}
    one = explain(two_people_video, picture_net(), tmp_path / "one", methods=["grad_cam"], face=2)
    content = strict_json(one.folder / "explanation.json")
    assert [face["name"] for face in content["faces"]] == ["Face 2"]
    assert one.notes == ()
    fewer = explain(
        two_people_video, picture_net(), tmp_path / "fewer", methods=["grad_cam"], most_faces=1
    )
    assert fewer.notes == ("1 face with lower scores not explained: choose one by its number.",)


def test_at_a_time(portrait_video: Path, tmp_path: Path):
    made = explain(portrait_video, clip_net(), tmp_path / "out", methods=["grad_cam"], at_s=1.0)
    (face,) = strict_json(made.folder / "explanation.json")["faces"]
    assert face["start_s"] <= 1.0 <= face["end_s"]


def test_a_still_picture_has_no_video(face_image_file: Path, tmp_path: Path):
    made = explain(face_image_file, picture_net(), tmp_path / "out", methods=["grad_cam"])
    assert {file.name for file in made.files} == {"explanation.json", "face-1-grad_cam.png"}
    (face,) = strict_json(made.folder / "explanation.json")["faces"]
    assert face["video"] is None


def test_an_untrained_detector_is_said_to_be_one(portrait_video: Path, tmp_path: Path):
    lines: list[str] = []
    made = explain(
        portrait_video, picture_net(""), tmp_path / "out", methods=["dark"], report=lines.append
    )
    assert lines[0].startswith("WARNING: toy has no weights. It is untrained")
    assert made.notes == (lines[0],)
    assert strict_json(made.folder / "explanation.json")["detector"]["is_untrained"] is True


def test_what_does_not_apply_is_said_and_the_rest_is_done(portrait_video: Path, tmp_path: Path):
    made = explain(portrait_video, picture_net(), tmp_path / "out", methods=["time", "dark"])
    assert made.notes == ("time does not apply: toy looks at single pictures.",)
    assert "face-1-dark.png" in {file.name for file in made.files}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["time", "order"], r"Cannot explain toy so \(time: toy looks at single pictures; order"),
        ([], r"no method was named.*Use: occlusion, grad_cam, dark\."),
    ],
)
def test_nothing_that_applies(portrait_video: Path, tmp_path: Path, asked, message: str):
    with pytest.raises(UsageError, match=message):
        explain(portrait_video, picture_net(), tmp_path / "out", methods=asked)
    assert list(tmp_path.iterdir()) == []


def test_a_detector_without_a_layer(portrait_video: Path, tmp_path: Path):
    net = ready(BrightSpots(), card_of(cam_layer=""))
    with pytest.raises(UsageError, match="the card of toy names no layer for a class activation"):
        explain(portrait_video, net, tmp_path / "out", methods=["grad_cam"])


def test_an_order_of_too_few_frames(portrait_video: Path, tmp_path: Path):
    net = ready(BrightSpots(), card_of(frames=3))
    with pytest.raises(UsageError, match="order: toy looks at 3 frames, and 5 are needed"):
        explain(portrait_video, net, tmp_path / "out", methods=["order"])


def test_an_unknown_method_names_the_known(portrait_video: Path, tmp_path: Path):
    message = r"Unknown method 'gradcam' for toy\. Known: occlusion, grad_cam, time, order, dark\."
    with pytest.raises(UnknownNameError, match=message):
        explain(portrait_video, picture_net(), tmp_path / "out", methods=["gradcam"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"face": 0}, "Cannot explain with face=0: expected 1 or more"),
        ({"most_faces": 0}, "Cannot explain with most_faces=0: expected 1 or more"),
        ({"draws": 0}, "Cannot explain with draws=0: expected 1 or more"),
        ({"seed": -1}, "Cannot explain with seed -1: expected 0 or more"),
        ({"at_s": -1.0}, "Cannot explain the clip at -1.0 s: expected a time of at least 0"),
        ({"at_s": float("nan")}, "Cannot explain the clip at nan s"),
        ({"at_s": 99.0}, r"Cannot explain the clip at 99 s: '.*' ends at 2\.00 s"),
        ({"face": 7}, r"Cannot explain Face 7 of '.*': toy scored face 1\. Give one of these"),
        ({"size_px": 99}, "Cannot cover the input: expected a size of 1 to 32, got 99"),
    ],
)
def test_arguments_out_of_range(portrait_video: Path, tmp_path: Path, wrong, message: str):
    with pytest.raises(UsageError, match=message):
        explain(portrait_video, picture_net(), tmp_path / "out", methods=["dark"], **wrong)
    assert list(tmp_path.iterdir()) == []


def test_no_face(no_face_video: Path, tmp_path: Path):
    message = r"expected a face that toy can score, found no face and no clip of 1 frame\."
    with pytest.raises(MediaError, match=message):
        explain(no_face_video, picture_net(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(portrait_video: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"Cannot write to '.*out': it is not empty\. Give a new"):
        explain(portrait_video, picture_net(), tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["notes.txt"]
    with pytest.raises(OutputError, match="it is a file"):
        explain(portrait_video, picture_net(), tmp_path / "out" / "notes.txt")


def test_what_an_earlier_run_left_is_told(portrait_video: Path, tmp_path: Path):
    (tmp_path / ".out.part").mkdir()
    with pytest.raises(OutputError, match=r"File exists\. Remove '.*\.out\.part' if an earlier"):
        explain(portrait_video, picture_net(), tmp_path / "out")


def test_an_empty_folder_is_filled(portrait_video: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    made = explain(portrait_video, picture_net(), tmp_path / "out", methods=["dark"])
    assert (made.folder / "explanation.json").is_file()


def test_charts_need_their_extra(
    portrait_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def lack() -> None:
        raise MissingDependencyError("matplotlib is not installed.")

    monkeypatch.setattr(explain_run, "need_charts", lack)
    with pytest.raises(MissingDependencyError):
        explain(portrait_video, clip_net(), tmp_path / "out")
    made = explain(portrait_video, clip_net(), tmp_path / "out", methods=["grad_cam"])
    assert len(made.files) == 3
