"""Scoring through the interface, by something that is no PyTorch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unmask.detectors import Card, get_card
from unmask.pipeline.scorer import ClipBatch, Scorer, Scores, score_clips
from unmask.types import Clip, ClipScore, InputSpec

STILL = InputSpec(size=(8, 8), frames=1, hop=1, fps=5.0)
MOVING = InputSpec(size=(8, 8), frames=4, hop=2, fps=None)


class Brightness:
    """Its logit is the mean of the pixels; it writes down the sizes of its batches."""

    def __init__(self, name: str, spec: InputSpec, frames_per_clip: int) -> None:
        self.card: Card = replace(get_card("meso4"), name=name, input=spec)
        self.frames_per_clip = frames_per_clip
        self.sizes: list[int] = []

    def score(self, batch: ClipBatch) -> Scores:
        self.sizes.append(len(batch.clips))
        pixels = np.stack([clip.pixels for clip in batch.clips])
        mask = np.full((len(pixels), self.card.input.frames, 2, 2), 0.25, np.float32)
        return Scores(logits=pixels.mean(axis=(1, 2, 3, 4), dtype=np.float32), masks=mask)


def clip_of(spec: InputSpec, value: int, start: int) -> Clip:
    indices = np.arange(start, start + spec.frames)
    return Clip(
        track_id=0,
        spec=spec,
        pixels=np.full((spec.frames, 8, 8, 3), value, np.uint8),
        frame_indices=indices,
        times_s=indices / 25,
        is_real_frame=np.ones(spec.frames, np.bool_),
        regions_px=np.zeros((spec.frames, 4), np.float32),
        face_px=100.0,
    )


def test_clips_go_to_the_scorers_of_their_spec():
    still, moving = Brightness("still", STILL, 1), Brightness("moving", MOVING, 4)
    scorers: list[Scorer] = [still, moving]
    clips = [clip_of(STILL, 10, 0), clip_of(MOVING, 20, 0), clip_of(STILL, 30, 5)]
    kept: list[tuple[Clip, ClipScore]] = []
    scores = list(score_clips(clips, scorers, 0.04, lambda *both: kept.append(both)))
    assert sorted((s.detector, s.logit) for s in scores) == [
        ("moving", 20.0),
        ("still", 10.0),
        ("still", 30.0),
    ]
    assert {s.start_s: s.end_s for s in scores if s.detector == "still"} == {
        0.0: pytest.approx(0.2),
        0.2: pytest.approx(0.4),
    }
    assert [s.end_s for s in scores if s.detector == "moving"] == [pytest.approx(0.16)]
    assert all(s.mask is not None and s.mask.max() == 0.25 and s.embedding is None for s in scores)
    assert {id(score) for _, score in kept} == {id(score) for score in scores}


def test_a_batch_holds_eight_frames_that_are_computed():
    whole, shared = Brightness("whole", MOVING, 4), Brightness("shared", MOVING, 2)
    clips = [clip_of(MOVING, 1, 2 * number) for number in range(8)]
    list(score_clips(clips, [shared], 0.04))
    assert shared.sizes == [4, 4]
    list(score_clips(clips, [whole, shared], 0.04))
    assert whole.sizes == [2, 2, 2, 2]


def test_a_tensor_is_made_once_for_all_that_ask():
    batch = ClipBatch([clip_of(STILL, 255, 0)])
    assert batch.tensor("cpu") is batch.tensor("cpu")
    assert batch.tensor("cpu").shape == (1, 3, 1, 8, 8)
