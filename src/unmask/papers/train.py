"""One training of a run: in a process of its own, begun anew if it was interrupted."""

from __future__ import annotations

import errno
import gc
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError, OutputError, UsageError, WeightsError
from unmask.train import Source
from unmask.workers import ending_at_once

_DONE = "done.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainTask:
    """What to train, from which faces, and where to.

    ``threads`` are torch's; None leaves its default.
    """

    detector: str
    settings: tuple[str, ...]
    source: Source
    folder: Path
    device: str
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came of a training: a file, or the reason why there is none."""

    file: Path | None
    reason: str = ""
    steps: int = 0
    seed: int = 0
    seconds: float = 0.0


def earlier(folder: Path) -> Trained | None:
    """What an earlier call trained there; None if it did not finish."""
    try:
        found = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        file = folder / found.pop("file")
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return Trained(file=file, **found) if file.is_file() else None


def train_one(job: TrainTask) -> Trained:
    """Trains, and keeps the weights and the run's record alone.

    Data that the recipe cannot be trained with are a result, not an error.

    Raises:
        OutputError: the folder cannot be written (a full disk).
    """
    from unmask.train import train

    begun = time.monotonic()
    shutil.rmtree(job.folder, ignore_errors=True)
    try:
        with ending_at_once():
            file = train(
                job.detector,
                job.source,
                job.folder,
                settings=job.settings,
                device=job.device,
                workers=0,
                threads=job.threads,
                progress=False,
            )
        steps = _tidied(job.folder)
        seconds = time.monotonic() - begun
        return _note(job.folder, file, steps, seconds)
    except (DataError, UsageError, WeightsError) as error:
        shutil.rmtree(job.folder, ignore_errors=True)
        return Trained(file=None, reason=str(error))
    except OSError as error:
        raise cannot_write(job.folder, error) from error
    except RuntimeError as error:
        # What torch says of a checkpoint that it cannot write whole.
        if "PytorchStreamWriter" not in str(error):
            raise
        raise cannot_write(job.folder, OSError(errno.ENOSPC, "no space is left")) from error
    finally:
        # A trainer and its network hold each other: without this, gigabytes wait for a long time.
        gc.collect()


def cannot_write(folder: Path, error: OSError) -> OutputError:
    """What to say of a disk that is full, or may not be written to."""
    return OutputError(
        f"Cannot go on in '{folder}': {error.strerror or error}. What was finished is kept; make "
        "room there and run the same command again."
    )


def _tidied(folder: Path) -> int:
    """Removes what only a resumed run would read; returns the steps that were taken."""
    import torch

    last = folder / "last.ckpt"
    steps = int(torch.load(last, map_location="cpu", weights_only=True, mmap=True)["global_step"])
    for path in folder.glob("*.ckpt"):
        path.unlink()
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)
    return steps


def _note(folder: Path, file: Path, steps: int, seconds: float) -> Trained:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    seed = int(record["recipe"]["seed"])
    trained = Trained(file=file, steps=steps, seed=seed, seconds=round(seconds, 1))
    done = {"file": file.name, "steps": steps, "seed": seed, "seconds": trained.seconds}
    (folder / _DONE).write_text(json.dumps(done) + "\n", encoding="utf-8")
    return trained
