"""Occlusion hits what a detector looks at, exactly, with the sign that the docs say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from explain_toys import card_of, looks
from hypothesis import given
from hypothesis import strategies as st

from unmask.errors import UsageError, WeightsError
from unmask.explain import frame_occlusion, occlusion
from unmask.explain.occlusion import cover_for, places

Y, X = slice(20, 26), slice(4, 12)


def clips_of(batch: int = 1, frames: int = 1, size: int = 32) -> torch.Tensor:
    """Bright noise above gray: covering lowers any mean."""
    pixels = torch.rand(batch, 3, frames, size, size, generator=torch.Generator().manual_seed(3))
    return 0.2 + 0.8 * pixels


def window(clips: torch.Tensor) -> torch.Tensor:
    return clips[:, :, :, Y, X].mean(dim=(1, 2, 3, 4))


def test_the_heat_lies_where_the_net_looks_and_nowhere_else():
    clips = clips_of(2)
    heat = occlusion(looks(window, card_of()), clips, size_px=4, stride_px=1)
    assert heat.shape == (2, 1, 32, 32)
    seen = torch.zeros(32, 32, dtype=torch.bool)
    seen[Y, X] = True
    for one in heat[:, 0]:
        y, x = np.unravel_index(int(one.argmax()), one.shape)
        assert seen[y, x]
        # A square of 4 px that touches the window at all covers pixels up to 3 px outside.
        reach = torch.zeros(32, 32, dtype=torch.bool)
        reach[17:29, 1:15] = True
        assert (one[seen] > 0).all()
        assert (one[~reach] == 0).all()


def test_the_fall_is_that_of_the_logit():
    clips = clips_of()
    net = looks(window, card_of())
    heat = occlusion(net, clips, size_px=32, stride_px=32)
    # The whole input is gray then, and gray is 0 after normalization.
    assert torch.allclose(heat, window(clips).expand(1, 1, 32, 32))


def test_heat_is_below_zero_where_covering_makes_it_look_forged():
    heat = occlusion(looks(lambda clips: -window(clips), card_of()), clips_of())
    assert heat.min() < 0
    assert heat.max() <= 0


def test_gray_is_the_middle_before_normalization():
    mean, std = (0.1, 0.5, 0.9), (0.3, 0.2, 1 / 255)
    gray = (0.5 - torch.tensor(mean)) / torch.tensor(std)
    clips = gray.view(1, 3, 1, 1, 1).expand(1, 3, 1, 32, 32).clone()
    heat = occlusion(looks(window, card_of(mean=mean, std=std)), clips)
    assert torch.equal(heat, torch.zeros(1, 1, 32, 32))


def test_a_cuboid_of_all_frames_heats_all_alike_and_a_flat_one_finds_the_frame():
    clips = clips_of(frames=6)
    net = looks(lambda clips: window(clips[:, :, 3:4]), card_of(frames=6))
    deep = occlusion(net, clips)
    assert torch.equal(deep[:, :1].expand_as(deep), deep)
    flat = occlusion(net, clips, depth=1)
    assert (flat[0, 3] > 0).any()
    assert (flat[0, [0, 1, 2, 4, 5]] == 0).all()


def test_batches_do_not_change_the_heat_and_passes_are_as_documented():
    clips = clips_of(2, frames=3)
    net = looks(window, card_of(frames=3))
    one_by_one = occlusion(net, clips, batch_frames=1)
    assert net.network.passes == 2 * (1 + 49)
    torch.testing.assert_close(occlusion(net, clips, batch_frames=100), one_by_one)
    torch.testing.assert_close(occlusion(net, clips[1:]), one_by_one[1:])


@given(data=st.data(), length=st.integers(1, 40))
def test_every_pixel_is_covered_and_nothing_outside(data: st.DataObject, length: int):
    size = data.draw(st.integers(1, length))
    stride = data.draw(st.integers(1, size))
    shape = (1, length, length)
    covered = np.zeros(shape[1:], int)
    for _, y, x in places(shape, cover_for(shape, size, stride)):
        assert 0 <= y <= length - size and 0 <= x <= length - size
        covered[y : y + size, x : x + size] += 1
    assert covered.min() >= 1


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"size_px": 33}, "expected a size of 1 to 32, got 33"),
        ({"size_px": 0}, "expected a size of 1 to 32, got 0"),
        ({"size_px": 4, "stride_px": 5}, "expected a stride of 1 to 4, got 5"),
        ({"depth": 2}, "expected a depth of 1 to 1, got 2"),
    ],
)
def test_a_cover_that_does_not_fit(given_: dict[str, int], message: str):
    with pytest.raises(UsageError, match=f"Cannot cover the input: {message}"):
        occlusion(looks(window, card_of()), clips_of(), **given_)


def test_a_net_in_train_mode_is_refused():
    net = looks(window, card_of())
    net.network.train()
    with pytest.raises(
        UsageError, match=r"Cannot explain toy: it is in train mode\. Call detector.network.eval"
    ):
        occlusion(net, clips_of())


def test_what_is_no_number_is_refused():
    net = looks(lambda clips: window(clips) * float("nan"), card_of())
    with pytest.raises(WeightsError, match="Cannot explain toy: expected finite numbers, got NaN"):
        occlusion(net, clips_of())


def test_frame_occlusion_finds_the_frame_and_its_sign():
    clips = clips_of(2, frames=5)
    net = looks(lambda c: window(c[:, :, 3:4]) - 2 * window(c[:, :, 1:2]), card_of(frames=5))
    falls = frame_occlusion(net, clips)
    assert falls.shape == (2, 5)
    torch.testing.assert_close(falls[:, 3], window(clips[:, :, 3:4]))
    torch.testing.assert_close(falls[:, 1], -2 * window(clips[:, :, 1:2]))
    assert (falls[:, [0, 2, 4]] == 0).all()
    assert net.network.passes == 2 * (1 + 5)
