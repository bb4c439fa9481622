from __future__ import annotations

import pytest
import torch

from unmask.losses import attention_transfer_loss
from unmask.losses.attention_transfer import attention_target


def maps(*rows: list[float]) -> torch.Tensor:
    return torch.tensor([[[row]] for row in rows], dtype=torch.float64)


HIGH = maps([0.9, 0.2], [0.4, 0.1])
LOW = maps([0.5, 0.3], [0.1, 0.2])
TRUTH = maps([1.0, 0.0], [0.0, 0.0])


def test_it_is_what_one_works_out_by_hand():
    transfer = (0.4 + 0.1 + 0.3 + 0.1) / 4
    truth = (0.1 + 0.2 + 0.4 + 0.1) / 4
    assert attention_transfer_loss(HIGH, LOW, TRUTH).item() == pytest.approx(transfer + truth)


def test_maps_that_are_right_and_agree_cost_nothing():
    assert attention_transfer_loss(TRUTH, TRUTH, TRUTH).item() == 0


def test_the_first_term_moves_the_worse_branch_alone():
    high, low = HIGH.clone().requires_grad_(), LOW.clone().requires_grad_()
    attention_transfer_loss(high, low, TRUTH).backward()
    # A quarter for each of four pixels: low goes towards high, high towards the truth only.
    assert torch.equal(low.grad, (LOW - HIGH).sign() / 4)
    assert torch.equal(high.grad, (HIGH - TRUTH).sign() / 4)


def test_its_gradient_with_respect_to_the_worse_map_is_right():
    low = LOW.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: attention_transfer_loss(HIGH, x, TRUTH), (low,))


def test_a_place_is_forged_from_a_tenth_on():
    mask = torch.tensor([[[[0.0, 0.0], [0.0, 0.36], [0.0, 0.0], [0.0, 0.44]]]])
    found = attention_target(mask, torch.ones(1), (2, 1))
    assert found.tolist() == [[[[0.0], [1.0]]]]  # means of 0.09 and 0.11


def test_real_pictures_have_no_forged_place_whatever_their_mask_says():
    found = attention_target(torch.ones(2, 1, 8, 8), torch.tensor([0.0, 1.0]), (2, 2))
    assert found[0].max() == 0
    assert found[1].min() == 1


def test_a_mask_of_299_pixels_gives_a_map_of_19_by_19():
    mask = torch.zeros(1, 1, 299, 299)
    mask[..., 150:, :] = 1
    found = attention_target(mask, torch.ones(1), (19, 19))
    assert found.shape == (1, 1, 19, 19)
    # The tenth row covers the pixels 141 to 157: half forged.
    assert found[0, 0, :, 0].tolist() == [0.0] * 9 + [1.0] * 10
