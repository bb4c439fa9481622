from __future__ import annotations

import math

import pytest
import torch

from unmask.losses.vulnerable_points import vulnerable_points, vulnerable_points_loss


def test_the_rim_peaks_where_half_is_forged():
    mask = torch.tensor([[[[0.0, 0.5, 0.75, 1.0]]]])
    assert vulnerable_points(mask).tolist() == [[[[0.0, 1.0, 0.75, 0.0]]]]


def test_each_map_is_scaled_to_its_own_peak():
    mask = torch.tensor([[[[0.1, 0.5]]], [[[0.1, 0.0]]]])
    points = vulnerable_points(mask)
    assert points[0].flatten().tolist() == pytest.approx([0.36, 1.0])
    assert points[1].flatten().tolist() == pytest.approx([1.0, 0.0])


def test_the_faintest_rim_is_not_blown_up():
    mask = torch.full((1, 1, 1, 1), 0.01)
    assert float(vulnerable_points(mask)) == pytest.approx(4 * 0.01 * 0.99)


def test_a_real_picture_has_no_points():
    assert not vulnerable_points(torch.zeros(1, 1, 4, 4)).any()


def test_the_loss_by_hand():
    # The columns' means are 0.5 and 0, so the target is 1 and 0. A logit of 0 costs log 2, that
    # of the rim five times as much.
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    points = torch.zeros(1, 1, 1, 2)
    assert float(vulnerable_points_loss(points, mask)) == pytest.approx(3 * math.log(2))


def test_right_points_cost_less_than_wrong_ones():
    mask = torch.tensor([[[[0.0, 0.5, 1.0]]]])
    right, wrong = torch.tensor([[[[-9.0, 9.0, -9.0]]]]), torch.tensor([[[[9.0, -9.0, 9.0]]]])
    assert vulnerable_points_loss(right, mask) < 0.01 < vulnerable_points_loss(wrong, mask)
