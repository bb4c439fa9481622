"""Which kinds of pseudo-forgery each detector tells from the real clip they are made of.

    python -m benchmarks kinds --data FACES -d screener -d i3d=FILE [--pairs 100]

FACES holds clips of real validation faces, made by ``unmask prepare --detector i3d --frames 16
--fps 12.5``. All detectors see the same eight frames of the same forgeries, cut to their own input:
a detector of single pictures scores every frame, and its logits are averaged. Metrics: AUC over
clips, and the share of pairs in which the forgery scores higher; both with intervals over
videos. A kind that a detector was trained on flatters it.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks import _result
from benchmarks._shares import interval
from benchmarks.pseudo import SETS, plain_recipe
from unmask import metrics
from unmask.clips import normalize
from unmask.detectors import Detector
from unmask.errors import DataError, UsageError
from unmask.forgeries import KINDS
from unmask.prepare import FaceSequence, read_prepared
from unmask.train.samples import Samples
from unmask.weights import load_detector

FRAMES = 8
SEED = 779
_CODECS = {"none": {"none": 1.0}, "H.264": {"h264": 1.0}}
_RESAMPLES = 500


class Scored(NamedTuple):
    """Of P pairs: ``logit`` (P, 2), real and forged, and ``video`` (P,), the file they are of."""

    logit: np.ndarray
    video: np.ndarray


def score(
    net: Detector,
    faces: Sequence[FaceSequence],
    kind: str,
    codecs: dict[str, float],
    count: int,
) -> Scored:
    """What a network says of ``count`` pairs of one kind; the same pairs for every network."""
    card = net.card
    if FRAMES % card.input.frames:
        raise UsageError(
            f"Cannot show {card.name} clips of {FRAMES} frames: it takes {card.input.frames}. Give "
            "weights of a network for 1, 2, 4 or 8."
        )
    recipe = plain_recipe(card).changed({"mix": {kind: 1.0}, "codecs": codecs})
    spec = dataclasses.replace(card.input, frames=FRAMES)
    nothing, _ = SETS["raw"]
    pairs = Samples(faces, spec, recipe, count, SEED, augment=nothing)
    logits = []
    with torch.inference_mode():
        for number in range(count):
            pixels = pairs[number].pixels  # (2, T, H, W, C)
            shape = (-1, card.input.frames, *pixels.shape[2:])
            output = net(normalize(pixels.reshape(shape), card.input))
            logits.append(output.logit.float().view(2, -1).mean(dim=1))
    return Scored(
        torch.stack(logits).double().numpy(),
        np.array([pairs.group_of(number) for number in range(count)]),
    )


def figures(scored: Scored) -> dict[str, Any]:
    """AUC over clips and the share of pairs in order, with 95 % intervals over videos."""
    logit, video = scored

    label = np.tile([0.0, 1.0], (len(logit), 1)).ravel()
    apart = logit[:, 1] - logit[:, 0]
    right = (apart > 0) + (apart == 0) / 2

    def area(weights: np.ndarray) -> np.ndarray:
        return metrics.auc(label, logit.ravel(), weights=np.repeat(weights, 2, axis=1))

    def in_order(weights: np.ndarray) -> np.ndarray:
        return weights @ right / weights.sum(axis=1)

    return {
        "pairs": len(logit),
        "videos": len(np.unique(video)),
        "auc": round(metrics.auc(label, logit.ravel()), 3),
        "auc_interval": interval(video, area, _RESAMPLES),
        "pair_accuracy": round(float(right.mean()), 3),
        "pair_accuracy_interval": interval(video, in_order, _RESAMPLES),
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kinds")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("-d", "--detector", action="append", help="NAME or NAME=FILE; repeatable")
    parser.add_argument("--kind", action="append", choices=sorted(KINDS), help="repeatable")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--name", default="kinds")
    given = parser.parse_args(arguments)
    found = read_prepared(given.data)
    faces = [s for s in found.sequences if not s.label and len(s) >= FRAMES]
    if not faces:
        raise DataError(
            f"'{given.data}' holds no real clip of {FRAMES} frames. Make some with: unmask prepare "
            f"LAYOUT PATH --detector i3d --frames {2 * FRAMES} --fps 12.5 -o FACES"
        )
    kinds = given.kind or [name for name, kind in KINDS.items() if not kind.needs_person]
    result: dict[str, Any] = {}
    for text in given.detector or ["screener"]:
        name, _, file = text.partition("=")
        net = load_detector(name, file or None)
        rows: dict[str, Any] = {}
        for kind in kinds:
            rows[kind] = {
                codec: figures(score(net, faces, kind, shares, given.pairs))
                for codec, shares in _CODECS.items()
            }
            print(name, kind, {codec: row["pair_accuracy"] for codec, row in rows[kind].items()})
        result[name] = {
            "weights": Path(file).name if file else None,
            "weights_sha256": net.weights.sha256,
            "frames": net.card.input.frames,
            "size": list(net.card.input.size),
            "kinds": rows,
        }
    command = "python -m benchmarks kinds " + " ".join(arguments)
    content = {"clips": len(faces), "frames": FRAMES, "seed": SEED, "detectors": result}
    print(_result.write(given.name, command, content))
    return 0
