from __future__ import annotations

import math

import pytest
import torch

from unmask.losses import binary_loss, manipulation_loss, segmentation_loss


def test_pixels_are_averaged_by_hand():
    mask = torch.tensor([[[[2.0, -1.0]]], [[[0.0, 0.5]]]])
    true = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    by_hand = (
        math.log1p(math.exp(-2))
        + math.log1p(math.exp(-1))
        + math.log(2)
        + math.log1p(math.exp(-0.5))
    ) / 4
    assert segmentation_loss(mask, true).item() == pytest.approx(by_hand)


def test_pixels_above_a_tenth_are_forged():
    true = torch.tensor([[[[0.0, 0.1, 0.11, 0.6]]]])
    mask = torch.tensor([[[[-30.0, -30.0, 30.0, 30.0]]]])
    assert segmentation_loss(mask, true).item() == pytest.approx(0, abs=1e-9)
    # With a threshold of 1/2 the third pixel is wrong by 30, one of four.
    assert segmentation_loss(mask, true, threshold=0.5).item() == pytest.approx(7.5)


def test_a_small_mask_is_enlarged_from_corner_to_corner():
    small = torch.tensor([[[[0.0, 4.0]]]])
    large = torch.tensor([[[[0.0, 1.0, 2.0, 3.0, 4.0]]]])
    true = torch.tensor([[[[0.0, 0.0, 1.0, 1.0, 1.0]]]])
    torch.testing.assert_close(segmentation_loss(small, true), segmentation_loss(large, true))


def test_picture_and_pixels_weigh_the_same():
    torch.manual_seed(0)
    logit, label = torch.randn(3), torch.tensor([0.0, 1.0, 1.0])
    mask, true = torch.randn(3, 1, 4, 4), torch.rand(3, 1, 16, 16)
    total = manipulation_loss(logit, mask, label, true)
    torch.testing.assert_close(total, binary_loss(logit, label) + segmentation_loss(mask, true))


def test_the_sum_by_hand():
    # The picture: log 2. The pixels, one right by 1 and one wrong by 1.
    mask, true = torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    by_hand = math.log(2) + (math.log1p(math.exp(-1)) + math.log1p(math.exp(1))) / 2
    loss = manipulation_loss(torch.zeros(1), mask, torch.ones(1), true)
    assert loss.item() == pytest.approx(by_hand)


def test_its_gradients_are_right():
    torch.manual_seed(0)
    logit = torch.randn(2, dtype=torch.float64, requires_grad=True)
    mask = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    label = torch.tensor([0.0, 1.0], dtype=torch.float64)
    true = torch.rand(2, 1, 7, 7, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x, y: manipulation_loss(x, y, label, true), (logit, mask)
    )
