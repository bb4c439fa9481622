"""Overlapping clips share what they have in common: a frame's features are computed once.

Only where a card gives ``frame_context``. What a network makes of a frame depends on the frames
up to so many before and behind it, and on the clip's edges if they are nearer than that. So two
clips have a frame's features in common if both show the same frames around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from unmask.detectors._card import Card, Output
from unmask.types import Clip

if TYPE_CHECKING:
    from torch import Tensor, nn

# Many people can appear at once, each with a whole clip: memory must not grow with them.
_BATCH_FRAMES = 16

Scorer = Callable[["Tensor", Sequence[Clip]], Output]
"""Scores clips, given as (B, C, T, H, W) and as what they were made of."""

_Key = tuple[int | None, ...]
"""The indices of a frame and of those around it; None outside of the clip."""


_Who = tuple[int, int]
"""A person, and by how many points the pictures were cut: other points, other pictures."""


class _Stretch(NamedTuple):
    """Frames ``first`` to ``stop`` of a batch's clip that have no features yet."""

    clip: int
    first: int
    stop: int


def scorer(net: nn.Module, *, shares: bool = True) -> Scorer:
    """What asks a network, in eval mode, for the scores of a stream of clips.

    If it has features of single frames and its clips overlap, that is a ``SharedFeatures``,
    unless it may share nothing: in clips that were altered, a frame's number does not say what
    it shows.
    """
    card = cast(Card, net.card)
    if shares and card.frame_context is not None and card.input.hop < card.input.frames:
        return SharedFeatures(net)
    return lambda pixels, _clips: cast(Output, net(pixels))


class SharedFeatures:
    """Scores one stream of clips, remembering the features of frames that later clips show too.

    Per person it holds those of at most one clip. The network must be in eval mode: with
    statistics of the batch, features of a frame would depend on what else is computed.

    Args:
        net: its card gives ``frame_context``.
    """

    def __init__(self, net: nn.Module) -> None:
        self._net = net
        self._context = cast(int, cast(Card, net.card).frame_context)
        self._known: dict[_Who, dict[_Key, Tensor]] = {}
        self._last_frame: dict[_Who, int] = {}

    def __call__(self, pixels: Tensor, clips: Sequence[Clip]) -> Output:
        """What the network gives for these clips, up to the order of floating point sums.

        Args:
            pixels: (B, C, T, H, W), normalized.
            clips: the B clips they were made of; those of a person in the order of time.
        """
        import torch

        keys = [_keys(clip, self._context) for clip in clips]
        with torch.inference_mode():
            self._learn(pixels, clips, keys)
            features = torch.stack(
                [
                    torch.stack([self._known[_who(clip)][key] for key in of_clip])
                    for clip, of_clip in zip(clips, keys, strict=True)
                ]
            )
            output = cast(Callable[["Tensor"], Output], self._net.classify)(features)
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
        compute = cast(Callable[..., "Tensor"], self._net.frame_features)
        for (front, back), group in _batches(alike):
            cuts = torch.stack([pixels[s.clip, :, s.first - front : s.stop + back] for s in group])
            # Zeros stand outside of a clip, and the edge of a cut is one only if the clip's is.
            computed = compute(cuts, (front, back)) if front or back else compute(cuts)
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
