"""``unmask scan``: what it prints, what it writes, and what its exit code says."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from unmask.pipeline import scan as river
from unmask.report import schema
from unmask.types import Finding


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_video_prints_a_summary_and_says_how_to_get_the_report(scan_cli, portrait_video):
    ran = scan_cli(portrait_video)
    assert ran.code == 0
    assert ran.out.startswith("portrait.mp4: Inconclusive\n")
    assert "has no calibration for these weights" in ran.out
    assert "\x1b" not in ran.out
    assert ran.err == "For the report with pictures and all numbers, add -o DIR.\n"


def test_reports_go_to_a_folder_that_is_made(scan_cli, portrait_video, tmp_path):
    out = tmp_path / "new" / "results"
    ran = scan_cli(portrait_video, "-o", out)
    assert ran.code == 0
    assert ran.err == ""
    assert _names(out) == ["portrait.html", "portrait.json"]
    assert ran.out.endswith(f"  Report: {out / 'portrait.html'}\n")
    document = json.loads((out / "portrait.json").read_text())
    jsonschema.validate(document, schema())
    assert document["finding"] == "inconclusive"
    page = (out / "portrait.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "data:image" in page  # the key frames


def test_json_is_the_only_thing_on_stdout(scan_cli, portrait_video):
    ran = scan_cli(portrait_video, "--json")
    assert ran.code == 0
    assert ran.err == ""
    document = json.loads(ran.out)
    jsonschema.validate(document, schema())
    assert ran.out.startswith('{\n  "schema_version"')
    assert document["video"]["path"] == str(portrait_video)


def test_several_inputs_give_one_json_line_each(scan_cli, one_frame_video, no_face_video):
    ran = scan_cli(one_frame_video, no_face_video, "--json")
    assert ran.code == 0
    documents = [json.loads(line) for line in ran.out.splitlines()]
    assert [d["finding"] for d in documents] == ["inconclusive", "no_face"]
    for document in documents:
        jsonschema.validate(document, schema())


def test_a_folder_of_videos_means_each_and_a_folder_of_pictures_is_one(
    scan_cli, one_frame_video, no_face_video, image_folder, tmp_path
):
    folder = tmp_path / "clips"
    folder.mkdir()
    for source, name in ((no_face_video, "b.mp4"), (one_frame_video, "a.MP4")):
        (folder / name).write_bytes(source.read_bytes())
    (folder / ".hidden.mp4").write_text("no video")
    (folder / "notes.txt").write_text("no video")
    ran = scan_cli(folder, image_folder)
    assert ran.code == 0
    each, _, table = ran.out.partition("\n\n")
    firsts = [line for line in each.splitlines() if not line.startswith(" ")]
    assert firsts == ["a.MP4: Inconclusive", "b.mp4: No face", "frames: Inconclusive"]
    assert [line.split()[0] for line in table.splitlines()] == ["video", "a.MP4", "b.mp4", "frames"]


def test_a_folder_with_one_video_still_gives_json_lines(scan_cli, no_face_video, tmp_path):
    (tmp_path / "a.mp4").write_bytes(no_face_video.read_bytes())
    ran = scan_cli(tmp_path, "--json")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert json.loads(ran.out)["finding"] == "no_face"


def test_one_failure_stops_no_other_and_is_told_at_the_end(
    scan_cli, text_mp4, no_face_video, audio_only_file, tmp_path
):
    ran = scan_cli(text_mp4, no_face_video, audio_only_file, "-o", tmp_path / "out")
    assert ran.code == 1
    assert ran.out.startswith("no_face.mp4: No face\n")
    lines = ran.err.splitlines()
    assert lines[0].startswith("error: Cannot read 'text.mp4'")
    assert lines[1].startswith("error: Cannot read 'talk.m4a'")
    assert lines[2] == (
        f"error: 2 of 3 inputs could not be scanned: '{text_mp4}', '{audio_only_file}'"
    )
    assert len(lines) == 3
    assert _names(tmp_path / "out") == ["no_face.html", "no_face.json"]


def test_an_unexpected_failure_stops_no_other_either(scan_cli, no_face_video, monkeypatch):
    real = river.scan

    def fails_once(path, *args, **kwargs):
        if path.name == "burst.mp4":
            raise RuntimeError("a pipe burst")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(river, "scan", fails_once)
    ran = scan_cli("burst.mp4", no_face_video)
    assert ran.code == 1
    assert "No face" in ran.out
    assert ran.err.startswith(
        "error: Something unexpected went wrong with 'burst.mp4': RuntimeError: a pipe burst. "
    )


@pytest.mark.parametrize(
    ("finding", "options", "code"),
    [
        ("inconclusive", [], 0),
        ("inconclusive", ["--fail-on", "manipulated"], 0),
        ("inconclusive", ["--fail-on", "manipulated", "--fail-on", "inconclusive"], 3),
        ("manipulated", [], 0),
        ("manipulated", ["--fail-on", "manipulated"], 3),
        ("no_face", ["--fail-on", "manipulated", "--fail-on", "inconclusive"], 0),
    ],
)
def test_fail_on_turns_a_finding_into_3(
    scan_cli, no_face_video, monkeypatch, finding, options, code
):
    real = river.scan

    def finds(*args, **kwargs):
        return dataclasses.replace(real(*args, **kwargs), finding=Finding(finding))

    monkeypatch.setattr(river, "scan", finds)
    assert scan_cli(no_face_video, *options).code == code


def test_a_failure_outweighs_fail_on(scan_cli, one_frame_video, text_mp4):
    assert scan_cli(one_frame_video, text_mp4, "--fail-on", "inconclusive").code == 1


@pytest.mark.parametrize("suffix", [".json", ".html"])
def test_old_reports_are_not_replaced_unless_asked(scan_cli, no_face_video, tmp_path, suffix):
    old = tmp_path / f"no_face{suffix}"
    old.write_text("old")
    ran = scan_cli(no_face_video, "-o", tmp_path)
    assert ran.code == 1
    assert ran.error == (
        f"Cannot write '{old}': it exists. Add --overwrite, or give another folder with -o."
    )
    assert ran.out == ""
    assert _names(tmp_path) == [old.name]
    assert old.read_text() == "old"
    assert scan_cli(no_face_video, "-o", tmp_path, "--overwrite").code == 0
    assert _names(tmp_path) == ["no_face.html", "no_face.json"]
    assert old.read_text() != "old"


def test_equal_stems_get_names_of_their_own(scan_cli, no_face_video, tmp_path):
    paths = []
    for name in ("one/talk.mp4", "two/talk.mp4", "one/Talk.m4v", "one/talk-2.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(no_face_video.read_bytes())
        paths.append(path)
    out = tmp_path / "out"
    assert scan_cli(*paths, "-o", out).code == 0
    stems = ["Talk-3", "talk", "talk-2", "talk-2-2"]
    assert _names(out) == sorted(f"{s}{e}" for s in stems for e in (".html", ".json"))
    assert json.loads((out / "talk-2.json").read_text())["video"]["path"] == str(paths[1])


def test_the_input_is_never_a_target(scan_cli, tmp_path, face_image_file):
    page = tmp_path / "face.html"
    page.write_bytes(face_image_file.read_bytes())
    ran = scan_cli(page, "-o", tmp_path, "--overwrite")
    assert ran.code == 1
    assert ran.error == (
        f"Cannot write '{page}': it is what is to be read. Give another folder with -o."
    )
    assert page.read_bytes() == face_image_file.read_bytes()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_told_before_the_scan(
    scan_cli, no_face_video, tmp_path, monkeypatch, place
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setattr(river, "scan", lambda *a, **k: pytest.fail("it scanned"))
    ran = scan_cli(no_face_video, "-o", tmp_path / place)
    assert ran.code == 1
    assert ran.error.startswith(f"Cannot write to the folder '{tmp_path / place}': ")
    assert ran.error.endswith("Give another folder with -o.")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    scan_cli, no_face_video, tmp_path, monkeypatch
):
    real = Path.write_text

    def full(path, text, **how):
        if path.name.startswith(".no_face.json"):
            real(path, text[:100], **how)
            raise OSError(28, "No space left on device")
        return real(path, text, **how)

    monkeypatch.setattr(Path, "write_text", full)
    ran = scan_cli(no_face_video, "-o", tmp_path / "out")
    assert ran.code == 1
    assert "No space left on device. Check the free space" in ran.error
    assert _names(tmp_path) == []


def test_ctrl_c_while_a_report_is_written_leaves_nothing_half_written(
    scan_cli, no_face_video, tmp_path, monkeypatch
):
    real = Path.write_text
    seen = []

    def interrupted(path, text, **how):
        real(path, text, **how)
        if path.name.startswith(".no_face.json"):
            seen.extend(_names(tmp_path))
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    (tmp_path / "older.json").write_text("old")
    ran = scan_cli(no_face_video, "-o", tmp_path)
    assert ran.code == 130
    assert len(seen) == 3  # both partial files were there
    assert _names(tmp_path) == ["older.json"]


@pytest.fixture(scope="module")
def long_video(encode, bars, tmp_path_factory):
    """5 frames a second: each is searched for faces, which takes far longer than a test waits."""
    frames = bars(40, 320, 240) * 100
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return encode(path, frames, fps=5, options={"preset": "ultrafast"})


def test_ctrl_c_in_the_middle_of_a_scan(long_video, weights_file, default_detector, tmp_path):
    out = tmp_path / "out"
    words = [long_video, "-o", out, "-w", f"{default_detector}={weights_file}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "unmask", "scan", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts its background jobs deaf to SIGINT, and tests may run in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    try:
        deadline = time.monotonic() + 60
        while not out.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        time.sleep(2)  # into the video
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert stdout == ""
    assert stderr == "error: Stopped. What was finished stays; partial files were removed.\n"
    assert _names(tmp_path) == []


def test_sigterm_ends_cleanly_and_keeps_the_rows_that_were_finished(
    long_video, no_face_video, weights_file, default_detector, tmp_path
):
    out, table = tmp_path / "out", tmp_path / "found.csv"
    words = [no_face_video, long_video, "-o", out, "--csv", table]
    words += ["-w", f"{default_detector}={weights_file}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "unmask", "scan", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not table.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        time.sleep(1)  # into the long video
        assert process.poll() is None, process.communicate()
        rows_meanwhile = table.read_text().splitlines()
        process.terminate()
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143
    assert stderr == "error: Stopped. What was finished stays; partial files were removed.\n"
    assert len(rows_meanwhile) == 2  # the head, and the first video before the second is finished
    assert table.read_text().splitlines() == rows_meanwhile
    assert _names(out) == ["no_face.html", "no_face.json"]


def test_a_file_name_cannot_write_to_the_terminal(scan_cli, no_face_video, tmp_path):
    path = tmp_path / "\x1b[31mred\nline\u202e.mp4"
    path.write_bytes(no_face_video.read_bytes())
    ran = scan_cli(path, no_face_video, "-o", tmp_path / "\x1b[2Jout")
    assert ran.code == 0
    assert not {"\x1b", "\u202e"} & set(ran.out + ran.err)
    (line,) = [line for line in ran.out.splitlines() if "red" in line and "Report: " in line]
    assert line.endswith("\\x1b[2Jout/\\x1b[31mred\\nline\\u202e.html")


def test_weights_are_given_by_name(cli, default_detector, no_face_video, weights_file):
    other = "meso4"
    for words, message in [
        (["-w", "untrained"], "Cannot use -w 'untrained': expected NAME=TAG or NAME=FILE."),
        (
            ["-w", f"{other}=df"],
            f"for '{other}', which is not among the detectors ({default_detector})",
        ),
        (["-w", f"{default_detector}=a", "-w", f"{default_detector}=b"], "has weights already"),
        (["-w", "meso=df"], "Unknown detector 'meso'. Did you mean 'meso4'?"),
    ]:
        ran = cli("scan", no_face_video, *words)
        assert ran.code == 2
        assert message in ran.error


def test_two_detectors_share_one_scan(cli, no_face_video, portrait_video, default_detector):
    ran = cli("scan", portrait_video, "-d", default_detector, "-d", default_detector)
    assert ran.code == 2
    assert ran.error == "Cannot scan: name at least one detector, and each only once."


def test_an_unusable_device_is_one_line(scan_cli, no_face_video):
    ran = scan_cli(no_face_video, "--device", "cuda:99")
    assert ran.code == 2
    assert ran.error.startswith("Cannot use device 'cuda:99'")


def test_bytes_that_are_no_text_in_a_file_name(scan_cli, no_face_video, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    path.write_bytes(no_face_video.read_bytes())
    ran = scan_cli(path, "-o", tmp_path / "out")
    assert ran.code == 0
    assert ran.out.startswith("caf\\xe9.mp4: No face\n")
    assert len(_names(tmp_path / "out")) == 2


def test_the_folder_one_stands_in(scan_cli, image_folder, monkeypatch, tmp_path):
    before = _names(image_folder)
    monkeypatch.chdir(image_folder)
    assert scan_cli(".", "-o", tmp_path / "out").code == 0
    assert _names(tmp_path / "out") == ["frames.html", "frames.json"]
    assert _names(image_folder) == before
