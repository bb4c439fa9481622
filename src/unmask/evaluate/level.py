"""What one score stands for: a video, a face in it, or a clip.

A level is a conversion: faces and clips become rows like those of videos, so that every table
and figure is made of them in the same way. They keep the label and the ``source_id`` of their
video, so intervals still draw whole sources. A clip of an image detector is one frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from unmask.errors import DataError, UnknownNameError
from unmask.evaluate.scores import ScoreKey, VideoScore, read_clips, read_scores

Level = Literal["video", "face", "clip"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the one score of a video down to that of each of its clips."""


def level_named(name: str) -> Level:
    """The level of a name.

    Raises:
        UnknownNameError: there is none.
    """
    for level in LEVELS:
        if level == name:
            return level
    raise UnknownNameError(
        f"Unknown level {name!r}. Known: {', '.join(LEVELS)}. Take clip for the frames of an "
        "image detector: each of its clips is one frame."
    )


def scores_at(level: Level, *folders: Path) -> list[VideoScore]:
    """The scores of some results folders at a level.

    Args:
        level: ``video`` gives the rows of ``read_scores``.
        folders: results folders.

    Raises:
        DataError: as ``read_scores``; or a folder has clips of a video that it does not list.
        MissingDependencyError: pyarrow is not installed.
    """
    videos = read_scores(*folders)
    if level == "video":
        return videos
    if level == "face":
        return list(face_scores(videos))
    return clip_scores(videos, folders)


def face_scores(videos: Iterable[VideoScore]) -> Iterator[VideoScore]:
    """A row for each face; a video that has no score stays, as it is.

    A forged video may show faces that nobody touched: they too are labelled 1, for want of
    anything better.
    """
    for video in videos:
        if video.score is None:
            yield video
        for face in video.faces:
            yield _part(video, face.logit)


def clip_scores(videos: Sequence[VideoScore], folders: Sequence[Path]) -> list[VideoScore]:
    """A row for each clip in some results folders; a video without a score stays, as it is.

    Clips are read a few at a time. What stays in memory is one small row each, which shares its
    key with the others of its video.

    Args:
        videos: of ``read_scores`` of the same folders.
        folders: results folders.

    Raises:
        DataError: there are clips of a video that is not among ``videos``.
        MissingDependencyError: pyarrow is not installed.
    """
    known = {video.key: video for video in videos}
    rows = [video for video in videos if video.score is None]
    elsewhere: set[ScoreKey] = set()
    for folder in folders:
        here: set[ScoreKey] = set()
        for clip in read_clips(folder):
            video = known.get(clip.key)
            if video is None:
                raise DataError(
                    f"Cannot measure the clips in '{folder}': there are clips of "
                    f"'{clip.key.path}', which the folder's videos do not list. Expected "
                    "videos.parquet and clips.parquet of one evaluation; evaluate again."
                )
            here.add(video.key)
            if video.key not in elsewhere:  # two folders may hold the same video
                rows.append(_part(video, clip.logit))
        elsewhere |= here
    return rows


def _part(video: VideoScore, logit: float) -> VideoScore:
    return VideoScore(key=video.key, label=video.label, source_id=video.source_id, score=logit)
