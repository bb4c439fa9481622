"""A video as a stream of upright RGB frames with the container's own times."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from unmask.media.container import MAX_PIXELS
from unmask.media.decode import ContainerSource, Notes, Picture, Source
from unmask.media.images import ImageSource
from unmask.media.probe import FOLDER_FPS, examine
from unmask.types import Frame, VideoInfo

# Damage this close to the last picture has taken the end of the file, not a part of its middle.
_TAIL_S: Final = 0.5

FrameFilter = Callable[[int, float, float | None], bool]
"""Whether a frame becomes RGB, by its index, its time and the next frame's time, in seconds."""


def open_video(
    path: str | Path, *, max_pixels: int = MAX_PIXELS, folder_fps: Fraction | int = FOLDER_FPS
) -> Video:
    """Opens a video, a picture or a folder of frames.

    Args:
        path: the file or folder; it is only ever read.
        max_pixels: most pixels (width x height) a picture may have.
        folder_fps: the rate of a folder of frames, which no file says.

    Raises:
        MediaError: it cannot be read, is no media, has no video, does not decode, or has too
            many pixels.
    """
    found = examine(Path(path), max_pixels, Fraction(folder_fps))
    source: Source
    if found.images:
        source = ImageSource(
            paths=found.images,
            fps=found.info.fps,
            max_pixels=max_pixels,
            is_still=found.info.is_still,
            remarks=found.remarks,
        )
    else:
        source = ContainerSource(
            path=found.info.path,
            max_pixels=max_pixels,
            zero=found.zero,
            fps=found.info.fps,
            uses_dts=found.uses_dts,
            duration_s=found.video_s,
            is_exact=found.is_exact,
        )
    return Video(found.info, source)


class Video:
    """An open video. Each call of ``frames`` reads it from the start.

    Attributes:
        info: what ``probe`` says.
        frames_decoded: frames decoded so far by the latest ``frames``.
        decoded_s: seconds from the video's start to the end of the latest decoded frame.
    """

    def __init__(self, info: VideoInfo, source: Source) -> None:
        self.info = info
        self.frames_decoded = 0
        self.decoded_s = 0.0
        self._source = source
        self._notes = Notes()
        self._times = array("d")
        self._running: list[Generator[Frame]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every iteration that is still under way and closes its file."""
        for frames in self._running:
            frames.close()
        self._running.clear()

    @property
    def is_damaged(self) -> bool:
        """Whether something could not be read or decoded, or is missing, so far."""
        return self._notes.bad_packets > 0 or self._notes.is_cut_off

    @property
    def problems(self) -> tuple[str, ...]:
        """What a reader of the answer should know of the file, in plain words."""
        lost, first_s = self._notes.bad_packets, self._notes.first_bad_s or 0.0
        if not lost:
            return tuple(self._notes.remarks)
        packets = "1 packet" if lost == 1 else f"{lost} packets"
        if self.decoded_s - first_s < _TAIL_S:
            damage = f"the file is damaged after {first_s:.1f} s: {packets} could not be decoded"
        else:
            damage = (
                f"the file is damaged: {packets} could not be decoded, the first at {first_s:.1f} s"
            )
        return (damage, *self._notes.remarks)

    def frames(self, wanted: FrameFilter | None = None) -> Iterator[Frame]:
        """Decodes every frame and yields the wanted ones, in display order.

        Times are seconds from the first frame, by the container's timestamps. What cannot be
        decoded is skipped; ``problems`` names it afterwards.

        Args:
            wanted: called with index, time and the following frame's time (None at the last
                frame), all in seconds; only frames for which it is true become RGB. None:
                every frame.
        """
        self.frames_decoded, self.decoded_s = 0, 0.0
        self._notes, self._times = Notes(), array("d")
        frames = self._frames(wanted)
        self._running.append(frames)
        return frames

    def _frames(self, wanted: FrameFilter | None) -> Generator[Frame]:
        shown: Picture | None = None
        pictures = self._source.pictures(self._notes)
        try:
            for following in pictures:
                if shown is not None:
                    yield from self._chosen(shown, following.time_s, wanted)
                shown = following
                self._times.append(shown.time_s)
                self.frames_decoded, self.decoded_s = len(self._times), shown.end_s
            if shown is not None:
                yield from self._chosen(shown, None, wanted)
        finally:
            _close(pictures)

    def _chosen(
        self, picture: Picture, next_time_s: float | None, wanted: FrameFilter | None
    ) -> Iterator[Frame]:
        # With one frame of lookahead, the frame shown is not the newest, except at the end.
        index = len(self._times) - 1
        if wanted is None or wanted(index, picture.time_s, next_time_s):
            yield Frame(index=index, time_s=picture.time_s, pixels=picture.to_rgb())

    def frames_at(self, times_s: Sequence[float]) -> Iterator[Frame]:
        """For each time, ascending, the frame that is shown then, found by seeking.

        A time before the first frame gives the first, one behind the last gives the last. The
        index is that of ``frames`` if it has decoded the frame already, else it is computed from
        the frame rate.
        """
        frames = self._frames_at(list(times_s))
        self._running.append(frames)
        return frames

    def _frames_at(self, times_s: list[float]) -> Generator[Frame]:
        pictures = self._source.pictures_at(times_s)
        try:
            for picture in pictures:
                yield Frame(
                    index=self._index_at(picture.time_s),
                    time_s=picture.time_s,
                    pixels=picture.to_rgb(),
                )
        finally:
            _close(pictures)

    def _index_at(self, time_s: float) -> int:
        index = bisect_left(self._times, time_s - 1e-6)
        if index < len(self._times):
            return index
        return round(time_s * self.info.fps)


def _close(pictures: Iterator[Picture]) -> None:
    """Closes the file behind a generator now, not when it is collected."""
    if isinstance(pictures, Generator):
        pictures.close()
