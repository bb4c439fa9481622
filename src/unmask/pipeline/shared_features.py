"""Overlapping clips share what they have in common: a frame's features are computed once.

Only where a card gives ``frame_context``. What a network makes of a frame depends on the frames
up to so many before and behind it, and on the clip's edges if they are nearer than that. So two
clips have a frame's features in common if both show the same frames around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from unmask.detectors import Detector
from unmask.detectors.behaviors import SharesFrames
from unmask.pipeline.scorer import ClipBatch, TorchScorer
from unmask.types import Clip

if TYPE_CHECKING:
    from torch import Tensor

    from unmask.detectors import Output

# Many people can appear at once, each with a whole clip: memory must not grow with them.
_BATCH_FRAMES = 16

_Key = tuple[int | None, ...]
"""The indices of a frame and of those around it; None outside of the clip."""


_Who = tuple[int, int]
"""A person, and by how many points the pictures were cut: other points, other pictures."""


class _Stretch(NamedTuple):
    """Frames ``first`` to ``stop`` of a batch's clip that have no features yet."""

    clip: int
    first: int
    stop: int


def scorer_for(detector: Detector, device: str = "cpu", *, shares: bool = True) -> TorchScorer:
    """The scorer of a detector for one video.

    It is a ``SharedFeatures`` if the network has features of single frames and its clips overlap,
    unless it may share nothing: in clips that were altered, a frame's number does not say what it
    shows.

    Args:
        detector: its network is in eval mode.
        device: where the network is.
        shares: whether it may share.
    """
    card, network = detector.card, detector.network
    if shares and card.frame_context is not None and card.input.hop < card.input.frames:
        assert isinstance(network, SharesFrames)
        return SharedFeatures(detector, network, device)
    return TorchScorer(detector, device)


class SharedFeatures(TorchScorer):
    """Scores one stream of clips, remembering the features of frames that later clips show too.

    Per person it holds those of at most one clip. The network must be in eval mode: with
    statistics of the batch, features of a frame would depend on what else is computed.

    Args:
        detector: its card gives ``frame_context``.
        network: the detector's.
        device: where the network is.
    """

    def __init__(self, detector: Detector, network: SharesFrames, device: str = "cpu") -> None:
        super().__init__(detector, device)
        self._network = network
        self._context = detector.card.frame_context or 0
        self._known: dict[_Who, dict[_Key, Tensor]] = {}
        self._last_frame: dict[_Who, int] = {}

    @property
    def frames_per_clip(self) -> int:
        """Those that the clip before did not show."""
        return self.card.input.hop

    def output(self, batch: ClipBatch) -> Output:
        """What the network gives for these clips, up to the order of floating point sums."""
        import torch

        clips = batch.clips
        keys = [_keys(clip, self._context) for clip in clips]
        self._learn(batch.tensor(self._device), clips, keys)
        features = torch.stack(
            [
                torch.stack([self._known[_who(clip)][key] for key in of_clip])
                for clip, of_clip in zip(clips, keys, strict=True)
            ]
        )
        output = self._network.classify(features)
        self._forget(clips, keys)
        return output

    def frames_held(self) -> int:
        """How many frames' features are remembered."""
        return sum(len(known) for known in self._known.values())

    def _learn(self, pixels: Tensor, clips: Sequence[Clip], keys: Sequence[list[_Key]]) -> None:
        """Computes what is missing; stretches of equal shape go through the network together."""
        import torch

        alike: dict[tuple[int, int, int], list[_Stretch]] = {}
        for stretch in self._missing(clips, keys):
            front = min(stretch.first, self._context)
            back = min(pixels.shape[2] - stretch.stop, self._context)
            length = stretch.stop - stretch.first
            alike.setdefault((front, length, back), []).append(stretch)
        for (front, back), group in _batches(alike):
            cuts = torch.stack([pixels[s.clip, :, s.first - front : s.stop + back] for s in group])
            # Zeros stand outside of a clip, and the edge of a cut is one only if the clip's is.
            computed = self._network.frame_features(cuts, (front, back))
            for (number, first, stop), features in zip(group, computed, strict=True):
                known = self._known.setdefault(_who(clips[number]), {})
                known.update(zip(keys[number][first:stop], features, strict=True))

    def _missing(self, clips: Sequence[Clip], keys: Sequence[list[_Key]]) -> list[_Stretch]:
        """Runs of frames that neither earlier clips nor those before them in the batch show."""
        planned: set[tuple[_Who, _Key]] = set()
        stretches: list[_Stretch] = []
        for number, (clip, of_clip) in enumerate(zip(clips, keys, strict=True)):
            known = self._known.get(_who(clip), {})
            for position, key in enumerate(of_clip):
                if key in known or (_who(clip), key) in planned:
                    continue
                planned.add((_who(clip), key))
                last = stretches[-1] if stretches else None
                if last is not None and (last.clip, last.stop) == (number, position):
                    stretches[-1] = last._replace(stop=position + 1)
                else:
                    stretches.append(_Stretch(number, position, position + 1))
        return stretches

    def _forget(self, clips: Sequence[Clip], keys: Sequence[list[_Key]]) -> None:
        """Keeps what the next clips of these people can show too, and nobody who has gone."""
        newest = {_who(clip): number for number, clip in enumerate(clips)}
        for number in newest.values():
            clip, known = clips[number], self._known[_who(clips[number])]
            # With an edge of this clip (None) in sight, the next one shows other frames around.
            later = {int(index) for index in clip.frame_indices[clip.spec.hop :]}
            self._known[_who(clip)] = {
                key: known[key] for key in keys[number] if all(index in later for index in key)
            }
            self._last_frame[_who(clip)] = int(clip.frame_indices[-1])
        now = max(int(clip.frame_indices[0]) for clip in clips)
        for who in [w for w, last in self._last_frame.items() if last < now]:
            del self._last_frame[who], self._known[who]


def _batches(
    alike: dict[tuple[int, int, int], list[_Stretch]],
) -> Iterator[tuple[tuple[int, int], list[_Stretch]]]:
    """Stretches of the same (front, length, back), as many as go through the network at once."""
    for (front, length, back), stretches in alike.items():
        count = max(1, _BATCH_FRAMES // (front + length + back))
        for start in range(0, len(stretches), count):
            yield (front, back), stretches[start : start + count]


def _who(clip: Clip) -> _Who:
    return clip.track_id, clip.points


def _keys(clip: Clip, context: int) -> list[_Key]:
    outside: list[int | None] = [None] * context
    indices = [*outside, *(int(index) for index in clip.frame_indices), *outside]
    return [tuple(indices[t : t + 2 * context + 1]) for t in range(len(clip.frame_indices))]
