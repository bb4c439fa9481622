"""What it saves that overlapping clips share the features of their frames, and what it changes.

    python -m benchmarks sharing

LipForensics scores 20 s of clips of one person at 25 frames a second, from one clip's start to
the next 1, 5 and 12 frames: as a scan does it, and clip by clip. Decoding, finding and cutting
are left out. The pictures are noise and the network is untrained: neither changes the time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks import _result
from unmask.detectors import Detector
from unmask.pipeline.scorer import score_clips
from unmask.pipeline.shared_features import scorer_for
from unmask.types import Clip, ClipScore, InputSpec, Pixels
from unmask.weights import load_detector

_SECONDS = 20
_FPS = 25
_HOPS = (1, 5, 12)


def stream(spec: InputSpec, pictures: Pixels) -> Iterator[Clip]:
    """Overlapping clips of pictures (N, H, W, C)."""
    for start in range(0, len(pictures) - spec.frames + 1, spec.hop):
        indices = np.arange(start, start + spec.frames)
        yield Clip(
            track_id=0,
            spec=spec,
            pixels=pictures[indices],
            frame_indices=indices,
            times_s=indices / _FPS,
            is_real_frame=np.ones(spec.frames, np.bool_),
            regions_px=np.zeros((spec.frames, 4), np.float32),
            face_px=100.0,
        )


class Frames:
    """Counts the frames that go through the part of a network that sees one at a time."""

    def __init__(self, trunk: nn.Module) -> None:
        self.count = 0
        trunk.register_forward_pre_hook(self._add)

    def _add(self, _module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self.count += len(inputs[0])


def measure(detector: Detector, pictures: Pixels) -> tuple[float, list[ClipScore]]:
    """Seconds and scores of one pass."""
    start = time.perf_counter()
    clips = stream(detector.card.input, pictures)
    scores = list(score_clips(clips, [scorer_for(detector)], 1 / _FPS))
    return time.perf_counter() - start, scores


def compare(detector: Detector, pictures: Pixels, runs: int, frames: Frames) -> dict[str, Any]:
    """Both ways, one after the other, ``runs`` times."""
    seconds: dict[str, list[float]] = {"shared": [], "clip_by_clip": []}
    computed: dict[str, int] = {}
    logits: dict[str, NDArray[Any]] = {}
    embeddings: dict[str, NDArray[Any]] = {}
    card = detector.card
    alone = replace(detector, card=replace(card, frame_context=None))
    ways = {"shared": detector, "clip_by_clip": alone}
    for _ in range(runs):
        for way, its_detector in ways.items():
            frames.count = 0
            spent, scores = measure(its_detector, pictures)
            seconds[way].append(round(spent, 2))
            computed[way] = frames.count
            logits[way] = np.array([s.logit for s in scores])
            embeddings[way] = np.stack([s.embedding for s in scores if s.embedding is not None])
    expected, wanted = logits["clip_by_clip"], embeddings["clip_by_clip"]
    off = np.abs(embeddings["shared"] - wanted).max() / np.abs(wanted).max()
    return {
        "hop_frames": card.input.hop,
        "n_clips": len(expected),
        "clip_by_clip_s": seconds["clip_by_clip"],
        "shared_s": seconds["shared"],
        "factor": round(min(seconds["clip_by_clip"]) / min(seconds["shared"]), 2),
        "clip_by_clip_frames_computed": computed["clip_by_clip"],
        "shared_frames_computed": computed["shared"],
        "largest_logit_deviation": float(np.abs(logits["shared"] - expected).max()),
        "logit_spread": float(expected.std()),
        "largest_embedding_deviation": float(off),
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sharing")
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args(arguments)
    detector = load_detector("lipforensics")
    card = detector.card
    frames = Frames(detector.network.get_submodule("features.trunk"))
    shape = (_SECONDS * _FPS, *card.input.size, 1)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    measure(detector, pictures[:60])  # The first pass of any network is slower.
    results = []
    for hop in _HOPS:
        overlapping = replace(card, input=replace(card.input, hop=hop))
        results.append(compare(replace(detector, card=overlapping), pictures, given.runs, frames))
        print(results[-1], flush=True)
    path = _result.write(
        "sharing",
        " ".join(["python -m benchmarks sharing", *arguments]),
        {
            "detector": "lipforensics, untrained",
            "threads": torch.get_num_threads(),
            "video_s": _SECONDS,
            "n_frames": _SECONDS * _FPS,
            "runs": given.runs,
            "factor_is": "least clip_by_clip_s / least shared_s",
            "embedding_deviation_is": "relative to the largest embedding value",
            "hops": results,
        },
    )
    print(path)
    return 0
