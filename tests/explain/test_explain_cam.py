"""Grad-CAM and a detector's own maps: planted spots are hit, in space and in time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from explain_toys import BrightSpots, card_of, looks, ready

from detector_families import by_family
from unmask.detectors import Card, get_card, list_detectors
from unmask.errors import UsageError, WeightsError
from unmask.explain import frame_saliency, grad_cam, own_heat


def dark_with_a_spot(frames: int, t: int, y: int, x: int) -> torch.Tensor:
    """(1, 3, T, 32, 32), -1 but for a bright square of 8 px in one frame."""
    clip = torch.full((1, 3, frames, 32, 32), -1.0)
    clip[:, :, t, y : y + 8, x : x + 8] = 1.0
    return clip


@pytest.mark.parametrize("is_framewise", [False, True])
def test_the_planted_spot_is_hit_in_its_frame_of_its_clip(is_framewise: bool):
    card = card_of(frames=4)
    net = ready(BrightSpots(is_framewise), card)
    planted = [(2, 4, 20), (0, 18, 6)]
    clips = torch.cat([dark_with_a_spot(4, *place) for place in planted])
    heat = grad_cam(net, clips)
    assert heat.shape == (2, 4, 32, 32)
    assert (heat >= 0).all()
    for one, (t, y, x) in zip(heat, planted, strict=True):
        at = np.unravel_index(int(one.argmax()), one.shape)
        assert at[0] == t
        assert y <= at[1] < y + 8
        assert x <= at[2] < x + 8


def test_it_speaks_for_a_forgery_and_is_silent_without_a_reason():
    net = ready(BrightSpots(gain=-10.0), card_of(cam_layer="rectify"))
    only_bright = dark_with_a_spot(1, 0, 4, 4)
    with torch.no_grad():
        net.network.maps.weight[1] = 0
    assert net(only_bright).logit < 0
    assert (grad_cam(net, only_bright) == 0).all()


def test_a_layer_of_half_the_frames_is_stretched_to_all():
    class Halved(BrightSpots):
        def __init__(self) -> None:
            super().__init__()
            self.maps.stride = (2, 2, 2)

    clip = dark_with_a_spot(8, 6, 4, 20)
    heat = grad_cam(ready(Halved(), card_of(frames=8)), clip)
    assert heat.shape == (1, 8, 32, 32)
    t, y, x = np.unravel_index(int(heat[0].argmax()), heat.shape[1:])
    assert t in (6, 7)
    assert 4 <= y < 12
    assert 20 <= x < 28


def test_the_net_is_left_as_it_was():
    net = ready(BrightSpots(), card_of())
    clip = dark_with_a_spot(1, 0, 4, 4)
    before = net(clip).logit
    grad_cam(net, clip)
    assert torch.equal(net(clip).logit, before)
    assert not net.network.maps._forward_hooks
    assert all(parameter.grad is None for parameter in net.network.parameters())
    assert not clip.requires_grad


def test_a_frozen_net_has_a_map_too():
    net = ready(BrightSpots().requires_grad_(False), card_of())
    assert grad_cam(net, dark_with_a_spot(1, 0, 4, 4)).max() > 0


def test_a_card_without_a_layer_is_refused():
    net = ready(BrightSpots(), card_of(cam_layer=""))
    with pytest.raises(UsageError, match=r"map of toy: its card names no layer.*Use occlusion"):
        grad_cam(net, dark_with_a_spot(1, 0, 4, 4))


def test_a_map_that_is_no_number_is_refused():
    net = ready(BrightSpots(gain=float("inf")), card_of())
    with pytest.raises(WeightsError, match="Cannot explain toy: expected finite numbers"):
        grad_cam(net, dark_with_a_spot(1, 0, 4, 4))


def test_a_map_of_its_own_is_stretched_and_keeps_its_sign():
    net = ready(BrightSpots(), card_of(heat_maps=("dark",)))
    heat = own_heat(net, dark_with_a_spot(1, 0, 4, 20), "dark")
    assert heat.shape == (1, 1, 32, 32)
    assert (heat[0, 0, 4:12, 20:28] == -1).all()
    assert (heat[0, 0, 16:] == 1).all()


def test_an_unknown_own_map_names_what_there_is():
    net = ready(BrightSpots(), card_of(heat_maps=("dark",)))
    with pytest.raises(UsageError, match=r"Cannot make the map 'light' of toy: it has dark\."):
        own_heat(net, dark_with_a_spot(1, 0, 4, 4), "light")


def test_frame_saliency_gives_all_to_the_frame_that_counts():
    clips = torch.rand(2, 3, 5, 8, 8, generator=torch.Generator().manual_seed(0)) + 0.1
    net = looks(lambda c: -c[:, :, 3].square().mean(dim=(1, 2, 3)), card_of(frames=5))
    shares = frame_saliency(net, clips)
    torch.testing.assert_close(shares, torch.eye(5)[3].expand(2, 5))


def test_frame_saliency_of_a_constant_is_zero():
    net = looks(lambda c: 0 * c.sum(dim=(1, 2, 3, 4)), card_of(frames=5))
    assert torch.equal(frame_saliency(net, torch.ones(1, 3, 5, 8, 8)), torch.zeros(1, 5))


def test_frame_saliency_that_is_no_number_is_refused():
    net = looks(lambda c: c.sqrt().sum(dim=(1, 2, 3, 4)), card_of(frames=2))
    with pytest.raises(WeightsError, match="expected finite numbers"):
        frame_saliency(net, -torch.ones(1, 3, 2, 8, 8))


def small_clips(card: Card) -> torch.Tensor:
    """Two clips of the card's frames; large ones are halved until a pass is cheap."""
    spec = card.input
    height, width = spec.size
    while spec.frames * height * width > 100_000:
        height, width = height // 2, width // 2
    channels = 1 if spec.color == "gray" else 3
    pixels = torch.rand(
        2, channels, spec.frames, height, width, generator=torch.Generator().manual_seed(1)
    )
    shape = (1, channels, 1, 1, 1)
    return (pixels - torch.tensor(spec.mean).view(shape)) / torch.tensor(spec.std).view(shape)


@pytest.mark.parametrize("name", by_family())
def test_every_detector_can_be_explained(name: str):
    torch.manual_seed(0)
    card = get_card(name)
    net, clips = ready(card.build(), card), small_clips(card)
    heat = grad_cam(net, clips)
    assert heat.shape == (2, *clips.shape[2:])
    assert heat.isfinite().all()
    assert (heat >= 0).all()
    # Clips do not mix: the map of one is the map it has alone.
    alone = grad_cam(net, clips[:1])
    torch.testing.assert_close(heat[:1], alone, rtol=1e-3, atol=1e-4 * float(alone.max()) + 1e-9)
    if card.input.frames > 1:
        shares = frame_saliency(net, clips[:1])
        torch.testing.assert_close(shares.sum(), torch.tensor(1.0))
    for own in card.heat_maps:
        assert own_heat(net, clips, own).shape == (2, *clips.shape[2:])


@pytest.mark.parametrize(
    "name", [n for n in list_detectors() if "fer_cam" in get_card(n).heat_maps]
)
def test_detectors_with_an_expression_stream_show_it(name: str):
    card = get_card(name)
    net, clips = ready(card.build(), card), small_clips(card)
    with torch.no_grad():
        coarse = net.network.heat_map("fer_cam", clips)
    heat = own_heat(net, clips, "fer_cam")
    assert coarse.shape == (2, 6, 6)
    assert heat.std() > 0
    assert coarse.min() - 1e-5 <= heat.min()
    assert heat.max() <= coarse.max() + 1e-5
