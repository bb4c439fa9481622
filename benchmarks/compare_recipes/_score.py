"""What a network says of what is judged, by video and by clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.compare_recipes._judged import Judged
from unmask.clips import normalize
from unmask.types import InputSpec

_BATCH: Final = 32
_PEAK_SHARE: Final = 20
_FEWEST: Final = 4
"""Pictures that a person must be seen in to decide on a video, if anybody is."""

SCORES: Final = ("class", "peak")

Values = NDArray[np.float64]


class Answers(NamedTuple):
    """Of N pictures: logits and peaks of the mask (N,), and masks (N, h, w) at 0.5."""

    logit: Values
    peak: Values
    mask: NDArray[np.bool_]


def answers(
    net: nn.Module, spec: InputSpec, pixels: NDArray[np.uint8], *, flip: bool = False
) -> Answers:
    """A network's answers to pictures (N, S, S, 3).

    In half precision: forward, that is three times as fast on a CPU. With ``flip`` logits and
    masks are means of the picture's and its mirror image's.
    """
    logits, peaks, masks = [], [], []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for at in range(0, len(pixels), _BATCH):
            given = torch.from_numpy(np.array(pixels[at : at + _BATCH]))[:, None]
            output = net(normalize(given, spec))
            logit, mask = output.logit.float(), output.mask[:, 0].float()
            if flip:
                mirrored = net(normalize(given.flip(3), spec))
                logit = (logit + mirrored.logit.float()) / 2
                mask = (mask + mirrored.mask[:, 0].float().flip(2)) / 2
            places = mask.flatten(1)
            count = max(1, places.shape[1] // _PEAK_SHARE)
            logits.append(logit)
            peaks.append(places.topk(count, dim=1).values.mean(dim=1))
            masks.append(mask > 0)
    return Answers(*(torch.cat(part).numpy() for part in (logits, peaks, masks)))


def scores_of(
    net: nn.Module, spec: InputSpec, given: Judged, *, flip: bool = False
) -> dict[str, list[list[Any]]]:
    """Rows ``videos``: delivery, file, source, tool, label, class, peak; and ``clips``: maker,
    rate, source, file, number, class and peak of the real and of the forged one, mask IoU.

    A video's score is the highest of its people's, a person's the mean over pictures.
    """
    seen = answers(net, spec, given.videos, flip=flip)
    pictures = given.pairs.reshape(-1, *given.pairs.shape[2:])
    pairs = answers(net, spec, pictures, flip=flip)
    return {
        "videos": _by_video(given, seen),
        "clips": _by_clip(given, pairs),
    }


def _by_video(given: Judged, seen: Answers) -> list[list[Any]]:
    people: dict[tuple[Any, ...], dict[int, list[tuple[float, float]]]] = {}
    keys = ("delivery", "path", "source", "tool", "label")
    for row, *both in zip(given.video_rows, seen.logit, seen.peak, strict=True):
        tracks = people.setdefault(tuple(row[key] for key in keys), {})
        tracks.setdefault(row["track"], []).append((float(both[0]), float(both[1])))
    rows = []
    for key, tracks in people.items():
        least = min(_FEWEST, max(map(len, tracks.values())))
        means = [np.mean(some, axis=0) for some in tracks.values() if len(some) >= least]
        rows.append([*key, *(_short(v) for v in np.max(means, axis=0))])
    return rows


def _by_clip(given: Judged, seen: Answers) -> list[list[Any]]:
    height, width = seen.mask.shape[1:]
    fine = given.masks.reshape(len(given.masks), height, -1, width, given.masks.shape[2] // width)
    truth = fine.mean(axis=(2, 4)) > 127
    mask = seen.mask[1::2]
    either = np.maximum((mask | truth).sum(axis=(1, 2)), 1)
    overlap = (mask & truth).sum(axis=(1, 2)) / either
    clips: dict[tuple[Any, ...], list[list[float]]] = {}
    keys = ("maker", "rate", "source", "path", "clip")
    for at, row in enumerate(given.pair_rows):
        real, fake = 2 * at, 2 * at + 1
        values = [seen.logit[real], seen.logit[fake], seen.peak[real], seen.peak[fake]]
        clips.setdefault(tuple(row[key] for key in keys), []).append([*values, overlap[at]])
    return [[*key, *(_short(v) for v in np.mean(some, axis=0))] for key, some in clips.items()]


def _short(value: float) -> float:
    return round(float(value), 3)


def chosen_score(record: Mapping[str, Any], score: str) -> dict[str, list[list[Any]]]:
    """A record's rows with one score each: that of the class head, the mask's peak, or ``both``.

    Rows ``videos`` end in the score, ``clips`` in those of real and forged and in the IoU.
    """

    def pick(logit: float, peak: float) -> float:
        return {"class": logit, "peak": peak, "both": logit + peak}[score]

    scores = record["scores"]
    videos = [[*row[:5], pick(*row[5:])] for row in scores["videos"]]
    clips = [
        [*row[:5], pick(row[5], row[7]), pick(row[6], row[8]), row[9]] for row in scores["clips"]
    ]
    return {"videos": videos, "clips": clips}
