from __future__ import annotations

import torch

from unmask.losses.split_latent import activation_loss, locality_loss


def test_activations_cost_nothing_where_the_right_half_is_at_one():
    label = torch.tensor([0.0, 1.0])
    assert activation_loss(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0]), label) == 0
    assert activation_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), label) == 2


def test_a_map_costs_nothing_that_is_the_mask_with_a_mean_of_one():
    mask = torch.zeros(2, 1, 8, 8)
    mask[0, :, :4, :4] = 1
    right = torch.zeros(2, 1, 2, 2)
    right[0, 0, 0, 0] = 4
    assert right[0].mean() == 1
    assert locality_loss(right, mask) == 0
    elsewhere = right.flip(2)
    assert locality_loss(elsewhere, mask) == (1 + 1) / 8


def test_of_a_real_picture_every_activity_costs():
    assert locality_loss(torch.full((1, 1, 2, 2), 0.5), torch.zeros(1, 1, 8, 8)) == 0.25
