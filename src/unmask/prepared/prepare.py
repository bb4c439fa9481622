"""Prepares a data set: many videos in, a folder of shards out; resumable, on several cores."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import errno
import io
import json
import multiprocessing
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unmask.errors import DataError, MediaError, OutputError
from unmask.prepared.keep import Keep
from unmask.prepared.look import GEOMETRY_WIDTH, Found, look
from unmask.prepared.sequence import FaceSequence, as_json, from_json
from unmask.types import Floats, LabelledVideo

_VERSION = 1
_INDEX = "prepared.json"
_LIST = "sequences.json"
_GEOMETRY = "geometry.npy"
_VIDEOS_PER_SHARD = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A prepared data set.

    ``rows`` is the index it was made of (of twins, the better videos alone), ``problems`` has a
    line for every file that could not be used.
    """

    path: Path
    keep: Keep
    rows: tuple[LabelledVideo, ...]
    sequences: tuple[FaceSequence, ...]
    problems: tuple[str, ...]


def is_prepared(path: str | Path) -> bool:
    """Whether a folder was made by ``prepare``, if only in part."""
    return (Path(path) / _INDEX).is_file()


def prepare(
    rows: Sequence[LabelledVideo],
    out: str | Path,
    keep: Keep | None = None,
    *,
    workers: int = 1,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Finds the faces of a data set and keeps them in ``out``.

    Call it again after an interruption and it goes on: finished shards (of 16 videos) are kept.
    A file that cannot be read is left out and listed in ``problems``.

    Args:
        rows: the data set's index.
        out: a folder; new, or of an earlier call with the same rows and the same ``keep``.
        keep: what to keep.
        workers: processes.
        report: called with how many videos are done, and of how many.

    Returns:
        What was kept.

    Raises:
        OutputError: ``out`` holds something else, or cannot be written (a full disk).
        DataError: there is no row, a twin is missing, or not one face was found.
    """
    keep = keep or Keep()
    folder = Path(out)
    pairs = _with_twins(rows, keep)
    _open_folder(folder, _index(pairs, keep))
    shards = [pairs[at : at + _VIDEOS_PER_SHARD] for at in range(0, len(pairs), _VIDEOS_PER_SHARD)]
    todo = [number for number in range(len(shards)) if not _shard(folder, number).is_file()]
    done = len(pairs) - sum(len(shards[number]) for number in todo)
    report(done, len(pairs))
    jobs = [(folder, number, shards[number], keep) for number in todo]
    for count in _work(jobs, workers):
        done += count
        report(done, len(pairs))
    found = read_prepared(folder)
    if not found.sequences:
        first = f" First problem: {found.problems[0]}" if found.problems else ""
        raise DataError(
            f"No face of at least {keep.min_face_px:g} px in {len(pairs)} files.{first} "
            "Give files with larger faces."
        )
    return found


def read_prepared(path: str | Path) -> Prepared:
    """Reads the list of what ``prepare`` kept; pixels are read when a sequence is asked.

    Raises:
        DataError: ``path`` was not prepared, only in part, or by another version.
    """
    folder = Path(path)
    index = _read_index(folder)
    rows = tuple(_row(entry) for entry in index["rows"])
    keep = Keep(**index["keep"] | {"twins": _pair(index["keep"]["twins"])})
    count = -(-len(rows) // _VIDEOS_PER_SHARD)
    missing = [n for n in range(count) if not _shard(folder, n).is_file()]
    if missing:
        raise DataError(
            f"'{folder}' is prepared only in part: {len(missing)} of {count} shards are missing. "
            "Run the same prepare command again; it goes on where it stopped."
        )
    sequences: list[FaceSequence] = []
    problems: list[str] = []
    for number in range(count):
        shard = _shard(folder, number)
        with zipfile.ZipFile(shard) as archive:
            content = json.loads(archive.read(_LIST))
            geometry = np.load(io.BytesIO(archive.read(_GEOMETRY)))
        problems += content["problems"]
        first = 0
        for at, entry in enumerate(content["sequences"]):
            here = geometry[first : first + len(entry["times_s"])]
            sequences.append(from_json(entry, here, rows[entry["group"]], shard, at))
            first += len(here)
    return Prepared(
        path=folder,
        keep=keep,
        rows=rows,
        sequences=tuple(sequences),
        problems=tuple(problems),
    )


_Pairs = list[tuple[int, LabelledVideo, Path | None]]


def _with_twins(rows: Sequence[LabelledVideo], keep: Keep) -> _Pairs:
    """Every row with its twin; of two compression levels the better row stands for both."""
    if not rows:
        raise DataError("There is nothing to prepare: the index has no row. Check the filters.")
    if keep.twins is None:
        return [(number, row, None) for number, row in enumerate(rows)]
    better, worse = keep.twins
    others = {row.video_id: row.path for row in rows if row.compression == worse}
    firsts = [row for row in rows if row.compression == better]
    lonely = [row for row in firsts if row.video_id not in others]
    if lonely or not firsts:
        names = ", ".join(f"'{row.path}'" for row in lonely[:3])
        said = f" First of them: {names}." if lonely else ""
        raise DataError(
            f"{len(lonely) or 'All'} of {len(firsts)} videos at {better} have no twin at {worse}."
            f"{said} Download both compression levels, or train a detector that needs no pairs."
        )
    return [(number, row, others[row.video_id]) for number, row in enumerate(firsts)]


def _index(pairs: _Pairs, keep: Keep) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "keep": keep.plain(),
        "rows": [_plain(row) for _, row, _ in pairs],
        "twins": [str(twin) if twin else None for _, _, twin in pairs],
    }


def _plain(row: LabelledVideo) -> dict[str, Any]:
    entry = dataclasses.asdict(row)
    entry["path"] = str(row.path)
    entry["mask_path"] = str(row.mask_path) if row.mask_path else None
    entry["identities"] = list(row.identities)
    return entry


def _row(entry: dict[str, Any]) -> LabelledVideo:
    mask = entry["mask_path"]
    changed = {
        "path": Path(entry["path"]),
        "mask_path": Path(mask) if mask else None,
        "identities": tuple(entry["identities"]),
    }
    return LabelledVideo(**entry | changed)


def _pair(value: list[str] | None) -> tuple[str, str] | None:
    return (value[0], value[1]) if value else None


def _open_folder(folder: Path, index: dict[str, Any]) -> None:
    """Makes the folder, or makes sure that it holds the same work."""
    if is_prepared(folder):
        earlier = _read_index(folder)
        changed = [key for key in index if earlier.get(key) != index[key]]
        if changed:
            raise OutputError(
                f"'{folder}' was prepared from another index or with other settings (different: "
                f"{', '.join(changed)}). Give another folder, or delete this one."
            )
        return
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError(
            f"Cannot prepare into '{folder}': it exists and is not empty. Give another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{_INDEX}.partial"
        partial.write_text(json.dumps(index))
        partial.replace(folder / _INDEX)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((folder / _INDEX).read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"'{folder}' is not a prepared data set: {_INDEX} is missing or damaged. "
            "Make one with: unmask prepare NAME PATH -o FOLDER"
        ) from error
    if index.get("version") != _VERSION:
        raise DataError(
            f"'{folder}' was prepared by another version of unmask (format "
            f"{index.get('version')}, this one reads {_VERSION}). Prepare it again."
        )
    return index


def _shard(folder: Path, number: int) -> Path:
    return folder / f"faces-{number:05d}.zip"


_Job = tuple[Path, int, _Pairs, Keep]


def _work(jobs: Sequence[_Job], workers: int) -> Iterator[int]:
    """Yields how many videos each finished shard holds."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(_make_shard, jobs)
        return
    # Not forked: ONNX Runtime's threads would not survive it.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=context, initializer=_one_thread
    ) as pool:
        futures = [pool.submit(_make_shard, job) for job in jobs]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _one_thread() -> None:
    """Processes are the parallelism here."""
    import cv2

    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


def _make_shard(job: _Job) -> int:
    folder, number, pairs, keep = job
    path = _shard(folder, number)
    partial = path.with_suffix(".partial")
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            entries: list[dict[str, Any]] = []
            geometry: list[Floats] = []
            problems: list[str] = []
            for group, row, twin in pairs:
                found, problem = _look(row, keep, twin)
                problems += [problem] if problem else []
                for one in found:
                    _write(archive, len(entries), one)
                    entries.append(as_json(group, one))
                    geometry.append(one.geometry)
            content = {"sequences": entries, "problems": problems}
            archive.writestr(_LIST, json.dumps(content))
            packed = io.BytesIO()
            np.save(packed, np.concatenate([np.zeros((0, GEOMETRY_WIDTH), np.float32), *geometry]))
            archive.writestr(_GEOMETRY, packed.getvalue())
        partial.replace(path)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return len(pairs)


def _look(row: LabelledVideo, keep: Keep, twin: Path | None) -> tuple[list[Found], str | None]:
    try:
        found = look(row, keep, twin)
    except (MediaError, DataError) as error:
        return [], str(error)
    except OSError as error:
        return [], f"Cannot read '{row.path}': {error.strerror}. Check the disk and the path."
    if found:
        return found, None
    length = "" if keep.frames == 1 else f" over {keep.frames} frames"
    return [], f"'{row.path}': no face of at least {keep.min_face_px:g} px{length}; left out."


def _write(archive: zipfile.ZipFile, number: int, found: Found) -> None:
    kinds = {"png": found.pictures, "mask.png": found.masks, "twin.png": found.twins}
    for kind, pictures in kinds.items():
        for place, packed in enumerate(pictures or ()):
            archive.writestr(f"{number:05d}/{place:03d}.{kind}", packed)


def _cannot_write(folder: Path, error: OSError) -> OutputError:
    if error.errno == errno.ENOSPC:
        return OutputError(
            f"Cannot go on in '{folder}': the disk is full. Finished shards are kept; free some "
            "space and run the same command again."
        )
    return OutputError(f"Cannot write to '{folder}': {error.strerror}. Give another folder.")
