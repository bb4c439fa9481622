"""Two-stream: what is ours to check without any public code."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unmask.detectors import Target
from unmask.detectors.two_stream import CARD
from unmask.losses import binary_loss
from unmask.nn.co_occurrence import FEATURES

SMALL = (3, 1, 160, 160)


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return CARD.build().eval()


def clips(batch: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.rand(batch, *SMALL, generator=draw) * 2 - 1


def test_both_logits_are_added_and_both_embeddings_kept(net: nn.Module):
    pictures = clips(2)
    with torch.no_grad():
        output = net(pictures)
        noise, embedded = net.noise(pictures[:, :, 0])
        real, fake = net.head(net.face(pictures[:, :, 0])).unbind(1)
    torch.testing.assert_close(output.logit, fake - real + noise)
    torch.testing.assert_close(output.embedding[:, 2048:], embedded.mean(dim=1))
    torch.testing.assert_close(embedded.norm(dim=2), torch.ones(embedded.shape[:2]))


def test_a_full_picture_has_sixteen_patches_whose_shares_add_up(net: nn.Module):
    counted = net.noise.counted(torch.rand(1, 3, 299, 299) * 2 - 1)
    assert counted.shape == (1, 16, FEATURES)
    halves = counted.unflatten(2, (2, FEATURES // 2)).sum(dim=3)
    torch.testing.assert_close(halves, torch.ones(1, 16, 2))


def test_noise_tells_and_brightness_does_not(net: nn.Module):
    plain = (clips(1)[:, :, 0] * 20).round() / 127.5
    brighter = plain + 16 / 127.5
    smooth = nn.functional.avg_pool2d(plain, 5, 1, 2)
    counted = [net.noise.counted(pictures) for pictures in (plain, brighter, smooth)]
    torch.testing.assert_close(counted[0], counted[1])
    assert (counted[0] - counted[2]).abs().max() > 0.1


def test_the_loss_is_of_both_streams_and_the_triplets(net: nn.Module):
    label = torch.tensor([0.0, 1.0])
    pictures = clips(2)
    with torch.no_grad():
        whole = net.training_loss(pictures, Target(label=label))
        noise, _ = net.noise(pictures[:, :, 0])
        face = net(pictures).logit - noise
    streams = binary_loss(face, label) + binary_loss(noise, label)
    assert 0 <= (whole - streams).item() <= 4.2


def test_it_says_that_nothing_was_verified():
    assert any("not verified" in difference for difference in CARD.paper.differences)
    assert CARD.weights == ()
