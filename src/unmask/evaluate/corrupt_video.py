"""A video file in, the same video corrupted out; memory does not grow with its length."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from unmask.corruptions import Corruption, corrupt_frame, get_corruption
from unmask.errors import OutputError, UsageError
from unmask.imaging.codecs import H264_OPTIONS
from unmask.media import Video, open_video, write_video
from unmask.types import Frame

NEARLY_LOSSLESS_CRF: Final = 10
"""Of the kinds that change pixels; what is lost is the chroma's resolution (4:2:0)."""

# Noise at a low CRF is most of x264's work in its arithmetic coder, which this preset leaves out.
_NEARLY_LOSSLESS_OPTIONS: Final = {**H264_OPTIONS, "preset": "ultrafast"}
_SUFFIXES: Final = (".mp4", ".mkv", ".mov", ".m4v")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptedVideo:
    """What was written: where, what was done, with which parameter, at which quality.

    ``notes`` say what a user of the file should know: sound left out, damage in the input.
    """

    path: Path
    kind: str
    severity: int
    value: float
    seed: int
    crf: int
    frames: int
    notes: tuple[str, ...]


def corrupt_video(
    path: str | Path,
    out: str | Path,
    kind: str,
    severity: int,
    *,
    seed: int = 0,
    jumping: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> CorruptedVideo:
    """Writes a corrupted copy of a video as H.264, frame by frame, each at its own time.

    Compression is one encode at its own rate factor; the other kinds are encoded at
    ``NEARLY_LOSSLESS_CRF``. Pictures come out upright. There is no sound in the copy.

    Args:
        path: the video, picture or folder of frames; it is only read.
        out: where to: ``.mp4``, ``.mkv``, ``.mov`` or ``.m4v``.
        kind: a name of ``unmask.corruptions.CORRUPTIONS``.
        severity: 1 (mild) to 5 (strong).
        seed: of everything random; give every video its own.
        jumping: draws the blocks anew for every frame, as DeeperForensics-1.0 does.
        overwrite: whether a file that is there already may be replaced.
        progress: called with the number of frames and the time in seconds after each.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: severity or seed is out of range, or the copy would replace the video.
        MediaError: the video cannot be read.
        OutputError: the copy cannot be written, or exists.
    """
    path, out = Path(path), Path(out)
    found = get_corruption(kind)
    value = found.value(severity)
    _check(path, out, seed, overwrite)
    crf = NEARLY_LOSSLESS_CRF if found.act else int(value)
    options = _NEARLY_LOSSLESS_OPTIONS if found.act else H264_OPTIONS
    with open_video(path) as video:
        frames = _corrupted(video, found, severity, seed, jumping, progress)
        write_video(out, frames, video.info.fps, crf=crf, options=options, overwrite=overwrite)
        return CorruptedVideo(
            path=out,
            kind=kind,
            severity=severity,
            value=value,
            seed=seed,
            crf=crf,
            frames=video.frames_decoded,
            notes=_notes(video),
        )


def _corrupted(
    video: Video,
    kind: Corruption,
    severity: int,
    seed: int,
    jumping: bool,
    progress: Callable[[int, float], None] | None,
) -> Iterator[Frame]:
    for frame in video.frames():
        if kind.act:
            pixels = corrupt_frame(
                frame.pixels, kind.name, severity, seed, frame.index, jumping=jumping
            )
            frame = replace(frame, pixels=pixels)
        yield frame
        if progress is not None:
            progress(frame.index + 1, frame.time_s)


def _check(path: Path, out: Path, seed: int, overwrite: bool) -> None:
    """What can be refused before the video is read."""
    if seed < 0:
        raise UsageError(f"Cannot corrupt with seed {seed}: expected 0 or more.")
    if out.suffix.lower() not in _SUFFIXES:
        raise OutputError(
            f"Cannot write '{out}': '{out.suffix}' is no container for H.264 here. "
            f"Use {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}."
        )
    if path.exists() and out.exists() and path.samefile(out):
        raise UsageError(
            f"Cannot write '{out}': it is the video that is read. Give another name for the copy."
        )
    if path.is_dir() and path.resolve() == out.absolute().parent.resolve():
        raise UsageError(
            f"Cannot write '{out}': it lies in the folder that is read. Give another place."
        )
    if os.path.lexists(out) and not overwrite:
        raise OutputError(
            f"Cannot write '{out}': it exists. Give another name, or allow it with --overwrite."
        )


def _notes(video: Video) -> tuple[str, ...]:
    notes = ["the sound was left out"] if video.info.has_audio else []
    return (*notes, *video.problems)
