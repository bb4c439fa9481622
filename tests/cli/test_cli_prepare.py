"""``unmask prepare``: options, what is printed, exit codes, Ctrl-C; train takes the result."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from PIL import Image

from dataset_trees import write_faceforensics
from unmask.cli.main import main
from unmask.detectors import get_card
from unmask.prepare import read_prepared
from unmask.train.data import prepare_spec_for

SMALL = ("--frames", 4, "--sequences", 1)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four real and four forged videos, each at two levels of compression."""
    return write_faceforensics(tmp_path_factory.mktemp("ff"), [("000", "003"), ("011", "012")])


@pytest.fixture
def broken(tree: Path, tmp_path: Path) -> Path:
    """The tree with two files that are no videos."""
    copy = tmp_path / "ff"
    shutil.copytree(tree, copy)
    for name in ("000", "012"):
        (copy / f"original_sequences/youtube/c23/videos/{name}.mp4").write_text("no video")
    return copy


def test_what_was_kept_is_told_in_one_line(cli, tree, tmp_path):
    ran = cli("prepare", "faceforensics", tree, "-o", tmp_path / "out", *SMALL)
    assert (ran.code, ran.err) == (0, "")
    size = sum(file.stat().st_size for file in (tmp_path / "out").iterdir()) / 1e6
    assert ran.out == (
        f"{tmp_path / 'out'}: 16 videos, 16 persons, 16 sequences, {size:,.1f} MB; "
        "0 files could not be used.\n"
    )
    found = read_prepared(tmp_path / "out")
    assert (len(found.sequences), found.spec.frames) == (16, 4)


def test_running_again_changes_nothing(cli, tree, tmp_path):
    words = ("prepare", "faceforensics", tree, "-o", tmp_path / "out", *SMALL, "--split", "val")
    first = cli(*words)
    stamps = [file.stat().st_mtime_ns for file in sorted((tmp_path / "out").iterdir())]
    assert cli(*words) == first
    assert [file.stat().st_mtime_ns for file in sorted((tmp_path / "out").iterdir())] == stamps


def test_files_that_cannot_be_used_are_listed_and_the_exit_code_is_1(cli, broken, tmp_path):
    out = tmp_path / "out"
    ran = cli("prepare", "faceforensics", broken, "-o", out, *SMALL, "--compression", "c23")
    assert ran.code == 1
    assert "6 videos, 6 persons, 6 sequences" in ran.out
    assert ran.out.endswith("; 2 files could not be used.\n")
    first, second = ran.err.splitlines()
    assert "000.mp4" in first
    assert "012.mp4" in second
    assert len(read_prepared(out).sequences) == 6  # everything else is usable


def test_at_most_ten_of_them_are_listed(cli, face_image_file, text_mp4, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(face_image_file, data / "face.png")
    for number in range(12):
        shutil.copy(text_mp4, data / f"{number:02d}.mp4")
    ran = cli("prepare", "folder", data, "-o", tmp_path / "out")
    assert ran.code == 1
    assert "1 video, 1 person, 1 sequence, " in ran.out
    lines = ran.err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "... and 2 more."


def test_as_json(cli, broken, tmp_path):
    out = tmp_path / "out"
    ran = cli(
        "prepare", "faceforensics", broken, "-o", out, *SMALL, "--json", "--compression", "c23"
    )
    assert ran.code == 1
    found = json.loads(ran.out)
    assert len(found.pop("problems")) == 2
    size = sum(file.stat().st_size for file in out.iterdir())
    counts = {"videos": 6, "persons": 6, "sequences": 6, "size_bytes": size}
    assert found == {"path": str(out), **counts}


def test_filters(cli, tree, tmp_path):
    words = ("--split", "train", "--compression", "c40", "--method", "Deepfakes")
    ran = cli("prepare", "faceforensics", tree, "-o", tmp_path / "out", *SMALL, *words)
    assert ran.code == 0
    rows = read_prepared(tmp_path / "out").rows
    assert {(r.split, r.compression) for r in rows} == {("train", "c40")}
    assert [r.label for r in rows] == [0, 0, 1, 1]
    ran = cli("prepare", "faceforensics", tree, "-o", tmp_path / "no", "--method", "Deepfake")
    assert ran.code == 1
    assert "Did you mean 'Deepfakes'?" in ran.error


@pytest.fixture
def keep_of(cli, tree, tmp_path):
    """What the command keeps with some options, the default detector's where none is given."""

    def run(*words: object):
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        few = ("--split", "val", "--compression", "c23", "--compression", "c40")
        ran = cli("prepare", "faceforensics", tree, "-o", out, *few, *words)
        assert ran.code == 0, ran.err
        return read_prepared(out).spec

    return run


def test_the_default_detector_decides_what_is_kept(keep_of, default_detector):
    assert keep_of() == prepare_spec_for(get_card(default_detector))


def test_another_detector_decides_what_is_kept(keep_of):
    keep = keep_of("--detector", "anti_compression")
    assert keep == prepare_spec_for(get_card("anti_compression"))
    assert keep.twins == ("c23", "c40")


def test_options_change_what_is_kept(keep_of):
    keep = keep_of(
        *("--frames", 3, "--sequences", "all", "--fps", 12.5, "--stride", 2),
        *("--min-face", 50, "--native"),
    )
    assert (keep.frames, keep.sequences, keep.fps, keep.stride) == (3, None, 12.5, 2)
    assert (keep.min_face_px, keep.largest_face_px) == (50.0, None)


def test_large_faces_are_reduced_to_the_size_asked_for(keep_of):
    assert keep_of("--largest-face", 110).largest_face_px == 110.0


def test_single_moments_of_a_detector_that_takes_clips(keep_of):
    keep = keep_of("--detector", "two_branch", "--frames", 1, "--sequences", 2)
    assert (keep.frames, keep.sequences, keep.stride, keep.fps) == (1, 2, 1, None)


def test_fps_0_is_the_videos_own_rate(keep_of):
    assert keep_of("--frames", 3, "--fps", 0).fps is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sequences", "many"), "Cannot keep 'many' sequences: expected a number, or all."),
        (("--sequences", "all"), "Cannot keep single moments"),
        (("--sequences", "0"), "Cannot keep sequences=0: expected at least 1."),
        (("--detector", "xceptoin"), "Unknown detector 'xceptoin'. Did you mean 'xception'?"),
        (("--largest-face", "20"), "Cannot keep largest_face_px=20: expected at least"),
        (("--largest-face", "99", "--native"), "Cannot reduce faces and keep them native"),
        (("--frames", "0"), "--frames"),
        (("--workers", "0"), "--workers"),
    ],
)
def test_wrong_usage_exits_with_2(cli, tree, tmp_path, words, message):
    ran = cli("prepare", "faceforensics", tree, "-o", tmp_path / "out", *words)
    assert ran.code == 2
    assert message in ran.error
    assert not (tmp_path / "out").exists()


def test_an_unknown_layout_exits_with_2(cli, tree, tmp_path):
    ran = cli("prepare", "faceforensic", tree, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "faceforensics" in ran.error


def test_other_settings_in_the_same_folder_exit_with_1(cli, tree, tmp_path):
    words = ("prepare", "faceforensics", tree, "-o", tmp_path / "out", "--split", "val")
    assert cli(*words, *SMALL).code == 0
    ran = cli(*words, "--frames", 5)
    assert ran.code == 1
    assert "with other settings (different: keep)" in ran.error


def test_a_relative_path_is_the_same_data_set(cli, tree, tmp_path, monkeypatch):
    words = ("-o", tmp_path / "out", "--split", "val", *SMALL)
    assert cli("prepare", "faceforensics", tree, *words).code == 0
    monkeypatch.chdir(tree)
    assert cli("prepare", "faceforensics", ".", *words).code == 0


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_a_bar(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    words = ["prepare", "faceforensics", str(tree), "-o", str(tmp_path / "out"), "--split", "val"]
    with redirect_stderr(Terminal()) as terminal:
        assert main(words) == 0
    assert "Looking for faces" in terminal.getvalue()
    assert "/8" in terminal.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_stops_cleanly_and_running_again_goes_on(cli, face_image, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    for number in range(40):  # three shards
        Image.fromarray(face_image[38:198, 142:302]).save(data / f"{number:02d}.png")
    words = ["prepare", "folder", str(data), "-o", str(out)]
    # What a shell starts in the background ignores Ctrl-C, and so would its children.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{heed}\nimport sys; from unmask.cli.main import main; sys.exit(main({words!r}))"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    while not (out / "faces-00000.zip").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "error: Stopped. What was finished stays; partial files were removed.\n"
    left = [file.name for file in out.iterdir()]
    assert 2 <= len(left) < 4
    assert not [name for name in left if name.endswith(".partial")]
    ran = cli(*words)
    assert ran.code == 0
    assert "40 videos, 40 persons, 40 sequences" in ran.out


def test_a_detector_that_is_cut_by_68_points_says_what_is_kept(cli, tree, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    words = ("--detector", "lipforensics", "--split", "val", *SMALL)
    ran = cli("prepare", "faceforensics", tree, "-o", tmp_path / "out", *words)
    assert ran.code == 0
    assert ran.err.startswith("lipforensics: 5 points are kept instead of 68. For 68 points, ")
    assert read_prepared(tmp_path / "out").spec.landmarks == 5


def test_train_takes_what_was_prepared(cli, tree, tmp_path, monkeypatch, default_detector):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert cli("prepare", "faceforensics", tree, "-o", out, "--compression", "c23").code == 0
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    settings = ("epochs=1", "steps_per_epoch=1", "batch_size=2")
    ran = cli(
        *("train", default_detector, "--data", out, "-o", tmp_path / "run", "--threads", 1),
        *(word for setting in settings for word in ("--set", setting)),
    )
    assert ran.code == 0, ran.err
    assert not (tmp_path / "cache" / "prepared").exists()  # nothing was looked for again
