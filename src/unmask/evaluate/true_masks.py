"""A detector's masks against the data set's, frame by frame, while the scan is at hand.

Both are compared at the size of the detector's input, as the papers do: the true mask is cut out
of its frame like the picture was, the detector's, which is smaller, is enlarged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.detectors import Card
from unmask.errors import DataError, MediaError, UsageError
from unmask.evaluate.scores import BINS, PixelCounts
from unmask.media import Video, open_video
from unmask.metrics.pixels import count_logits
from unmask.types import ClipScore, Floats, LabelledVideo, Pixels, Verdict, VideoInfo

if TYPE_CHECKING:
    from torch import Tensor

TRUE_MASK_THRESHOLD: Final = 0.1
"""Of full scale: above it a pixel of a true mask is forged.

Cao et al. 2021 (Anti-Compression), section 4.2; EMD's training takes it too, its paper has none.
"""

_SAME_SHAPE = 0.02  # relative; masks in another size have rounded sides
_LEAST: Final = 1e-7  # probabilities are float32: nearer to 0 and 1 they are 0 and 1

Truth = NDArray[np.int8]


class MaskCount(NamedTuple):
    """Pixels of one detector's masks in one video; ``note`` says what was not compared."""

    pixels: PixelCounts | None
    note: str = ""


class _View(NamedTuple):
    """One predicted mask (h, w), and the box (4,) of the full frame that it shows."""

    detector: str
    mask: Floats
    region_px: Floats


def check_threshold(threshold: float | None) -> None:
    """Refuses a threshold of true masks that no pixel could be above, or every one.

    Raises:
        UsageError: it is not from 0 to below 1.
    """
    if threshold is not None and not 0 <= threshold < 1:
        raise UsageError(
            f"Cannot compare masks at a threshold of {threshold:g}: expected a share of full "
            f"scale, from 0 to below 1. {TRUE_MASK_THRESHOLD} is usual."
        )


def count_masks(
    row: LabelledVideo,
    verdict: Verdict,
    cards: Mapping[str, Card],
    *,
    threshold: float = TRUE_MASK_THRESHOLD,
) -> dict[str, MaskCount]:
    """Counts the pixels of all masks that a scan gave.

    A forgery's masks are decoded once, whatever the number of detectors, and found by the number
    of the frame. In a real video no pixel is forged. What lies outside the frame is not counted.
    Memory holds one true mask at a time.

    Args:
        row: the video; a forgery without ``mask_path`` gives nothing.
        verdict: of its scan.
        cards: of the detectors, by name.
        threshold: above this share of full scale a true mask says forged.

    Returns:
        By detector; those without masks are left out, and so are all for such a forgery.

    Raises:
        DataError: a detector's mask holds NaN.
    """
    if row.label and row.mask_path is None:
        return {}
    turned = MaskCount(None, "no masks compared: its pictures are turned")
    found = dict.fromkeys(_turned(verdict, cards), turned)
    views = _views(verdict, cards)
    names = sorted({view.detector for at in views.values() for view in at})
    count = _Counter(row.path, verdict.video, cards, threshold)
    if not row.label:
        for at in views.values():
            count.add(at, None)
        return found | {name: MaskCount(count.of(name)) for name in names}
    why, missing = _add_forged(row, verdict, views, count) if names else ("", 0)
    if why:
        return found | {name: MaskCount(None, f"no masks compared: {why}") for name in names}
    note = f"masks compared but for {missing} frames, which '{row.mask_path}' lacks"
    return found | {name: MaskCount(count.of(name), note if missing else "") for name in names}


def cut_truth(
    sheet: Pixels | None,
    frame_size_px: tuple[int, int],
    region_px: Floats,
    size: tuple[int, int],
    *,
    threshold: float = TRUE_MASK_THRESHOLD,
) -> Truth:
    """The true mask of what a picture shows.

    Args:
        sheet: (H, W) or (H, W, 3) of the whole frame in 0..255, in whatever size, of colors the
            highest counts; None: nothing is forged.
        frame_size_px: (width, height) of the video's frame.
        region_px: (4,), the box of the frame that the picture shows.
        size: (h, w) of the picture.
        threshold: share of full scale above which a pixel is forged.

    Returns:
        (h, w): 1 forged, 0 genuine, -1 outside the frame.
    """
    height, width = sheet.shape[:2] if sheet is not None else frame_size_px[::-1]
    share = np.array([width / frame_size_px[0], height / frame_size_px[1]] * 2)
    # Whole pixels, as the picture itself was cut.
    x0, y0, x1, y1 = (int(v) for v in np.rint(region_px * share))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if left >= right or top >= bottom:
        return np.full(size, -1, np.int8)
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    here = (slice(top - y0, bottom - y0), slice(left - x0, right - x0))
    inside[here] = 1
    is_inside = cv2.resize(inside, size[::-1], interpolation=cv2.INTER_NEAREST) > 0
    if sheet is None:
        return np.where(is_inside, 0, -1).astype(np.int8)
    whole = np.zeros_like(inside)
    part = sheet[top:bottom, left:right]
    whole[here] = part if part.ndim == 2 else part.max(axis=2)
    how = cv2.INTER_AREA if size[1] < whole.shape[1] else cv2.INTER_CUBIC
    is_forged = cv2.resize(whole, size[::-1], interpolation=how) > threshold * 255
    return np.where(is_inside, is_forged, -1).astype(np.int8)


class _Counter:
    """Adds up histograms, one per detector."""

    def __init__(
        self, path: Path, video: VideoInfo, cards: Mapping[str, Card], threshold: float
    ) -> None:
        self._path = path
        self._cards = cards
        self._frame_size_px = (video.width_px, video.height_px)
        self._threshold = threshold
        self._counts: dict[str, NDArray[np.int64]] = {}

    def add(self, views: list[_View], sheet: Pixels | None) -> None:
        """Compares the masks of one frame with its true one; None is nowhere forged."""
        for view in views:
            card = self._cards[view.detector]
            if np.isnan(view.mask).any():
                raise DataError(
                    f"A mask of {view.detector} for '{self._path}' holds NaN: expected numbers in "
                    "0..1. Its weights or the video's pixels are damaged; check the weights "
                    "(unmask weights verify) or leave the video out."
                )
            truth = cut_truth(
                sheet,
                self._frame_size_px,
                view.region_px,
                card.input.size,
                threshold=self._threshold,
            )
            logits = _enlarged(view.mask, card).numpy()
            is_inside = truth >= 0
            counts = count_logits(logits[is_inside], truth[is_inside] > 0, bins=BINS)
            self._counts[view.detector] = self._counts.get(view.detector, 0) + counts

    def of(self, detector: str) -> PixelCounts | None:
        """What was counted; None if no pixel was."""
        counts = self._counts.get(detector)
        if counts is None or not counts.any():
            return None
        unchanged, forged = counts.tolist()
        return PixelCounts(tuple(forged), tuple(unchanged))


def _enlarged(mask: Floats, card: Card) -> Tensor:
    """Probabilities (h, w) to logits (H, W) at input size, bilinear as in EMD's loss."""
    import torch
    from torch.nn import functional

    known = np.clip(mask.astype(np.float64), _LEAST, 1 - _LEAST)
    logits = (np.log(known) - np.log1p(-known)).astype(np.float32)
    return functional.interpolate(
        torch.from_numpy(logits)[None, None],
        card.input.size,
        mode="bilinear",
        align_corners=card.mask_places == "corners",
    )[0, 0]


def _views(verdict: Verdict, cards: Mapping[str, Card]) -> dict[int, list[_View]]:
    """All masks by the number of their frame; a frame that a clip repeats counts once."""
    views: dict[int, list[_View]] = {}
    for clip in verdict.clip_scores:
        if cards[clip.detector].input.align == "none":
            for index, view in _of_clip(clip):
                views.setdefault(index, []).append(view)
    return views


def _of_clip(clip: ClipScore) -> Iterator[tuple[int, _View]]:
    if clip.mask is None or clip.regions_px is None:
        return
    seen: set[int] = set()
    for index, mask, region in zip(clip.frame_indices, clip.mask, clip.regions_px, strict=True):
        if index not in seen:
            seen.add(index)
            yield index, _View(clip.detector, mask, region)


def _turned(verdict: Verdict, cards: Mapping[str, Card]) -> set[str]:
    """Detectors whose masks have no upright place in the frame."""
    masked = {clip.detector for clip in verdict.clip_scores if clip.mask is not None}
    return {name for name in masked if cards[name].input.align != "none"}


def _add_forged(
    row: LabelledVideo, verdict: Verdict, views: dict[int, list[_View]], count: _Counter
) -> tuple[str, int]:
    """Why nothing can be compared, or how many frames have no true mask."""
    assert row.mask_path is not None  # The caller has looked.
    if verdict.coverage.is_damaged:
        return "the video is damaged, so its frames cannot be numbered like its masks", 0
    left = dict(views)
    try:
        with open_video(row.mask_path) as masks:
            if why := _unlike(masks, verdict):
                return why, 0
            for frame in masks.frames(lambda index, _time, _next: index in left):
                count.add(left.pop(frame.index), frame.pixels)
            if masks.is_damaged:
                return f"'{row.mask_path}' is damaged, so its frames cannot be numbered", 0
    except MediaError as error:
        return str(error), 0
    if len(left) == len(views):
        return f"'{row.mask_path}' lacks every frame that was scored", 0
    return "", len(left)


def _unlike(masks: Video, verdict: Verdict) -> str:
    """Why masks cannot be of this video: sides of another ratio. Their size may differ."""
    here, there = masks.info, verdict.video
    ratio = here.width_px * there.height_px / (here.height_px * there.width_px)
    if abs(ratio - 1) < _SAME_SHAPE:
        return ""
    sizes = [f"{info.width_px}x{info.height_px}" for info in (here, there)]
    return f"'{here.path}' shows {sizes[0]} pixels, the video {sizes[1]}: other sides"
