"""Whole data sets: resumed, in parallel, with files that cannot be used, on a full disk."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_trees import write_faceforensics
from scripted_faces import row
from unmask import workers
from unmask.datasets import read_dataset
from unmask.errors import DataError, MissingDependencyError, OutputError
from unmask.prepare import Prepared, PrepareSpec, is_prepared, prepare, read_prepared, shard_job
from unmask.prepare import index as index_module
from unmask.types import LabelledVideo, Pixels


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledVideo]:
    """20 photographs: a shard of 16 and one of 4. The last is forged."""
    folder = tmp_path_factory.mktemp("photographs")
    from skimage.data import astronaut

    portrait = np.ascontiguousarray(astronaut()[..., :3])[18:218, 122:322]
    for number in range(20):
        Image.fromarray(np.roll(portrait, number, axis=0)).save(folder / f"{number:02d}.png")
    files = sorted(folder.iterdir())
    return [row(path, int(path is files[-1])) for path in files]


@pytest.fixture(scope="module")
def whole(rows: list[LabelledVideo], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an uninterrupted run makes of them."""
    return prepare(rows, tmp_path_factory.mktemp("whole") / "out").path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are looked at from now on."""
    seen: list[str] = []
    real = shard_job.find_sequences

    def find_sequences(video: LabelledVideo, *others: object) -> object:
        seen.append(video.path.name)
        return real(video, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(shard_job, "find_sequences", find_sequences)
    return seen


def test_what_is_read_is_what_was_prepared(rows: list[LabelledVideo], tmp_path: Path, whole: Path):
    counts: list[tuple[int, int]] = []
    found = prepare(rows, tmp_path / "out", report=lambda done, total: counts.append((done, total)))
    assert counts == [(done, 20) for done in range(21)]
    assert [s.group for s in found.sequences] == list(range(20))
    assert [s.label for s in found.sequences] == [0] * 19 + [1]
    assert (found.rows, found.spec, found.problems) == (tuple(rows), PrepareSpec(), ())
    assert contents(tmp_path / "out") == contents(whole)
    assert sorted(contents(whole)) == ["faces-00000.zip", "faces-00001.zip", "prepared.json"]
    assert is_prepared(whole)
    assert not is_prepared(tmp_path)


def test_the_second_call_looks_at_nothing(
    rows: list[LabelledVideo], whole: Path, monkeypatch: pytest.MonkeyPatch
):
    seen, before = looked_at(monkeypatch), contents(whole)
    counts: list[tuple[int, int]] = []
    again = prepare(rows, whole, report=lambda done, total: counts.append((done, total)))
    assert (seen, counts) == ([], [(20, 20)])
    assert len(again.sequences) == 20
    assert contents(whole) == before


class StopError(Exception):
    pass


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_an_interrupted_run_goes_on_behind_its_last_shard(
    rows: list[LabelledVideo],
    tmp_path: Path,
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
):
    out = tmp_path / "out"

    def interrupt(done: int, total: int) -> None:
        if done == 18:
            raise error

    with pytest.raises(error):
        prepare(rows, out, report=interrupt)
    assert sorted(contents(out)) == ["faces-00000.zip", "prepared.json"]  # nothing partial
    with pytest.raises(DataError, match=r"only in part: 1 of 2 shards are missing\. Run the same"):
        read_prepared(out)
    seen = looked_at(monkeypatch)
    prepare(rows, out)
    assert seen == ["16.png", "17.png", "18.png", "19.png"]
    assert contents(out) == contents(whole)


SCRIPT = """
    import json, sys
    from pathlib import Path
    from unmask.prepare import prepare
    from unmask.types import LabelledVideo

    if __name__ == "__main__":
        paths = json.loads(sys.argv[1])
        rows = [
            LabelledVideo(path=Path(p), label=int(p is paths[-1]), dataset="d", split="train")
            for p in paths
        ]

        def report(done, total):
            print(done, flush=True)
            if done >= int(sys.argv[3]):
                sys.stdin.read()

        prepare(rows, sys.argv[2], workers=int(sys.argv[4]), report=report)
"""


def start(
    rows: list[LabelledVideo], out: Path, script: Path, stop_at: int, workers: int = 1
) -> subprocess.Popen[str]:
    """A process that prepares, and stops to wait when so many videos are done."""
    script.write_text(textwrap.dedent(SCRIPT))
    paths = json.dumps([str(row.path) for row in rows])
    return subprocess.Popen(
        [sys.executable, str(script), paths, str(out), str(stop_at), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], done: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= done:
            return
    raise AssertionError("the process ended before")


def test_a_killed_run_goes_on(
    rows: list[LabelledVideo], tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    with start(rows, out, tmp_path / "prepare_it.py", stop_at=18) as process:
        wait_for(process, 18)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    left = sorted(contents(out))
    assert left[:1] == ["faces-00000.zip"]
    assert left[1].endswith(".partial")  # what the killed process was at
    assert left[2:] == ["prepared.json"]
    seen = looked_at(monkeypatch)
    prepare(rows, out)
    assert seen == ["16.png", "17.png", "18.png", "19.png"]
    assert contents(out) == contents(whole)  # and the partial file is gone


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_with_a_parent_that_was_killed(rows: list[LabelledVideo], tmp_path: Path):
    with start(rows, tmp_path / "out", tmp_path / "prepare_it.py", 1, workers=2) as process:
        wait_for(process, 1)
        pids = children(process.pid)
        process.kill()
    assert len(pids) >= 2
    deadline = time.monotonic() + 60
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_two_workers_make_what_one_makes(rows: list[LabelledVideo], tmp_path: Path, whole: Path):
    counts: list[int] = []
    prepare(rows, tmp_path / "out", workers=2, report=lambda done, total: counts.append(done))
    assert contents(tmp_path / "out") == contents(whole)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 20)


def test_an_interruption_ends_the_workers_and_leaves_nothing_partial(
    rows: list[LabelledVideo], tmp_path: Path, whole: Path
):
    many = [*rows, *(replace(r, method="again") for r in rows)]

    def interrupt(done: int, total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(many, tmp_path / "out", workers=2, report=interrupt)
    left = contents(tmp_path / "out")
    assert "prepared.json" in left
    assert len(left) < 4  # not all shards were made
    assert not [name for name in left if name.endswith(".partial")]
    assert len(prepare(many, tmp_path / "out").sequences) == 40


def test_a_worker_that_dies_is_reported(
    rows: list[LabelledVideo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(workers, "_begin", kill_oneself)
    with pytest.raises(OutputError, match=r"a process ended unexpectedly.*with fewer workers"):
        prepare(rows, tmp_path / "out", workers=2)


def kill_oneself(steps: object, stop: object) -> None:
    os._exit(9)


def test_two_runs_at_once_do_not_disturb_each_other(
    rows: list[LabelledVideo], tmp_path: Path, whole: Path
):
    out = tmp_path / "out"
    with start(rows, out, tmp_path / "prepare_it.py", stop_at=7) as process:
        wait_for(process, 7)  # in the middle of the first shard
        prepare(rows, out)
        between = contents(out)
        _, errors = process.communicate("go on", timeout=120)
    assert process.returncode == 0, errors
    assert between == contents(whole)
    assert contents(out) == contents(whole)


def test_a_shard_that_another_run_made_meanwhile_is_not_made_again(
    rows: list[LabelledVideo], tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
):
    out, seen = tmp_path / "out", looked_at(monkeypatch)

    def report(done: int, total: int) -> None:
        if done == 3:
            shutil.copy(whole / "faces-00001.zip", out)

    prepare(rows, out, report=report)
    assert seen == [f"{number:02d}.png" for number in range(16)]
    assert contents(out) == contents(whole)


def test_files_that_cannot_be_used_are_listed_and_left_out(
    face_image_file: Path, no_face_video: Path, text_mp4: Path, portrait_video: Path, tmp_path: Path
):
    rows = [row(p) for p in (face_image_file, text_mp4, no_face_video, portrait_video)]
    found = prepare(rows, tmp_path / "out", PrepareSpec(sequences=1))
    assert [s.group for s in found.sequences] == [0, 3]
    assert len(found.problems) == 2
    assert "text.mp4" in found.problems[0]
    assert "no_face.mp4': no face of at least 48 px; left out" in found.problems[1]
    assert prepare(rows, tmp_path / "out", PrepareSpec(sequences=1)).problems == found.problems


def test_too_short_a_video_is_reported_with_the_length_asked_for(
    one_frame_video: Path, portrait_video: Path, tmp_path: Path
):
    rows = [row(one_frame_video), row(portrait_video)]
    found = prepare(rows, tmp_path / "out", PrepareSpec(sequences=1, frames=5))
    assert "no face of at least 48 px over 5 frames; left out" in found.problems[0]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EIO, "Input/output error"), "00.png': Input/output error. Check the disk"),
        (OSError("odd"), "00.png': OSError. Check the disk and the path."),
        (ValueError("odd pixels"), "00.png': ValueError: odd pixels. Left out."),
    ],
)
def test_a_strange_file_does_not_end_the_work(
    rows: list[LabelledVideo],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    message: str,
):
    real = shard_job.find_sequences

    def find_sequences(video: LabelledVideo, *others: object) -> object:
        if video.path.name == "00.png":
            raise error
        return real(video, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(shard_job, "find_sequences", find_sequences)
    found = prepare(rows[:2], tmp_path / "out")
    assert [s.group for s in found.sequences] == [1]
    assert message in found.problems[0]


def test_a_mask_that_does_not_fit_is_listed_and_leaves_no_trace(
    portrait_video: Path, face_image_file: Path, no_face_video: Path, tmp_path: Path
):
    bad = row(portrait_video, 1, mask_path=no_face_video)
    short = row(portrait_video, 1, mask_path=portrait_video.with_name("short"))
    assert short.mask_path is not None
    short.mask_path.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((256, 256), np.uint8)).save(short.mask_path / "0.png")
    found = prepare([bad, short, row(face_image_file)], tmp_path / "out", PrepareSpec(sequences=2))
    assert [s.group for s in found.sequences] == [2]
    assert "the mask" in found.problems[0]
    assert "no_face.mp4': its pictures are 160x120" in found.problems[0]
    assert "short': it lacks 1 of the video's frames" in found.problems[1]


def test_without_one_face_nothing_is_left(no_face_video: Path, tmp_path: Path):
    with pytest.raises(DataError, match=r"No face of at least 48 px in 1 files.*First problem"):
        prepare([row(no_face_video)], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_rows_there_is_nothing_to_do(tmp_path: Path):
    with pytest.raises(DataError, match="the index has no row"):
        prepare([], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faceforensics(tmp_path_factory.mktemp("tree"), [("000", "003")], frames=8)


PAIRS = PrepareSpec(sequences=1, frames=4, twins=("c23", "c40"))


def test_twins_are_prepared_as_one(tree: Path, tmp_path: Path):
    index = read_dataset("faceforensics", tree)
    found = prepare(index, tmp_path / "out", PAIRS)
    assert [r.compression for r in found.rows] == ["c23"] * 4
    assert len(index) == 8
    assert all(s.has_twins for s in found.sequences)
    assert [s.has_masks for s in found.sequences] == [False, False, True, True]
    for sequence in found.sequences:
        (better,), (worse,) = sequence.pixels([0]), sequence.twins([0])
        assert better.shape == worse.shape
        assert 0 < np.abs(better.astype(int) - worse).mean() < 20


def test_a_missing_twin_is_reported_before_anything_is_looked_at(tree: Path, tmp_path: Path):
    index = read_dataset("faceforensics", tree)
    incomplete = [r for r in index if not (r.compression == "c40" and r.label)]
    with pytest.raises(
        DataError,
        match=r"2 of 4 videos at c23 have no twin at c40\. First of them: '.*000_003\.mp4', '.*"
        r"003_000\.mp4'\. Download both",
    ):
        prepare(incomplete, tmp_path / "out", PAIRS)
    assert list(tmp_path.iterdir()) == []


def test_levels_that_are_not_there_are_reported(tree: Path, tmp_path: Path):
    worse = [r for r in read_dataset("faceforensics", tree) if r.compression == "c40"]
    with pytest.raises(DataError, match=r"there is no video at c23 \(levels found: c40\)"):
        prepare(worse, tmp_path / "out", PAIRS)
    plain = [row(tree)]
    with pytest.raises(DataError, match=r"no video at c23 \(levels found: none named\)"):
        prepare(plain, tmp_path / "out", PAIRS)


def test_rows_without_a_video_id_are_nobodys_twin(tree: Path, tmp_path: Path):
    index = [replace(r, video_id="") for r in read_dataset("faceforensics", tree)]
    with pytest.raises(DataError, match="4 of 4 videos at c23 have no twin"):
        prepare(index, tmp_path / "out", PAIRS)


def test_a_twin_of_another_length_is_listed(tree: Path, tmp_path: Path):
    copy = tmp_path / "ff"
    shutil.copytree(tree, copy)
    short = copy / "original_sequences/youtube/c40/videos/000.mp4"
    other = tmp_path / "other"
    write_faceforensics(other, [("000", "003")], frames=6)
    shutil.copy(other / "original_sequences/youtube/c40/videos/000.mp4", short)
    found = prepare(read_dataset("faceforensics", copy), tmp_path / "out", PAIRS)
    assert [s.group for s in found.sequences] == [1, 2, 3]
    assert f"the twin '{short}': it has 6 frames, the video 8" in found.problems[0]


def test_the_full_disk_is_reported_and_finished_shards_stay(
    rows: list[LabelledVideo], tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
):
    out, written = tmp_path / "out", [0]
    real = zipfile.ZipFile.writestr

    def writestr(self: zipfile.ZipFile, *args: object) -> None:
        written[0] += 1
        if written[0] > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as full:
        full.setattr(zipfile.ZipFile, "writestr", writestr)
        with pytest.raises(
            OutputError, match=r"out': the disk is full\. Finished shards are kept; free some"
        ):
            prepare(rows, out)
    assert sorted(contents(out)) == ["faces-00000.zip", "prepared.json"]
    prepare(rows, out)
    assert contents(out) == contents(whole)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file sizes")
def test_a_real_failure_to_write_is_reported(rows: list[LabelledVideo], tmp_path: Path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"Cannot write to '.*out': File too large"):
            prepare(rows, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(contents(tmp_path / "out")) == ["prepared.json"]


def test_a_folder_that_cannot_be_written_is_reported(
    rows: list[LabelledVideo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OutputError, match=r"Cannot write to '.*out': Permission denied\. Give"):
        prepare(rows, tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_reported(rows: list[LabelledVideo], tmp_path: Path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        prepare(rows, tmp_path / "out")


@pytest.mark.parametrize("change", ["rows", "label", "keep"])
def test_other_work_in_the_same_folder_is_refused(
    rows: list[LabelledVideo], whole: Path, change: str
):
    before, spec = contents(whole), PrepareSpec()
    if change == "rows":
        rows = rows[:-1]
    elif change == "label":
        rows = [*rows[:-1], replace(rows[-1], label=0)]
    else:
        spec = PrepareSpec(min_face_px=40.0)
    expected = "keep" if change == "keep" else "rows"
    with pytest.raises(OutputError, match=rf"with other settings \(different: {expected}[,)]"):
        prepare(rows, whole, spec)
    assert contents(whole) == before


def test_a_folder_with_something_else_is_refused(rows: list[LabelledVideo], tmp_path: Path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="it exists and is not empty"):
        prepare(rows, tmp_path)
    with pytest.raises(OutputError, match=r"mine\.txt': it is a file"):
        prepare(rows, tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_an_empty_folder_and_what_a_killed_start_left_are_taken(
    rows: list[LabelledVideo], tmp_path: Path
):
    (tmp_path / "prepared.json.1-abc.partial").write_text("{")
    prepare(rows[:1], tmp_path)
    assert sorted(contents(tmp_path)) == ["faces-00000.zip", "prepared.json"]


def test_another_process_that_was_faster_with_other_work_is_noticed(
    rows: list[LabelledVideo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, real = tmp_path / "out", index_module._make

    def make(folder: Path, text: str) -> None:
        monkeypatch.setattr(index_module, "_make", real)
        prepare(rows[:2], out)
        real(folder, text)

    monkeypatch.setattr(index_module, "_make", make)
    with pytest.raises(OutputError, match="with other settings"):
        prepare(rows[:3], out)


@pytest.mark.parametrize("text", [None, "", "[]", '{"version": 2}', '{"version": 2, "keep": 1}'])
def test_a_folder_that_is_not_prepared_is_reported(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "prepared.json").write_text(text)
    with pytest.raises(DataError, match=r"not a prepared data set: prepared\.json is missing or"):
        read_prepared(tmp_path)


def test_another_version_is_reported(rows: list[LabelledVideo], whole: Path, tmp_path: Path):
    index = json.loads((whole / "prepared.json").read_text())
    (tmp_path / "prepared.json").write_text(json.dumps(index | {"version": 1}))
    message = r"by another version of unmask \(format 1, this one reads 2\)\. Delete the folder"
    with pytest.raises(DataError, match=message):
        read_prepared(tmp_path)
    with pytest.raises(DataError, match=message):
        prepare(rows, tmp_path)


def test_every_detail_of_rows_and_settings_comes_back(portrait_video: Path, tmp_path: Path):
    video = LabelledVideo(
        path=portrait_video,
        label=1,
        dataset="d",
        split="val",
        method="m",
        source_id="s",
        subject="u",
        compression="c23",
        mask_path=portrait_video,
        video_id="v",
        identities=("a", "b"),
    )
    spec = PrepareSpec(sequences=2, frames=3, fps=12.5, stride=2, largest_face_px=60.0)
    found: Prepared = prepare([video], tmp_path / "out", spec)
    assert found.rows == (video,)
    assert found.spec == spec
    assert found.sequences[0].video == video


def test_two_people_are_two_tracks_of_one_group(two_people_video: Path, tmp_path: Path):
    found = prepare([row(two_people_video)], tmp_path / "out", PrepareSpec(sequences=2, frames=5))
    assert [(s.group, s.track) for s in found.sequences] == [(0, 0), (0, 0), (0, 1), (0, 1)]


def test_68_points_need_their_source(
    rows: list[LabelledVideo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MissingDependencyError, match=r"For 68 points, .*Or keep five points"):
        prepare(rows, tmp_path / "out", PrepareSpec(landmarks=68))
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_no_text_are_kept(
    face_image: Pixels, tmp_path: Path, encode: Callable[..., Path]
):
    odd = tmp_path / os.fsdecode(b"f\xff.png")
    try:
        Image.fromarray(face_image).save(odd)
    except OSError:
        pytest.skip("this disk takes text alone for names")
    assert prepare([row(odd)], tmp_path / "out").rows[0].path == odd
