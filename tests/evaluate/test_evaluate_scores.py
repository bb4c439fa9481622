"""The results folder: what is written is read again, once, whatever happens between."""

import dataclasses
import errno
import re

import numpy as np
import pyarrow.parquet as parquet
import pytest

from score_rows import clips, video
from unmask.errors import DataError, OutputError
from unmask.evaluate.scores import BINS, PixelCounts, ScoreWriter, read_clips, read_scores


def write(folder, rows, videos_per_part=2):
    with ScoreWriter(folder, videos_per_part=videos_per_part) as writer:
        for row in rows:
            writer.add(row, [] if row.score is None else clips(row.score))
    return folder


def test_everything_comes_back(tmp_path):
    rows = [
        video("fake/a/000.mp4", 2.5, method="a", source="000"),
        video("real/000.mp4", -1.0, source="000"),
        video("real/001.mp4", None, reason="no face"),
    ]
    folder = write(tmp_path / "r", rows)
    assert sorted(read_scores(folder), key=lambda r: r.key.path) == rows
    found = list(read_clips(folder))
    assert [clip.logit for clip in found] == [2.0, 3.0, -1.5, -0.5]
    assert found[0].key == rows[0].key
    assert (found[1].track_id, found[1].start_s, found[1].end_s) == (1, 1.0, 2.0)
    assert sorted(p.name for p in folder.iterdir()) == ["clips.parquet", "videos.parquet"]


def test_pixels_and_embeddings_come_back_where_they_were_kept(tmp_path):
    pixels = PixelCounts(tuple(range(BINS)), (0,) * BINS)
    seen = dataclasses.replace(video("a.mp4", 1.0), pixels=pixels)
    plain = video("b.mp4", 2.0)
    point = np.array([0.5, -2.0], np.float32)
    with ScoreWriter(tmp_path / "r", keeps_embeddings=True) as writer:
        writer.add(seen, [dataclasses.replace(clips(1.0)[0], embedding=point)])
        writer.add(plain, clips(2.0)[:1])
    assert read_scores(tmp_path / "r") == [seen, plain]
    assert [clip.embedding for clip in read_clips(tmp_path / "r")] == [(0.5, -2.0), None]


def test_embeddings_are_left_out_unless_asked_for(tmp_path):
    with ScoreWriter(tmp_path / "r") as writer:
        clip = dataclasses.replace(clips(1.0)[0], embedding=np.ones(3, np.float32))
        writer.add(video("a.mp4", 1.0), [clip])
    assert [clip.embedding for clip in read_clips(tmp_path / "r")] == [None]


def test_two_files_of_one_stem_are_two_videos(tmp_path):
    folder = write(tmp_path / "r", [video("a/000.mp4", 1.0), video("b/000.mp4", 2.0)])
    assert [row.score for row in read_scores(folder)] == [1.0, 2.0]


@pytest.mark.parametrize(
    "other",
    [
        {"compression": "c40"},
        {"method": "m"},
        {"split": "val"},
        {"dataset": "e"},
        {"detector": "other"},
        {"sha256": "cd" * 32},
        {"condition": "blur 3"},
    ],
)
def test_each_part_of_the_key_tells_scores_apart(tmp_path, other):
    folder = write(tmp_path / "r", [video("v.mp4", 1.0), video("v.mp4", 2.0, **other)])
    assert sorted(row.score for row in read_scores(folder)) == [1.0, 2.0]


def test_a_folder_is_gone_on_with(tmp_path):
    first, second = video("1.mp4", 1.0), video("2.mp4", 2.0)
    folder = write(tmp_path / "r", [first])
    with ScoreWriter(folder) as writer:
        assert first.key in writer
        assert second.key not in writer
        writer.add(second, clips(2.0))
    assert [row.score for row in read_scores(folder)] == [1.0, 2.0]
    assert len(list(read_clips(folder))) == 4


def test_what_was_flushed_survives_a_process_that_dies(tmp_path):
    folder = tmp_path / "r"
    writer = ScoreWriter(folder, videos_per_part=2)
    for number in range(3):
        writer.add(video(f"{number}.mp4", float(number)), clips(number))
    del writer  # nobody joins the parts; the third video was still in memory
    assert [row.score for row in read_scores(folder)] == [0.0, 1.0]
    assert len(list(read_clips(folder))) == 4
    write(folder, [video("2.mp4", 2.0)])
    assert [row.score for row in read_scores(folder)] == [0.0, 1.0, 2.0]
    assert len(list(read_clips(folder))) == 6


def test_parts_that_were_joined_but_not_removed_are_not_read_twice(tmp_path):
    folder = tmp_path / "r"
    writer = ScoreWriter(folder, videos_per_part=1)
    writer.add(video("0.mp4", 0.0), clips(0.0))
    kept = {path: path.read_bytes() for path in (folder / "parts").iterdir()}
    writer.__exit__(None, None, None)
    (folder / "parts").mkdir()
    for path, data in kept.items():
        path.write_bytes(data)
    assert len(list(read_clips(folder))) == 2
    write(folder, [video("1.mp4", 1.0)])
    assert [row.score for row in read_scores(folder)] == [0.0, 1.0]
    assert len(list(read_clips(folder))) == 4


def test_an_error_keeps_what_was_finished(tmp_path):
    with pytest.raises(KeyboardInterrupt), ScoreWriter(tmp_path / "r") as writer:
        writer.add(video("0.mp4", 0.5), clips(0.5))
        raise KeyboardInterrupt
    assert [row.score for row in read_scores(tmp_path / "r")] == [0.5]


def full_disk(monkeypatch, place, kind):
    """Files of one kind can be begun, but not written, at one place where they are."""
    real = getattr(parquet, place)

    def begun(path):
        path.write_bytes(b"half a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    def write_table(table, path, *args):
        return begun(path) if path.name.startswith(kind) else real(table, path, *args)

    class Writer(real if place == "ParquetWriter" else object):
        def __init__(self, path, *args):
            self._path = path
            super().__init__(path, *args)

        def write_table(self, *args):
            return (
                begun(self._path)
                if self._path.name.startswith(kind)
                else super().write_table(*args)
            )

    monkeypatch.setattr(parquet, place, write_table if place == "write_table" else Writer)


@pytest.mark.parametrize("kind", ["clips", "videos"])
@pytest.mark.parametrize("place", ["write_table", "ParquetWriter"])
def test_a_full_disk_is_told_and_loses_nothing_that_was_written(tmp_path, place, kind):
    rows = [video(f"{number}.mp4", float(number)) for number in range(5)]
    folder = write(tmp_path / "r", rows[:2])
    message = (
        rf"Cannot write scores to '.*{kind}.*\.parquet': No space left on device. Make room there "
        "and run again; what was written stays."
    )
    with (
        pytest.raises(OutputError, match=message),
        pytest.MonkeyPatch.context() as patch,
        ScoreWriter(folder) as writer,
    ):
        writer.add(rows[2], clips(2.0))
        writer.flush()
        full_disk(patch, place, kind)
        writer.add(rows[3], clips(3.0))
    kept = 3 if place == "write_table" else 4  # where joining fails the last part was written
    assert [row.score for row in read_scores(folder)] == [0.0, 1.0, 2.0, 3.0][:kept]
    assert len(list(read_clips(folder))) == 2 * kept
    assert not list(folder.rglob("*.partial"))
    with ScoreWriter(folder) as writer:
        left = [row for row in rows if row.key not in writer]
        for row in left:
            writer.add(row, clips(row.score))
    assert left == rows[kept:]
    assert [row.score for row in read_scores(folder)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert len(list(read_clips(folder))) == 10


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_score_must_be_a_number(tmp_path, bad):
    message = (
        f"The score of bright for 'real/1.mp4' is {bad}: expected a finite number. Its weights or "
        "the video's pixels are damaged; check the weights (unmask weights verify) or leave the "
        "video out."
    )
    with ScoreWriter(tmp_path / "r") as writer:
        with pytest.raises(DataError, match=re.escape(message)):
            writer.add(video("real/1.mp4", bad), [])
        with pytest.raises(DataError, match=re.escape(message)):
            writer.add(video("real/1.mp4", 0.0), clips(bad))


def test_a_video_is_added_once(tmp_path):
    message = "there is one already in '.*'. Expected each video once; leave the second out"
    with ScoreWriter(tmp_path / "r") as writer:
        writer.add(video("1.mp4", 1.0), clips(1.0))
        with pytest.raises(DataError, match=message):
            writer.add(video("1.mp4", 2.0), clips(2.0))


def test_two_scores_of_one_video_are_refused(tmp_path):
    one = write(tmp_path / "one", [video("1.mp4", 1.0)])
    same = write(tmp_path / "same", [video("1.mp4", 1.0)])
    other = write(tmp_path / "other", [video("1.mp4", 2.0)])
    assert len(read_scores(one, same)) == 1
    message = r"'1.mp4' of d has two scores of bright: 1.0 \(label 0\) and 2.0 \(label 0\), in '.*"
    with pytest.raises(DataError, match=message + "Expected one; delete the folder that is wrong"):
        read_scores(one, other)


def test_a_folder_without_scores(tmp_path):
    with pytest.raises(DataError, match=r"There are no scores in '.*': expected videos.parquet, a"):
        read_scores(tmp_path)


def test_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("unmask.evaluate.scores.FORMAT", 99)
    folder = write(tmp_path / "r", [video("1.mp4", 1.0)])
    monkeypatch.undo()
    message = "its format is 99, expected 2. It was written by another version of unmask or by so"
    with pytest.raises(DataError, match=message):
        read_scores(folder)
    with pytest.raises(DataError, match=message):
        ScoreWriter(folder)


def test_somebody_elses_parquet_is_refused(tmp_path):
    import pyarrow

    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "videos.parquet")
    with pytest.raises(DataError, match=r"its format is none, expected 2"):
        read_scores(tmp_path)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "videos.parquet").write_text("no Parquet at all")
    message = r"Cannot read the scores in '.*': .*. Expected Parquet; delete the file and evaluate"
    with pytest.raises(DataError, match=message):
        read_scores(tmp_path)


def test_other_things_are_not_written_into(tmp_path):
    (tmp_path / "photo.jpg").touch()
    message = r"Cannot write scores into '.*': it holds other things, such as photo.jpg. Expected"
    with pytest.raises(OutputError, match=message):
        ScoreWriter(tmp_path)
    with pytest.raises(OutputError, match=r"Cannot make the folder '.*': .* Give another with -o"):
        ScoreWriter(tmp_path / "photo.jpg")


def test_the_order_of_adding_does_not_matter(tmp_path):
    rows = [video(f"{n}.mp4", float(n)) for n in range(5)]
    forth, back = write(tmp_path / "f", rows), write(tmp_path / "b", rows[::-1])
    assert read_scores(forth) == read_scores(back)
    assert dataclasses.asdict(read_scores(forth)[3])["faces"][0][1] == 3.0
