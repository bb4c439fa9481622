"""Counts what passes through a scan, so that the verdict can say what was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from unmask.types import ClipScore, Coverage, FaceTrack, Frame, VideoInfo
from unmask.verdict import scored_s

Progress = Callable[[int, float], None]
"""Called now and then with the frames decoded so far and the seconds of video they cover."""


@dataclass(slots=True)
class FramesSeen:
    """The frames of one video that are searched for faces."""

    info: VideoInfo
    examined_times_s: list[float] = field(default_factory=list)

    def count(
        self, frames: Iterable[Frame], decoded: Callable[[], int], progress: Progress | None
    ) -> Iterator[Frame]:
        """Passes frames on; ``decoded`` says how many were decoded so far."""
        for frame in frames:
            self.examined_times_s.append(frame.time_s)
            if progress is not None:
                progress(decoded(), frame.time_s)
            yield frame

    def coverage(
        self,
        *,
        decoded: tuple[int, float, bool],
        examined: int,
        tracks: Sequence[FaceTrack],
        scores: Sequence[ClipScore],
        dropped: int,
        smallest_face_px: float,
    ) -> Coverage:
        """What was looked at.

        Args:
            decoded: frames decoded, seconds that they cover, whether the file is damaged.
            examined: frames searched for faces.
            tracks: the faces found.
            scores: of clips.
            dropped: clips left out because the face was missing too often.
            smallest_face_px: that the finder can find here.
        """
        frames_decoded, decoded_s, is_damaged = decoded
        with_face = {o.time_s for track in tracks for o in track.observations}
        ends_s = [*self.examined_times_s[1:], decoded_s]
        face_s = sum(
            max(0.0, end - start)
            for start, end in zip(self.examined_times_s, ends_s, strict=False)
            if start in with_face
        )
        return Coverage(
            duration_s=self.info.duration_s,
            decoded_s=decoded_s,
            face_s=face_s,
            scored_s=min(scored_s(scores), decoded_s),
            frames_decoded=frames_decoded,
            frames_examined=examined,
            faces_found=len(tracks),
            faces_scored=len({s.track_id for s in scores}),
            clips_scored=len(scores),
            clips_dropped=dropped,
            smallest_face_px=smallest_face_px,
            audio="not analyzed" if self.info.has_audio else "none",
            is_damaged=is_damaged,
        )
