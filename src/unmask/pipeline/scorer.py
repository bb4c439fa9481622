"""Clips to scores: what asks a detector, whatever its network runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from unmask.clips import to_tensor
from unmask.types import Clip, ClipScore, Floats, InputSpec

if TYPE_CHECKING:
    from torch import Tensor

    from unmask.detectors import Card, Detector, Output

# On two cores 8 frames at a time are as fast as 32 and keep memory flat.
_BATCH_FRAMES = 8

ClipSink = Callable[[Clip, ClipScore], None]
"""Called with every clip and a detector's score of it, while the video is read."""


@dataclass(slots=True, eq=False)
class ClipBatch:
    """Clips of one input spec; those of a person in the order of time."""

    clips: Sequence[Clip]
    _tensors: dict[str, Tensor] = field(default_factory=dict)

    def tensor(self, device: str) -> Tensor:
        """(B, C, T, H, W) float32 on a device, normalized; made once for all that ask."""
        if device not in self._tensors:
            self._tensors[device] = to_tensor(self.clips, device)
        return self._tensors[device]


class Scores(NamedTuple):
    """What a detector gives for B clips, as arrays.

    ``logits`` (B,), above 0 = fake; ``masks`` (B, T, h, w) in 0..1, 1 = forged pixel, or None;
    ``embeddings`` (B, D) or None; all float32.
    """

    logits: Floats
    masks: Floats | None = None
    embeddings: Floats | None = None


class Scorer(Protocol):
    """Scores one video's clips by one detector; a scan makes a new one for each video."""

    @property
    def card(self) -> Card:
        """The detector's card: its ``input`` says which clips are scored."""
        ...

    @property
    def frames_per_clip(self) -> int:
        """How many frames of a clip are computed, on average."""
        ...

    def score(self, batch: ClipBatch) -> Scores:
        """Scores of clips that were cut by ``card.input``."""
        ...


class TorchScorer:
    """Asks a detector's network for each clip by itself.

    Args:
        detector: its network is in eval mode.
        device: where the network is.
    """

    def __init__(self, detector: Detector, device: str = "cpu") -> None:
        self._detector = detector
        self._device = device

    @property
    def card(self) -> Card:
        """The detector's."""
        return self._detector.card

    @property
    def frames_per_clip(self) -> int:
        """All of them."""
        return self.card.input.frames

    def score(self, batch: ClipBatch) -> Scores:
        """See ``Scorer``."""
        import torch

        with torch.inference_mode():
            output = self.output(batch)
        mask, embedding = output.mask, output.embedding
        return Scores(
            logits=output.logit.float().cpu().numpy(),
            masks=None if mask is None else mask.sigmoid().float().cpu().numpy(),
            embeddings=None if embedding is None else embedding.float().cpu().numpy(),
        )

    def output(self, batch: ClipBatch) -> Output:
        """What the network gives; called in inference mode."""
        return self._detector(batch.tensor(self._device))


def score_clips(
    clips: Iterable[Clip], scorers: Sequence[Scorer], frame_s: float, keep: ClipSink | None = None
) -> Iterator[ClipScore]:
    """Batches clips per input spec, and has every scorer of that spec score them.

    Args:
        clips: of any of the scorers' specs, each person's in the order of time.
        scorers: one for each detector.
        frame_s: how long a frame of the video stands.
        keep: gets every clip with its scores.
    """
    # Where each detector knows most of a clip from the ones before, a clip counts for what is new.
    new_frames: dict[InputSpec, int] = {}
    for scorer in scorers:
        spec = scorer.card.input
        new_frames[spec] = max(new_frames.get(spec, 0), scorer.frames_per_clip)
    waiting: dict[InputSpec, list[Clip]] = {}
    for clip in clips:
        batch = waiting.setdefault(clip.spec, [])
        batch.append(clip)
        if len(batch) * new_frames[clip.spec] >= _BATCH_FRAMES:
            yield from _score_batch(waiting.pop(clip.spec), scorers, frame_s, keep)
    for batch in waiting.values():
        yield from _score_batch(batch, scorers, frame_s, keep)


def _score_batch(
    clips: list[Clip], scorers: Sequence[Scorer], frame_s: float, keep: ClipSink | None
) -> Iterator[ClipScore]:
    """One batch through every detector that takes clips of this kind."""
    batch = ClipBatch(clips)
    for scorer in scorers:
        if scorer.card.input != clips[0].spec:
            continue
        logits, masks, embeddings = scorer.score(batch)
        for number, clip in enumerate(clips):
            score = ClipScore(
                detector=scorer.card.name,
                track_id=clip.track_id,
                start_s=float(clip.times_s[0]),
                end_s=float(clip.times_s[-1]) + _step_s(clip.spec, frame_s),
                logit=float(logits[number]),
                frame_indices=tuple(int(i) for i in clip.frame_indices),
                face_px=clip.face_px,
                mask=None if masks is None else np.asarray(masks[number], np.float32),
                regions_px=clip.regions_px,
                embedding=None if embeddings is None else np.asarray(embeddings[number]),
            )
            if keep is not None:
                keep(clip, score)
            yield score


def _step_s(spec: InputSpec, frame_s: float) -> float:
    """How long the last frame of a clip stands: a step of its spec, but at least one frame."""
    step_s = frame_s if spec.fps is None else 1 / spec.fps
    return max(spec.stride * step_s, frame_s)
