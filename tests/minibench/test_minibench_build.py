"""How a benchmark is built: again, on after an interruption, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unmask.errors import DataError, OutputError, UsageError
from unmask.minibench import Settings, build
from unmask.minibench import make as making


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """``stop_after(n)``: Ctrl-C comes after so many sources; gives the names as they are made."""
    # Not by its name: that is the function that the package shows.
    module = sys.modules["unmask.minibench.build"]

    def arm(count: int) -> list[str]:
        made: list[str] = []

        def make(job: making.MakeJob) -> None:
            if len(made) == count:
                raise KeyboardInterrupt
            making.make(job)
            made.append(job.source.name)

        monkeypatch.setattr(module, "make", make)
        return made

    return arm


@pytest.mark.slow
def test_interrupted_it_goes_on_and_gives_the_same_bytes(bench, small, tmp_path, stop_after):
    out = tmp_path / "mini"
    reports: list[tuple[str, int, int]] = []
    first = stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        build(bench.videos, out, small)
    assert first == ["000", "001"]
    assert not (out / "minibench.json").exists()
    leftover = out / "original_sequences/own/raw/videos/.000.99.part.mp4"
    leftover.write_bytes(b"of a process that was killed")

    with pytest.raises(OutputError, match=r"begun with other settings. Repeat that command, or"):
        build(bench.videos, out, Settings(videos=3, other=1, seconds=1.0, size_px=192))

    second = stop_after(99)
    built = build(bench.videos, out, small, report=lambda *now: reports.append(now))
    assert second == ["002", "003"]
    assert reports == [("Forging", 2, 4), ("Forging", 3, 4), ("Forging", 4, 4)]
    assert built.sources == bench.built.sources
    assert built.skipped == bench.built.skipped
    assert digests(out) == digests(bench.path)


def test_a_finished_one_is_left_alone(bench, small):
    before = digests(bench.path)
    with pytest.raises(OutputError, match=r"it is a finished miniature benchmark. Give a new fol"):
        build(bench.videos, bench.path, small)
    assert digests(bench.path) == before


def test_a_folder_with_other_things_is_left_alone(videos, small, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match=r"it exists and is not an unfinished build. Give a new"):
        build(videos, tmp_path, small)
    with pytest.raises(OutputError, match="exists and is not an unfinished build"):
        build(videos, tmp_path / "thesis.tex", small)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_it_is_not_built_into_what_it_reads(videos, small):
    with pytest.raises(UsageError, match=r"one lies in the other. Give another place"):
        build(videos, videos / "mini", small)


def test_no_folder_no_videos_no_workers(videos, small, tmp_path):
    with pytest.raises(DataError, match=r"nowhere': it is no folder. Give a folder of real videos"):
        build(tmp_path / "nowhere", tmp_path / "out", small)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"No videos in '.*empty': expected files with a suffix"):
        build(tmp_path / "empty", tmp_path / "out", small)
    with pytest.raises(UsageError, match="with 0 workers: expected 1 or more"):
        build(videos, tmp_path / "out", small, workers=0)
    assert not (tmp_path / "out").exists()


def test_videos_that_do_not_serve_are_named_with_the_reason(
    small, tmp_path, no_face_video, text_mp4, portrait_video, one_frame_video, encode, faces, bars
):
    folder = tmp_path / "some"
    folder.mkdir()
    for file in (no_face_video, text_mp4, portrait_video, one_frame_video):
        shutil.copy(file, folder)
    shutil.copy(portrait_video, folder / "twin.mp4")
    leaves = [*faces(15, 192), *([bars(1, 192, 192)[0]] * 25)]
    encode(folder / "leaves.mp4", leaves)
    with pytest.raises(DataError) as caught:
        build(folder, tmp_path / "out", small)
    message = str(caught.value)
    assert "expected videos of at least 4 people (one for each split and one for the" in message
    assert "with a face for 1 s, found 1. Not usable: " in message
    assert "'no_face.mp4': no face was found" in message
    assert "'text.mp4': Cannot read" in message
    assert "'one_frame.mp4': no face stays for 1 s" in message
    assert "'leaves.mp4': no face stays for 1 s" in message
    assert "it is the same file as 'portrait.mp4'" in message or "file as 'twin.mp4'" in message
    assert message.endswith("Add videos, or ask for fewer --seconds.")
    # Nothing was made: with more videos the same command starts afresh.
    assert not (tmp_path / "out").exists()


def test_a_video_that_changed_is_not_gone_on_with(small, tmp_path, videos, stop_after, write_face):
    folder = tmp_path / "real"
    shutil.copytree(videos, folder)
    stop_after(0)
    with pytest.raises(KeyboardInterrupt):
        build(folder, tmp_path / "out", small)
    plan = json.loads((tmp_path / "out/.build/plan.json").read_text())
    write_face(folder / plan["sources"][0]["file"], 9)
    stop_after(99)
    with pytest.raises(DataError, match=r"has changed since the build began. Build into another"):
        build(folder, tmp_path / "out", small)


def test_one_that_was_begun_with_other_videos_is_refused(small, tmp_path, videos, stop_after):
    folder = tmp_path / "real"
    shutil.copytree(videos, folder)
    stop_after(0)
    with pytest.raises(KeyboardInterrupt):
        build(folder, tmp_path / "out", small)
    (folder / "ann.mp4").unlink()
    with pytest.raises(OutputError, match="begun with other videos and people"):
        build(folder, tmp_path / "out", small)


def test_how_many_videos_are_needed(small):
    assert small.least_videos == 4
    assert Settings(other=0).least_videos == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"videos": 2}, "of 2 videos: expected 3 to 10000"),
        ({"other": -1}, "of -1 other videos: expected 0 to"),
        ({"seconds": 0.5}, "of 0.5 seconds: expected 1 to 600"),
        ({"size_px": 64}, "of 64 pixels: expected 128 to 4096"),
        ({"seed": -1}, "with seed -1: expected 0 or more"),
    ],
)
def test_settings_out_of_range(given: dict[str, int], message: str):
    with pytest.raises(UsageError, match=message):
        Settings(**given)
