"""Nets that know of time notice another order; others do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from explain_toys import card_of, looks

from unmask.clips import ORDERS
from unmask.errors import UsageError
from unmask.explain import order_logits
from unmask.types import Clip


def clip_of(frames: int = 8) -> Clip:
    rng = np.random.default_rng(0)
    return Clip(
        track_id=0,
        spec=card_of(frames=frames).input,
        pixels=rng.integers(0, 256, (frames, 32, 32, 3), np.uint8),
        frame_indices=np.arange(frames),
        times_s=np.arange(frames) / 25,
        is_real_frame=np.ones(frames, np.bool_),
        regions_px=np.zeros((frames, 4), np.float32),
        face_px=90.0,
    )


def test_a_net_without_time_and_side_gives_one_logit():
    net = looks(lambda clips: clips.mean(dim=(1, 2, 3, 4)), card_of(frames=8))
    logits = order_logits(net, clip_of(), draws=3)
    assert tuple(logits) == ("original", *ORDERS)
    assert [len(values) for values in logits.values()] == [1, 3, 3, 3, 1, 3]
    assert net.network.passes == 2 + 4 * 3
    assert np.ptp(np.concatenate(list(logits.values()))) < 1e-6


def test_a_net_of_order_alone_notices_the_shuffle_alone():
    def early(clips: torch.Tensor) -> torch.Tensor:
        return (clips.mean(dim=(1, 3, 4)) * torch.arange(8.0)).sum(dim=1)

    logits = order_logits(looks(early, card_of(frames=8)), clip_of(), draws=3)
    original = logits["original"][0]
    assert all(abs(v - original) > 1e-4 for v in logits["shuffle"])
    for order in ORDERS[:-1]:
        assert logits[order] == pytest.approx([original] * len(logits[order]), abs=1e-5)


def test_a_net_of_alignment_falls_with_every_flip():
    def aligned(clips: torch.Tensor) -> torch.Tensor:
        return -(clips[:, :, 1:] - clips[:, :, :-1]).abs().mean(dim=(1, 2, 3, 4))

    clip = clip_of()
    clip.pixels[:] = clip.pixels[:1]
    logits = order_logits(looks(aligned, card_of(frames=8)), clip, draws=2)
    assert logits["original"] == (0.0,)
    assert max(logits["flip_1"]) < 0
    assert min(logits["flip_every_second"]) <= min(logits["flip_1"])
    assert logits["shuffle"] == (0.0, 0.0)


def test_seeds_repeat_and_differ():
    net = looks(lambda clips: clips[:, :, 0].mean(dim=(1, 2, 3)), card_of(frames=8))
    assert order_logits(net, clip_of(), seed=4) == order_logits(net, clip_of(), seed=4)
    assert order_logits(net, clip_of(), seed=4) != order_logits(net, clip_of(), seed=40)


def test_a_clip_too_short():
    net = looks(lambda clips: clips.mean(dim=(1, 2, 3, 4)), card_of(frames=3))
    with pytest.raises(UsageError, match="expected a clip of at least 5 frames, got 3"):
        order_logits(net, clip_of(3))
