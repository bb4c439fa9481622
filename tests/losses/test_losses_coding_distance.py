from __future__ import annotations

import math

import pytest
import torch

from unmask.losses import coding_distance_loss
from unmask.losses.coding_distance import norm_hinge

LABEL = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
# Norms 5, 13, 50 and 100.
HIGH = torch.tensor([[3.0, 4.0], [5.0, 12.0], [30.0, 40.0], [60.0, 80.0]], dtype=torch.float64)
# Norms 0, 10, 75 and 25.
LOW = torch.tensor([[0.0, 0.0], [6.0, 8.0], [45.0, 60.0], [15.0, 20.0]], dtype=torch.float64)


def test_the_hinge_is_what_one_works_out_by_hand():
    assert norm_hinge(HIGH, LABEL).item() == pytest.approx((0 + 8 + 25 + 0) / 4)
    assert norm_hinge(LOW, LABEL).item() == pytest.approx((0 + 5 + 0 + 50) / 4)


def test_the_whole_is_what_one_works_out_by_hand():
    apart = (5 + math.hypot(1, 4) + 25 + 75) / 4
    expected = (8 + 25) / 4 + (5 + 50) / 4 + apart
    assert coding_distance_loss(HIGH, LOW, LABEL).item() == pytest.approx(expected)


def test_its_radii_can_be_set():
    hinge = norm_hinge(HIGH, LABEL, inner_radius=4, outer_radius=60)
    assert hinge.item() == pytest.approx((1 + 9 + 10 + 0) / 4)


def test_its_gradient_is_right():
    high, low = HIGH.clone().requires_grad_(), (LOW + 1).requires_grad_()
    # Off the kinks: the first one's norm is r- exactly.
    radii = {"inner_radius": 4.5, "outer_radius": 76.0}
    assert torch.autograd.gradcheck(
        lambda x, y: coding_distance_loss(x, y, LABEL, **radii), (high, low)
    )


def test_reals_are_drawn_in_and_fakes_pushed_out():
    points = torch.full((2, 2), 10.0, requires_grad=True)
    norm_hinge(points, torch.tensor([0.0, 1.0])).backward()
    assert (points.grad[0] > 0).all()
    assert (points.grad[1] < 0).all()


def test_pairs_are_drawn_together():
    high = torch.tensor([[1.0, 1.0]], requires_grad=True)
    low = torch.tensor([[1.0, 2.0]], requires_grad=True)
    coding_distance_loss(high, low, torch.tensor([0.0])).backward()
    assert high.grad.tolist() == [[0.0, -1.0]]
    assert low.grad.tolist() == [[0.0, 1.0]]


def test_embeddings_at_the_origin_and_equal_pairs_have_a_finite_gradient():
    high, low = torch.zeros(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
    coding_distance_loss(high, low, torch.tensor([0.0, 1.0])).backward()
    assert high.grad.abs().sum() == 0
    assert low.grad.abs().sum() == 0
