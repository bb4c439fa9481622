"""The pictures that show what decided a verdict: a second, short look at the file."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.errors import MediaError
from unmask.media import open_video
from unmask.types import ClipScore, Finding, Frame, KeyFrame, Verdict

_LONGEST_PICTURE_PX = 960


def key_frames(verdict: Verdict, per_face: int = 3, most_faces: int = 6) -> list[KeyFrame]:
    """The pictures that show what decided: for each face the moments with the highest scores.

    The file is opened again, read-only, and only those moments are decoded. A moment that
    cannot be read any more is left out; a file that is gone or was changed gives no pictures.

    Args:
        verdict: of a scan; its file must still be in place.
        per_face: moments of each face, spread over its time: of the detector that decides, and
            of every other one that marks pixels.
        most_faces: faces shown, the most suspicious first.

    Returns:
        Key frames in order of face and time, pictures reduced to at most 960 px.
    """
    if verdict.finding is Finding.NO_FACE or not verdict.clip_scores:
        return []
    name = verdict.calibration.detector if verdict.calibration else verdict.detectors[0].name
    faces = sorted(verdict.faces, key=lambda f: -f.logits.get(name, -np.inf))[:most_faces]
    masked = {s.detector for s in verdict.clip_scores if s.mask is not None}
    shown = [name, *(use.name for use in verdict.detectors if use.name in masked - {name})]
    chosen: list[ClipScore] = []
    for face in faces:
        of_face = [s for s in verdict.clip_scores if s.track_id == face.track_id]
        for detector in shown:
            chosen += _peaks([s for s in of_face if s.detector == detector], per_face)
    times = sorted({_middle_s(score) for score in chosen})
    try:
        with open_video(verdict.video.path) as video:
            if video.info.sha256 != verdict.video.sha256:
                return []
            pictures = {
                time_s: _reduced(frame)
                for time_s, frame in zip(times, video.frames_at(times), strict=False)
            }
    except MediaError:
        return []
    found = [
        _key_frame(verdict, score, *pictures[_middle_s(score)])
        for score in chosen
        if _middle_s(score) in pictures
    ]
    return [frame for frame in found if frame is not None]


def _peaks(scores: list[ClipScore], count: int) -> list[ClipScore]:
    """The best moments of one face, at least an eighth of its time apart."""
    if not scores:
        return []
    apart = (scores[-1].end_s - scores[0].start_s) / 8
    peaks: list[ClipScore] = []
    for score in sorted(scores, key=lambda s: -s.logit):
        if all(abs(score.start_s - p.start_s) >= apart for p in peaks):
            peaks.append(score)
        if len(peaks) == count:
            break
    return sorted(peaks, key=lambda s: s.start_s)


def _middle_s(score: ClipScore) -> float:
    """The moment of a clip that is shown: its middle frame, or the only one."""
    if len(score.frame_indices) <= 1:
        return score.start_s
    return (score.start_s + score.end_s) / 2


def _reduced(frame: Frame) -> tuple[Frame, float]:
    height, width = frame.pixels.shape[:2]
    scale = min(1.0, _LONGEST_PICTURE_PX / max(height, width))
    if scale == 1:
        return frame, scale
    size = (round(width * scale), round(height * scale))
    pixels = np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Frame(index=frame.index, time_s=frame.time_s, pixels=pixels), scale


def _key_frame(verdict: Verdict, score: ClipScore, frame: Frame, scale: float) -> KeyFrame | None:
    track = next(t for t in verdict.tracks if t.track_id == score.track_id)
    nearest = min(track.observations, key=lambda o: abs(o.time_s - frame.time_s))
    middle = len(score.frame_indices) // 2
    return KeyFrame(
        track_id=score.track_id,
        frame_index=nearest.frame_index,
        time_s=nearest.time_s,
        logit=score.logit,
        detector=score.detector,
        pixels=frame.pixels,
        scale=scale,
        box_px=nearest.box_px,
        mask=None if score.mask is None else score.mask[min(middle, len(score.mask) - 1)],
        region_px=None if score.regions_px is None else score.regions_px[middle],
    )
