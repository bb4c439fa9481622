"""The results of an evaluation on disk: every clip's and every video's score, in Parquet.

A results folder holds ``videos.parquet`` (one row per video and detector, its faces in it) and
``clips.parquet`` (one row per clip). While an evaluation runs, finished videos lie in small files
below ``parts``; at its end they are joined to the two files. What was scored stays, whatever
happens, and is never scored again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from unmask.errors import DataError, OutputError, import_optional
from unmask.types import ClipScore

FORMAT = 2
"""Version of the results folder; one of another version is refused."""

BINS = 256
"""Of predicted pixels; an even number, so that a probability of 0.5 is a border."""

_FORMAT_KEY, _PARTS_KEY = b"unmask.format", b"unmask.parts"
_KINDS = ("clips", "videos")  # in the order of writing: a part counts once its videos are there


class ScoreKey(NamedTuple):
    """What tells one score from another.

    ``path`` is relative to the data set's root, with its folders: a stem alone is no key
    (``real/000.mp4`` and ``fake/a/000.mp4``). ``condition`` is what was done to the video or its
    clips before they were scored, such as "blur 3"; empty for nothing.
    """

    dataset: str
    method: str
    compression: str
    split: str
    path: str
    detector: str
    weights_sha256: str
    condition: str = ""


class PixelCounts(NamedTuple):
    """Pixels of a video's predicted masks against the true ones, by predicted probability.

    Both have ``BINS`` counts: of pixels that are truly forged, and of the others. The bins are
    those of ``metrics.pixels.count_pixels``: ascending, even in the logit, because probabilities
    crowd at 0 and 1; the upper half are probabilities of 0.5 and more.
    """

    forged: tuple[int, ...]
    unchanged: tuple[int, ...]


class FaceScore(NamedTuple):
    """One face: its clips' logits joined by the card's ``aggregate``; ``face_px`` is a median."""

    track_id: int
    logit: float
    clips: int
    face_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoScore:
    """One detector's answer on one video.

    ``score`` is the highest logit among the faces; None where there was nothing to score, and
    then ``reason`` says why. ``pixels`` is there where masks were compared; beside a score,
    ``reason`` says which of them could not be.
    """

    key: ScoreKey
    label: int
    source_id: str
    score: float | None
    reason: str = ""
    faces: tuple[FaceScore, ...] = ()
    pixels: PixelCounts | None = None


class ClipRow(NamedTuple):
    """One clip of a results folder; times in seconds, ``embedding`` (D,) where it was kept."""

    key: ScoreKey
    track_id: int
    start_s: float
    end_s: float
    logit: float
    face_px: float
    embedding: tuple[float, ...] | None = None


class ScoreWriter:
    """Adds to a results folder, part by part; a ``with`` block joins the parts at its end.

    Args:
        folder: made if it is not there; one with scores is gone on with.
        videos_per_part: rows of ``videos`` that wait in memory for the next part.
        keeps_embeddings: whether the clips' embeddings are written, too.

    Raises:
        OutputError: the folder cannot be made, or holds something else.
        DataError: its scores are of another version or damaged.
        MissingDependencyError: pyarrow is not installed.
    """

    def __init__(
        self, folder: Path, *, videos_per_part: int = 20, keeps_embeddings: bool = False
    ) -> None:
        self.folder = folder
        self._keeps_embeddings = keeps_embeddings
        self._limit = videos_per_part
        _open_folder(folder)
        self._done = {row.key for row in _read_videos(folder)}
        merged = max((_merged(folder / f"{kind}.parquet") for kind in _KINDS), default=0)
        self._next = max([merged, *(number + 1 for number in _parts(folder))])
        self._videos: list[dict[str, object]] = []
        self._clips: list[dict[str, object]] = []

    def __contains__(self, key: ScoreKey) -> bool:
        return key in self._done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()
        _join(self.folder)

    def add(self, video: VideoScore, clips: Sequence[ClipScore]) -> None:
        """Takes one detector's answer on one video, with the clips that it is made of.

        Raises:
            DataError: a score is no finite number, or this video has one already.
        """
        _check_finite(video, clips)
        if video.key in self._done:
            raise DataError(
                f"Cannot add a score of {video.key.detector} for '{video.key.path}': there is one "
                f"already in '{self.folder}'. Expected each video once; leave the second out."
            )
        self._done.add(video.key)
        self._videos.append(_video_record(video))
        self._clips += [_clip_record(video.key, clip, self._keeps_embeddings) for clip in clips]
        if len(self._videos) >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Writes what waits in memory as one part."""
        if not self._videos:
            return
        waiting = {"clips": self._clips, "videos": self._videos}
        for kind in _KINDS:
            _write_part(self.folder / "parts" / f"{kind}-{self._next:06d}.parquet", waiting[kind])
        self._next += 1
        self._videos, self._clips = [], []


def read_scores(*folders: Path) -> list[VideoScore]:
    """All videos of some results folders, in the order of their keys.

    Raises:
        DataError: a folder holds no scores, is damaged or of another version, or a video has
            two different scores of one detector with the same weights.
        MissingDependencyError: pyarrow is not installed.
    """
    found: dict[ScoreKey, VideoScore] = {}
    for folder in folders:
        rows = list(_read_videos(folder))
        if not rows:
            raise DataError(
                f"There are no scores in '{folder}': expected videos.parquet, as "
                "'unmask evaluate … -o DIR' writes it. Run that first, or give its folder."
            )
        for row in rows:
            _check_finite(row, ())
            other = found.setdefault(row.key, row)
            if (other.score, other.label) != (row.score, row.label):
                raise DataError(
                    f"'{row.key.path}' of {row.key.dataset} has two scores of "
                    f"{row.key.detector}: {other.score} (label {other.label}) and {row.score} "
                    f"(label {row.label}), in {_named(folders)}. Expected one; delete the folder "
                    "that is wrong and evaluate again."
                )
    return sorted(found.values(), key=lambda row: row.key)


def read_clips(folder: Path) -> Iterator[ClipRow]:
    """All clips of a results folder, a few at a time.

    Raises:
        DataError: it is damaged or of another version.
        MissingDependencyError: pyarrow is not installed.
    """
    names = ("track_id", "start_s", "end_s", "logit", "face_px")
    for record in _records(folder, "clips"):
        point = record["embedding"]
        row = ClipRow(_key_of(record), *(record[name] for name in names))
        yield row if point is None else row._replace(embedding=tuple(point))


def _named(folders: Iterable[Path]) -> str:
    return " and ".join(f"'{folder}'" for folder in folders)


def _check_finite(video: VideoScore, clips: Sequence[ClipScore]) -> None:
    scores = [clip.logit for clip in clips] + [face.logit for face in video.faces]
    scores += [] if video.score is None else [video.score]
    bad = next((score for score in scores if not math.isfinite(score)), None)
    if bad is not None:
        raise DataError(
            f"The score of {video.key.detector} for '{video.key.path}' is {bad}: expected a finite "
            "number. Its weights or the video's pixels are damaged; check the weights "
            "(unmask weights verify) or leave the video out."
        )


def _open_folder(folder: Path) -> None:
    """Makes the folder and its ``parts``, unless something else lies there."""
    if folder.is_dir():
        names = {entry.name for entry in folder.iterdir()}
        # A protocol may have put plots, or embeddings in a folder of their own, here before.
        if names - {"embeddings", "plots"} and not names & {"parts", "videos.parquet"}:
            raise OutputError(
                f"Cannot write scores into '{folder}': it holds other things, such as "
                f"{min(names)}. Expected a new or empty folder, or one with scores; give another "
                "with -o."
            )
    try:
        (folder / "parts").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot make the folder '{folder}': {error.strerror}. Give another with -o."
        ) from error


def _parts(folder: Path) -> list[int]:
    """Numbers of the finished parts: those whose videos are written."""
    return sorted(int(path.stem[-6:]) for path in (folder / "parts").glob("videos-*.parquet"))


def _merged(path: Path) -> int:
    """Number of the first part that is not in a joined file."""
    return int(_open(path).schema_arrow.metadata[_PARTS_KEY]) if path.is_file() else 0


def _open(path: Path) -> Any:
    """A Parquet file of this version."""
    arrow = import_optional("pyarrow", "evaluate")
    parquet = import_optional("pyarrow.parquet", "evaluate")
    try:
        file = parquet.ParquetFile(path)
    except (arrow.ArrowInvalid, OSError) as error:
        raise DataError(
            f"Cannot read the scores in '{path}': {str(error).splitlines()[0].rstrip('.')}. "
            "Expected Parquet; delete the file and evaluate again."
        ) from error
    version = (file.schema_arrow.metadata or {}).get(_FORMAT_KEY, b"none").decode()
    if version != str(FORMAT):
        raise DataError(
            f"Cannot use '{path}': its format is {version}, expected {FORMAT}. It was written by "
            "another version of unmask or by something else; evaluate again into a new folder."
        )
    return file


def _files(folder: Path, kind: str) -> Iterator[Path]:
    """The joined file, then the parts that are not in it."""
    joined = folder / f"{kind}.parquet"
    if joined.is_file():
        yield joined
    first = _merged(joined)
    for number in _parts(folder):
        if number >= first:
            yield folder / "parts" / f"{kind}-{number:06d}.parquet"


def _records(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    for path in _files(folder, kind):
        for batch in _open(path).iter_batches(batch_size=4096):
            yield from batch.to_pylist()


def _read_videos(folder: Path) -> Iterator[VideoScore]:
    for record in _records(folder, "videos"):
        yield VideoScore(
            key=_key_of(record),
            label=record["label"],
            source_id=record["source_id"],
            score=record["score"],
            reason=record["reason"],
            faces=tuple(FaceScore(**face) for face in record["faces"]),
            pixels=_pixels_of(record),
        )


def _pixels_of(record: dict[str, Any]) -> PixelCounts | None:
    counts = record["pixels"]
    return None if counts is None else PixelCounts(*(tuple(counts[k]) for k in PixelCounts._fields))


def _key_of(record: dict[str, Any]) -> ScoreKey:
    return ScoreKey(*(record[name] for name in ScoreKey._fields))


def _video_record(video: VideoScore) -> dict[str, object]:
    return {
        **video.key._asdict(),
        "label": video.label,
        "source_id": video.source_id,
        "score": video.score,
        "reason": video.reason,
        "faces": [face._asdict() for face in video.faces],
        "pixels": None if video.pixels is None else video.pixels._asdict(),
    }


def _clip_record(key: ScoreKey, clip: ClipScore, keeps_embedding: bool) -> dict[str, object]:
    place = (clip.track_id, clip.start_s, clip.end_s)
    row = ClipRow(key, *place, clip.logit, clip.face_px)._asdict() | key._asdict()
    if keeps_embedding and clip.embedding is not None:
        row["embedding"] = clip.embedding.tolist()
    return row


def _schema(kind: str, parts: int) -> Any:
    """Columns of a kind of file; ``parts`` is noted in a joined one."""
    arrow = import_optional("pyarrow", "evaluate")
    number, count, text = arrow.float64(), arrow.int32(), arrow.string()
    columns = [(name, text) for name in ScoreKey._fields]
    if kind == "clips":
        columns += [("track_id", count)]
        columns += [(name, number) for name in ("start_s", "end_s", "logit", "face_px")]
        columns += [("embedding", arrow.list_(arrow.float32()))]
    else:
        face = [("track_id", count), ("logit", number), ("clips", count), ("face_px", number)]
        columns += [("label", arrow.int8()), ("source_id", text), ("score", number)]
        columns += [("reason", text), ("faces", arrow.list_(arrow.struct(face)))]
        counts = [(name, arrow.list_(arrow.int64())) for name in PixelCounts._fields]
        columns += [("pixels", arrow.struct(counts))]
    notes = {_FORMAT_KEY: str(FORMAT).encode(), _PARTS_KEY: str(parts).encode()}
    return arrow.schema(columns, metadata=notes)


def _write_part(path: Path, records: list[dict[str, object]]) -> None:
    arrow = import_optional("pyarrow", "evaluate")
    parquet = import_optional("pyarrow.parquet", "evaluate")
    kind = path.stem.partition("-")[0]
    partial = path.with_suffix(".partial")
    try:
        parquet.write_table(arrow.Table.from_pylist(records, _schema(kind, 0)), partial)
        partial.replace(path)
    except OSError as error:
        raise _unwritten(path, partial, error) from error


def _unwritten(path: Path, partial: Path, error: OSError) -> OutputError:
    """Gives back the room that half a file takes."""
    partial.unlink(missing_ok=True)
    return OutputError(
        f"Cannot write scores to '{path}': {error.strerror or error}. Make room there and run "
        "again; what was written stays."
    )


def _join(folder: Path) -> None:
    """Moves the parts into the two files, batch by batch; an interruption loses nothing.

    A joined file knows up to which part it reaches, so a part that is still there afterwards is
    not read twice.
    """
    parquet = import_optional("pyarrow.parquet", "evaluate")
    if numbers := _parts(folder):
        for kind in _KINDS:
            joined, partial = folder / f"{kind}.parquet", folder / f"{kind}.partial"
            schema = _schema(kind, numbers[-1] + 1)
            try:
                with parquet.ParquetWriter(partial, schema) as writer:
                    for path in _files(folder, kind):
                        for batch in _open(path).iter_batches():
                            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
                partial.replace(joined)
            except OSError as error:
                raise _unwritten(joined, partial, error) from error
    for path in (folder / "parts").glob("*.p*"):
        path.unlink()
    (folder / "parts").rmdir()
