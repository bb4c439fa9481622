from __future__ import annotations

import pytest
import torch

from unmask.losses.patch_triplet import patch_triplet_loss


def unit(*degrees: float) -> torch.Tensor:
    angle = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angle.cos(), angle.sin()], dim=-1)


def test_only_what_is_nearer_to_another_picture_costs():
    apart = torch.stack([unit(0, 10), unit(180, 190)])
    assert patch_triplet_loss(apart, margin=0.2) == 0
    mixed = torch.stack([unit(0, 180), unit(0, 180)])
    assert patch_triplet_loss(mixed, margin=0.2).item() == pytest.approx(4.2)


def test_the_margin_is_what_equal_patches_cost():
    same = unit(30, 30).repeat(3, 1, 1)
    assert patch_triplet_loss(same, margin=0.2).item() == pytest.approx(0.2)


def test_without_triplets_there_is_no_loss():
    for shape in ((1, 4, 8), (4, 1, 8)):
        embeddings = torch.rand(*shape, requires_grad=True)
        loss = patch_triplet_loss(embeddings, margin=0.2)
        loss.backward()
        assert loss == 0
        assert not embeddings.grad.any()
