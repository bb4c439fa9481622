"""Where a calibration does not hold: tiny faces, extreme compression, drawings, still pictures."""

from __future__ import annotations

from unmask.types import Domain, FaceLook, VideoInfo
from unmask.verdict.quality import bits_per_pixel

MOST_FLAT = 0.5
"""Above all real videos that ``python -m benchmarks gate`` measures, as they are and at CRF 40."""

LEAST_CHANGE = 1.0
"""Gray levels; below all of those real videos, above one frame that is shown all the time."""


def closed_gates(
    domain: Domain, video: VideoInfo, face_px: float, seconds: float, look: FaceLook | None
) -> list[str]:
    """Why a calibration says nothing of a face, each in plain words with its numbers.

    Args:
        domain: of the calibration.
        video: in which the face is.
        face_px: median longest side of its box.
        seconds: for how long it was scored.
        look: of its pixels; None if they were not looked at; they close no gate then.

    Returns:
        Nothing if all gates are open. A bit rate that the file does not tell closes none.
    """
    reasons = []
    if face_px < domain.min_face_px:
        reasons.append(
            f"the face is {face_px:.0f} px large; "
            f"the calibration holds from {domain.min_face_px:.0f} px"
        )
    if seconds < domain.min_scored_s - 1e-6:
        reasons.append(
            f"only {seconds:.1f} s could be scored; "
            f"the calibration holds from {domain.min_scored_s:.1f} s"
        )
    bits, least = bits_per_pixel(video), domain.min_bits_per_pixel
    if bits is not None and least is not None and bits < least:
        reasons.append(
            f"the video has {bits:.4f} bits for each pixel of a frame; the strongest compression "
            f"that the calibration saw left {least:.4f}"
        )
    if video.is_still:
        reasons.append("this is a single picture; the calibration is of videos")
    return reasons + ([] if look is None else _look_gates(domain, look))


def _look_gates(domain: Domain, look: FaceLook) -> list[str]:
    reasons = []
    if domain.max_flat_share is not None and look.flat_share > domain.max_flat_share:
        reasons.append(
            f"{look.flat_share:.0%} of the face's pixels equal their neighbors, as in drawings and "
            f"animation; of the real videos nearly all have at most {domain.max_flat_share:.0%}"
        )
    least = domain.min_change
    if least is not None and look.change is not None and look.change < least:
        reasons.append(
            f"the face hardly changes between moments ({look.change:.2f} gray levels, real videos "
            f"at least {least:.2f}): it may be a still picture shown as a video"
        )
    return reasons
