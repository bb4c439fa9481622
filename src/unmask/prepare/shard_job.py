"""Makes one shard: the faces of some videos, found and stored."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError, MediaError, UnmaskError
from unmask.prepare.find import FoundSequence, Store, find_sequences
from unmask.prepare.index import Pairs, cannot_write, partial_of, shard_of
from unmask.prepare.shard import ShardWriter, Stored
from unmask.prepare.spec import PrepareSpec
from unmask.types import LabelledVideo
from unmask.workers import step_done, stop_if_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardJob:
    """One shard that is to be made; ``index`` is the digest of the folder's."""

    folder: Path
    number: int
    index: str
    pairs: Pairs
    spec: PrepareSpec


def make_shard(job: ShardJob) -> None:
    """Makes one shard; it bears its name only when it is complete.

    Every video is a step of the workers.

    Raises:
        OutputError: it cannot be written.
    """
    stop_if_asked()
    path = shard_of(job.folder, job.number)
    if path.is_file():  # another run of the same command was here in the meantime
        for _ in job.pairs:
            step_done()
        return
    partial = partial_of(path)
    try:
        with zipfile.ZipFile(partial, "x") as archive:
            shard = ShardWriter(archive)
            for group, row, twin in job.pairs:
                _fill(shard, group, row, job.spec, twin)
                step_done()
            shard.finish(job.index)
        partial.replace(path)
    except OSError as error:
        if not path.is_file():
            raise cannot_write(job.folder, error) from error
    finally:
        partial.unlink(missing_ok=True)


class _WriteError(Exception):
    """Keeps a failure to write apart from failures to read."""


def _fill(
    shard: ShardWriter, group: int, row: LabelledVideo, spec: PrepareSpec, twin: Path | None
) -> None:
    def store(name: str, data: bytes) -> Stored:
        try:
            return shard.put(f"{group:06d}/{name}", data)
        except OSError as error:
            raise _WriteError from error

    try:
        found, problem = _find(row, spec, store, twin)
    except _WriteError as error:
        assert isinstance(error.__cause__, OSError)
        raise error.__cause__ from None
    if problem:
        shard.add_problem(problem)
    for sequence in found:
        shard.add(
            group,
            sequence.track,
            sequence.records,
            has_masks="mask.png" in sequence.stored,
            has_twins="twin.png" in sequence.stored,
        )


def _find(
    row: LabelledVideo, spec: PrepareSpec, store: Store, twin: Path | None
) -> tuple[list[FoundSequence], str | None]:
    try:
        found = find_sequences(row, spec, store, twin)
    except (MediaError, DataError) as error:
        return [], str(error)
    except (UnmaskError, _WriteError):
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [], f"Cannot read '{row.path}': {reason}. Check the disk and the path."
    except Exception as error:
        # One strange file must not end the work on thousands.
        return [], f"Cannot read '{row.path}': {type(error).__name__}: {error}. Left out."
    if found:
        return found, None
    length = "" if spec.frames == 1 else f" over {spec.frames} frames"
    return [], f"'{row.path}': no face of at least {spec.min_face_px:g} px{length}; left out."
