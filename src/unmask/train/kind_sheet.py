"""A contact sheet of chosen kinds of forgery, one row for each, round and round."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from unmask.errors import DataError, UsageError
from unmask.forgeries import Augmentation, Pair, augment_pair
from unmask.forgeries.kinds import KINDS, get_kind
from unmask.media import probe
from unmask.prepare import FaceSequence
from unmask.train.clip import FaceClip, forge_clip, read_clip, rolled
from unmask.train.contact_sheet import Row, check_count, largest_person, lay_out

ALL = "all"
_FRAMES = 24
"""Of the clip that clip kinds are shown on: one second at most rates."""


def kind_sheet(
    path: str | Path, kinds: Sequence[str], count: int | None = None, seed: int = 0
) -> Image.Image:
    """Forges the largest face of a file by chosen kinds, and lays the results out.

    The first row shows the first kind, the next row the next, and then from the first again, with
    another draw of a picture kind, at a later frame of a clip kind.

    Args:
        path: a video, a picture or a folder of frames.
        kinds: keys of ``KINDS``, or ``all`` for all that can be made of the file alone.
        count: rows; None gives one for each kind.
        seed: of everything random.

    Returns:
        An RGB picture with six columns.

    Raises:
        UnknownNameError: an unknown kind; the message lists the known ones.
        UsageError: a kind pastes another person, or there is no such number of rows.
        DataError: the file shows no face, or is too short for a kind.
        MediaError: the file cannot be read.
    """
    wanted = list(KINDS) if ALL in kinds else list(kinds)
    for name in wanted:
        if get_kind(name).needs_person and ALL not in kinds:
            # No command puts the face of one chosen person on another: see docs/decisions.md.
            raise UsageError(
                f"Cannot show {name}: it pastes another person, which no command does; training "
                "alone makes such pairs, of faces it draws itself. Name another kind, or all."
            )
    if count is not None:
        check_count(count)
    with tempfile.TemporaryDirectory() as folder:
        face = _longest(Path(path), Path(folder) / "faces")
        clip = read_clip(face, len(face), np.random.default_rng(0))
    if ALL in kinds:
        wanted = [name for name in wanted if _can(name, clip)]
    _check_length(path, wanted, clip)
    rows = [
        _row(wanted[n % len(wanted)], n // len(wanted), seed, clip)
        for n in range(count or len(wanted))
    ]
    return lay_out(rows)


def _can(name: str, clip: FaceClip) -> bool:
    return len(clip.frames) >= KINDS[name].least_frames and not KINDS[name].needs_person


def _check_length(path: str | Path, names: Sequence[str], clip: FaceClip) -> None:
    for name in names:
        least = KINDS[name].least_frames
        if len(clip.frames) < least:
            raise DataError(
                f"Cannot show {name} on '{path}': it needs {least} frames of one face in a row, "
                f"found {len(clip.frames)}. Give a longer video."
            )


def _longest(path: Path, folder: Path) -> FaceSequence:
    """Of the largest person the longest stretch; of a picture the one frame."""
    frames = 1 if probe(path).is_still else _FRAMES
    return max(largest_person(path, 4, folder, frames), key=len)


def _row(name: str, turn: int, seed: int, clip: FaceClip) -> Row:
    """A draw of a kind for pictures; of a kind for clips another frame of the one draw."""
    kind, number = KINDS[name], list(KINDS).index(name)
    is_still = kind.least_frames == 1
    rng = np.random.default_rng([seed, number, turn if is_still else 0])
    count = len(clip.frames)
    at = (count // 2 + turn * 7) % count
    moment = None
    if count > 1 and rng.random() < kind.moment_share:
        moment = rolled(clip, rng)
    if is_still:
        clip, at = _frame(clip, at), 0
        moment = moment and _frame(moment, len(moment.frames) // 2)
    real, fake = forge_clip(clip, name, rng, other=moment)
    pair = Pair(real.frames[at], fake.frames[at], fake.masks[at])
    caption = f"{name}: {kind.summary}" if is_still else f"{name}, frame {at + 1}: {kind.summary}"
    return Row(caption, pair, augment_pair(pair, rng, Augmentation()))


def _frame(clip: FaceClip, at: int) -> FaceClip:
    return FaceClip(
        frames=clip.frames[at : at + 1],
        masks=clip.masks[at : at + 1],
        landmarks_px=clip.landmarks_px[at : at + 1],
        box_px=clip.box_px[at : at + 1],
        label=clip.label,
    )
