"""What one score stands for: a video, a face in it, or a clip.

A granularity is a conversion: faces and clips become rows like those of videos, so that every table
and plot is made of them in the same way. They keep the label and the ``source_id`` of their
video, so intervals still draw whole sources. A clip of an image detector is one frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from unmask.errors import DataError, UnknownNameError
from unmask.evaluate.faces import FaceRule, by_faces
from unmask.evaluate.scores import ClipRow, ScoreKey, VideoScore, read_clips, read_scores

Granularity = Literal["video", "face", "clip"]

GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)
"""From the one score of a video down to that of each of its clips."""


def granularity_named(name: str) -> Granularity:
    """The granularity of a name.

    Raises:
        UnknownNameError: there is none.
    """
    for granularity in GRANULARITIES:
        if granularity == name:
            return granularity
    raise UnknownNameError(
        f"Unknown granularity {name!r}. Known: {', '.join(GRANULARITIES)}. Take clip for the "
        "frames of an image detector: each of its clips is one frame."
    )


class Results:
    """Some results folders; their videos and clips are read once.

    Args:
        folders: results folders.
        faces: which faces of a video its score comes from.

    Raises:
        DataError: as ``read_scores``.
        MissingDependencyError: pyarrow is not installed.
    """

    def __init__(self, *folders: Path, faces: FaceRule = "all") -> None:
        self.folders = folders
        self.videos = by_faces(read_scores(*folders), faces)
        self._scores: dict[Granularity, list[VideoScore]] = {"video": self.videos}

    def scores(self, granularity: Granularity) -> list[VideoScore]:
        """The scores at a granularity; ``video`` gives the rows of ``read_scores``.

        Raises:
            DataError: a folder has clips of a video that it does not list.
        """
        if granularity not in self._scores:
            self._scores[granularity] = (
                list(face_scores(self.videos))
                if granularity == "face"
                else clip_scores(self.videos, self.folders)
            )
        return self._scores[granularity]

    def clips(self) -> Iterator[ClipRow]:
        """All clips with their embeddings, a few in memory at a time."""
        for folder in self.folders:
            yield from read_clips(folder)


def scores_at(granularity: Granularity, *folders: Path) -> list[VideoScore]:
    """The scores of some results folders at a granularity, see ``Results``.

    Raises:
        DataError, MissingDependencyError: as ``Results``.
    """
    return Results(*folders).scores(granularity)


def face_scores(videos: Iterable[VideoScore]) -> Iterator[VideoScore]:
    """A row for each face; a video that has no score stays, as it is.

    A forged video may show faces that nobody touched: they too are labelled 1, for want of
    anything better.
    """
    for video in videos:
        if video.score is None:
            yield video
        for face in video.faces:
            yield part_of(video, face.logit)


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
                rows.append(part_of(video, clip.logit))
        elsewhere |= here
    return rows


def part_of(video: VideoScore, logit: float) -> VideoScore:
    """A row like its video's, with the score of a face or a clip."""
    return VideoScore(key=video.key, label=video.label, source_id=video.source_id, score=logit)
