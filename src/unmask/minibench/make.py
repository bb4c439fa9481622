"""Everything of one source: the real video, its forgeries and their masks, at every compression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from unmask.forgeries import forge
from unmask.imaging.codecs import H264_OPTIONS
from unmask.media import write_video
from unmask.minibench.plan import Source
from unmask.minibench.settings import COMPRESSIONS, KINDS, MAIN, ORIGINALS, OTHER, Settings
from unmask.minibench.survey import RealClip, read_clip
from unmask.types import Floats, Frame, Pixels
from unmask.workers import stop_if_asked

_LOSSLESS: Final = 0
_MASK_OPTIONS: Final = {**H264_OPTIONS, "preset": "veryfast"}


class MakeJob(NamedTuple):
    """One source: from which folder of videos, into which tree."""

    videos: Path
    out: Path
    source: Source
    settings: Settings


def root_of(out: Path, part: str) -> Path:
    """The tree of a part."""
    return out if part == MAIN else out / OTHER


def real_path(root: Path, compression: str, name: str) -> Path:
    """The real video of a source."""
    return root / "original_sequences" / ORIGINALS / compression / "videos" / f"{name}.mp4"


def forged_path(root: Path, kind: str, compression: str, name: str) -> Path:
    """A forgery; ``masks`` for the compression gives its mask.

    In FaceForensics++ ``000_003`` is the video 000 with the face of 003: here it is its own.
    """
    folder = root / "manipulated_sequences" / kind / compression / "videos"
    return folder / f"{name}_{name}.mp4"


def make(job: MakeJob) -> None:
    """Writes every file of a source; the same job writes the same files again.

    Raises:
        MediaError: the video cannot be read.
        DataError: it has changed since it was chosen.
        OutputError: a file cannot be written.
    """
    source, settings = job.source, job.settings
    root = root_of(job.out, source.part)
    clip = read_clip(
        job.videos / source.file,
        source.stretch,
        settings.longest_px(source.part),
        settings.size_px,
    )
    for compression in COMPRESSIONS:
        _write(real_path(root, compression, source.name), clip.face.frames, clip, compression)
    for kind, stream in KINDS.items():
        stop_if_asked()
        rng = np.random.default_rng([source.seed, stream])
        forged = forge(kind, clip.face, rng).fake
        for compression in COMPRESSIONS:
            stop_if_asked()
            _write(
                forged_path(root, kind, compression, source.name), forged.frames, clip, compression
            )
        _write_masks(forged_path(root, kind, "masks", source.name), forged.all_masks, clip)


def _write(path: Path, frames: Iterable[Pixels], clip: RealClip, compression: str) -> None:
    """Real and forged alike: one encode of the same kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = _timed(frames, clip)
    write_video(
        path, shown, clip.fps, crf=COMPRESSIONS[compression], options=H264_OPTIONS, overwrite=True
    )


def _write_masks(path: Path, masks: Iterable[Floats], clip: RealClip) -> None:
    """White where it was forged; luma keeps every pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = (np.repeat(np.uint8(255) * (mask > 0)[..., None], 3, axis=2) for mask in masks)
    shown = _timed(pictures, clip)
    write_video(path, shown, clip.fps, crf=_LOSSLESS, options=_MASK_OPTIONS, overwrite=True)


def _timed(frames: Iterable[Pixels], clip: RealClip) -> Iterator[Frame]:
    for index, (pixels, time_s) in enumerate(zip(frames, clip.times_s, strict=True)):
        yield Frame(index=index, time_s=time_s, pixels=pixels)
