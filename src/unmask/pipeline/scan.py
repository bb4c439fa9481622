"""The river on one page: a file goes in, a verdict comes out.

Nested generators, so memory does not grow with the length of the video: frames are decoded
once, faces found once, and every detector gets its clips from the same native pixels.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from unmask._version import __version__
from unmask.checkpoints import cache_dir
from unmask.clips import Cutter, Plan, needs
from unmask.detectors import Card, Detector
from unmask.errors import UsageError
from unmask.faces import POINT_WEIGHTS, FaceFinder, Follower, PointFinder, landmarks_missing_reason
from unmask.media import Video, open_video
from unmask.pipeline.coverage import FramesSeen, Progress
from unmask.pipeline.panel import choose, default_names, fitting
from unmask.pipeline.scorer import ClipSink, score_clips
from unmask.pipeline.shared_features import scorer_for
from unmask.types import (
    Calibration,
    Clip,
    DetectorUse,
    InputSpec,
    Verdict,
)
from unmask.verdict import FaceLooks, Observations, decide
from unmask.weights import load_detector

WantsFrame = Callable[[int, float, float | None], bool]
"""Whether a frame is looked at, by its number, its time and that of the next one in seconds."""

ChangeClip = Callable[[Clip], Clip]
"""Makes another clip of the same kind out of a clip."""


def scan(
    path: str | Path,
    detectors: Sequence[str] | None = None,
    device: str = "cpu",
    *,
    weights: Mapping[str, str | Path] | None = None,
    calibrations: Sequence[Calibration] | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Looks for forged faces in one video, picture or folder of frames.

    Args:
        path: the file or folder; it is opened read-only.
        detectors: names, see ``list_detectors``; None takes the default panel, of which a long
            video on a CPU is shown to the fast ones alone, see ``unmask.pipeline.panel``.
        device: ``cpu`` or ``cuda``.
        weights: for some detectors, another tag or a safetensors file.
        calibrations: for some detectors, see ``read_calibration``; the shipped ones serve the
            others. None takes the shipped ones alone, an empty list none at all.
        progress: called now and then while the video is read.

    Returns:
        The verdict, with every score and every face's geometry.

    Raises:
        MediaError: the file is missing, is no media, or has no picture.
        UnknownNameError: a detector that does not exist.
        WeightsError: weights that are missing, damaged or do not fit, or a calibration that was
            made with others.
        UsageError: no detector was named, one twice, or weights or a calibration for another one
            were given.
    """
    with open_video(path) as video:
        names = _names(detectors, weights or {})
        notes: Sequence[str] = ()
        if detectors is None:
            names, notes = choose(video.info, device, weights or {})
        loaded = [load_detector(name, (weights or {}).get(name), device) for name in names]
        return _flow(video, loaded, device, calibrations, progress, notes=notes)


def scan_with(
    path: str | Path,
    detectors: Sequence[Detector],
    device: str = "cpu",
    *,
    calibrations: Sequence[Calibration] | None = None,
    progress: Progress | None = None,
    keep: ClipSink | None = None,
    change: ChangeClip | None = None,
    frames: int | None = None,
) -> Verdict:
    """As ``scan``, with detectors that ``load_detector`` gave: for many videos they load once.

    Args:
        path: as for ``scan``, like everything not named here.
        detectors: from ``load_detector``.
        device: where their networks are.
        calibrations: as for ``scan``.
        progress: as for ``scan``.
        keep: gets the clips themselves, which a verdict does not hold.
        change: what is scored instead of each clip; nothing is then remembered from one clip for
            the next.
        frames: only so many frames from the start of the video count; None: all.

    Raises:
        MediaError: the file is missing, is no media, or has no picture.
    """
    with open_video(path) as video:
        return _flow(video, detectors, device, calibrations, progress, keep, change, frames=frames)


def _flow(
    video: Video,
    detectors: Sequence[Detector],
    device: str,
    calibrations: Sequence[Calibration] | None,
    progress: Progress | None,
    keep: ClipSink | None = None,
    change: ChangeClip | None = None,
    notes: Sequence[str] = (),
    frames: int | None = None,
) -> Verdict:
    """From frames to the verdict; ``notes`` name who was left out."""
    cards = [detector.card for detector in detectors]
    uses = [detector.weights for detector in detectors]
    fits = fitting(uses, calibrations)
    specs = [card.input for card in cards]
    plan = Plan(specs, video.info.fps, video.info.is_variable_rate)
    finder = FaceFinder()
    find_points, missing_reason = point_finder(specs, device)
    follow = Follower(
        finder, needs(specs), find_points=find_points, wants_points=plan.wants_68_points
    )
    cut = Cutter(plan)
    seen = FramesSeen(video.info)
    wants = plan.wants if frames is None else first_frames(plan.wants, frames)
    decoded = seen.count(video.frames(wants), lambda: video.frames_decoded, progress)
    looks = FaceLooks()
    clips = cut(looks.watch(follow(decoded)))
    frame_s = float(1 / video.info.fps) if video.info.fps else 0.0
    if change is not None:
        clips = map(change, clips)
    scorers = [scorer_for(one, device, shares=change is None) for one in detectors]
    scores = list(score_clips(clips, scorers, frame_s, keep))

    tracks = follow.tracks()
    smallest = finder.smallest_face_px(video.info.width_px, video.info.height_px)
    observations = Observations(
        video=video.info,
        tracks=tracks,
        scores=scores,
        coverage=seen.coverage(
            decoded=(video.frames_decoded, video.decoded_s, video.is_damaged),
            examined=follow.frames_examined,
            tracks=tracks,
            scores=scores,
            dropped=cut.clips_dropped,
            smallest_face_px=smallest,
        ),
        detectors=uses,
        aggregates={card.name: card.aggregate for card in cards},
        looks=looks.found(),
        notes=(
            *video.problems,
            *notes,
            *_untrained(uses),
            *_by_5_points(cards, missing_reason, cut.clips_by_5_points),
        ),
        device=device,
        unmask_version=__version__,
        scanned_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    return decide(observations, fits.calibrations, fits.panel)


def first_frames(wants: WantsFrame, count: int) -> WantsFrame:
    """As ``wants``, for the first frames of a video alone."""

    def wanted(index: int, time_s: float, next_time_s: float | None) -> bool:
        return index < count and wants(index, time_s, next_time_s)

    return wanted


def _names(detectors: Sequence[str] | None, weights: Mapping[str, str | Path]) -> list[str]:
    if isinstance(detectors, str):
        raise UsageError(
            "Cannot scan: expected a list of detectors, got one name. "
            f"Write detectors=[{detectors!r}]."
        )
    names = default_names() if detectors is None else list(detectors)
    if not names or len(set(names)) != len(names):
        raise UsageError("Cannot scan: name at least one detector, and each only once.")
    for name in weights:
        if name not in names:
            raise UsageError(
                f"Cannot scan: weights were given for {name!r}, which is not among the detectors "
                f"({', '.join(names)}). Name it too, or leave its weights out."
            )
    return names


def point_finder(specs: Iterable[InputSpec], device: str) -> tuple[PointFinder | None, str | None]:
    """The source of 68 points, if a spec asks for them and it is here; nothing is fetched.

    Args:
        specs: what is asked for.
        device: where the points are found.

    Returns:
        The source or None; and why it is missing, None if it is not or no spec asks for it.

    Raises:
        WeightsError: its weights are here, but damaged.
    """
    if not any(spec.landmarks == 68 for spec in specs):
        return None, None
    file = cache_dir() / POINT_WEIGHTS.file
    reason = landmarks_missing_reason(file)
    return (None, reason) if reason else (PointFinder.load(file, device), None)


def _by_5_points(cards: Sequence[Card], missing_reason: str | None, clips: int) -> list[str]:
    """Says which detectors got pictures cut by other points than their weights expect."""
    names = ", ".join(card.name for card in cards if card.input.landmarks == 68)
    if missing_reason:
        remedy = f"{missing_reason}."
        return [f"{names}: cut by 5 points, where the published weights expect 68. {remedy}"]
    if clips:
        count = "1 clip was" if clips == 1 else f"{clips} clips were"
        return [
            f"{names}: {count} cut by 5 points instead of 68, because the 68 could not be used in "
            "all of their frames."
        ]
    return []


def _untrained(uses: Sequence[DetectorUse]) -> list[str]:
    return [
        f"{use.name} has no weights: it is untrained and its scores mean nothing."
        for use in uses
        if not use.sha256
    ]
